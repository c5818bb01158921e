"""Which looks may be of one thing."""

from dataclasses import replace

import numpy as np
import pytest
from detections import detection

from data_label_factory.identify.tracking.evidence import View
from data_label_factory.identify.tracking.track import Look

OWL, OWL_2 = "ABC-001_owl_ur.jpg", "ABC-002_owl_scr.jpg"
FOX = "ABC-003_fox_ur.jpg"


def look(reference: str, *, confident: bool = True, variants: tuple[str, ...] = ()) -> Look:
    found = replace(detection(reference, confident=confident), ambiguous_with=variants)
    return Look(found, View.of(np.zeros((8, 8, 3), np.uint8), found.quad), None)


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
    ],
)
def test_two_looks_are_of_one_thing_unless_they_surely_differ(
    first: Look, second: Look, is_same: bool
) -> None:
    assert first.names_the_same(second) is is_same
    assert second.names_the_same(first) is is_same
