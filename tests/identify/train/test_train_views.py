"""Views to train on: of several kinds, repeatable, and separate from the held-out ones."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import pixels
from train_bank import RECIPE

from data_label_factory.identify.camera import live_crop, loose_crop, render_view, tight_crop
from data_label_factory.identify.train.settings import ViewRecipe
from data_label_factory.identify.train.views import augment, draw_views

PICTURE, SHA = pixels(3, 90, 120), "5f" * 32


def equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_one_content_gives_the_same_views_and_another_seed_or_content_others() -> None:
    views = draw_views(PICTURE, RECIPE, SHA)
    assert len(views) == RECIPE.views + RECIPE.heldout
    assert all(view.shape == (48, 48, 3) and view.dtype == np.uint8 for view in views)
    assert equal(views, draw_views(PICTURE, RECIPE, SHA))
    assert not any(equal([a], [b]) for i, a in enumerate(views) for b in views[:i])
    for other in (
        draw_views(PICTURE, replace(RECIPE, seed=1), SHA),
        draw_views(PICTURE, RECIPE, "60" * 32),
    ):
        assert not any(equal([a], [b]) for a, b in zip(views, other, strict=True))


def test_the_training_views_do_not_change_the_held_out_ones() -> None:
    few, many = (draw_views(PICTURE, replace(RECIPE, views=count), SHA) for count in (1, 9))
    assert equal(few[1:], many[9:])


@pytest.mark.parametrize(
    "change", [{"views": 7}, {"seed": 1}, {"plain_share": 0.5}, {"heldout_frames": 2}]
)
def test_another_recipe_has_another_hash(change: dict[str, int]) -> None:
    assert replace(RECIPE, **change).hash != RECIPE.hash
    assert ViewRecipe().hash == ViewRecipe().hash


def test_a_live_crop_is_the_tight_crop_of_a_view() -> None:
    rng = np.random.default_rng(5)
    view = render_view([PICTURE], rng)
    assert np.array_equal(
        tight_crop(view, rng, 64), live_crop(PICTURE, np.random.default_rng(5), 64)
    )


def test_a_loose_crop_shows_the_item_and_the_ground_around_it() -> None:
    magenta = np.full((100, 100, 3), (255, 0, 255), np.uint8)
    fractions = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        crop = loose_crop(render_view([magenta], rng), rng, 60).astype(int)
        fractions.append(
            float(((crop[..., 0] - crop[..., 1] > 60) & (crop[..., 2] - crop[..., 1] > 60)).mean())
        )
    assert max(fractions) < 0.85
    assert np.median(fractions) > 0.15


def test_augmented_views_differ_in_color_and_some_are_gray() -> None:
    rng = np.random.default_rng(0)
    views = [augment(PICTURE, rng, 48).astype(int) for _ in range(60)]
    gray = [bool((np.ptp(view, axis=2) <= 1).all()) for view in views]
    assert 3 <= sum(gray) <= 24
    assert np.std([view.mean() for view in views]) > 8
