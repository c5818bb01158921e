"""From evidence to a false-accept rate: directions of the scale, tails of strangers, and the prior behind them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.identify.recognize.confidence import LOOKS_PRIOR, Calibration, Tail, log_odds

CLEAR = {"looks": 60.0, "correlation": 0.9, "lead": 0.5, "colour": 0.1, "share": 0.3, "outside": 0.0}


@pytest.mark.parametrize(
    ("field", "worse"),
    [("looks", 10.0), ("correlation", 0.5), ("lead", -0.2), ("colour", -0.9), ("share", 0.05), ("outside", 0.5)],
)
def test_less_of_any_evidence_makes_less_sure(field: str, worse: float) -> None:
    assert log_odds(**{**CLEAR, field: worse}) < log_odds(**CLEAR) - 0.5


def test_no_single_piece_of_evidence_can_decide_alone() -> None:
    nothing = {"looks": 0.0, "correlation": 0.0, "lead": 0.0, "colour": 0.0, "share": 0.0, "outside": 0.0}
    for field, value in (("looks", 1e9), ("lead", 1e9), ("colour", 0.2), ("correlation", 1.0)):
        assert log_odds(**{**nothing, field: value}) < LOOKS_PRIOR.start


def test_a_tail_recovers_an_exponential_one() -> None:
    values = np.random.default_rng(0).exponential(0.7, 20_000) - 3
    tail = Tail.of(values, LOOKS_PRIOR)
    assert tail.scale == pytest.approx(0.7, rel=0.1)
    for rate in (0.05, 0.01, 0.001):
        wanted = -3 + 0.7 * math.log(1 / rate)
        assert tail.above(wanted) == pytest.approx(rate, rel=0.25)


@given(st.lists(st.floats(-8, 8) | st.just(-math.inf), max_size=60), st.floats(-10, 10), st.floats(0, 3))
def test_rates_fall_with_what_is_reached_and_stay_shares(values: list[float], at: float, more: float) -> None:
    calibration = Calibration(looks=Tail.of(values, LOOKS_PRIOR), strangers=len(values))
    low, high = calibration.rate_by_looks(at + more), calibration.rate_by_looks(at)
    assert 0 <= low <= high <= 1


def test_without_strangers_the_prior_alone_decides() -> None:
    assert Calibration().rate_by_looks(LOOKS_PRIOR.start) == pytest.approx(LOOKS_PRIOR.rate)
    assert Tail.of([], LOOKS_PRIOR).above(LOOKS_PRIOR.start) == pytest.approx(LOOKS_PRIOR.rate)


def test_strangers_that_look_alike_raise_the_bar_and_harmless_ones_lower_it_only_a_little() -> None:
    rng = np.random.default_rng(1)
    near = Calibration(looks=Tail.of(rng.normal(2, 0.5, 96), LOOKS_PRIOR), strangers=96)
    far = Calibration(looks=Tail.of([-math.inf] * 96, LOOKS_PRIOR), strangers=96)
    at = LOOKS_PRIOR.start
    assert near.rate_by_looks(at) > 0.5
    assert far.rate_by_looks(at) < LOOKS_PRIOR.rate
    assert far.rate_by_looks(at - 1.0) > LOOKS_PRIOR.rate  # a hundred harmless strangers do not prove the rest harmless


def test_a_calibration_survives_its_index() -> None:
    calibration = Calibration(looks=Tail(0.02, -0.5, 0.6), strangers=96, items=40)
    assert Calibration.from_dict(calibration.as_dict()) == calibration
    assert Calibration.from_dict({}) == Calibration()
