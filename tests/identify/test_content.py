"""Margins are left out and blank pictures found, and no thing is cut into."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import pixels
from drawn import encoded, photo_like
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from data_label_factory.identify.content import Box, find_thing, is_blank, why_nothing
from data_label_factory.identify.images import RGB, decode, decode_layers
from data_label_factory.identify.reference_pictures import read_part, read_reference
from data_label_factory.samples import draw_card, sample_cards

GROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "blue": (30, 60, 200)}


def card(width: int = 240) -> RGB:
    return np.asarray(draw_card(sample_cards(1, seed=3)[0]).resize((width, width * 7 // 5)))


def on_page(thing: RGB, share: float, ground: tuple[int, ...], at: tuple[float, float]) -> RGB:
    """`thing` on a page of which its width takes `share`, `at` a fraction of the room left."""
    height, width = thing.shape[:2]
    page = np.full((round(height / share), round(width / share), 3), ground, np.uint8)
    top = round((page.shape[0] - height) * at[1])
    left = round((page.shape[1] - width) * at[0])
    page[top : top + height, left : left + width] = thing
    return page


def jpeg(picture: RGB, quality: int = 80) -> RGB:
    return decode(encoded(Image.fromarray(picture), "JPEG", quality=quality))


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
@pytest.mark.parametrize("share", [0.6, 0.5, 0.3, 0.2])
@pytest.mark.parametrize("at", [(0.5, 0.5), (0.1, 0.8), (0.0, 0.0), (1.0, 0.3)])
def test_a_card_on_a_page_is_found_to_its_edge(
    ground: tuple[int, ...], share: float, at: tuple[float, float]
) -> None:
    thing = photo_like(240, 336, seed=4)
    page = jpeg(on_page(thing, share, ground, at))
    box = find_thing(page)
    assert box is not None
    height, width = page.shape[:2]
    left, top = (width - 240) * at[0] / width, (height - 336) * at[1] / height
    wanted = (left, top, left + 240 / width, top + 336 / height)
    assert box == pytest.approx(wanted, abs=0.012)


def test_paper_with_grain_and_dust_and_uneven_light_is_a_margin() -> None:
    rng = np.random.default_rng(0)
    page = on_page(card(400), 0.3, (240, 238, 230), (0.5, 0.4)).astype(np.float32)
    page += rng.normal(0, 4, page.shape) + np.linspace(-8, 8, page.shape[1])[None, :, None]
    page[20:23, 50:53] = 90
    box = find_thing(np.clip(page, 0, 255).astype(np.uint8))
    assert box is not None
    assert box.right - box.left == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("share", [1.0, 0.9, 0.8])
def test_a_margin_that_takes_little_is_left(share: float) -> None:
    assert find_thing(on_page(card(), share, (255, 255, 255), (0.5, 0.5))) is None


def poster() -> RGB:
    """A design on a plain ground: its ground belongs to the thing."""
    image = Image.new("RGB", (300, 450), (20, 20, 30))
    draw = ImageDraw.Draw(image)
    draw.ellipse((60, 130, 240, 310), fill=(240, 200, 40))
    draw.rectangle((80, 350, 220, 370), fill=(255, 255, 255))
    return np.asarray(image)


@pytest.mark.parametrize(
    "picture",
    [
        poster(),
        pixels(1),
        photo_like(200, 300),
        card(),
        np.zeros((100, 100, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.full((1, 3000, 3), 255, np.uint8),
    ],
    ids=["poster", "tiles", "photo", "card", "black", "1 × 1", "3000 × 1"],
)
def test_a_picture_without_a_margin_is_left_whole(picture: RGB) -> None:
    assert find_thing(picture) is None


def test_too_little_is_never_left() -> None:
    assert find_thing(on_page(photo_like(30, 40), 0.1, (255, 255, 255), (0.5, 0.5))) is None


@settings(max_examples=60, deadline=None)
@given(
    st.integers(64, 260),
    st.integers(64, 260),
    st.floats(0.1, 1),
    st.sampled_from(list(GROUNDS.values())),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.booleans(),
)
def test_nothing_of_the_thing_is_ever_cut_off(
    width: int,
    height: int,
    share: float,
    ground: tuple[int, ...],
    at: tuple[float, float],
    as_jpeg: bool,
) -> None:
    thing = np.full((height, width, 3), 128, np.uint8)  # unlike every ground, to its edge
    thing[::2, ::3] = (250, 20, 120)
    page = on_page(thing, share, ground, at)
    box = find_thing(jpeg(page) if as_jpeg else page)
    if box is None:
        return
    is_thing = np.zeros(page.shape[:2], bool)
    top, left = round((page.shape[0] - height) * at[1]), round((page.shape[1] - width) * at[0])
    is_thing[top : top + height, left : left + width] = True
    assert box.cut(is_thing).sum() == width * height
    assert box.area < 0.55


@given(st.integers(1, 40), st.integers(1, 40), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_cut_is_never_empty(width: int, height: int, sides: list[float]) -> None:
    left, right = sorted(sides[:2])
    top, bottom = sorted(sides[2:])
    cut = Box(left, top, right, bottom).cut(np.zeros((height, width, 3), np.uint8))
    assert 1 <= cut.shape[0] <= height
    assert 1 <= cut.shape[1] <= width


def test_of_a_scan_the_thing_is_decoded_as_large_as_a_picture_without_margin() -> None:
    page = on_page(photo_like(744, 1039), 0.3, (250, 250, 250), (0.5, 0.5))
    data = encoded(Image.fromarray(page), "JPEG", quality=85)
    reading = read_reference(data, 576, trim=True)
    assert min(reading.picture.shape[:2]) == pytest.approx(744, abs=24)
    assert np.array_equal(reading.picture, read_part(data, 576, reading.box))
    assert read_reference(data, 576, trim=False).box is None


def with_alpha(thing: RGB, around: int) -> Image.Image:
    image = Image.fromarray(thing).convert("RGBA")
    canvas = Image.new("RGBA", (image.width + 2 * around, image.height + 2 * around), (0, 0, 0, 0))
    canvas.paste(image, (around, around))
    return canvas


def test_a_transparent_border_is_left_out_to_the_pixel() -> None:
    thing = np.full((120, 100, 3), 255, np.uint8)  # a white edge, which is not transparent
    thing[20:100, 20:80] = photo_like(60, 80)
    reading = read_reference(encoded(with_alpha(thing, 30), "PNG"), 576, trim=True)
    assert np.array_equal(reading.picture, thing)


def logo(text: str, color: tuple[int, int, int]) -> bytes:
    image = Image.new("RGBA", (400, 300), (*color, 0))
    draw = ImageDraw.Draw(image)
    draw.text((40, 100), text, fill=(*color, 255), font_size=80)
    return encoded(image, "PNG")


def test_white_print_on_transparency_is_laid_over_a_ground_that_shows_it() -> None:
    a, b = (decode(logo(text, (255, 255, 255))) for text in ("Alpha", "Omega"))
    assert not is_blank(a)
    assert not is_blank(b)
    assert not np.array_equal(a, b)
    assert tuple(a[0, 0]) == (64, 64, 64)


@pytest.mark.parametrize("color", [(0, 0, 0), (200, 30, 30), (120, 120, 120)])
def test_other_print_stays_on_white(color: tuple[int, int, int]) -> None:
    picture, opaque = decode_layers(logo("Alpha", color))
    assert tuple(picture[0, 0]) == (255, 255, 255)
    assert opaque is not None
    assert not opaque[0, 0]


def test_the_rounded_corners_of_a_white_card_stay_white() -> None:
    image = Image.new("RGBA", (200, 300), (0, 0, 0, 0))
    ImageDraw.Draw(image).rounded_rectangle((0, 0, 199, 299), 15, fill=(250, 250, 250, 255))
    assert tuple(decode(encoded(image, "PNG"))[0, 0]) == (255, 255, 255)


def noisy(level: int, sigma: float = 3) -> RGB:
    rng = np.random.default_rng(1)
    return np.clip(rng.normal(level, sigma, (400, 300, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        np.full((500, 300, 3), 255, np.uint8),
        np.zeros((500, 300, 3), np.uint8),
        jpeg(np.full((500, 300, 3), (200, 30, 90), np.uint8), quality=40),
        noisy(235),
        noisy(12),
        np.tile(np.linspace(220, 250, 300).astype(np.uint8)[None, :, None], (400, 1, 3)),
    ],
    ids=["white", "black", "one color as JPEG", "blank scan", "lens cap", "uneven light"],
)
def test_blank_pictures_are_found(picture: RGB) -> None:
    assert is_blank(picture)
    assert "nearly nothing in it" in why_nothing(picture)


def line_of_text() -> RGB:
    image = Image.new("RGB", (1200, 1600), "white")
    ImageDraw.Draw(image).text((100, 700), "one line of text", fill="black", font_size=60)
    return np.asarray(image)


@pytest.mark.parametrize(
    "picture",
    [card(), pixels(1), photo_like(64, 64), poster(), line_of_text()],
    ids=["card", "tiles", "photo", "poster", "a line of text"],
)
def test_pictures_of_something_are_not_blank(picture: RGB) -> None:
    assert why_nothing(picture) == ""


def test_dim_pictures_are_not_blank() -> None:
    assert not is_blank((photo_like(300, 400) // 8).astype(np.uint8))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3000, 1), (1, 3000), (16, 16)])
def test_what_is_too_small_says_its_size(width: int, height: int) -> None:
    assert why_nothing(photo_like(width, height)) == f"only {width} × {height} px"


@pytest.mark.parametrize("file_format", ["WEBP", "GIF", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_that_is_not_blank_is_taken(file_format: str) -> None:
    black = Image.new("RGB", (80, 60))
    shown = Image.fromarray(photo_like(80, 60))
    frames = [black, black, shown, Image.fromarray(photo_like(80, 60, seed=1))]
    options = {} if file_format == "TIFF" else {"duration": 100}
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    difference = decode(data).astype(int) - np.asarray(shown)
    assert np.abs(difference).mean() < 16

    still = encoded(black, file_format, save_all=True, append_images=[black], **options)
    assert not decode(still).any()


def test_an_animation_that_begins_with_something_is_read_as_ever() -> None:
    frames = [Image.fromarray(photo_like(80, 60, seed=seed)) for seed in range(2)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert np.array_equal(decode(data), np.asarray(frames[0]))


def test_a_sequence_cut_short_after_a_blank_frame_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (80, 60)), Image.fromarray(photo_like(80, 60))]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert decode(file.getvalue()[:-600]).shape == (60, 80, 3)


def test_deep_and_rotated_pictures_keep_their_mask_upright(tmp_path: Path) -> None:
    image = with_alpha(photo_like(60, 40), 50)
    path = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    picture, opaque = decode_layers(path)
    assert opaque is not None
    assert picture.shape[:2] == opaque.shape == (160, 140)
    assert cv2.countNonZero(opaque.astype(np.uint8)) == 60 * 40
