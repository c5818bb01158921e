"""A pose held from frame to frame: exact, without drift, and let go when the thing is gone."""

from pathlib import Path

import numpy as np
import pytest
from filmed import Table, corner_error, laid_at, make_recognizer, read_cards

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.scoring import ScoredPose
from data_label_factory.identify.tracking.alignment import Anchor, Anchors, hold


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> Recognizer:
    return make_recognizer(folder)


@pytest.fixture(scope="module")
def cards(recognizer: Recognizer, folder: Path) -> list[RGB]:
    return read_cards(folder / "refs")


def find(recognizer: Recognizer, frame: RGB) -> ScoredPose:
    pose = recognizer.assess(frame)[0].pose
    assert pose is not None
    return pose


def hold_in(recognizer: Recognizer, frame: RGB, pose: ScoredPose, motion=None) -> ScoredPose | None:
    references = recognizer.references
    assert references is not None
    return hold(frame, pose, motion, Anchors(), references)


@pytest.mark.parametrize(("x", "y", "degrees"), [(300, 240, 0), (306, 243, 2), (296, 235, -2)])
def test_a_pose_is_laid_onto_the_thing_again(
    recognizer: Recognizer, cards: list[RGB], x: float, y: float, degrees: float
) -> None:
    table = Table()
    pose = find(recognizer, table.film((cards[0], laid_at(300, 240))))
    quad = laid_at(x, y, degrees=degrees)
    held = hold_in(recognizer, table.film((cards[0], quad)), pose)
    assert held is not None
    assert corner_error(held.quad, quad) < 1.5


def test_a_rough_motion_is_made_exact(recognizer: Recognizer, cards: list[RGB]) -> None:
    table = Table()
    pose = find(recognizer, table.film((cards[0], laid_at(250, 240))))
    quad = laid_at(350, 250)
    motion = np.array([[1, 0, 96], [0, 1, 13], [0, 0, 1]], np.float64)
    held = hold_in(recognizer, table.film((cards[0], quad)), pose, motion)
    assert held is not None
    assert corner_error(held.quad, quad) < 1.5


def test_small_steps_do_not_add_up_to_drift(recognizer: Recognizer, cards: list[RGB]) -> None:
    table = Table()
    pose = find(recognizer, table.film((cards[0], laid_at(300, 240))))
    for step in range(60):
        quad = laid_at(300 + 40 * np.sin(step / 6), 240 + step / 3, degrees=step / 3)
        held = hold_in(recognizer, table.film((cards[0], quad)), pose)
        assert held is not None
        pose = held
    assert corner_error(pose.quad, quad) < 1.5


@pytest.mark.parametrize("light", [0.45, 1.3])
def test_a_change_of_light_does_not_matter(
    recognizer: Recognizer, cards: list[RGB], light: float
) -> None:
    table = Table()
    quad = laid_at(300, 240)
    pose = find(recognizer, table.film((cards[0], quad)))
    held = hold_in(recognizer, table.film((cards[0], laid_at(302, 241)), light=light), pose)
    assert held is not None


@pytest.mark.parametrize("other", range(1, 6))
def test_another_card_in_the_same_place_is_let_go(
    recognizer: Recognizer, cards: list[RGB], other: int
) -> None:
    table = Table()
    quad = laid_at(300, 240)
    pose = find(recognizer, table.film((cards[0], quad)))
    assert hold_in(recognizer, table.film((cards[other], quad)), pose) is None


def test_the_empty_table_is_let_go(recognizer: Recognizer, cards: list[RGB]) -> None:
    table = Table()
    pose = find(recognizer, table.film((cards[0], laid_at(300, 240))))
    assert hold_in(recognizer, table.film(), pose) is None


def test_what_leaves_the_frame_is_let_go(recognizer: Recognizer, cards: list[RGB]) -> None:
    table = Table()
    pose = find(recognizer, table.film((cards[0], laid_at(300, 240))))
    away = np.array([[1, 0, 5000], [0, 1, 0], [0, 0, 1]], np.float64)
    assert hold_in(recognizer, table.film(), pose, away) is None


def test_a_picture_without_corners_has_none_to_hold_on_to() -> None:
    assert len(Anchor.of(np.full((144, 100, 3), 90, np.uint8)).corners) == 0
