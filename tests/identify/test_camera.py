"""The simulated webcam: repeatable views with correct quads."""

import numpy as np
import pytest
from conftest import pixels
from numpy.typing import NDArray
from PIL import Image

from data_label_factory.identify.camera import View, live_crop, render_view
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, straighten

SHAPES = [(1, 1), (1, 2000), (2000, 1), (3000, 2000), (63, 88), (300, 30)]  # width, height


def view(seed: int, *references: RGB, **size: int) -> View:
    return render_view(references, np.random.default_rng(seed), **size)


def turns(quad: Quad) -> NDArray[np.float64]:
    """The cross product of the sides at each corner; all positive if clockwise and convex."""
    sides = np.roll(quad, -1, axis=0).astype(np.float64) - quad
    after = np.roll(sides, -1, axis=0)
    return sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]


def correlation(a: RGB, b: RGB) -> float:
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


def test_the_same_generator_state_gives_the_same_view() -> None:
    a, b = view(5, pixels(0)), view(5, pixels(0))
    assert np.array_equal(a.image, b.image)
    assert np.array_equal(a.quads[0], b.quads[0])
    assert np.array_equal(*(live_crop(pixels(0), np.random.default_rng(5), 64) for _ in range(2)))


def test_another_state_gives_another_view() -> None:
    a, b = view(5, pixels(0)), view(6, pixels(0))
    assert not np.array_equal(a.image, b.image)
    assert not np.allclose(a.quads[0], b.quads[0], atol=2)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (320, 240), (200, 500)])
def test_the_frame_has_the_size_asked_for(width: int, height: int) -> None:
    shown = view(1, pixels(0), width=width, height=height)
    assert shown.image.shape == (height, width, 3)
    assert shown.image.dtype == np.uint8


@pytest.mark.parametrize("shape", SHAPES)
def test_quads_are_clockwise_convex_and_inside_the_frame(shape: tuple[int, int]) -> None:
    reference = pixels(1, *shape)
    for seed in range(3 if max(shape) > 2500 else 25):
        quad = view(seed, reference, width=320, height=240).quads[0]
        assert quad.shape == (4, 2)
        assert quad.dtype == np.float32
        assert (turns(quad) > 0).all()
        assert (quad >= -1).all()
        assert (quad <= (321, 241)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_crop_is_square_whatever_the_reference(shape: tuple[int, int]) -> None:
    assert live_crop(pixels(1, *shape), np.random.default_rng(0), 96).shape == (96, 96, 3)


def test_an_item_fills_a_good_part_of_the_frame() -> None:
    for seed in range(20):
        quad = view(seed, pixels(0)).quads[0]
        assert np.ptp(quad, axis=0).max() > 480 * 0.45


def test_each_of_many_items_stays_in_its_part_of_the_frame() -> None:
    references = [pixels(seed, 63, 88) for seed in range(8)]
    shown = view(3, *references, width=1280, height=480)
    assert len(shown.quads) == 8
    for slot, quad in enumerate(shown.quads):
        assert slot * 160 - 1 <= quad[:, 0].min() < quad[:, 0].max() <= (slot + 1) * 160 + 1


def test_no_item_gives_an_empty_desk() -> None:
    shown = view(0)
    assert shown.quads == []
    assert shown.image.shape == (480, 640, 3)


def test_straightening_the_true_quad_gives_the_reference_neither_turned_nor_mirrored() -> None:
    """Over many views, because a thumb, glare or blur may spoil a single one."""
    reference = pixels(4)
    upright = np.asarray(Image.fromarray(reference).resize((64, 64)))
    others = [np.rot90(upright, k) for k in (1, 2, 3)] + [upright[:, ::-1], upright[::-1]]
    similarity = []
    best_other = []
    for seed in range(25):
        shown = view(seed, reference)
        crop = straighten(shown.image, shown.quads[0], 64)
        similarity.append(correlation(crop, upright))
        best_other.append(max(correlation(crop, other) for other in others))

    assert np.median(similarity) > 0.85
    assert np.mean(np.array(similarity) > np.array(best_other) + 0.2) > 0.9


def test_views_sometimes_turn_items_onto_their_sides() -> None:
    quads = [view(seed, pixels(0), width=160, height=120).quads[0] for seed in range(60)]
    tops = [quad[1] - quad[0] for quad in quads]
    upright = np.mean([side[0] > abs(side[1]) for side in tops])
    assert 0.6 < upright < 0.97


def test_straightening_a_rectangle_cuts_it_out() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    small = Image.fromarray(pixels(2)).resize((80, 40), Image.Resampling.NEAREST)
    image[20:60, 50:130] = np.asarray(small)

    quad = np.array([[50, 20], [130, 20], [130, 60], [50, 60]], np.float32)
    cut = straighten(image, quad, 64)
    assert correlation(cut, pixels(2)) > 0.9


def test_straightening_much_larger_things_does_not_alias() -> None:
    """Fine noise becomes even gray, not coarse noise."""
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    corners = np.array([[0, 0], [1200, 0], [1200, 1200], [0, 1200]], np.float32)
    assert straighten(noise, corners, 100).astype(float).std() < 15


def test_views_differ_in_light() -> None:
    gray = np.full((64, 64, 3), 128, np.uint8)
    brightness = [view(seed, gray).image.mean() for seed in range(15)]
    assert np.std(brightness) > 10
