"""What the store of references is made of: codes, packed numbers, thumbnails, backgrounds."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import as_references

from data_label_factory.identify.recognize import background, codes, packing
from data_label_factory.identify.recognize.background import (
    SIMILAR,
    Backgrounds,
    find_similar,
    make_tiny,
)
from data_label_factory.identify.recognize.codes import Rotation
from data_label_factory.identify.recognize.feature_store import new_store
from data_label_factory.identify.recognize.features import Features, distances
from data_label_factory.identify.recognize.local_index import near_distances
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.store_writer import (
    append_references,
    compare_kinds,
    count_shared,
    learn_words,
    open_words,
)
from data_label_factory.identify.recognize.thumbnails import Thumbnails, compress

FEW = (300, 200)  # height, width


def descriptors(seed: int, count: int) -> np.ndarray:
    histograms = np.random.default_rng(seed).gamma(0.5, 1, (count, 128))
    roots = np.sqrt(histograms / histograms.sum(1, keepdims=True)) * 512
    return np.asarray(roots.clip(0, 255), np.uint8)


@given(st.integers(0, 10_000))
def test_turned_descriptors_keep_their_distances(seed: int) -> None:
    a, b = descriptors(seed, 30), descriptors(seed + 1, 30)
    turn = Rotation(a.mean(axis=0).astype(np.float32))
    # Rounded; a coordinate beyond 4 deviations may be cut off.
    gap = np.abs(distances(turn(a), turn(b)) - distances(a, b))
    assert gap.max() < 0.04 and np.median(gap) < 0.003


def test_no_coordinate_holds_much_more_than_another_once_turned() -> None:
    """Descriptors of which most is in few coordinates."""
    rows = (descriptors(0, 4000) * np.linspace(0, 1, 128) ** 2).astype(np.uint8)
    turned = Rotation(rows.mean(axis=0).astype(np.float32))(rows).astype(float)
    assert rows.std(axis=0).max() > 20 * np.median(rows.std(axis=0)[:32])
    assert turned.std(axis=0).max() < 2 * turned.std(axis=0).min()
    assert turned.mean() == pytest.approx(codes.ZERO, abs=1)


def gaussian(spread: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Words, and what is left of coordinates to them, so that these are whole numbers."""
    rng = np.random.default_rng(seed)
    words = rng.integers(110, 146, (len(spread), 128)).astype(np.float32)
    left = rng.normal(0, 1, words.shape) * spread[:, None]
    return words, np.rint(left).astype(np.float32)


def test_two_bits_lose_of_a_gaussian_what_the_best_levels_do() -> None:
    spread = np.repeat(np.float32([8, 14, 20]), 1000)
    words, left = gaussian(spread)
    decoded = codes.decode(words, spread, *codes.encode(left, spread)).astype(float)
    lost = ((decoded - words - left) ** 2).mean(axis=1) / spread**2
    for one in (8, 14, 20):  # to whole numbers twice: 1/12 each
        assert lost[spread == one].mean() == pytest.approx(0.1175 + 1 / 6 / one**2, rel=0.03)


def test_squared_distances_to_what_was_decoded_are_right_on_average() -> None:
    spread = np.repeat(np.float32([8, 14, 20]), 1000)
    words, left = gaussian(spread)
    stored = np.rint(words + left).clip(0, 255).astype(np.uint8)
    decoded = codes.decode(words, spread, *codes.encode(left, spread))
    other = stored + np.random.default_rng(1).normal(0, 15, stored.shape)
    asked = np.rint(other).clip(0, 255).astype(np.uint8)

    true, found = distances(asked, stored) ** 2, distances(asked, decoded) ** 2
    excess = codes.excess(spread)
    for one in (8, 14, 20):
        rows = spread == one
        assert (found - true)[rows].mean() == pytest.approx(excess[rows].mean(), rel=0.06)
        near = near_distances(asked[rows], decoded[rows], excess[rows])
        assert near == pytest.approx(np.sqrt(true[rows]), abs=0.12)
        assert near.mean() == pytest.approx(np.sqrt(true[rows]).mean(), abs=0.005)
    assert near_distances(decoded, decoded, excess).max() == 0


@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(0, 1), st.floats(0, 1))
def test_places_are_kept_to_a_step(height: int, width: int, x: float, y: float) -> None:
    xy = np.array([[x * width - 0.5, y * height - 0.5]], np.float32)
    packed = packing.pack_places(xy, (height, width))
    shape = np.array([[height, width]], np.float32)
    step = np.array([[width, height]]) / 65_535
    assert (np.abs(packing.unpack_places(packed, shape) - xy) <= step / 2 + 1e-3).all()


@given(st.lists(st.floats(0.25, 10_000), min_size=1, max_size=20))
def test_sizes_are_kept_to_two_hundredths(sizes: list[float]) -> None:
    again = packing.unpack_size(packing.pack_size(np.array(sizes, np.float32)))
    assert again == pytest.approx(sizes, rel=0.023)


@given(st.lists(st.floats(-7, 7), min_size=1, max_size=20))
def test_angles_are_kept_to_less_than_a_degree(angles: list[float]) -> None:
    again = packing.unpack_angle(packing.pack_angle(np.array(angles, np.float32)))
    turn = (again - angles + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(np.degrees(turn)).max() <= 0.71
    assert again.min() >= 0 and again.max() < 2 * np.pi


@given(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=20))
def test_counts_are_kept_to_three_hundredths_and_nothing_is_nothing(counts: list[int]) -> None:
    again = packing.unpack_shared(packing.pack_shared(np.array(counts)))
    assert again + 1 == pytest.approx(np.array(counts) + 1, rel=0.03)
    assert packing.unpack_shared(packing.pack_shared(np.zeros(1)))[0] == 0


def picture(seed: int, height: int = 144, width: int = 103) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (14, 10, 3), dtype=np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


def features(seed: int, count: int = 40) -> Features:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 200, (count, 2)).astype(np.float32)
    size, angle = np.full(count, 4, np.float32), np.zeros(count, np.float32)
    return Features(xy, size, angle, descriptors(seed, count), FEW)


def stored(pictures: list[np.ndarray], details: list[Features] | None = None) -> ReferenceFeatures:
    """The references of these pictures, in memory."""
    made = as_references(details or [features(seed) for seed in range(len(pictures))])
    made = [
        one._replace(thumb=compress(shown), tiny=make_tiny(shown))
        for one, shown in zip(made, pictures, strict=True)
    ]
    store = learn_words(append_references(new_store(None), made, None), len(made))
    words = open_words(store)
    assert words is not None
    numbers = np.arange(len(made))
    return ReferenceFeatures(numbers, compare_kinds(count_shared(store, words), numbers))


def test_thumbnails_of_any_shape_are_as_they_were() -> None:
    shapes = [(144, 103), (24, 144), (144, 24), (144, 144), (24, 24)]
    pictures = [picture(seed, *shape) for seed, shape in enumerate(shapes)]
    thumbs = Thumbnails(stored(pictures).columns)
    assert len(thumbs) == len(shapes)
    for number in (3, 0, 4, 1, 2, 3):
        shown = thumbs[number]
        assert shown.shape == pictures[number].shape
        assert difference(gray(shown), gray(pictures[number])) < 8
        assert difference(gray(shown), gray(pictures[number][::-1].copy())) > 25
    assert difference(thumbs[0], pictures[0]) < 12
    assert difference(thumbs[0][..., ::-1].copy(), pictures[0]) > 40  # red and blue


def gray(shown: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(cv2.absdiff(a, b).mean())


def tiny_of(count: int, kinds: int) -> np.ndarray:
    """Coarse looks of so many kinds of things."""
    rng = np.random.default_rng(5)
    size = 3 * background.TINY_PX[0] * background.TINY_PX[1]
    kind = rng.integers(0, 256, (kinds, size))
    shown = kind[np.arange(count) % kinds] + rng.normal(0, 12, (count, size))
    return np.asarray(shown.clip(0, 255), np.uint8)


def naive_similar(tiny: np.ndarray, number: int, known: np.ndarray) -> list[int]:
    likeness = [
        -np.inf if other == number else np.corrcoef(tiny[number], tiny[other])[0, 1]
        for other in known
    ]
    return known[np.argsort(likeness)[::-1][:SIMILAR]].tolist()


def test_the_most_similar_references_equal_the_naive_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_BLOCK", 7)  # several blocks, the last not full
    tiny = tiny_of(60, kinds=60)
    known = np.delete(np.arange(60), [0, 4, 31])
    asked = np.array([1, 2, 3, 30, 32, 40, 41, 50, 59])
    for number, found in zip(asked, find_similar(tiny, asked, known), strict=True):
        assert found.tolist() == naive_similar(tiny, number, known)
    assert [len(found) for found in find_similar(tiny, known[:1], known[:1])] == [0]
    assert [found.tolist() for found in find_similar(tiny, known[:2], known[:2])] == [[2], [1]]


def test_by_cells_nearly_the_same_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny, known = tiny_of(900, kinds=40), np.arange(900)
    exact = find_similar(tiny, known, known)
    monkeypatch.setattr(background, "_COMPARED", 1000)
    by_cells = find_similar(tiny, known, known)
    shared = [len(np.intersect1d(a, b)) for a, b in zip(exact, by_cells, strict=True)]
    assert np.mean(shared) > 0.95 * SIMILAR
    assert all(number not in found for number, found in enumerate(by_cells))


def test_a_kind_is_compared_anew_when_one_like_it_is_added() -> None:
    shown = [picture(seed) for seed in range(15)]
    references = stored(shown)
    before = Backgrounds(references.columns)
    assert before.near_duplicates(3) == [] and not len(before.doubtful)

    twin = as_references([features(99)], 15)[0]
    lit = (shown[3] * 0.9 + 10).astype(np.uint8)
    twin = twin._replace(thumb=compress(lit), tiny=make_tiny(lit))
    store = references.columns
    store = append_references(store, [twin], open_words(store))
    assert Backgrounds(store).missing.tolist() == [15]
    grown = Backgrounds(compare_kinds(store, np.arange(16)))
    assert grown.near_duplicates(3) == [15] and grown.near_duplicates(15) == [3]
    assert grown.doubtful.tolist() == [3, 15]
    assert grown.similar(3)[0] == 15
    assert before.near_duplicates(3) == []  # who has the older state keeps it


def test_where_others_agree_a_cell_is_likely_to() -> None:
    """One picture's upper half in all of them."""
    shown = [picture(seed) for seed in range(10)]
    for one in shown:
        one[:72] = shown[0][:72]
    chance = stored(shown).chance(4)
    assert chance.shape == (10, 7)
    assert chance[:4].min() > 0.6 > 0.35 > chance[6:].mean()


def test_near_duplicates_are_those_of_what_a_frame_shows() -> None:
    """Two share the upper half with its details, one shows another half above."""
    shown = [picture(seed) for seed in range(8)]
    shown[1][:80] = shown[0][:80]
    upper = np.zeros(shown[0].shape[:2], np.uint8)
    upper[:70] = 255
    details = [features(seed) for seed in range(8)]
    details[1] = details[0]
    references = stored(shown, details)
    assert references.near_duplicates(0) == []
    assert references.near_duplicates_within(0, upper) == [1]
    assert references.near_duplicates_within(0, upper[::-1].copy()) == []

    gone = ReferenceFeatures(np.array([0, -1, *range(2, 8)]), references.columns)
    assert gone.near_duplicates_within(0, upper) == []

    # They look alike there, but no detail is the same: finer print.
    details[1] = features(50)
    assert stored(shown, details).near_duplicates_within(0, upper) == []
