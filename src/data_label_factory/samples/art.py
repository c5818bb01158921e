"""The art of a card: a table of scenes, each painted from a palette and a seed."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from data_label_factory.samples import (
    scenes_beast,
    scenes_dragon,
    scenes_engine,
    scenes_koi,
    scenes_land,
    scenes_life,
    scenes_sky,
    scenes_thing,
    scenes_water,
    scenes_whale,
)
from data_label_factory.samples.canvas import Canvas
from data_label_factory.samples.palette import FAMILIES

Scene = Callable[[Canvas], None]

# The order is part of the collection: cards take their scenes from it in turn.
_SCENES: tuple[Scene, ...] = (
    scenes_land.mountains,
    scenes_beast.beast,
    scenes_thing.crystals,
    scenes_life.moth,
    scenes_water.ship,
    scenes_life.flower,
    scenes_land.tower,
    scenes_dragon.serpent,
    scenes_thing.potion,
    scenes_land.forest,
    scenes_koi.koi,
    scenes_sky.constellation,
    scenes_beast.owl,
    scenes_land.desert,
    scenes_engine.gears,
    scenes_water.jelly,
    scenes_sky.lanterns,
    scenes_life.mask,
    scenes_thing.portal,
    scenes_water.kraken,
    scenes_sky.isles,
    scenes_engine.automaton,
    scenes_whale.whale,
    scenes_sky.storm,
    scenes_thing.blade,
)
SCENES: dict[str, Scene] = {scene.__name__: scene for scene in _SCENES}


def paint_art(scene: str, element: str, shade: int, seed: int) -> Image.Image:
    """Paint one picture, RGB of canvas.WIDTH x canvas.HEIGHT pixels.

    `scene` is a key of SCENES, `element` one of FAMILIES, `shade` picks the palette
    (any whole number) and `seed` the composition. Raises KeyError for an unknown scene
    or element.
    """
    palettes = FAMILIES[element].palettes
    canvas = Canvas(palettes[shade % len(palettes)], seed)
    SCENES[scene](canvas)
    return canvas.finish()
