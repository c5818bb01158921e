"""Looks over time: what they say together, whatever they have in common."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from numpy.typing import NDArray

from data_label_factory.identify.tracking.evidence import Evidence, View, combine_rates

SQUARE = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], np.float32)
RATES = strategies.floats(1e-5, 1.0)


def view(seed: int, *, scale: float = 1.0) -> View:
    """A view that only views of the same seed and scale are like."""
    crop = np.random.default_rng(seed).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    return View.of(crop, SQUARE * np.float32(scale))


def test_the_frames_of_a_still_camera_are_one_witness() -> None:
    evidence = Evidence()
    for _ in range(100):
        evidence.add(view(0), "owl", 0.03)
    assert evidence.views == 1
    assert evidence.rate("owl") == pytest.approx(0.03)


def test_sensor_noise_makes_no_new_view_but_glare_and_a_tilt_do() -> None:
    rng = np.random.default_rng(0)
    crop = np.kron(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), np.ones((12, 12, 1), np.uint8))
    noisy = np.clip(crop + rng.normal(0, 8, crop.shape), 0, 255).astype(np.uint8)
    glaring = crop.copy()
    glaring[:48, :48] = 250
    tilted = SQUARE * np.float32([0.7, 1])

    first = View.of(crop, SQUARE)
    assert first.is_same_as(View.of(noisy, SQUARE + 3))
    assert not first.is_same_as(View.of(glaring, SQUARE))
    assert not first.is_same_as(View.of(crop, tilted))


def test_a_single_clear_view_is_enough() -> None:
    evidence = Evidence()
    for blurred in range(5):
        evidence.add(view(blurred), "owl", 0.5)
    assert evidence.rate("owl") > 0.3
    evidence.add(view(9), "owl", 1e-4)
    assert evidence.rate("owl") < 0.01


def test_a_name_that_further_views_do_not_confirm_is_withdrawn() -> None:
    evidence = Evidence()
    evidence.add(view(0), "owl", 0.005)
    assert evidence.rate("owl") < 0.01
    for other in range(1, 5):
        evidence.add(view(other), "owl", 0.6)
    assert evidence.rate("owl") > 0.01


def test_looks_that_name_another_item_speak_against_it() -> None:
    evidence = Evidence()
    evidence.add(view(0), "owl", 0.004)
    evidence.add(view(0), "fox", 0.004)
    assert evidence.rate("owl") == evidence.rate("fox") == pytest.approx(math.sqrt(0.004))
    for other in range(1, 4):
        evidence.add(view(other), "fox", 0.004)
    assert evidence.rate("fox") < evidence.rate("owl") / 5


def test_without_a_look_nothing_is_known() -> None:
    assert Evidence().rate("owl") == 1.0


@hypothesis.settings(deadline=None)
@hypothesis.given(rates=strategies.lists(RATES, min_size=1, max_size=60))
def test_old_views_count_though_only_their_sum_is_kept(rates: list[float]) -> None:
    evidence = Evidence()
    for number, rate in enumerate(rates):
        evidence.add(view(number), "owl", rate)
    harmonic_mean = len(rates) / sum(1 / rate for rate in rates)
    assert evidence.views == len(rates)
    assert evidence.rate("owl") == pytest.approx(combine_rates(harmonic_mean, len(rates)))


@hypothesis.settings(deadline=None)
@hypothesis.given(rate=RATES)
def test_one_view_alone_is_taken_at_its_word(rate: float) -> None:
    assert combine_rates(rate, 1) == pytest.approx(rate)


@pytest.mark.parametrize("views", [2, 5, 20, 100])
@pytest.mark.parametrize("dependence", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("asked", [0.1, 0.01])
def test_the_promised_rate_holds_per_track(views: int, dependence: float, asked: float) -> None:
    tracks = 40_000
    uniform = _draw_dependent(tracks, views, dependence)
    means = views / (1 / uniform).sum(axis=1)
    combined = np.array([combine_rates(mean, views) for mean in means])

    accepted = float((combined <= asked).mean())
    spread = math.sqrt(asked / tracks)
    assert accepted <= 1.05 * asked + 3 * spread
    best_of_all = float((uniform.min(axis=1) <= asked).mean())
    assert dependence == 1 or best_of_all > 1.2 * asked  # what taking the best would accept


def _draw_dependent(tracks: int, views: int, dependence: float) -> NDArray[np.float64]:
    """(tracks, views) uniform rates of unknown things, by a Gaussian copula."""
    rng = np.random.default_rng(views)
    common = rng.standard_normal((tracks, 1))
    own = rng.standard_normal((tracks, views))
    normal = math.sqrt(dependence) * common + math.sqrt(1 - dependence) * own
    ranks = normal.ravel().argsort().argsort().reshape(normal.shape)
    return (ranks + 0.5) / ranks.size
