"""The stock of a sample card: paper, border, and the window that the art shows through."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from data_label_factory.samples.foil import Finish, emboss, shine
from data_label_factory.samples.palette import Array, Color, Family, bytes_of, mix, rgb

# Everything is drawn at twice the printed size and scaled down once, which smooths the
# edges.
BIG = (720, 1008)
ART = (32, 32, 688, 600)
INNER_EDGE = (17, 17, 702, 990)
CORNER = rgb("#121217")
Box = tuple[int, int, int, int]


def draw_stock(family: Family, finish: Finish) -> Image.Image:
    """The card's stock with a dark rim and two fine inner lines."""
    frame = frame_color(family, finish)
    picture = paper_sheet(BIG, frame, 0.012)
    if finish.border is not None:
        picture = shine(picture, finish.border)

    draw = ImageDraw.Draw(picture)
    edge = (0, 0, BIG[0] - 1, BIG[1] - 1)
    rim = bytes_of(mix(frame, CORNER, 0.82))
    line = bytes_of(mix(frame, CORNER, 0.4))
    draw.rounded_rectangle(edge, 36, outline=rim, width=14)
    draw.rounded_rectangle(INNER_EDGE, 24, outline=bytes_of(trim_color(family, finish)), width=3)
    draw.rounded_rectangle((23, 23, 696, 984), 20, outline=line, width=2)
    return picture


def place_art(picture: Image.Image, art: Image.Image, family: Family, finish: Finish) -> None:
    """Set the picture into its arch, or over the whole upper card for an extended
    printing.
    """
    if finish.relief:
        art = emboss(art)
    if finish.art is not None:
        art = shine(art, finish.art)
    if finish.extended:
        _extend_art(picture, art, family)
        return

    draw = ImageDraw.Draw(picture)
    draw.polygon(_arch(ART, 7), fill=bytes_of(trim_color(family, finish)))
    draw.polygon(_arch(ART, 3), fill=bytes_of(mix(family.frame, CORNER, 0.75)))

    mask = Image.new("L", BIG)
    ImageDraw.Draw(mask).polygon(_arch(ART), fill=255)
    picture.paste(art, ART, mask.crop(ART))


def _extend_art(picture: Image.Image, art: Image.Image, family: Family) -> None:
    """Lay the art over the upper card, where it fades into a dark sheet."""
    height = 726
    wide = art.resize((838, height), Image.Resampling.LANCZOS).crop((59, 0, 779, height))
    fade = np.clip((height - np.arange(height)) / 110, 0, 1)[:, None] * np.full((1, 720), 255)

    picture.paste(paper_sheet(BIG, mix(family.frame, CORNER, 0.6), 0.012))
    picture.paste(wide, (0, 0), Image.fromarray(fade.astype(np.uint8)))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(INNER_EDGE, 24, outline=bytes_of(family.trim), width=3)


def _arch(box: Box, grow: int = 0) -> list[tuple[float, float]]:
    """The art window: straight sides, shoulders cut by a shallow pointed arch."""
    left = box[0] - grow
    top = box[1] - grow
    right = box[2] + grow
    bottom = box[3] + grow
    reach = 96.0
    rise = 60.0

    start = []
    for a in np.linspace(0, np.pi / 2, 16):
        x = left + reach * (1 - float(np.cos(a)))
        y = top + rise * (1 - float(np.sin(a)))
        start.append((x, y))
    end = [(right + left - x, y) for x, y in start[::-1]]
    return [
        (left, bottom),
        *start,
        *end,
        (right, bottom),
    ]


def paper_sheet(size: tuple[int, int], color: Color, strength: float) -> Image.Image:
    """Flat color with fibers and grain; the same fibers on every card, as from one
    paper mill.
    """
    width, height = size
    rng = np.random.default_rng(5)
    grain: Array = rng.normal(0, 1, (height, width)).astype(np.float32)
    fibers = rng.normal(0, 1.2, (height, width // 8)).astype(np.float32)
    grain += np.repeat(fibers, 8, axis=1)[:, :width]

    fade = np.linspace(0.05, -0.06, height, dtype=np.float32)[:, None]
    sheet = color + (grain * np.float32(strength) + fade)[..., None]
    return Image.fromarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8))


def rounded_mask(size: tuple[int, int], box: Box, radius: int) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius, fill=255)
    return mask


def frame_color(family: Family, finish: Finish) -> Color:
    return family.frame if finish.frame is None else finish.frame


def trim_color(family: Family, finish: Finish) -> Color:
    return family.trim if finish.stamp is None else finish.stamp
