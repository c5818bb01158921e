"""A video file → its frames."""

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
# A video with less than this fraction of the frames it claims is cut off. It may have a
# few less, because in some containers the number is an estimate.
_CUT_OFF = 0.9


def read_video(
    path: Path, every: int, progress: Progress | None = None
) -> Iterator[tuple[int, RGB]]:
    """The number and picture, (H, W, 3) uint8 RGB, of each `every`-th
    frame, upright.

    Adds the expected frames to the total of `progress`. Raises
    ImageError if the file does not exist or is not a video, and,
    after the last readable frame, if it is cut off.
    """
    if not path.is_file():
        what = "A folder or device" if path.exists() else "There is no such file"
        raise ImageError(what, "Name a video file")

    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    number = 0
    try:
        claimed = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        if progress is not None:
            progress.total += -(-claimed // every)  # rounded up

        while video.grab():
            if number % every == 0:
                is_good, frame = video.retrieve()
                if not is_good:
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
