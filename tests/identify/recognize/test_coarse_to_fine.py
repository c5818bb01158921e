"""A frame looked at in half, and in full only where that leaves something open."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer, search
from data_label_factory.identify.recognize.features import FINE, Extractor, Features
from data_label_factory.identify.recognize.scale_search import ScaleSearch
from data_label_factory.identify.recognize.search import FrameSearch
from data_label_factory.samples import draw_collection

NONE = np.zeros(0, np.int64)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_collection(tmp_path_factory.mktemp("cards") / "refs", count=24)


@pytest.fixture(scope="module")
def recognizer(cards: list[Path]) -> Recognizer:
    refs = cards[0].parent
    index = build_index(refs, refs.parent / "i.npz", Embedder.open("sscd-small"), quiet=True).index
    return Recognizer(index, Embedder.open("sscd-small"), refs=refs)


def lay(frame: RGB, card: Path, height: int, left: int, top: int) -> None:
    """Put a card of that height into the frame."""
    picture = decode(card)
    width = round(picture.shape[1] * height / picture.shape[0])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    frame[top : top + height, left : left + width] = small


def soft_frame(seed: int) -> RGB:
    """640 × 480 of a camera that is a little out of focus, with noise."""
    rough = np.random.default_rng(seed).integers(60, 200, (16, 22, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def shoot(frame: RGB, seed: int) -> RGB:
    noise = np.random.default_rng(seed).normal(0, 4, frame.shape)
    soft = cv2.GaussianBlur(frame, (0, 0), 0.7)
    return np.asarray((soft + noise).clip(0, 255), np.uint8)


def names(recognizer: Recognizer, frame: RGB) -> set[str]:
    return {one.reference for one in recognizer.recognize(frame) if one.confident}


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The fraction of the frame that each fine look covers, as they happen."""
    looks: list[float] = []
    within = Extractor.within

    def counted(self: Extractor, image: RGB, box: tuple[float, float, float, float]) -> Features:
        if self is FINE:
            left, top, right, bottom = box
            looks.append((right - left) * (bottom - top) / (image.shape[0] * image.shape[1]))
        return within(self, image, box)

    monkeypatch.setattr(Extractor, "within", counted)
    return looks


@pytest.mark.parametrize(("seed", "height"), [(4, 56), (2, 62), (3, 62), (2, 68)])
def test_a_large_item_does_not_hide_a_small_one_beside_it(
    recognizer: Recognizer,
    cards: list[Path],
    seed: int,
    height: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large, small = cards[2 + seed], cards[12 + seed]
    frame = soft_frame(seed)
    lay(frame, large, 320, 40, 80)
    lay(frame, small, height, 480, 150 + 60 * seed)
    frame = shoot(frame, seed)
    assert names(recognizer, frame) == {large.name, small.name}

    # The coarse look alone misses it; and the closer one need not see much.
    looks = count_looks(monkeypatch)
    recognizer.recognize(frame)
    assert 0 < sum(looks) < 0.35
    monkeypatch.setattr(search, "_MOST_REGIONS", 0)
    assert names(recognizer, frame) == {large.name}


def test_one_item_seen_well_is_looked_at_once(
    recognizer: Recognizer, cards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = soft_frame(7)
    lay(frame, cards[5], 320, 200, 80)
    looks = count_looks(monkeypatch)
    assert names(recognizer, shoot(frame, 7)) == {cards[5].name}
    assert looks == []


def test_a_blank_frame_is_not_looked_at_in_full(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = recognizer._references
    assert references is not None
    looks = count_looks(monkeypatch)
    blank = FrameSearch(np.full((480, 640, 3), 128, np.uint8), references, NONE)
    assert blank.by_votes() == [] and looks == []
    assert blank.by_shortlist([]) == [] and looks == []
    assert blank.by_shortlist([0, 1]) == [] and looks == [1.0]


def test_a_small_frame_is_looked_at_in_full_at_once(
    recognizer: Recognizer, cards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = cv2.resize(soft_frame(8), (300, 225))
    lay(frame, cards[8], 200, 80, 10)
    looks = count_looks(monkeypatch)
    assert names(recognizer, shoot(frame, 8)) == {cards[8].name}
    assert looks == [1.0]


def test_what_an_item_explains_is_out_of_play_in_a_closer_look(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    references = recognizer._references
    assert references is not None
    frame = soft_frame(9)
    lay(frame, cards[5], 320, 200, 80)
    (pose, *_) = ScaleSearch(frame, FINE(frame), references, NONE).by_votes()
    assert pose.is_convincing

    again = ScaleSearch(frame, FINE(frame), references, NONE, explained=[pose.quad])
    assert not any(found.is_convincing for found in again.by_votes())
