"""The template of a sample card: arched art, name plaque across its foot, text below, badges beside it."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from . import lettering
from .art import paint_art
from .catalog import SampleCard
from .foil import FINISHES, Finish, emboss, shine
from .palette import FAMILIES, Array, Color, Family, bytes_of, mix, rgb

# Everything is drawn at twice the printed size and scaled down once: that is the antialiasing.
SIZE = (360, 504)
BIG = (720, 1008)
ART = (32, 32, 688, 600)
PLAQUE = (20, 566, 700, 642)
TEXT = (44, 694, 676, 912)
CORNER = rgb("#121217")
INK, IVORY = rgb("#2a2320"), rgb("#fffaf0")
Box = tuple[int, int, int, int]


def draw_card(card: SampleCard) -> Image.Image:
    """Draw one card: RGB, 360 x 504 pixels, plain dark corners."""
    finish, family = FINISHES[card.rarity], FAMILIES[card.element]
    art = paint_art(card.scene, card.element, card.shade, card.seed)
    picture = _body(family, finish)
    _place_art(picture, art, family, finish)
    _plaque(picture, card, family, finish)
    _type_line(picture, card, finish)
    _text_box(picture, card, family, finish)
    _pips(picture, card, family)
    for x, value, color in ((84, card.attack, rgb("#a83a32")), (636, card.defence, rgb("#2f5f94"))):
        _badge(picture, (x, 932), str(value), color, family.trim)
    _footer(picture, card, finish)
    sheet = Image.new("RGB", BIG, bytes_of(CORNER))
    sheet.paste(picture, (0, 0), _rounded(BIG, (0, 0, BIG[0] - 1, BIG[1] - 1), 36))
    return sheet.resize(SIZE, Image.Resampling.LANCZOS)


def _rounded(size: tuple[int, int], box: Box, radius: int) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius, fill=255)
    return mask


def _arch(box: Box, grow: int = 0) -> list[tuple[float, float]]:
    """The art window: straight sides, shoulders cut by a shallow pointed arch."""
    left, top, right, bottom = box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow
    t = np.linspace(0, np.pi / 2, 16)
    reach, rise = 96.0, 60.0
    start = [
        (left + reach * (1 - float(np.cos(a))), top + rise * (1 - float(np.sin(a)))) for a in t
    ]
    end = [(right + left - x, y) for x, y in start[::-1]]
    return [(left, bottom), *start, *end, (right, bottom)]


def _paper(size: tuple[int, int], color: Color, strength: float) -> Image.Image:
    """Flat colour with fibres and grain; the same fibres on every card, as from one paper mill."""
    rng = np.random.default_rng(5)
    grain: Array = rng.normal(0, 1, (size[1], size[0])).astype(np.float32)
    grain += np.repeat(rng.normal(0, 1.2, (size[1], size[0] // 8)).astype(np.float32), 8, axis=1)[
        :, : size[0]
    ]
    fade = np.linspace(0.05, -0.06, size[1], dtype=np.float32)[:, None]
    sheet = color + (grain * np.float32(strength) + fade)[..., None]
    return Image.fromarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8))


def _body(family: Family, finish: Finish) -> Image.Image:
    """The card's stock with a dark rim and two fine inner lines."""
    frame = family.frame if finish.frame is None else finish.frame
    picture = _paper(BIG, frame, 0.012)
    if finish.border is not None:
        picture = shine(picture, finish.border)
    draw = ImageDraw.Draw(picture)
    edge = (0, 0, BIG[0] - 1, BIG[1] - 1)
    draw.rounded_rectangle(edge, 36, outline=bytes_of(mix(frame, CORNER, 0.82)), width=14)
    draw.rounded_rectangle((17, 17, 702, 990), 24, outline=bytes_of(_trim(family, finish)), width=3)
    draw.rounded_rectangle(
        (23, 23, 696, 984), 20, outline=bytes_of(mix(frame, CORNER, 0.4)), width=2
    )
    return picture


def _trim(family: Family, finish: Finish) -> Color:
    return family.trim if finish.stamp is None else finish.stamp


def _place_art(picture: Image.Image, art: Image.Image, family: Family, finish: Finish) -> None:
    """Set the picture into its arch, or over the whole upper card for an extended printing."""
    if finish.relief:
        art = emboss(art)
    if finish.art is not None:
        art = shine(art, finish.art)
    if finish.extended:
        wide = art.resize((838, 726), Image.Resampling.LANCZOS).crop((59, 0, 779, 726))
        fade = np.clip((726 - np.arange(726)) / 110, 0, 1)[:, None] * np.full((1, 720), 255)
        picture.paste(_paper(BIG, mix(family.frame, CORNER, 0.6), 0.012))
        picture.paste(wide, (0, 0), Image.fromarray(fade.astype(np.uint8)))
        ImageDraw.Draw(picture).rounded_rectangle(
            (17, 17, 702, 990), 24, outline=bytes_of(family.trim), width=3
        )
        return
    draw = ImageDraw.Draw(picture)
    draw.polygon(_arch(ART, 7), fill=bytes_of(_trim(family, finish)))
    draw.polygon(_arch(ART, 3), fill=bytes_of(mix(family.frame, CORNER, 0.75)))
    mask = Image.new("L", BIG)
    ImageDraw.Draw(mask).polygon(_arch(ART), fill=255)
    window = (ART[0], ART[1], ART[2], ART[3])
    picture.paste(art, window, mask.crop(window))


def _plaque(picture: Image.Image, card: SampleCard, family: Family, finish: Finish) -> None:
    """The name on a pointed ribbon across the foot of the art."""
    left, top, right, bottom = PLAQUE
    middle = (top + bottom) / 2
    frame = family.frame if finish.frame is None else finish.frame
    shadow = Image.new("L", BIG)
    ImageDraw.Draw(shadow).rectangle((left + 20, top + 12, right - 20, bottom + 10), fill=170)
    picture.paste(bytes_of(CORNER), (0, 0), shadow.filter(ImageFilter.GaussianBlur(8)))
    draw = ImageDraw.Draw(picture)
    for inset, color in (
        (0, mix(frame, CORNER, 0.8)),
        (4, _trim(family, finish)),
        (8, mix(frame, CORNER, 0.62)),
    ):
        a, b, c, d = left + inset * 1.6, top + inset, right - inset * 1.6, bottom - inset
        draw.polygon(
            [(a, middle), (a + 26, b), (c - 26, b), (c, middle), (c - 26, d), (a + 26, d)],
            fill=bytes_of(color),
        )
    size = lettering.fitted(card.name, 44, 560, 1.5)
    stamp = IVORY if finish.stamp is None else finish.stamp
    lettering.line(picture, (362, middle + 3), card.name, size, CORNER, spacing=1.5, bold=1.2)
    lettering.line(picture, (360, middle), card.name, size, stamp, spacing=1.5, bold=0.8)
    for x in (left + 38, right - 38):
        draw.polygon(
            [(x - 8, middle), (x, middle - 8), (x + 8, middle), (x, middle + 8)],
            fill=bytes_of(family.trim),
        )


def _type_line(picture: Image.Image, card: SampleCard, finish: Finish) -> None:
    text = f"{card.element}  ·  {card.kind}".upper()
    # A dark edge under the letters keeps them readable on foil borders.
    if finish.border is not None:
        lettering.line(picture, (360, 669), text, 22, CORNER, spacing=4, bold=2.4)
    lettering.line(
        picture,
        (360, 669),
        text,
        22,
        IVORY if not finish.extended else finish.gem,
        spacing=4,
        bold=0.4,
    )


def _text_box(picture: Image.Image, card: SampleCard, family: Family, finish: Finish) -> None:
    """Rules over flavour on tinted paper, shrunk until both fit."""
    left, top, right, bottom = TEXT
    paper = mix(family.frame, CORNER, 0.78) if finish.extended else family.paper
    ink = IVORY if finish.extended else INK
    size = (right - left, bottom - top)
    picture.paste(
        _paper(size, paper, 0.01), (left, top), _rounded(size, (0, 0, size[0] - 1, size[1] - 1), 14)
    )
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(TEXT, 14, outline=bytes_of(mix(family.frame, CORNER, 0.55)), width=3)
    draw.rounded_rectangle(
        (left + 7, top + 7, right - 7, bottom - 7),
        9,
        outline=bytes_of(mix(paper, family.frame, 0.4)),
        width=2,
    )
    for height in range(32, 18, -1):
        rules = lettering.wrapped(card.rules, height, size[0] - 56)
        flavour = lettering.wrapped(card.flavour, height - 4, size[0] - 110)
        tall = len(rules) * height * 1.24 + len(flavour) * (height - 4) * 1.24 + 26
        if tall <= size[1] - 34:
            break
    y = top + (size[1] - tall) / 2 - 4
    for text in rules:
        lettering.line(
            picture, (left + 28, y + height * 0.6), text, height, ink, bold=0.3, anchor="l"
        )
        y += height * 1.24
    y += 13
    soft = mix(ink, paper, 0.25)
    draw.line(
        (left + 150, y, right - 150, y), fill=bytes_of(mix(paper, family.frame, 0.55)), width=2
    )
    draw.polygon([(354, y), (360, y - 5), (366, y), (360, y + 5)], fill=bytes_of(family.frame))
    y += 13
    for text in flavour:
        lettering.line(picture, (360, y + height * 0.5), text, height - 4, soft)
        y += (height - 4) * 1.24


def _pips(picture: Image.Image, card: SampleCard, family: Family) -> None:
    """The cost as a column of little gems on a tab at the art's left edge."""
    top, step = 128, 36
    foot = top + card.cost * step + 4
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(
        (18, top - 8, 62, foot),
        22,
        fill=bytes_of(mix(family.frame, CORNER, 0.7)),
        outline=bytes_of(family.trim),
        width=3,
    )
    for k in range(card.cost):
        x, y = 40, top + 16 + k * step
        draw.ellipse((x - 13, y - 13, x + 13, y + 13), fill=bytes_of(family.trim))
        draw.ellipse(
            (x - 10, y - 10, x + 10, y + 10), fill=bytes_of(mix(family.frame, family.trim, 0.25))
        )
        draw.ellipse((x - 6, y - 8, x + 1, y - 2), fill=bytes_of(mix(family.trim, IVORY, 0.7)))


def _badge(picture: Image.Image, at: tuple[int, int], text: str, color: Color, trim: Color) -> None:
    """A number on a small six-sided shield."""
    draw = ImageDraw.Draw(picture)
    shape = np.array([(-1, -0.72), (0, -1), (1, -0.72), (1, 0.45), (0, 1.05), (-1, 0.45)])
    for radius, tone in ((44, mix(color, CORNER, 0.8)), (40, trim), (36, mix(color, CORNER, 0.15))):
        draw.polygon(
            [(at[0] + x * radius, at[1] + y * radius) for x, y in shape.tolist()],
            fill=bytes_of(tone),
        )
    lettering.line(picture, (at[0] + 2, at[1] + 1), text, 42, CORNER, bold=2)
    lettering.line(picture, (at[0], at[1] - 2), text, 42, IVORY, bold=1)


def _footer(picture: Image.Image, card: SampleCard, finish: Finish) -> None:
    """Set, collector number, rarity gem."""
    draw = ImageDraw.Draw(picture)
    for radius, tone in ((19, CORNER), (16, finish.gem), (9, mix(finish.gem, IVORY, 0.5))):
        draw.polygon(
            [(360 - radius, 944), (360, 944 - radius), (360 + radius, 944), (360, 944 + radius)],
            fill=bytes_of(tone),
        )
    label = f"{card.set_code}  {card.rarity}".strip()
    halo = [] if finish.border is None else [(CORNER, 2.2)]
    for ink, bold in (*halo, (IVORY, 0.4)):
        lettering.line(
            picture, (334, 944), card.set_name.upper(), 16, ink, spacing=1.5, bold=bold, anchor="r"
        )
        lettering.line(picture, (386, 944), label, 19, ink, spacing=1, bold=bold, anchor="l")
