"""From what was seen of a hypothesis to how often a stranger would look as good.

`log_odds` weighs the evidence in one number; `Calibration` turns it into a false-accept rate, learnt from strangers
to the index at hand (see `calibrate`) and held by a prior where those are few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

# Logistic regression on about 500 true and 500 false hypotheses of five picture collections (real and drawn cards,
# books, pages of text) and of indexes of three out of them, each collection weighing the same. Fitted without one
# collection, it still puts nearly all true hypotheses of that one above all but its best stranger. What depends on
# the collection is left to `Calibration`.
_APPEARANCE, _CORRELATION, _MARGIN_RATIO, _COLOR, _INLIER_RATIO, _BIAS = (
    0.72,
    2.6,
    2.6,
    3.8,
    7.0,
    -5.2,
)
_APPEARANCE_UNIT, _APPEARANCE_MIN, _APPEARANCE_MAX = 20.0, -20.0, 80.0
# Set by hand: of those 500 true hypotheses one (a book's other edition) falls short by more. Beyond it, colours are
# not faded or badly lit but others.
_OTHER_COLORS, _OTHER_COLORS_FROM, _COLOR_MIN = 12.0, -0.6, -1.4
# Set by hand: few cells agree by chance more often. Of drawn strangers that are an item in other colours, cut in half,
# 3 % are taken for it at 1 %, and 8 % without this term (bench/strangers.py cut).
_OUTSIDE = 1.5

_TAIL_SHARE, _TAIL_MIN = (
    0.1,
    8,
)  # how many of the strangers' highest values say how the rest of the tail falls


def log_odds(
    appearance: float,
    correlation: float,
    margin_ratio: float,
    color: float,
    inlier_ratio: float,
    outside: float,
) -> float:
    """How much speaks for a hypothesis, on a scale where 0 is even and strangers rarely exceed 1.

    `looks` and `correlation` are `Evidence.whole` and `whole_correlation`; `lead` the embedding's margin as a share
    of the reference's own margin; `colour` the colour deficit; `share` the share of expected local features found;
    `outside` the share of the item beyond the edge of the frame, of which all these say nothing.
    """
    return (
        _APPEARANCE * min(max(appearance, _APPEARANCE_MIN), _APPEARANCE_MAX) / _APPEARANCE_UNIT
        + _CORRELATION * correlation
        + _MARGIN_RATIO * min(max(margin_ratio, -1.0), 1.0)
        + _COLOR * max(color, _OTHER_COLORS_FROM)
        + _OTHER_COLORS * min(max(color, _COLOR_MIN) - _OTHER_COLORS_FROM, 0.0)
        + _INLIER_RATIO * math.sqrt(inlier_ratio)
        - _OUTSIDE * outside
        + _BIAS
    )


@dataclass(frozen=True)
class Tail:
    """The upper tail of what strangers reach: a share `rate` of them is above `start`, and that share falls by e with
    every `scale`. Peaks over a threshold with an exponential tail: Pickands, Annals of Statistics 1975."""

    rate: float
    start: float
    scale: float

    def above(self, value: float) -> float:
        """The share of strangers above `value`, at most 1."""
        return min(1.0, self.rate * math.exp(min((self.start - value) / self.scale, 50.0)))

    @classmethod
    def of(cls, values: Sequence[float], prior: Tail) -> Tail:
        """Fit to the best value of each stranger (-inf when nothing was found), the scale held by the prior's."""
        ordered = np.sort(np.asarray(values, np.float64))[::-1]
        most = max(_TAIL_MIN, int(_TAIL_SHARE * len(ordered)))
        finite = ordered[np.isfinite(ordered)][: most + 1]
        if len(finite) < 2:
            return Tail(prior.rate / (len(ordered) + 1), prior.start, prior.scale)
        start = float(finite[-1])
        excess = finite[:-1] - start
        scale = (float(excess.sum()) + _TAIL_MIN * prior.scale) / (len(excess) + _TAIL_MIN)
        return Tail((len(finite) - 0.5) / len(ordered), start, scale)


# What strangers reach in collections at large: one in a hundred exceeds `start`.
LOG_ODDS_PRIOR = Tail(0.01, 1.0, 0.55)
MARGIN_RATIO_PRIOR = Tail(0.01, 0.4, 0.08)
_PRIOR_UNKNOWNS = 32  # that the prior counts for


_STORED_NAMES = {"log_odds": "looks", "margin_ratio": "lead", "unknowns": "strangers"}


@dataclass(frozen=True)
class Calibration:
    """What strangers to one index reach: in log-odds, and, for work without reference pictures, in lead. `strangers`
    is how many were tried, `items` how many the index had then."""

    log_odds: Tail = LOG_ODDS_PRIOR
    margin_ratio: Tail = MARGIN_RATIO_PRIOR
    unknowns: int = 0
    items: int = 0

    def rate_by_log_odds(self, value: float) -> float:
        """The share of strangers whose log-odds are above `value`."""
        return self._mixed(self.log_odds, LOG_ODDS_PRIOR, value)

    def rate_by_margin_ratio(self, value: float) -> float:
        """The share of strangers whose lead is above `value`."""
        return self._mixed(self.margin_ratio, MARGIN_RATIO_PRIOR, value)

    def as_dict(self) -> dict[str, Any]:
        """As it is stored in an index, under the names that the format has had from the start."""
        return {_STORED_NAMES.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Calibration:
        """The calibration kept in an index, or the prior alone where there is none."""
        if not stored:
            return cls()
        return cls(
            log_odds=Tail(**stored["looks"]),
            margin_ratio=Tail(**stored["lead"]),
            unknowns=stored["strangers"],
            items=stored["items"],
        )

    def _mixed(self, own: Tail, prior: Tail, value: float) -> float:
        weight = _PRIOR_UNKNOWNS / (_PRIOR_UNKNOWNS + self.unknowns)
        return weight * prior.above(value) + (1 - weight) * own.above(value)
