"""Frames of a camera above a table, drawn: cards laid at known quads."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from drawn import photo_like
from serving import make_collection

from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad, frame_quad
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.tracking import TrackedDetection

WIDTH, HEIGHT = 640, 480
_NOISE = 3.0  # gray levels


class Table:
    """What a camera sees of pictures that are laid on a table, frame after frame."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._wood = (photo_like(WIDTH, HEIGHT, seed) // 4 + 90).astype(np.uint8)

    def film(self, *cards: tuple[RGB, Quad], light: float = 1.0) -> RGB:
        """A (480, 640, 3) frame in which each card fills its quad, the last on top."""
        frame = self._wood.copy()
        for picture, quad in cards:
            height, width = picture.shape[:2]
            matrix = cv2.getPerspectiveTransform(frame_quad(width, height), quad)
            laid = cv2.warpPerspective(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
            inside = np.zeros((HEIGHT, WIDTH), np.uint8)
            cv2.fillConvexPoly(inside, np.rint(quad).astype(np.int32), 1)
            frame[inside > 0] = laid[inside > 0]
        noisy = frame * light + self._rng.normal(0, _NOISE, frame.shape)
        return np.asarray(noisy.clip(0, 255), np.uint8)


def laid_at(x: float, y: float, *, height: float = 260, degrees: float = 0.0) -> Quad:
    """The quad of a card whose center is at (x, y) px."""
    half = np.array([height * 0.72, height]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(corners @ [[cos, sin], [-sin, cos]] + (x, y), np.float32)


def make_recognizer(folder: Path, count: int = 6) -> Recognizer:
    """A recognizer of so many drawn cards."""
    settings = make_collection(folder, count=count)
    embedder = Embedder(open_encoder(settings.encoder))
    return Recognizer(Index.load(settings.index), embedder, refs=settings.refs)


def read_cards(refs: Path) -> list[RGB]:
    """The pictures of a folder as a camera resolves them, in the order of an index."""
    return [_shrink(decode(file)) for file in sorted(refs.iterdir())]


def corner_error(found: Quad, true: Quad) -> float:
    """The mean distance of four corners, px."""
    return float(np.linalg.norm(found - true, axis=1).mean())


def names_of(tracked: Sequence[TrackedDetection]) -> list[str]:
    """`2 Owl`, `3 Fox?` …: number, name, and a mark where it is not sure."""
    return [
        f"{one.track_id} {one.detection.name}{'' if one.detection.confident else '?'}"
        for one in tracked
    ]


def _shrink(picture: RGB, height: int = 280) -> RGB:
    factor = height / picture.shape[0]
    return np.asarray(
        cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )
