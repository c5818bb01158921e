"""The template of a sample card: art in an arched window, a name
ribbon, text, badges.
"""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from data_label_factory.atomic import atomic_write
from data_label_factory.samples.catalog import SETS, SampleCard, sample_cards
from data_label_factory.samples.foil import FINISHES, shine
from data_label_factory.samples.palette import PALETTES, Array, Color, bytes_of, mix, rgb
from data_label_factory.samples.scenes import paint_art
from data_label_factory.samples.shapes import Points, mirror, outline, place, star
from data_label_factory.samples.words import NOUNS

JPEG_QUALITY = 92
# Drawn at twice the printed size and scaled down once, which smooths the edges.
SIZE, BIG, MIDDLE = (360, 504), (720, 1008), 360
ART, TEXT = (32, 32), (44, 694, 676, 912)
DARK, INK, IVORY = rgb("121217"), rgb("2a2320"), rgb("fffaf0")
# Outlines around their middles, in px.
ARCH = mirror(outline("0,-284 232,-284 265,-281 296,-266 318,-243 328,-224 328,284")) * 100
RIBBON = mirror(outline("0,-38 306,-38 340,0 306,38")) * 100
SHIELD = mirror(outline("0,-100 100,-72 100,45 0,105"))

font = cache(ImageFont.load_default)


def draw_collection(folder: Path, count: int = 150, seed: int = 7) -> list[Path]:
    """Draw `count` cards into `folder` as JPEG files named by
    their labels.

    Creates the folder if it is missing. A file appears whole or
    not at all, and replaces an older one of the same name.
    Returns the paths in the order of the cards. Raises ValueError
    for a count that `sample_cards` refuses, and FactoryError if a
    file cannot be written.
    """
    cards = sample_cards(count, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for card in cards:
        with atomic_write(folder / card.filename) as file:
            draw_card(card).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return [folder / card.filename for card in cards]


def draw_card(card: SampleCard) -> Image.Image:
    """Draw one card: RGB, 360 x 504 pixels, plain dark corners."""
    palette, finish = PALETTES[card.element][card.shade], FINISHES[card.rarity]
    frame = mix(palette.far, palette.near, 0.35) if finish.frame is None else finish.frame
    trim = mix(mix(palette.low, palette.glow, 0.4), finish.stamp, 0.5 if card.rarity else 0)
    art = paint_art(card.scene, card.element, card.shade, card.seed)

    picture = shine(Image.new("RGB", BIG, bytes_of(frame)), finish.border)
    draw = ImageDraw.Draw(picture)
    for grow, color in ((7, trim), (3, mix(frame, DARK, 0.75))):
        _fill(draw, place(ARCH * (1 + grow / 300), (MIDDLE, 316)), color)
    window = Image.new("L", art.size)
    ImageDraw.Draw(window).polygon(place(ARCH, (328, 284)).ravel().tolist(), fill=255)
    picture.paste(shine(art, finish.art), ART, window)

    _name(picture, card.name, frame, trim, finish.stamp)
    _text(draw, card, frame, mix(palette.glow, IVORY, 0.6))
    _badges(draw, card, frame, trim)
    _small_print(draw, card, finish.gem)
    for inset, color, line in ((0, mix(frame, DARK, 0.82), 14), (17, trim, 3), (23, frame, 2)):
        box = (inset, inset, BIG[0] - 1 - inset, BIG[1] - 1 - inset)
        draw.rounded_rectangle(box, 36 - inset * 0.7, outline=bytes_of(color), width=line)

    sheet = Image.new("RGB", BIG, bytes_of(DARK))
    cut = Image.new("L", BIG)
    ImageDraw.Draw(cut).rounded_rectangle((0, 0, BIG[0] - 1, BIG[1] - 1), 36, fill=255)
    printed = np.clip(np.asarray(picture) + _grain(), 0, 255).astype(np.uint8)
    sheet.paste(Image.fromarray(printed), (0, 0), cut)
    return sheet.resize(SIZE, Image.Resampling.LANCZOS)


def _fill(draw: ImageDraw.ImageDraw, points: Points, color: Color) -> None:
    draw.polygon(points.ravel().tolist(), fill=bytes_of(color))


@cache
def _grain() -> Array:
    """What paper adds to a printed color, 0..255: grain and
    fibers, the same on every card.
    """
    grain = np.random.default_rng(5).normal(0, 2.5, BIG[::-1]).astype(np.float32)
    grain += np.repeat(grain[:, ::8], 8, axis=1) + np.linspace(6, -8, BIG[1])[:, None]
    return grain[..., None]


def _name(picture: Image.Image, name: str, frame: Color, trim: Color, ink: Color) -> None:
    """The name on a pointed ribbon across the foot of the art,
    with its shadow.
    """
    shadow = Image.new("L", BIG)
    ImageDraw.Draw(shadow).rectangle((40, 578, 680, 652), fill=170)
    picture.paste(bytes_of(DARK), (0, 0), shadow.filter(ImageFilter.GaussianBlur(8)))

    draw, fill = ImageDraw.Draw(picture), mix(frame, DARK, 0.62)
    for inset, color in ((0, mix(fill, DARK, 0.4)), (4, trim), (8, fill)):
        _fill(draw, place(RIBBON * (1 - inset / 212, 1 - inset / 38), (MIDDLE, 604)), color)
    for x in (58, 662):
        _fill(draw, star((x, 604), 8, 4), trim)
    size = next(size for size in range(48, 0, -1) if font(size).getlength(name) < 560)
    _write(draw, (MIDDLE, 604), name, size, ink, edge=2.5)


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    ink: Color = IVORY,
    *,
    anchor: str = "m",
    edge: float = 1.5,
) -> None:
    """A line with a dark edge, its left (l), middle (m) or right
    (r) end at `at`.
    """
    spot = (at[0], at[1] + size * 0.35)
    if edge:
        draw.text(spot, text, bytes_of(DARK), font(size), anchor + "s", stroke_width=edge)
    draw.text(spot, text, bytes_of(ink), font(size), anchor + "s", stroke_width=0.4)


def _text(draw: ImageDraw.ImageDraw, card: SampleCard, frame: Color, paper: Color) -> None:
    """Rules over flavor text on tinted paper, in letters as large as fit."""
    left, top, right, bottom = TEXT
    edge, line = bytes_of(mix(frame, DARK, 0.55)), bytes_of(mix(paper, frame, 0.45))
    draw.rounded_rectangle(TEXT, 14, bytes_of(paper), edge, 3)
    draw.rounded_rectangle((left + 7, top + 7, right - 7, bottom - 7), 9, None, line, 2)

    for size in range(32, 0, -1):
        # Letters of this font are about half as wide as it is tall.
        rules, pitch = textwrap.wrap(card.rules, 1150 // size), size * 1.24
        height = pitch * (len(rules) + 1) + 20
        if height < bottom - top - 36:
            break
    y = (top + bottom - height + pitch) / 2
    for text in rules:
        _write(draw, (left + 30, y), text, size, INK, anchor="l", edge=0)
        y += pitch
    y -= pitch / 2 - 10
    draw.line((left + 150, y, right - 150, y), fill=line, width=2)
    _fill(draw, star((MIDDLE, y), 6, 4), frame)
    soft = mix(INK, paper, 0.25)
    _write(draw, (MIDDLE, y + 10 + pitch / 2), card.flavor, min(size, 24), soft, edge=0)


def _badges(draw: ImageDraw.ImageDraw, card: SampleCard, frame: Color, trim: Color) -> None:
    """Attack and defense on shields, and the cost as a column of
    gems at the art's edge.
    """
    for x, number, color in (
        (84, card.attack, rgb("963630")),
        (636, card.defense, rgb("2d5887")),
    ):
        for size, tone in ((44, mix(color, DARK, 0.8)), (40, trim), (36, color)):
            _fill(draw, place(SHIELD, (x, 932), size), tone)
        _write(draw, (x, 930), str(number), 44, edge=3)

    tab = (18, 120, 62, 132 + card.cost * 36)
    draw.rounded_rectangle(tab, 22, bytes_of(mix(frame, DARK, 0.7)), bytes_of(trim), 3)
    for y in range(144, 144 + card.cost * 36, 36):
        _fill(draw, star((40, y), 13), trim)
        _fill(draw, star((40, y), 10), mix(frame, trim, 0.25))
        _fill(draw, star((37, y - 4), 4), mix(trim, IVORY, 0.7))


def _small_print(draw: ImageDraw.ImageDraw, card: SampleCard, gem: Color) -> None:
    """The type line, and set, rarity gem and collector number,
    readable on foil, too.
    """
    # In whatever language: EMBR-EN014 and EMBR-JP014 are of one set.
    own = card.set_code.partition("-")[0]
    name = next(name for prefix, name in SETS.items() if prefix.partition("-")[0] == own)
    kind = " ".join(f"{card.element} · {NOUNS[card.scene][0]}".upper())
    _write(draw, (MIDDLE, 669), kind, 21)
    _write(draw, (334, 944), name.upper(), 17, anchor="r")
    _write(draw, (386, 944), f"{card.set_code}  {card.rarity}", 19, anchor="l")
    for radius, tone in ((19, DARK), (16, gem), (9, mix(gem, IVORY, 0.5))):
        _fill(draw, star((MIDDLE, 944), radius, 4), tone)
