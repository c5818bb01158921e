"""Colours are compared apart from what light and camera do to all of them alike."""

import cv2
import numpy as np
import pytest

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.appearance import compare
from data_label_factory.identify.recognize.color import measure_color_deficit


def picture(seed: int, gray: bool = False) -> RGB:
    rough = np.random.default_rng(seed).integers(0, 256, (9, 7, 1 if gray else 3), dtype=np.uint8)
    return np.asarray(
        cv2.resize(np.repeat(rough, 3 // rough.shape[2], axis=2), (105, 144)), np.uint8
    )


def deficit(crop: RGB, reference: RGB) -> float:
    return measure_color_deficit(crop, reference, compare(crop, reference))


@pytest.mark.parametrize(
    "gain",
    [(1, 1, 1), (1.3, 1.0, 0.75), (0.7, 0.9, 1.2), (0.5, 0.5, 0.5)],
    ids=["same", "warm", "cold", "dark"],
)
def test_light_of_any_color_costs_little(gain: tuple[float, float, float]) -> None:
    lit = np.clip(picture(0) * np.array(gain), 0, 255).astype(np.uint8)
    assert deficit(lit, picture(0)) > -0.1


def test_faded_colors_cost_little() -> None:
    gray = picture(0).mean(axis=2, keepdims=True)
    faded = (0.5 * picture(0) + 0.5 * gray).astype(np.uint8)
    assert deficit(faded, picture(0)) > -0.1


@pytest.mark.parametrize("shift", [1, 2])
def test_the_same_drawing_in_other_colors_falls_far_short(shift: int) -> None:
    assert deficit(np.ascontiguousarray(np.roll(picture(0), shift, axis=2)), picture(0)) < -0.9


def test_a_reference_without_color_can_tell_nothing() -> None:
    assert deficit(picture(0, gray=True), picture(0, gray=True)) == pytest.approx(0, abs=0.02)


def test_a_crop_in_which_nothing_can_be_seen_tells_nothing() -> None:
    assert deficit(np.full_like(picture(0), 255), picture(0)) == 0
