"""A video file, or a folder of numbered frames, as frames for a camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from live_scenes import Frame
from live_script import FRAMES_PER_SECOND

from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.video import read_video
from data_label_factory.labels import IMAGE_SUFFIXES

# As the page sends them.
_SIDE_PX = 1024
_QUALITY = 85


def read_frames(source: Path, fps: float | None, seconds: float) -> Iterator[Frame]:
    """The frames of the first `seconds` s, without things, numbered on a clock of 30 a second.

    `fps` is the rate of the source; None: what the file says, of a folder 30. Raises
    FactoryError for what is not a video, and ValueError for a folder without pictures.
    """
    rate = fps or (_rate_of(source) if source.is_file() else FRAMES_PER_SECOND)
    for number, image in enumerate(_read_pictures(source)):
        if number / rate >= seconds:
            break
        yield Frame(round(number / rate * FRAMES_PER_SECOND), _encode(image), [])


def _rate_of(file: Path) -> float:
    rate = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FPS)
    return rate if 1 <= rate <= 240 else FRAMES_PER_SECOND


def _read_pictures(source: Path) -> Iterator[RGB]:
    if source.is_file():
        yield from (image for _, image in read_video(source, 1))
        return
    files = sorted(file for file in source.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise ValueError(f"no pictures in {source}")
    yield from map(decode, files)


def _encode(image: RGB) -> bytes:
    scale = min(1.0, _SIDE_PX / max(image.shape[:2]))
    if scale < 1:
        resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        image = np.asarray(resized, np.uint8)
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
