"""Distractors look like the collection, and no reference is found in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.distractors import recompose, shrink
from data_label_factory.samples import draw_collection


def test_a_distractor_has_the_colors_and_the_size_of_a_reference() -> None:
    rng = np.random.default_rng(0)
    red = np.full((40, 30, 3), (200, 10, 10), np.uint8)
    blue = np.full((20, 90, 3), (10, 10, 200), np.uint8)
    made = [recompose([red, blue], rng) for _ in range(20)]
    assert {picture.shape for picture in made} == {red.shape, blue.shape}
    colors = {tuple(color) for picture in made for color in picture.reshape(-1, 3)}
    assert colors == {(200, 10, 10), (10, 10, 200)}
    assert all(len(np.unique(picture.reshape(-1, 3), axis=0)) == 2 for picture in made)


def test_the_same_state_gives_the_same_distractor() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    first, second = (recompose([picture], np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, picture)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2), (500, 5)])
def test_tiny_and_thin_references_will_do(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 90, np.uint8)
    assert recompose([picture], np.random.default_rng(0)).shape == picture.shape


def test_large_references_are_shrunk_and_small_ones_kept() -> None:
    assert shrink(np.zeros((1000, 2000, 3), np.uint8)).shape == (240, 480, 3)
    assert shrink(np.zeros((4, 4000, 3), np.uint8)).shape == (1, 480, 3)
    small = np.zeros((300, 480, 3), np.uint8)
    assert shrink(small) is small


@pytest.mark.slow
def test_no_reference_is_found_in_a_distractor(tmp_path: Path) -> None:
    embedder = Embedder.open("sscd-small")
    files = draw_collection(tmp_path / "refs", count=3)
    index = build_index(tmp_path / "refs", tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=tmp_path / "refs")
    pictures = [decode(file) for file in files]
    assert any(one.confident for one in recognizer.recognize(pictures[0]))

    rng = np.random.default_rng(0)
    for _ in range(6):
        found = recognizer.recognize(recompose(pictures, rng))
        assert not any(one.confident for one in found)
