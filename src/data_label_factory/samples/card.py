"""The template of a sample card: what is printed on the stock.

The name plaque across the foot of the art, the text below it and a badge on each side.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

from data_label_factory.samples import lettering
from data_label_factory.samples.art import paint_art
from data_label_factory.samples.catalog import SampleCard
from data_label_factory.samples.foil import FINISHES, Finish
from data_label_factory.samples.palette import FAMILIES, Color, Family, bytes_of, mix, rgb
from data_label_factory.samples.stock import (
    BIG,
    CORNER,
    draw_stock,
    frame_color,
    paper_sheet,
    place_art,
    rounded_mask,
    trim_color,
)

SIZE = (360, 504)
PLAQUE = (20, 566, 700, 642)
TEXT = (44, 694, 676, 912)
LINE_PITCH = 1.24  # of the text box, per letter height
INK = rgb("#2a2320")
IVORY = rgb("#fffaf0")


def draw_card(card: SampleCard) -> Image.Image:
    """Draw one card: RGB, 360 x 504 pixels, plain dark corners."""
    finish = FINISHES[card.rarity]
    family = FAMILIES[card.element]

    art = paint_art(card.scene, card.element, card.shade, card.seed)
    picture = draw_stock(family, finish)
    place_art(picture, art, family, finish)

    _plaque(picture, card, family, finish)
    _type_line(picture, card, finish)
    _text_box(picture, card, family, finish)
    _pips(picture, card, family)
    _badge(picture, (84, 932), str(card.attack), rgb("#a83a32"), family.trim)
    _badge(picture, (636, 932), str(card.defense), rgb("#2f5f94"), family.trim)
    _footer(picture, card, finish)

    sheet = Image.new("RGB", BIG, bytes_of(CORNER))
    sheet.paste(picture, (0, 0), rounded_mask(BIG, (0, 0, BIG[0] - 1, BIG[1] - 1), 36))
    return sheet.resize(SIZE, Image.Resampling.LANCZOS)


def _plaque(picture: Image.Image, card: SampleCard, family: Family, finish: Finish) -> None:
    """The name on a pointed ribbon across the foot of the art."""
    left, top, right, bottom = PLAQUE
    middle = (top + bottom) / 2
    frame = frame_color(family, finish)

    shadow = Image.new("L", BIG)
    ImageDraw.Draw(shadow).rectangle((left + 20, top + 12, right - 20, bottom + 10), fill=170)
    picture.paste(bytes_of(CORNER), (0, 0), shadow.filter(ImageFilter.GaussianBlur(8)))

    draw = ImageDraw.Draw(picture)
    _ribbon(draw, 0, mix(frame, CORNER, 0.8))
    _ribbon(draw, 4, trim_color(family, finish))
    _ribbon(draw, 8, mix(frame, CORNER, 0.62))

    size = lettering.fitted(card.name, 44, 560, 1.5)
    stamp = IVORY if finish.stamp is None else finish.stamp
    lettering.line(picture, (362, middle + 3), card.name, size, CORNER, spacing=1.5, bold=1.2)
    lettering.line(picture, (360, middle), card.name, size, stamp, spacing=1.5, bold=0.8)

    for x in (left + 38, right - 38):
        draw.polygon(_diamond((x, middle), 8), fill=bytes_of(family.trim))


def _ribbon(draw: ImageDraw.ImageDraw, inset: int, color: Color) -> None:
    """The plaque's ribbon, smaller by `inset` on each side."""
    left, top, right, bottom = PLAQUE
    middle = (top + bottom) / 2
    a = left + inset * 1.6
    b = top + inset
    c = right - inset * 1.6
    d = bottom - inset
    corners = [
        (a, middle),
        (a + 26, b),
        (c - 26, b),
        (c, middle),
        (c - 26, d),
        (a + 26, d),
    ]
    draw.polygon(corners, fill=bytes_of(color))


def _diamond(at: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    x, y = at
    return [
        (x - radius, y),
        (x, y - radius),
        (x + radius, y),
        (x, y + radius),
    ]


def _type_line(picture: Image.Image, card: SampleCard, finish: Finish) -> None:
    text = f"{card.element}  ·  {card.kind}".upper()
    # A dark edge under the letters keeps them readable on foil borders.
    if finish.border is not None:
        lettering.line(picture, (360, 669), text, 22, CORNER, spacing=4, bold=2.4)
    ink = finish.gem if finish.extended else IVORY
    lettering.line(picture, (360, 669), text, 22, ink, spacing=4, bold=0.4)


def _text_box(picture: Image.Image, card: SampleCard, family: Family, finish: Finish) -> None:
    """Rules over flavor text on tinted paper, shrunk until both fit."""
    left, top, right, bottom = TEXT
    size = (right - left, bottom - top)
    paper = mix(family.frame, CORNER, 0.78) if finish.extended else family.paper
    ink = IVORY if finish.extended else INK
    _text_paper(picture, paper, family)

    height, rules, flavor = _fit_text(card, size)
    y = top + (size[1] - _text_height(height, rules, flavor)) / 2 - 4
    for text in rules:
        at = (left + 28, y + height * 0.6)
        lettering.line(picture, at, text, height, ink, bold=0.3, anchor="l")
        y += height * LINE_PITCH

    y += 13
    draw = ImageDraw.Draw(picture)
    rule = bytes_of(mix(paper, family.frame, 0.55))
    draw.line((left + 150, y, right - 150, y), fill=rule, width=2)
    draw.polygon(
        [
            (354, y),
            (360, y - 5),
            (366, y),
            (360, y + 5),
        ],
        fill=bytes_of(family.frame),
    )
    y += 13

    soft = mix(ink, paper, 0.25)
    for text in flavor:
        lettering.line(picture, (360, y + height * 0.5), text, height - 4, soft)
        y += (height - 4) * LINE_PITCH


def _text_paper(picture: Image.Image, paper: Color, family: Family) -> None:
    """The tinted paper with its two borders."""
    left, top, right, bottom = TEXT
    size = (right - left, bottom - top)
    mask = rounded_mask(size, (0, 0, size[0] - 1, size[1] - 1), 14)
    picture.paste(paper_sheet(size, paper, 0.01), (left, top), mask)

    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(TEXT, 14, outline=bytes_of(mix(family.frame, CORNER, 0.55)), width=3)
    inner = (left + 7, top + 7, right - 7, bottom - 7)
    draw.rounded_rectangle(inner, 9, outline=bytes_of(mix(paper, family.frame, 0.4)), width=2)


def _fit_text(card: SampleCard, room: tuple[int, int]) -> tuple[int, list[str], list[str]]:
    """The largest letter height at which rules and flavor text fit, and the lines of both."""
    for height in range(32, 18, -1):
        rules = lettering.wrapped(card.rules, height, room[0] - 56)
        flavor = lettering.wrapped(card.flavor, height - 4, room[0] - 110)
        if _text_height(height, rules, flavor) <= room[1] - 34:
            break
    return height, rules, flavor


def _text_height(height: int, rules: list[str], flavor: list[str]) -> float:
    return len(rules) * height * LINE_PITCH + len(flavor) * (height - 4) * LINE_PITCH + 26


def _pips(picture: Image.Image, card: SampleCard, family: Family) -> None:
    """The cost as a column of little gems on a tab at the art's left edge."""
    top = 128
    step = 36
    draw = ImageDraw.Draw(picture)
    tab = (18, top - 8, 62, top + card.cost * step + 4)
    fill = bytes_of(mix(family.frame, CORNER, 0.7))
    draw.rounded_rectangle(tab, 22, fill=fill, outline=bytes_of(family.trim), width=3)

    gem = bytes_of(mix(family.frame, family.trim, 0.25))
    glint = bytes_of(mix(family.trim, IVORY, 0.7))
    for k in range(card.cost):
        x = 40
        y = top + 16 + k * step
        draw.ellipse((x - 13, y - 13, x + 13, y + 13), fill=bytes_of(family.trim))
        draw.ellipse((x - 10, y - 10, x + 10, y + 10), fill=gem)
        draw.ellipse((x - 6, y - 8, x + 1, y - 2), fill=glint)


def _badge(picture: Image.Image, at: tuple[int, int], text: str, color: Color, trim: Color) -> None:
    """A number on a small six-sided shield."""
    draw = ImageDraw.Draw(picture)
    shape = ((-1, -0.72), (0, -1), (1, -0.72), (1, 0.45), (0, 1.05), (-1, 0.45))
    for radius, tone in ((44, mix(color, CORNER, 0.8)), (40, trim), (36, mix(color, CORNER, 0.15))):
        shield = [(at[0] + x * radius, at[1] + y * radius) for x, y in shape]
        draw.polygon(shield, fill=bytes_of(tone))

    lettering.line(picture, (at[0] + 2, at[1] + 1), text, 42, CORNER, bold=2)
    lettering.line(picture, (at[0], at[1] - 2), text, 42, IVORY, bold=1)


def _footer(picture: Image.Image, card: SampleCard, finish: Finish) -> None:
    """Set, collector number, rarity gem."""
    draw = ImageDraw.Draw(picture)
    for radius, tone in ((19, CORNER), (16, finish.gem), (9, mix(finish.gem, IVORY, 0.5))):
        draw.polygon(_diamond((360, 944), radius), fill=bytes_of(tone))

    name = card.set_name.upper()
    code = f"{card.set_code}  {card.rarity}".strip()
    halo = [] if finish.border is None else [(CORNER, 2.2)]
    for ink, bold in (*halo, (IVORY, 0.4)):
        lettering.line(picture, (334, 944), name, 16, ink, spacing=1.5, bold=bold, anchor="r")
        lettering.line(picture, (386, 944), code, 19, ink, spacing=1, bold=bold, anchor="l")
