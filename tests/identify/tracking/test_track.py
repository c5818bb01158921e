"""One thing before the camera: which looks are of it, and what they say together."""

from dataclasses import replace

import numpy as np
import pytest
from detections import detection

from data_label_factory.identify.tracking.evidence import View
from data_label_factory.identify.tracking.track import SURE_FOR, Look, Track

STRICTNESS = 0.01
OWL, OWL_2 = "ABC-001_owl_ur.jpg", "ABC-002_owl_scr.jpg"
FOX = "ABC-003_fox_ur.jpg"


def look(
    reference: str, *, confident: bool = True, variants: tuple[str, ...] = (), view: int = 0
) -> Look:
    """A look from one side for each `view`; surely, with a rate of 0.0001, or not, with 0.5."""
    rate = 1e-4 if confident else 0.5
    found = replace(detection(reference, confident=confident, rate=rate), ambiguous_with=variants)
    crop = np.random.default_rng(view).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    return Look(found, View.of(crop, found.quad), None)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        (look(OWL), look(OWL), True),
        (look(OWL), look(FOX), False),
        (look(OWL), look(FOX, confident=False), False),
        (look(OWL), look(OWL_2), False),  # the next printing lies there
        (look(OWL), look(OWL_2, confident=False), True),
        (look(OWL), look(OWL_2, variants=(OWL,)), True),
        (look(OWL_2, variants=(OWL,)), look(OWL), True),
        (look(OWL), look("ABC-001_owl_ur__2.jpg"), True),  # from another side
        (look("ABC-001_owl_ur__3.png"), look("ABC-001_owl_ur__2.jpg"), True),
        (look("ABC-001_owl_ur__2.jpg"), look(OWL_2), False),
    ],
)
def test_two_looks_are_of_one_thing_unless_they_surely_differ(
    first: Look, second: Look, is_same: bool
) -> None:
    assert first.names_the_same(second) is is_same
    assert second.names_the_same(first) is is_same


def test_a_thing_that_is_followed_keeps_its_evidence() -> None:
    track = Track.begin(look(OWL), 0.0)
    track.be_moved(np.eye(3), 1.0, is_seen=True)
    track.take_in(look(OWL, confident=False, view=1), 1.0)
    assert track.is_sure(1.0, STRICTNESS)


def test_after_a_gap_the_evidence_starts_anew() -> None:
    track = Track.begin(look(OWL), 0.0)
    track.take_in(look(OWL, confident=False, view=1), 1.0)  # it may be another thing
    assert not track.is_sure(1.0, STRICTNESS)
    track.take_in(look(OWL, view=2), 1.0)
    assert track.is_sure(1.0, STRICTNESS)


def test_flow_alone_keeps_a_name_sure_for_a_moment() -> None:
    track = Track.begin(look(OWL), 0.0)
    track.be_moved(np.eye(3), SURE_FOR, is_seen=False)
    assert track.is_sure(SURE_FOR, STRICTNESS)
    assert track.describe(SURE_FOR, STRICTNESS).lost_seconds == 0
    later = SURE_FOR + 0.1
    track.be_moved(np.eye(3), later, is_seen=False)
    assert not track.is_sure(later, STRICTNESS)
    assert track.describe(later, STRICTNESS).lost_seconds == later


def test_what_is_not_followed_is_lost_at_once() -> None:
    track = Track.begin(look(OWL), 0.0)
    assert not track.is_sure(0.05, STRICTNESS)
    assert track.describe(0.05, STRICTNESS).lost_seconds == 0.05


def test_an_unsure_name_is_shown_from_the_second_look_on() -> None:
    track = Track.begin(look(OWL, confident=False), 0.0)
    assert not track.is_shown(0.0, STRICTNESS)
    track.take_in(look(OWL, confident=False), 0.0)
    assert track.is_shown(0.0, STRICTNESS)


def test_a_name_gives_way_to_one_with_better_evidence() -> None:
    track = Track.begin(look(OWL, confident=False), 0.0)
    track.take_in(look(FOX, confident=False), 0.0)
    assert track.look.item == look(OWL).item
    track.take_in(look(FOX, view=1), 0.0)
    assert track.look.item == look(FOX).item
    assert track.is_sure(0.0, STRICTNESS)


def test_a_blurred_look_does_not_hide_which_variant_it_was() -> None:
    track = Track.begin(look(OWL), 0.0)
    track.take_in(look(OWL_2, confident=False, variants=(OWL,), view=1), 0.0)
    assert track.describe(0.0, STRICTNESS).detection.reference == OWL
