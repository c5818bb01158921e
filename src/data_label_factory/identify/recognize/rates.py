"""An assessment → the fraction of unknown items that look as good."""

from __future__ import annotations

from dataclasses import dataclass

from data_label_factory.identify.encoders import EncoderConstants
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.scoring import ScoredPose

# False-accept rates up to which the embedding alone is worth a second look, and
# worth an unsure answer.
WORTH_A_LOOK, WORTH_A_GUESS = 0.5, 0.2


@dataclass(frozen=True)
class Rates:
    """By the calibration of an index and the constants of its encoder.

    With `has_poses`, local features are looked for as well.
    """

    calibration: Calibration
    constants: EncoderConstants
    has_poses: bool

    def of(self, one: Assessment) -> float:
        """The fraction of unknown items that look as good."""
        if one.likeness is not None:
            return self.calibration.rate_by_likeness(one.likeness)
        if one.pose is not None:
            return self.calibration.rate_by_log_odds(one.log_odds)
        if one.nearest.cosine(one.row) <= self.constants.unrelated_cosine:
            return 1.0  # a margin among unrelated pictures tells nothing
        return self.calibration.rate_by_margin_ratio(one.margin_ratio)

    def told(self, one: Assessment) -> float:
        """The same, as it is told to users."""
        rate = self.of(one)
        if one.pose is None and one.likeness is None and self.has_poses:
            return max(rate, WORTH_A_GUESS)  # local features should have found it and did not
        return rate

    def may_be_sure(self, pose: ScoredPose) -> bool:
        """Whether the best margin there is would make it worth an answer."""
        best = pose.log_odds(margin_ratio=1.0)
        return self.calibration.rate_by_log_odds(best) <= WORTH_A_GUESS
