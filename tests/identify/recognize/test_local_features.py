"""The parts of the recogniser against naive loops and hand-made cases."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.identify.recognize import appearance, references
from data_label_factory.identify.recognize.features import Features, distances, reference_extractor
from data_label_factory.identify.recognize.geometry import fit_homography, mutual_best, project_quad
from data_label_factory.identify.recognize.hough import weigh
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs, Stored
from data_label_factory.identify.recognize.search import _inside
from data_label_factory.identify.recognize.vocabulary import Vocabulary, kmeans

SHAPE = np.array([300, 200], np.float32)
FRAME = (480, 640)


def features_of(descriptors: np.ndarray, rng: np.random.Generator) -> Features:
    count = len(descriptors)
    xy = rng.uniform(0, 200, (count, 2)).astype(np.float32)
    return Features(
        xy, np.full(count, 4, np.float32), np.zeros(count, np.float32), descriptors, (300, 200)
    )


def random_descriptors(rng: np.random.Generator, count: int) -> np.ndarray:
    histograms = rng.gamma(0.5, 1, (count, 128))
    return (
        np.sqrt(histograms / histograms.sum(1, keepdims=True) * 512**2)
        .clip(0, 255)
        .astype(np.uint8)
    )


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20, unique=True),
    st.randoms(),
)
def test_mutual_best_equals_the_naive_loop(pairs: list[tuple[int, int]], random: "object") -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)  # type: ignore[attr-defined]
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    distance = np.array(order, np.float32)
    naive = [
        i
        for i in range(len(pairs))
        if all(
            distance[i] <= distance[j] for j in range(len(pairs)) if a[j] == a[i] or b[j] == b[i]
        )
    ]
    assert mutual_best(a, b, distance).tolist() == naive


def test_distances_equal_the_naive_loop() -> None:
    rng = np.random.default_rng(0)
    a, b = random_descriptors(rng, 40), random_descriptors(rng, 40)
    naive = [
        float(np.linalg.norm(x.astype(float) - y.astype(float)) / 512)
        for x, y in zip(a, b, strict=True)
    ]
    assert distances(a, b) == pytest.approx(naive, abs=1e-5)


def homography(corners: list[list[float]]) -> np.ndarray:
    source = np.array([[0, 0], [200, 0], [200, 300], [0, 300]], np.float32)
    return cv2.getPerspectiveTransform(source, np.array(corners, np.float32))


@pytest.mark.parametrize(
    ("corners", "sane"),
    [
        ([[100, 100], [250, 110], [240, 330], [90, 320]], True),
        ([[240, 330], [90, 320], [100, 100], [250, 110]], True),  # upside down
        ([[250, 110], [100, 100], [90, 320], [240, 330]], False),  # mirrored
        ([[100, 100], [250, 110], [90, 320], [240, 330]], False),  # a bow tie
        ([[100, 100], [105, 100], [105, 107], [100, 107]], False),  # a few pixels
        ([[100, 100], [400, 110], [405, 125], [95, 112]], False),  # a sliver
        ([[200, 100], [220, 100], [400, 330], [10, 330]], False),  # far too foreshortened
        ([[100, 100], [9000, 110], [9000, 9000], [90, 9000]], False),  # far outside the frame
    ],
)
def test_only_quads_that_a_camera_can_see_are_sane(corners: list[list[float]], sane: bool) -> None:
    quad = project_quad(homography(corners), SHAPE, FRAME)
    assert (quad is not None) == sane
    if quad is not None:
        assert quad == pytest.approx(np.array(corners), abs=0.1)


def test_too_few_or_collinear_points_fit_nothing_and_raise_nothing() -> None:
    line = np.array([[i, i] for i in range(20)], np.float32)
    assert fit_homography(line[:3], line[:3], 2.0) is None
    found = fit_homography(line, line * 2, 2.0)
    assert (
        found is None or project_quad(found[0], SHAPE, FRAME) is None or np.isfinite(found[0]).all()
    )


def test_a_detail_that_all_references_share_is_worth_nothing() -> None:
    rng = np.random.default_rng(1)
    template = random_descriptors(rng, 60)
    references = [
        features_of(np.concatenate([template, random_descriptors(rng, 60)]), rng) for _ in range(30)
    ]
    index = LocalIndex.build(Stored.of(references))
    rarity = index.rarity.reshape(30, 120)
    assert rarity[:, :60].mean() < 0.15
    assert rarity[:, 60:].mean() > 0.9
    pairs = index.pairs(references[7].descriptors)
    rows, weights = weigh(pairs, index)
    own = index.reference[pairs.feature[rows]] == 7
    from_template = pairs.query[rows] < 60
    assert weights[own & ~from_template].sum() > 20 * weights[from_template].sum()


def test_building_forgets_what_another_index_counted() -> None:
    rng = np.random.default_rng(4)
    common = random_descriptors(rng, 30)
    stored = Stored.of(
        [features_of(np.concatenate([common, random_descriptors(rng, 30)]), rng) for _ in range(6)]
    )
    fresh = LocalIndex.build(stored).stored.shared
    stale = replace(stored, shared=np.full(len(stored.shared), 10**6, np.int32))
    assert fresh.max() == 5
    assert np.array_equal(LocalIndex.build(stale).stored.shared, fresh)


def test_weigh_keeps_the_best_match_of_each_query_with_each_reference() -> None:
    rng = np.random.default_rng(2)
    index = LocalIndex.build(
        Stored.of([features_of(random_descriptors(rng, 20), rng) for _ in range(3)])
    )
    pairs = Pairs(np.array([0, 0, 0]), np.array([1, 2, 25]), np.array([0.3, 0.1, 0.2], np.float32))
    rows, weights = weigh(pairs, index)
    assert sorted(rows.tolist()) == [1, 2]
    assert weights[rows.tolist().index(1)] == pytest.approx(0.25 - 0.01, abs=1e-6)


def test_a_descriptor_finds_itself_through_the_vocabulary() -> None:
    rng = np.random.default_rng(3)
    index = LocalIndex.build(
        Stored.of([features_of(random_descriptors(rng, 400), rng) for _ in range(10)])
    )
    noisy = (
        (index.descriptors.astype(int) + rng.integers(-6, 7, index.descriptors.shape))
        .clip(0, 255)
        .astype(np.uint8)
    )
    pairs = index.pairs(noisy)
    found = set(pairs.query[pairs.query == pairs.feature].tolist())
    assert len(found) > 0.9 * len(noisy)
    assert len(pairs.query) < 0.05 * len(noisy) ** 2


def test_kmeans_finds_separate_groups_and_survives_few_rows() -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat(np.eye(4, 8, dtype=np.float32) * 10, 50, axis=0) + rng.normal(
        0, 0.1, (200, 8)
    ).astype(np.float32)
    centers = kmeans(groups, 12, 10, rng)
    assert max(np.linalg.norm(centers - c, axis=1).min() for c in np.eye(4, 8) * 10) < 0.5
    assert kmeans(groups[:2], 5, 3, rng).shape == (2, 8)
    assert kmeans(groups[:0], 5, 3, rng).shape == (1, 8)
    assert len(Vocabulary.learn(np.zeros((0, 128), np.uint8))) == 1


def test_inside_equals_opencv() -> None:
    rng = np.random.default_rng(5)
    quad = np.array([[100, 80], [300, 120], [280, 400], [60, 350]], np.float32)
    points = rng.uniform(0, 450, (500, 2)).astype(np.float32)
    naive = [cv2.pointPolygonTest(quad, (float(x), float(y)), False) >= 0 for x, y in points]
    assert _inside(points, quad).tolist() == naive


def test_a_blank_picture_has_no_features() -> None:
    assert len(reference_extractor(1000)(np.full((50, 40, 3), 128, np.uint8))) == 0


def picture(seed: int) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (14, 10, 3), dtype=np.uint8)
    return cv2.resize(rough, (103, 144), interpolation=cv2.INTER_CUBIC)


def test_evidence_speaks_for_the_same_picture_and_against_another() -> None:
    chance = np.full(appearance.compare(picture(0), picture(0)).correlation.shape, 0.12, np.float32)
    darker = (picture(0) * 0.6 + 20).astype(np.uint8)
    same = appearance.weigh_evidence(appearance.compare(darker, picture(0)), chance)
    other = appearance.weigh_evidence(appearance.compare(picture(1), picture(0)), chance)
    assert same.whole > 60 and same.whole_correlation > 0.9
    assert other.whole < -20


def test_template_cells_say_nothing() -> None:
    cells = appearance.compare(picture(0), picture(0))
    common = appearance.weigh_evidence(cells, np.full(cells.correlation.shape, 0.95, np.float32))
    assert abs(common.whole) < 1e-6


def test_near_duplicates_are_told_apart_by_what_differs() -> None:
    first = picture(0)
    second = first.copy()
    second[100:130, 20:60] = picture(1)[100:130, 20:60]
    lit = (first * 0.7 + 25).astype(np.uint8)
    assert appearance.prefer_first(lit, first, second) > 0.3
    assert appearance.prefer_first(lit, second, first) < -0.3
    assert appearance.prefer_first(lit, first, first.copy()) == 0


def test_the_most_similar_references_equal_the_naive_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        references, "_SIMILAR_BLOCK", 7
    )  # so that 40 references need several blocks, the last not full
    rng = np.random.default_rng(5)
    thumbs = [np.asarray(rng.integers(0, 256, (24, 18, 3)), np.uint8) for _ in range(40)]
    tiny = [
        cv2.resize(t, references._TINY_PX, interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
        for t in thumbs
    ]
    for number, found in enumerate(references._find_similar(thumbs)):
        likeness = [
            -np.inf if i == number else np.corrcoef(tiny[number], row)[0, 1]
            for i, row in enumerate(tiny)
        ]
        assert found.tolist() == np.argsort(likeness)[::-1][: references._SIMILAR].tolist()
    assert [len(found) for found in references._find_similar(thumbs[:1])] == [0]


def test_what_lies_outside_the_frame_says_nothing() -> None:
    chance = np.full(appearance.compare(picture(0), picture(0)).correlation.shape, 0.12, np.float32)
    mask = np.zeros(picture(0).shape[:2], np.uint8)
    mask[:70] = 255
    half = picture(0).copy()
    half[70:] = picture(1)[70:]
    cells = appearance.compare(half, picture(0))
    all_in, cut = (appearance.weigh_evidence(c, chance) for c in (cells, cells.within(mask)))
    assert cut.whole > all_in.whole + 10
    assert cut.whole_correlation > 0.9 > all_in.whole_correlation
    assert cells.within(mask).are_near_duplicates and not cells.are_near_duplicates


def test_a_near_duplicate_whose_difference_is_out_of_sight_is_neither_preferred_nor_refused() -> (
    None
):
    first = picture(0)
    second = first.copy()
    second[100:130, 20:60] = picture(1)[100:130, 20:60]
    mask = np.full(first.shape[:2], 255, np.uint8)
    assert appearance.prefer_first(first, first, second, mask) == appearance.prefer_first(
        first, first, second
    )
    mask[80:] = 0
    assert abs(appearance.prefer_first(first, first, second, mask)) < 0.01
