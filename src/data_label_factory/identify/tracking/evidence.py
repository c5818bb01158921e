"""Looks at one thing, over time → the false-accept rate of its
name.

A camera shows a thing for seconds, and a hundred frames of one
view are no hundred witnesses. Looks are gathered into views;
within a view they are averaged, and views are combined by the
harmonic mean of their rates (Wilson, PNAS 2019), which holds for
dependent evidence as well: one clear view is enough, two doubtful
ones are not, and many that disagree outweigh one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.features import Floats

# Two looks are one view while what is seen of the thing, and how it lies, is nearly
# the same. Set by hand: a hand-held camera at rest stays below, a tilt of 10° and
# glare that has moved do not.
_SAME_PICTURE = 0.93  # correlation of the straightened crops
_SAME_SHAPE = 0.12  # difference of the quads' edges, as a fraction of their length

_MOST_VIEWS = 24
_SURE_RATE = 1e-5  # no calibration rests on enough items to tell smaller rates apart
_PICTURE_PX = 24

# Found by simulation, which the test repeats: with normal scores of any correlation,
# and 2 to 100 views, no more unknown things pass than were asked for.
_DEPENDENT = 0.1


@dataclass(frozen=True, eq=False)
class View:
    """How a thing is seen: its standardized coarse picture (P,),
    its quad's edges (4, 2) px.
    """

    picture: Floats
    edges: Floats

    @classmethod
    def of(cls, crop: RGB, quad: Quad) -> View:
        """A straightened crop (H, W, 3) and the quad (4, 2) px
        that it was taken from.
        """
        gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (_PICTURE_PX, _PICTURE_PX), interpolation=cv2.INTER_AREA)
        picture = small.astype(np.float32).ravel()
        picture -= picture.mean()
        picture /= max(float(np.linalg.norm(picture)), 1e-6)
        return cls(picture, np.roll(quad, -1, axis=0) - quad)

    def is_same_as(self, other: View) -> bool:
        """Whether the two show the thing from one side, in one light."""
        if float(self.picture @ other.picture) < _SAME_PICTURE:
            return False
        gap = np.linalg.norm(self.edges - other.edges, axis=1).mean()
        return bool(gap < _SAME_SHAPE * np.linalg.norm(self.edges, axis=1).mean())


@dataclass(eq=False)
class _Witness:
    """The looks of one view: by item, the log-rates of those that named it."""

    view: View
    looks: int = 0
    log_rates: dict[str, float] = field(default_factory=dict)

    def add(self, item: str, rate: float) -> None:
        self.looks += 1
        self.log_rates[item] = self.log_rates.get(item, 0.0) + math.log(rate)

    def rate(self, item: str) -> float:
        """The geometric mean; a look that named another item counts as 1."""
        return math.exp(self.log_rates.get(item, 0.0) / self.looks)


class Evidence:
    """What all looks at one thing say about its name."""

    def __init__(self) -> None:
        self._witnesses: list[_Witness] = []
        # Old views, of which only this is kept: their number and, by item, how far the
        # sum of their inverse rates exceeds it.
        self._folded = 0
        self._folded_excess: dict[str, float] = {}

    @property
    def views(self) -> int:
        """The number of different views so far."""
        return len(self._witnesses) + self._folded

    def add(self, view: View, item: str, rate: float) -> None:
        """A look that takes the thing for `item`, with its
        false-accept rate.
        """
        same = next((one for one in self._witnesses if one.view.is_same_as(view)), None)
        if same is None:
            same = _Witness(view)
            self._witnesses.append(same)
            if len(self._witnesses) > _MOST_VIEWS:
                self._fold(self._witnesses.pop(0))
        same.add(item, min(max(rate, _SURE_RATE), 1.0))

    def rate(self, item: str) -> float:
        """The fraction of unknown things that, looked at as
        often, would be named `item` as surely; 1 without a look.
        """
        if not self.views:
            return 1.0
        inverse = self._folded + self._folded_excess.get(item, 0.0)
        inverse += sum(1 / one.rate(item) for one in self._witnesses)
        return combine_rates(self.views / inverse, self.views)

    def _fold(self, witness: _Witness) -> None:
        self._folded += 1
        for item in witness.log_rates:
            excess = 1 / witness.rate(item) - 1
            self._folded_excess[item] = self._folded_excess.get(item, 0.0) + excess


def combine_rates(harmonic_mean: float, count: int) -> float:
    """The harmonic mean H of the rates of n views → the rate of
    all together, 1 at most.

    H / (1 - H ln n) is what sums of n independent inverse rates
    exceed, to first order; dependent ones do so up to half more
    often, see `_DEPENDENT`.
    """
    spread = math.log(count)
    slack = 1 - harmonic_mean * spread
    if slack <= 0:
        return 1.0
    return min(harmonic_mean * (1 + _DEPENDENT * spread) / slack, 1.0)
