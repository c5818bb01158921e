"""Finding by place, weighing votes and fitting quads, against naive loops and known poses."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import index_of

from data_label_factory.identify.recognize.features import Features
from data_label_factory.identify.recognize.geometry import (
    fit_homography,
    pairs_within,
    project_quad,
)
from data_label_factory.identify.recognize.hough import _are_crowded, find_clusters, weigh
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs
from data_label_factory.identify.recognize.pose import FrameMatcher

SHAPE = (300, 200)  # height, width of the references in px
FRAME = (480, 640)


@given(
    seed=st.integers(0, 10_000),
    points=st.integers(0, 60),
    places=st.integers(0, 30),
    radius=st.floats(0.5, 200),
)
def test_pairs_within_equals_the_naive_loop(
    seed: int, points: int, places: int, radius: float
) -> None:
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, 300, (points, 2)).astype(np.float32)
    b = rng.uniform(-400, 700, (places, 2)).astype(np.float32)  # many far outside
    point, place = pairs_within(a, b, radius)
    naive = {
        (i, j)
        for i in range(points)
        for j in range(places)
        if np.square(a[i] - b[j]).sum() <= radius**2
    }
    assert len(point) == len(set(zip(point.tolist(), place.tolist(), strict=True)))
    assert set(zip(point.tolist(), place.tolist(), strict=True)) == naive


@pytest.mark.parametrize("shift", [0.0, -1e6, 1e9])
def test_places_beyond_any_grid_are_near_nothing(shift: float) -> None:
    points = np.array([[0, 0], [50, 0], [0, 50], [50, 50]], np.float32)
    place = np.array([[shift, 25.0]], np.float32)
    assert len(pairs_within(points, place, 10.0)[0]) == 0


def descriptors(rng: np.random.Generator, count: int) -> np.ndarray:
    histograms = rng.gamma(0.5, 1, (count, 128))
    return (
        np.sqrt(histograms / histograms.sum(1, keepdims=True) * 512**2)
        .clip(0, 255)
        .astype(np.uint8)
    )


def reference(rng: np.random.Generator, count: int) -> Features:
    xy = (rng.uniform(0.05, 0.95, (count, 2)) * [SHAPE[1], SHAPE[0]]).astype(np.float32)
    return Features(
        xy,
        np.full(count, 4, np.float32),
        np.zeros(count, np.float32),
        descriptors(rng, count),
        SHAPE,
    )


def references() -> list[Features]:
    rng = np.random.default_rng(1)
    return [reference(rng, 80) for _ in range(15)]


@pytest.fixture(scope="module")
def index() -> LocalIndex:
    return index_of(references())


def naive_weigh(pairs: Pairs, references: int, far: float = 0.5) -> dict[int, float]:
    """LNBNN query by query: the best of each reference, less the distance to the 10th other one."""
    weights = {}
    for query in set(pairs.query.tolist()):
        best: dict[int, int] = {}
        for row in np.flatnonzero(pairs.query == query).tolist():
            whose = int(pairs.owner[row])
            if whose not in best or pairs.distance[row] < pairs.distance[best[whose]]:
                best[whose] = row
        ranked = sorted(best.values(), key=lambda row: pairs.distance[row])
        further = min(10, references - 1)
        background = (
            min(far, float(pairs.distance[ranked[further]])) if len(ranked) > further else far
        )
        for row in ranked[:further]:
            if (gain := background**2 - float(pairs.distance[row]) ** 2) > 0:
                weights[row] = gain
    return weights


@pytest.mark.parametrize("seed", range(5))
def test_weigh_equals_the_naive_loop(index: LocalIndex, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 400
    distance = rng.permutation(np.linspace(0.05, 0.6, count)).astype(np.float32)  # no ties
    feature = rng.integers(0, index.first[-1], count)
    pairs = Pairs(rng.integers(0, 12, count), feature, index.owner(feature), distance)
    rows, weights = weigh(pairs, index)
    naive = naive_weigh(pairs, len(index))
    assert sorted(rows.tolist()) == sorted(naive)
    assert dict(zip(rows.tolist(), weights.tolist(), strict=True)) == pytest.approx(naive, abs=1e-6)


@given(st.lists(st.integers(0, 2**55), min_size=1, max_size=20), st.integers(0, 10_000))
def test_every_bin_of_three_votes_is_kept_and_of_lone_ones_few(bins: list[int], seed: int) -> None:
    lone = np.random.default_rng(seed).integers(0, 2**55, 200)
    keys = np.concatenate([np.repeat(np.array(bins, np.int64), 3), lone])
    kept = _are_crowded(keys)
    assert kept[: 3 * len(bins)].all()
    assert kept[3 * len(bins) :].sum() < 20


def seen_as(own: Features, angle: float, scale: float, center: tuple[float, float]) -> Features:
    """A frame that shows one reference turned by `angle` and scaled about `centre`, among
    features of nothing.
    """
    rng = np.random.default_rng(9)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy = (
        (own.xy - np.array([SHAPE[1], SHAPE[0]]) / 2) @ turn.T
        + center
        + rng.normal(0, 0.3, (80, 2))
    )
    clutter = rng.uniform(0, 480, (200, 2))
    angles = np.concatenate([own.angle + angle, rng.uniform(0, 2 * np.pi, 200)])
    return Features(
        np.concatenate([xy, clutter]).astype(np.float32),
        np.concatenate([own.size * scale, rng.uniform(2, 20, 200)]).astype(np.float32),
        angles.astype(np.float32),
        np.concatenate([own.descriptors, descriptors(rng, 200)]),
        FRAME,
    )


@pytest.mark.parametrize("degrees", [0, 45, 90, 180, 275])
def test_votes_find_the_pose_and_the_quad_starts_at_the_references_own_top_left(
    index: LocalIndex, degrees: int
) -> None:
    angle, scale, center = np.radians(degrees), 0.9, (320.0, 240.0)
    frame = index.turned(seen_as(references()[4], angle, scale, center))
    pairs = index.pairs(frame.descriptors)
    rows, weights = weigh(pairs, index)
    best = find_clusters(index, frame, pairs.taken(rows), weights)[0]
    assert best.reference == 4
    candidates = pairs.taken(pairs.owner == 4)
    matcher = FrameMatcher(index, frame)
    (found,) = matcher.verify(best, candidates, np.ones(len(frame), bool))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    true = np.array([[-100, -150], [100, -150], [100, 150], [-100, 150]]) @ turn.T + center
    assert found.quad == pytest.approx(true, abs=3.0)
    assert found.inliers >= 50
    # What another item explains already is not counted again.
    assert matcher.verify(best, candidates, np.zeros(len(frame), bool)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_homography_is_found_among_twice_as_many_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = np.array([[0, 0], [200, 0], [200, 300], [0, 300]], np.float32)
    target = np.array(
        [[400, 380], [190, 360], [210, 60], [390, 70]], np.float32
    )  # upside down and tilted
    true = cv2.getPerspectiveTransform(corners, target)
    good = rng.uniform(0, 200, (40, 2)).astype(np.float32)
    source = np.concatenate([good, rng.uniform(0, 200, (80, 2)).astype(np.float32)])
    seen = cv2.perspectiveTransform(good[None], true)[0] + rng.normal(0, 0.3, good.shape).astype(
        np.float32
    )
    fit = fit_homography(
        source, np.concatenate([seen, rng.uniform(0, 480, (80, 2)).astype(np.float32)]), 2.0
    )
    assert fit is not None
    quad = project_quad(fit[0], np.array([300, 200], np.float32), FRAME)
    assert quad == pytest.approx(target, abs=6.0)
    assert fit[1][:40].mean() > 0.9
