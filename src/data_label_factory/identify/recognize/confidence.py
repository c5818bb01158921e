"""From the evidence for a hypothesis to the fraction of unknown items
that would look as good.

`log_odds` weighs the evidence in one number. `Calibration` turns it
into a false-accept rate, learned from items unknown to the index at
hand (see `calibrate`) and held by a prior where those are few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from data_label_factory.identify.encoders import EncoderConstants

# Logistic regression on about 500 true and 500 false hypotheses of five picture
# collections (real and drawn cards, books, pages of text) and of indexes of three
# items out of them, each collection weighing the same. `python
# bench/fit_confidence.py` fits them anew. On books, cards, Magic cards and drawn
# cards, 674 true and 695 false hypotheses (2026-11-26, seed 0), it finds 0.86, 6.0,
# 3.84, 5.92, 6.4 and -7.76. These separate collections that they were not fitted on
# as well as the ones below do, but no better (log loss 0.0550 against 0.0548), and
# name one book photo fewer. So the old ones stay, and with them the calibrations
# that indexes hold. What depends on the collection is left to `Calibration`.
_APPEARANCE = 0.72  # per _APPEARANCE_UNIT
_CORRELATION = 2.6
_MARGIN_RATIO = 2.6
_COLOR = 3.8
_INLIER_RATIO = 7.0  # of its square root
_BIAS = -5.2
_APPEARANCE_UNIT = 20.0
_APPEARANCE_MIN, _APPEARANCE_MAX = -20.0, 80.0

# Set by hand: of those 500 true hypotheses one (a book's other edition) falls short
# by more. Beyond it, colors are not faded or badly lit but others.
_OTHER_COLORS = 12.0
_OTHER_COLORS_FROM = -0.6
_COLOR_MIN = -1.4

# Set by hand: few cells agree by chance more often. Of drawn unknown items that are
# a known one in other colors, cut in half, 3 % are taken for it at 1 %, and 8 %
# without this term (bench/unknowns.py cut).
_OUTSIDE = 1.5

# Count it up with every change to the evidence: what unknown items reached before says
# little about what they reach now.
EVIDENCE = 2

# How many of the highest values of unknown items say how the rest of the tail
# falls.
_TAIL_FRACTION = 0.1
_TAIL_MIN = 8
_MAX_EXPONENT = 50.0  # keeps exp() finite


def log_odds(
    *,
    appearance: float,
    correlation: float,
    margin_ratio: float,
    color: float,
    inlier_ratio: float,
    outside: float,
) -> float:
    """The evidence for a hypothesis in one number: 0 is even, and
    unknown items rarely exceed 1.

    `appearance` and `correlation` are `Evidence.whole` and
    `whole_correlation`; `margin_ratio` is the embedding's margin
    divided by the reference's own margin; `color` is the color
    deficit; `inlier_ratio` is how much of the expected local
    features was found; `outside` is the fraction of the item beyond
    the edge of the frame, of which all these say nothing.
    """
    clipped = min(max(appearance, _APPEARANCE_MIN), _APPEARANCE_MAX)
    return (
        _APPEARANCE * clipped / _APPEARANCE_UNIT
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
    """The upper tail of what unknown items reach.

    A fraction `rate` of them is above `start`, and that fraction
    falls by e with every `scale`. Peaks over a threshold with an
    exponential tail: Pickands, Annals of Statistics 1975.
    """

    rate: float
    start: float
    scale: float

    def above(self, value: float) -> float:
        """The fraction of unknown items above `value`, at most 1."""
        exponent = min((self.start - value) / self.scale, _MAX_EXPONENT)
        return min(1.0, self.rate * math.exp(exponent))

    @classmethod
    def of(cls, values: Sequence[float], prior: Tail) -> Tail:
        """Fit to the best value of each unknown item (-inf where
        nothing was found).

        The prior holds the scale.
        """
        ordered = np.sort(np.asarray(values, np.float64))[::-1]
        most = max(_TAIL_MIN, int(_TAIL_FRACTION * len(ordered)))
        finite = ordered[np.isfinite(ordered)][: most + 1]
        if len(finite) < 2:
            return Tail(prior.rate / (len(ordered) + 1), prior.start, prior.scale)

        start = float(finite[-1])
        excess = finite[:-1] - start
        scale = (float(excess.sum()) + _TAIL_MIN * prior.scale) / (len(excess) + _TAIL_MIN)
        return Tail((len(finite) - 0.5) / len(ordered), start, scale)


# What unknown items reach in collections at large: one in a hundred exceeds
# `start`. On the same evidence `bench/fit_confidence.py` finds (-0.43, 0.84) in
# log-odds, against which these are on the safe side at 1 % and below, and (0.46,
# 0.14) in margin ratio.
LOG_ODDS_PRIOR = Tail(0.01, 1.0, 0.55)
MARGIN_RATIO_PRIOR = Tail(0.01, 0.4, 0.08)
_PRIOR_UNKNOWNS = 32  # that the prior counts for


@dataclass(frozen=True)
class Spread:
    """How much unknown items of the same kind are like the items of
    an index: `mean` and `deviation` over `count` of them.

    Where these are few, a prior holds both; it was set by hand,
    amid what household things, parts and leaves reach
    (docs/benchmarks.md).
    """

    mean: float
    deviation: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float], count: int) -> Spread:
        """Of any number of values, of views of `count` things: the
        views of one are no independent witnesses.
        """
        array = np.asarray(values, np.float64)
        if not len(array):
            return cls(0.0, 0.0, 0)
        return cls(float(array.mean()), float(array.std()), count)

    def above(self, value: float) -> float:
        """The fraction of unknown items beyond `value`, to be
        expected after what was seen.

        The posterior predictive of a normal distribution with its
        conjugate prior is a Student t (Gelman et al., Bayesian Data
        Analysis, 3.3).
        """
        mean_weight = _SPREAD_MEAN_COUNT + self.count
        mean = (_SPREAD_MEAN_COUNT * _SPREAD_MEAN + self.count * self.mean) / mean_weight
        freedom = _SPREAD_COUNT + self.count
        gap = self.mean - _SPREAD_MEAN
        squares = (
            _SPREAD_COUNT * _SPREAD_DEVIATION**2
            + self.count * self.deviation**2
            + _SPREAD_MEAN_COUNT * self.count / mean_weight * gap**2
        )
        scale = math.sqrt(squares / freedom * (1 + 1 / mean_weight))
        return _student_tail((value - mean) / scale, freedom)


_SPREAD_MEAN, _SPREAD_DEVIATION = 0.3, 0.13
_SPREAD_MEAN_COUNT, _SPREAD_COUNT = 2, 8  # unknown items that the prior counts for


def _student_tail(t: float, freedom: float) -> float:
    """P(T > t), to three digits for five degrees of freedom and more.

    Wallace, "Bounds on normal approximations to Student's and the
    chi-square distributions", Annals of Mathematical Statistics
    1959.
    """
    factor = (8 * freedom + 1) / (8 * freedom + 3)
    normal = factor * math.sqrt(freedom * math.log1p(t * t / freedom))
    return 0.5 * math.erfc(math.copysign(normal, t) / math.sqrt(2))


@dataclass(frozen=True)
class Calibration:
    """What items unknown to one index reach, in log-odds and in
    margin ratio.

    The margin ratio decides where no reference pictures are used.
    `unknowns` is how many were tried, `items` how many the index had
    then. `constants` are those of an encoder for which none were
    measured. `likeness` is what items left out of the index reach
    by both embeddings; None where there is only one. `evidence` is
    the `EVIDENCE` that they were tried with.
    """

    log_odds: Tail = LOG_ODDS_PRIOR
    margin_ratio: Tail = MARGIN_RATIO_PRIOR
    unknowns: int = 0
    items: int = 0
    constants: EncoderConstants | None = None
    likeness: Spread | None = None
    evidence: int = EVIDENCE

    def rate_by_likeness(self, value: float) -> float:
        """The fraction of unknown items of the same kind that are more like
        an item; 1 where none could be tried.
        """
        if self.likeness is None or not self.likeness.count:
            return 1.0
        return self.likeness.above(value)

    def rate_by_log_odds(self, value: float) -> float:
        """The fraction of unknown items whose log-odds are above `value`."""
        return self._mix(self.log_odds, LOG_ODDS_PRIOR, value)

    def rate_by_margin_ratio(self, value: float) -> float:
        """The fraction of unknown items whose margin ratio is above `value`."""
        return self._mix(self.margin_ratio, MARGIN_RATIO_PRIOR, value)

    def as_dict(self) -> dict[str, Any]:
        """As an index stores it, under the names that the format
        has had from the start.
        """
        stored = {
            "looks": asdict(self.log_odds),
            "lead": asdict(self.margin_ratio),
            "strangers": self.unknowns,
            "items": self.items,
            "evidence": self.evidence,
        }
        if self.likeness:
            stored["likeness"] = asdict(self.likeness)
        return stored | ({"encoder": asdict(self.constants)} if self.constants else {})

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
            constants=EncoderConstants(**stored["encoder"]) if "encoder" in stored else None,
            likeness=Spread(**stored["likeness"]) if "likeness" in stored else None,
            evidence=stored.get("evidence", 1),
        )

    def _mix(self, own: Tail, prior: Tail, value: float) -> float:
        weight = _PRIOR_UNKNOWNS / (_PRIOR_UNKNOWNS + self.unknowns)
        return weight * prior.above(value) + (1 - weight) * own.above(value)
