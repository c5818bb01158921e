"""Videos, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from data_label_factory.errors import ImageError, ImageUnsupportedError
from data_label_factory.identify.images import RGB
from data_label_factory.progress import Progress

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".ts", ".mts"}
)
# A video that ends this much before its own count of frames is cut off; that count is an estimate in some containers.
_CUT_OFF = 0.9


def read_video(
    path: Path, every: int, progress: Progress | None = None
) -> Iterator[tuple[int, RGB]]:
    """Number and picture, (H, W, 3) uint8 RGB, of each `every`-th frame, turned as the video says.

    Adds the frames to come to the total of `progress`. Raises ImageError when the file is missing or no video, and,
    after the last frame that could be read, when it is cut off.
    """
    if not path.is_file():
        raise ImageError(
            "A folder or device" if path.exists() else "The file is gone", "Name a video file"
        )
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        claimed = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        if progress is not None:
            progress.total += -(-claimed // every)
        number = 0
        while video.grab():
            if number % every == 0:
                good, frame = video.retrieve()
                if not good:
                    break
                yield number, np.ascontiguousarray(np.asarray(frame, np.uint8)[..., ::-1])
            number += 1
    finally:
        video.release()
    if number == 0:
        raise ImageUnsupportedError(
            "Not a video that can be read", "Save it as MP4 with H.264, or copy it again"
        )
    if number < claimed * _CUT_OFF:
        raise ImageError(f"The video ends after {number} of {claimed} frames", "Copy it again")
