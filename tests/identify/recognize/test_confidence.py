"""From evidence to a false-accept rate: directions of the scale, tails of unknown items, and the
prior behind them.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.identify.recognize.confidence import (
    LOG_ODDS_PRIOR,
    Calibration,
    Tail,
    log_odds,
)

CLEAR = {
    "appearance": 60.0,
    "correlation": 0.9,
    "margin_ratio": 0.5,
    "color": 0.1,
    "inlier_ratio": 0.3,
    "outside": 0.0,
}


@pytest.mark.parametrize(
    ("field", "worse"),
    [
        ("appearance", 10.0),
        ("correlation", 0.5),
        ("margin_ratio", -0.2),
        ("color", -0.9),
        ("inlier_ratio", 0.05),
        ("outside", 0.5),
    ],
)
def test_less_of_any_evidence_makes_less_sure(field: str, worse: float) -> None:
    assert log_odds(**{**CLEAR, field: worse}) < log_odds(**CLEAR) - 0.5


def test_no_single_piece_of_evidence_can_decide_alone() -> None:
    nothing = {
        "appearance": 0.0,
        "correlation": 0.0,
        "margin_ratio": 0.0,
        "color": 0.0,
        "inlier_ratio": 0.0,
        "outside": 0.0,
    }
    for field, value in (
        ("appearance", 1e9),
        ("margin_ratio", 1e9),
        ("color", 0.2),
        ("correlation", 1.0),
    ):
        assert log_odds(**{**nothing, field: value}) < LOG_ODDS_PRIOR.start


def test_a_tail_recovers_an_exponential_one() -> None:
    values = np.random.default_rng(0).exponential(0.7, 20_000) - 3
    tail = Tail.of(values, LOG_ODDS_PRIOR)
    assert tail.scale == pytest.approx(0.7, rel=0.1)
    for rate in (0.05, 0.01, 0.001):
        wanted = -3 + 0.7 * math.log(1 / rate)
        assert tail.above(wanted) == pytest.approx(rate, rel=0.25)


@given(
    st.lists(st.floats(-8, 8) | st.just(-math.inf), max_size=60),
    st.floats(-10, 10),
    st.floats(0, 3),
)
def test_rates_fall_with_what_is_reached_and_stay_shares(
    values: list[float], at: float, more: float
) -> None:
    calibration = Calibration(log_odds=Tail.of(values, LOG_ODDS_PRIOR), unknowns=len(values))
    low, high = calibration.rate_by_log_odds(at + more), calibration.rate_by_log_odds(at)
    assert 0 <= low <= high <= 1


def test_without_unknown_items_the_prior_alone_decides() -> None:
    assert Calibration().rate_by_log_odds(LOG_ODDS_PRIOR.start) == pytest.approx(
        LOG_ODDS_PRIOR.rate
    )
    assert Tail.of([], LOG_ODDS_PRIOR).above(LOG_ODDS_PRIOR.start) == pytest.approx(
        LOG_ODDS_PRIOR.rate
    )


def test_unknown_items_that_look_alike_raise_the_bar_and_harmless_ones_lower_it_only_a_little() -> (
    None
):
    rng = np.random.default_rng(1)
    near = Calibration(log_odds=Tail.of(rng.normal(2, 0.5, 96), LOG_ODDS_PRIOR), unknowns=96)
    far = Calibration(log_odds=Tail.of([-math.inf] * 96, LOG_ODDS_PRIOR), unknowns=96)
    at = LOG_ODDS_PRIOR.start
    assert near.rate_by_log_odds(at) > 0.5
    assert far.rate_by_log_odds(at) < LOG_ODDS_PRIOR.rate
    assert (
        far.rate_by_log_odds(at - 1.0) > LOG_ODDS_PRIOR.rate
    )  # a hundred harmless unknown items do not prove the rest harmless


def test_a_calibration_survives_its_index() -> None:
    calibration = Calibration(log_odds=Tail(0.02, -0.5, 0.6), unknowns=96, items=40)
    assert Calibration.from_dict(calibration.as_dict()) == calibration
    assert Calibration.from_dict({}) == Calibration()
