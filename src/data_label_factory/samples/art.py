"""The art of a card: a table of scenes, each painted from a palette and a seed."""

from collections.abc import Callable

from PIL import Image

from . import (
    scenes_beast,
    scenes_engine,
    scenes_land,
    scenes_life,
    scenes_sky,
    scenes_thing,
    scenes_water,
)
from .canvas import Canvas
from .palette import FAMILIES

Scene = Callable[[Canvas], None]

SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        *(scenes_land.mountains, scenes_beast.beast, scenes_thing.crystals, scenes_life.moth),
        *(scenes_water.ship, scenes_life.flower, scenes_land.tower, scenes_beast.serpent),
        *(scenes_thing.potion, scenes_land.forest, scenes_water.koi, scenes_sky.constellation),
        *(scenes_beast.owl, scenes_land.desert, scenes_engine.gears, scenes_water.jelly),
        *(scenes_sky.lanterns, scenes_life.mask, scenes_thing.portal, scenes_water.kraken),
        *(scenes_sky.isles, scenes_engine.automaton, scenes_sky.whale, scenes_sky.storm),
        scenes_thing.blade,
    )
}


def paint_art(scene: str, element: str, shade: int, seed: int) -> Image.Image:
    """Paint one picture, RGB of canvas.WIDTH x canvas.HEIGHT pixels.

    `scene` is a key of SCENES, `element` one of FAMILIES, `shade` picks the palette (any whole
    number) and `seed` the composition. Raises KeyError for an unknown scene or element.
    """
    palettes = FAMILIES[element].palettes
    canvas = Canvas(palettes[shade % len(palettes)], seed)
    SCENES[scene](canvas)
    return canvas.finish()
