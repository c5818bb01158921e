"""When a frame is worth a search."""

import numpy as np
import pytest
from filmed import Table, laid_at

from data_label_factory.identify.images import RGB
from data_label_factory.identify.tracking.flow import GrayFrame
from data_label_factory.identify.tracking.watch import Watch

TOOK = 0.06
CARD = np.asarray(np.random.default_rng(1).integers(0, 256, (280, 200, 3)), np.uint8)
PLACE = laid_at(300, 240)
CALM = {"is_lost": False, "is_unsure": False}


@pytest.fixture
def table() -> Table:
    return Table()


def searched(frame: RGB) -> Watch:
    """A watch after a search of `frame` at time 0."""
    watch = Watch()
    watch.note_search(GrayFrame(frame), 0.0, TOOK)
    return watch


def test_the_first_frame_is_searched(table: Table) -> None:
    assert Watch().is_due(GrayFrame(table.film()), [], 0.0, **CALM)


def test_noise_and_an_exposure_that_adapts_are_no_change(table: Table) -> None:
    watch = searched(table.film())
    assert not watch.is_due(GrayFrame(table.film()), [], 0.5, **CALM)
    assert not watch.is_due(GrayFrame(table.film(light=1.06)), [], 0.5, **CALM)


def test_something_new_is_a_change_unless_it_is_explained(table: Table) -> None:
    watch = searched(table.film())
    new = GrayFrame(table.film((CARD, PLACE)))
    assert watch.is_due(new, [], 0.5, **CALM)
    assert not watch.is_due(new, [PLACE], 0.5, **CALM)


def test_a_change_waits_for_half_of_what_a_search_takes(table: Table) -> None:
    watch = searched(table.film())
    new = GrayFrame(table.film((CARD, PLACE)))
    assert not watch.is_due(new, [], TOOK + 0.025, **CALM)
    assert watch.is_due(new, [], TOOK + 0.031, **CALM)


def test_a_slow_machine_waits_no_longer_than_a_tenth_of_a_second(table: Table) -> None:
    watch = Watch()
    watch.note_search(GrayFrame(table.film()), 0.0, 2.0)
    new = GrayFrame(table.film((CARD, PLACE)))
    assert not watch.is_due(new, [], 2.09, **CALM)
    assert watch.is_due(new, [], 2.11, **CALM)


@pytest.mark.parametrize(
    ("state", "early", "late"),
    [("is_lost", 0.07, 0.08), ("is_unsure", 0.15, 0.17), ("", 0.9, 1.07)],
)
def test_a_search_without_a_change(table: Table, state: str, early: float, late: float) -> None:
    watch = searched(table.film())
    same = GrayFrame(table.film())
    asked = CALM | ({state: True} if state else {})
    assert not watch.is_due(same, [], early, **asked)
    assert watch.is_due(same, [], late, **asked)


def test_frames_of_another_size_can_be_compared(table: Table) -> None:
    watch = searched(table.film())
    assert isinstance(watch.is_due(GrayFrame(table.film()[:200]), [], 0.5, **CALM), bool)
