"""Frames of any shape: from one pixel to a strip of thousands, each is answered."""

import cv2
import numpy as np
import pytest
from frame_shapes import frame_shapes
from hypothesis import given, settings

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import frame_quad, straighten
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.samples import draw_collection


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> RGB:
    return decode(draw_collection(tmp_path_factory.mktemp("card"), count=1)[0])


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    folder = tmp_path_factory.mktemp("shapes")
    draw_collection(folder / "refs", count=3)
    embedder = Embedder.open("sscd-small")
    index = build_index(folder / "refs", folder / "i.npz", embedder, quiet=True).index
    return Recognizer(index, embedder, refs=folder / "refs")


@settings(max_examples=40, deadline=None)
@given(shape=frame_shapes())
def test_a_frame_of_any_shape_is_answered(
    shape: tuple[int, int], recognizer: Recognizer, card: RGB
) -> None:
    frame = np.asarray(cv2.resize(card, shape), np.uint8)
    for detection in recognizer.recognize(frame):
        assert np.isfinite(detection.quad).all()
        assert 0 <= detection.score <= 1


@pytest.mark.parametrize("shape", [(1, 1), (4000, 2), (2, 4000), (1, 6000), (9000, 1)])
def test_a_strip_is_straightened_to_what_it_shows(shape: tuple[int, int]) -> None:
    width, height = shape
    ramp = np.linspace(0, 255, max(shape)).astype(np.uint8)
    strip = np.broadcast_to(ramp if width > height else ramp[:, None], (height, width))
    square = straighten(np.dstack([strip] * 3), frame_quad(width, height), 96)
    assert square.shape == (96, 96, 3)
    along = square[..., 0].mean(axis=0 if width > height else 1)
    if width * height > 1:
        assert along[0] < 10 and along[-1] > 245
        assert (np.diff(along) >= -1).all()


def test_copies_in_a_tidy_grid_are_all_found(recognizer: Recognizer, card: RGB) -> None:
    """Their votes fall together in between, where nothing is."""
    copy = cv2.resize(card, (158, 220), interpolation=cv2.INTER_AREA)
    cell = cv2.copyMakeBorder(copy, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=(60, 70, 60))
    frame = np.tile(np.asarray(cell, np.uint8), (3, 3, 1))
    sure = [detection for detection in recognizer.recognize(frame) if detection.confident]
    places = sorted(tuple(np.round(d.quad.mean(axis=0) / (166, 228) - 0.5)) for d in sure)
    assert places == [(x, y) for x in range(3) for y in range(3)]
