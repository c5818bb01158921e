"""The parts of the recogniser against naive loops and hand-made cases."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import as_references, counted, index_of, store_of

from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.features import (
    COARSE,
    FINE,
    Features,
    choose_spread,
    distances,
    reference_extractor,
)
from data_label_factory.identify.recognize.geometry import fit_homography, mutual_best, project_quad
from data_label_factory.identify.recognize.hough import weigh
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs
from data_label_factory.identify.recognize.packing import unpack_shared
from data_label_factory.identify.recognize.scale_search import inside
from data_label_factory.identify.recognize.store_writer import append_references, open_words
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


@given(
    st.lists(st.tuples(st.floats(0, 199), st.floats(0, 299)), max_size=40),
    st.integers(1, 50),
    st.randoms(),
)
def test_spreading_equals_cells_that_take_turns(
    points: list[tuple[float, float]], most: int, random: "object"
) -> None:
    strength = list(range(len(points)))
    random.shuffle(strength)  # type: ignore[attr-defined]
    cells: dict[tuple[int, int], list[int]] = {}
    for row in sorted(range(len(points)), key=lambda row: -strength[row]):
        x, y = (np.float32(value) for value in points[row])
        cells.setdefault((int(x // 50), int(y // 50)), []).append(row)

    naive: list[int] = []
    while any(cells.values()):
        turn = [rows.pop(0) for rows in cells.values() if rows]
        naive += sorted(turn, key=lambda row: -strength[row])

    xy = np.array(points, np.float32).reshape(-1, 2)
    chosen = choose_spread(xy, np.array(strength, np.float32), (300, 200), most)
    assert chosen.tolist() == naive[:most]


def blotches(seed: int, height: int, width: int) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (height // 12, width // 12, 3), np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


def test_a_reference_keeps_features_in_its_quiet_half_too() -> None:
    picture = blotches(0, 400, 300)
    picture[:200] = (picture[:200] * 0.2 + 100).astype(np.uint8)  # little contrast
    kept = reference_extractor(60)(picture).xy
    assert len(kept) == 60
    assert 20 <= (kept[:, 1] < 195).sum() <= 40


def test_a_closer_look_finds_the_features_of_the_whole_where_they_are() -> None:
    frame = blotches(1, 480, 640)
    whole, part = FINE(frame), FINE.within(frame, (200.3, 99.5, 400, 1000))
    assert part.shape == whole.shape == (480, 640)
    assert (part.xy >= (200, 99)).all() and (part.xy <= (400, 480)).all()

    inner = whole.xy[((whole.xy > (240, 140)) & (whole.xy < (360, 440))).all(axis=1)]
    gap = np.linalg.norm(inner[:, None] - part.xy[None], axis=2).min(axis=1)
    assert len(inner) > 50
    assert (gap < 1).mean() > 0.9
    assert len(FINE.within(frame, (700, 10, 800, 20))) == 0


@pytest.mark.parametrize(("side", "coarse"), [(4000, 512), (640, 384), (320, 320), (100, 320)])
def test_a_frame_is_looked_at_coarsely_in_few_px(side: int, coarse: int) -> None:
    assert COARSE.factor((side // 2, side)) * side == pytest.approx(coarse)


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
    index = index_of(references)
    rarity = np.stack([index.details(number).rarity for number in range(30)])
    assert rarity[:, :60].mean() < 0.15
    assert rarity[:, 60:].mean() > 0.9
    pairs = index.pairs(index.turned(references[7]).descriptors)
    rows, weights = weigh(pairs, index)
    own = pairs.owner[rows] == 7
    from_template = pairs.query[rows] < 60
    assert weights[own & ~from_template].sum() > 20 * weights[from_template].sum()


def shared(index: LocalIndex) -> np.ndarray:
    """With how many others, (references, features of each)."""
    return unpack_shared(index.columns["shared"]).reshape(len(index), -1)


def sharing(rng: np.random.Generator, count: int) -> list[Features]:
    """References whose first 30 details of 60 are the same."""
    common = random_descriptors(rng, 30)
    return [
        features_of(np.concatenate([common, random_descriptors(rng, 30)]), rng)
        for _ in range(count)
    ]


def test_each_feature_knows_how_many_others_share_it() -> None:
    counts = shared(index_of(sharing(np.random.default_rng(4), 6)))
    assert counts[:, :30] == pytest.approx(np.full((6, 30), 5), rel=0.03)
    assert (counts[:, 30:] < 0.5).mean() > 0.99


def test_when_many_came_all_are_counted_anew_and_when_few_only_these() -> None:
    references = sharing(np.random.default_rng(4), 9)
    few = store_of(references[:3])
    words = open_words(few)
    many = counted(append_references(few, as_references(references[3:8], 3), words))
    assert shared(LocalIndex(many))[:, :30] == pytest.approx(np.full((8, 30), 7), rel=0.03)
    assert many.notes["listed"] == many.rows("words")

    more = counted(append_references(many, as_references(references[8:], 8), words))
    assert shared(LocalIndex(more))[:8].tolist() == shared(LocalIndex(many)).tolist()
    assert shared(LocalIndex(more))[8, :30] == pytest.approx(np.full(30, 8), rel=0.03)
    assert more.notes == many.notes
    assert more["entries"] is many["entries"]


def test_what_came_after_the_lists_is_found_as_well() -> None:
    rng = np.random.default_rng(6)
    references = [features_of(random_descriptors(rng, 100), rng) for _ in range(9)]
    few = store_of(references[:8])
    index = LocalIndex(
        counted(append_references(few, as_references(references[8:], 8), open_words(few)))
    )
    for number in (3, 8):
        pairs = index.pairs(index.turned(references[number]).descriptors)
        own = pairs.query + 100 * number == pairs.feature
        assert len(set(pairs.query[own].tolist())) > 95
        assert (pairs.owner[own] == number).all()
        assert pairs.distance[own].max() < 0.2 < pairs.distance[pairs.owner != number].min()


def test_weigh_keeps_the_best_match_of_each_query_with_each_reference() -> None:
    rng = np.random.default_rng(2)
    index = index_of([features_of(random_descriptors(rng, 20), rng) for _ in range(3)])
    feature = np.array([1, 2, 25])
    distance = np.array([0.3, 0.1, 0.2], np.float32)
    pairs = Pairs(np.array([0, 0, 0]), feature, index.owner(feature), distance)
    rows, weights = weigh(pairs, index)
    assert sorted(rows.tolist()) == [1, 2]
    assert weights[rows.tolist().index(1)] == pytest.approx(0.25 - 0.01, abs=1e-6)


def test_a_descriptor_finds_itself_through_the_vocabulary() -> None:
    rng = np.random.default_rng(3)
    references = [features_of(random_descriptors(rng, 400), rng) for _ in range(10)]
    index = index_of(references)
    descriptors = np.concatenate([one.descriptors for one in references]).astype(int)
    descriptors += rng.integers(-6, 7, descriptors.shape)
    noisy = index.vocabulary.rotation(descriptors.clip(0, 255).astype(np.uint8))
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
    assert inside(points, quad).tolist() == naive


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


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_cells_equal_the_naive_loop_over_shifts(shift: int) -> None:
    crop = (picture(0) * 0.5 + picture(1) * 0.5).astype(np.uint8)
    crop = np.roll(crop, 1, axis=1)
    found = appearance.compare(crop, picture(0), shift)
    rows, columns = found.correlation.shape
    assert (rows, columns) == (10, 7)

    seen, known = (
        cv2.GaussianBlur(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (0, 0), 1.1).astype(float)
        for p in (crop, picture(0))
    )
    padded = np.pad(seen, shift, mode="edge")
    for row in range(rows):
        for column in range(columns):
            top, bottom = (r * 144 // rows for r in (row, row + 1))
            left, right = (c * 103 // columns for c in (column, column + 1))
            ours = known[top:bottom, left:right]
            best = max(
                np.mean((moved - moved.mean()) * (ours - ours.mean()))
                / np.sqrt(max(moved.var(), 1) * max(ours.var(), 1))
                for down in range(2 * shift + 1)
                for across in range(2 * shift + 1)
                for moved in [padded[top + down : bottom + down, left + across : right + across]]
            )
            assert found.correlation[row, column] == pytest.approx(best, abs=1e-3)
            assert found.reference_contrast[row, column] == pytest.approx(ours.std(), abs=0.01)
            contrast = seen[top:bottom, left:right].std()
            assert found.crop_contrast[row, column] == pytest.approx(contrast, abs=0.01)


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
