"""Things in rows, as people read them."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from detections import detection

from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize.reading_order import find_places, put_in_order

Place = tuple[int, int]


def upright(left: float, top: float, width: float, height: float) -> Quad:
    return as_points([[0, 0], [width, 0], [width, height], [0, height]]) + np.float32([left, top])


def grid(rows: int, columns: int) -> tuple[list[Quad], list[Place]]:
    """Cards of 60 x 80 px, as in a binder."""
    places = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    return [upright(70 * column, 95 * row, 60, 80) for row, column in places], places


def seen(quads: Sequence[Quad], *, degrees: float, narrowing: float) -> list[Quad]:
    """As a camera sees them that is turned, and not in front of them."""
    source = as_points([[0, 0], [800, 0], [800, 800], [0, 800]])
    inset = 400 * narrowing
    target = as_points([[inset, 0], [800 - inset, 0], [800, 800], [0, 800]])
    turn = cv2.getRotationMatrix2D((400, 400), degrees, 1)
    matrix = np.vstack([turn, [0, 0, 1]]) @ cv2.getPerspectiveTransform(source, target)
    return [as_points(cv2.perspectiveTransform(quad[None], matrix)[0]) for quad in quads]


@pytest.mark.parametrize("degrees", [-20, -8, 0, 8, 20])
@pytest.mark.parametrize("narrowing", [0.0, 0.3])
def test_a_binder_seen_at_an_angle_is_read_row_by_row(degrees: float, narrowing: float) -> None:
    quads, places = grid(4, 6)
    shuffled = np.random.default_rng(1).permutation(len(quads))
    tilted = seen([quads[at] for at in shuffled], degrees=degrees, narrowing=narrowing)
    assert find_places(tilted) == [places[at] for at in shuffled]


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_cards_that_lie_on_their_head_or_side_are_in_the_same_rows(turn: int) -> None:
    quads, places = grid(3, 3)
    quads[4] = np.roll(quads[4], 2, axis=0)
    quads[5] = np.roll(upright(210, 195, 80, 60), turn, axis=0)
    assert find_places(quads) == places


def test_an_empty_pocket_counts_as_a_column() -> None:
    quads, places = grid(3, 3)
    kept = [at for at in range(9) if places[at] != (2, 2)]
    assert find_places([quads[at] for at in kept]) == [places[at] for at in kept]


def test_on_a_shelf_things_are_counted_along_each_board() -> None:
    rng = np.random.default_rng(3)
    quads, places = [], []
    for row in (1, 2, 3):
        left = 0.0
        for column in range(1, 6 + row):
            width, height = rng.uniform(20, 60), rng.uniform(130, 190)
            quads.append(upright(left, 220 * row - height, width, height))
            places.append((row, column))
            left += width + 2
    assert find_places(quads) == places


def test_things_that_lie_about_have_no_place() -> None:
    quads = [upright(0, 0, 60, 80), upright(20, 50, 60, 80), upright(45, 20, 60, 80)]
    assert find_places(quads) is None


def test_two_side_by_side_are_a_row_and_two_above_each_other_a_column() -> None:
    assert find_places([upright(100, 5, 60, 80), upright(0, 0, 60, 80)]) == [(1, 2), (1, 1)]
    assert find_places([upright(0, 100, 60, 80), upright(3, 0, 60, 80)]) == [(2, 1), (1, 1)]


def test_what_is_hardly_believed_comes_last_and_has_no_place() -> None:
    found = [
        detection("right.jpg", 40, 0),
        detection("spook.jpg", 20, 0, rate=0.6),
        detection("left.jpg", 0, 0),
        detection("unsure.jpg", 60, 0, rate=0.1),
    ]
    told = put_in_order(found)
    assert [(one.reference, one.row, one.column) for one in told] == [
        ("left.jpg", 1, 1),
        ("right.jpg", 1, 2),
        ("unsure.jpg", 1, 3),
        ("spook.jpg", None, None),
    ]


def test_a_single_thing_and_what_is_unsure_stay_as_they_are() -> None:
    found = [detection("b.jpg", 40, 0), detection("a.jpg", 0, 0, rate=0.1)]
    assert put_in_order(found) == found
    assert put_in_order([]) == []


def test_things_in_no_rows_stay_strongest_first() -> None:
    found = [
        replace(detection("a.jpg"), quad=upright(20, 50, 60, 80)),
        replace(detection("b.jpg"), quad=upright(0, 0, 60, 80)),
        replace(detection("c.jpg"), quad=upright(45, 20, 60, 80)),
    ]
    assert put_in_order(found) == found
