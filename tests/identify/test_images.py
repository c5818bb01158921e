"""Any picture file becomes the same upright (H, W, 3) uint8 RGB, or one clear ImageError."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import FOUR_COLORS, encoded, four_colors, photo_like, png
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from data_label_factory.identify.images import decode

DATA = Path(__file__).parents[1] / "data"
PICTURE = four_colors()
GRAY = PICTURE.convert("L")


def with_a_second(file_format: str, **options: Any) -> bytes:
    """The picture, and a black one after it."""
    black = Image.new("RGB", PICTURE.size, "black")
    return encoded(PICTURE, file_format, save_all=True, append_images=[black], **options)


FILES = {
    "baseline JPEG": encoded(PICTURE, "JPEG", quality=95),
    "progressive JPEG": encoded(PICTURE, "JPEG", quality=95, progressive=True),
    "MPO": with_a_second("MPO", quality=95),
    "CMYK JPEG": encoded(PICTURE.convert("CMYK"), "JPEG", quality=95),
    "PNG": encoded(PICTURE, "PNG"),
    "APNG": with_a_second("PNG"),
    "palette PNG": encoded(PICTURE.quantize(4), "PNG"),
    "WebP": encoded(PICTURE, "WEBP", quality=95),
    "lossless WebP": encoded(PICTURE, "WEBP", lossless=True),
    "animated WebP": with_a_second("WEBP", lossless=True),
    "BMP": encoded(PICTURE, "BMP"),
    "GIF": encoded(PICTURE, "GIF"),
    "animated GIF": with_a_second("GIF"),
    "TIFF": encoded(PICTURE, "TIFF"),
    "LZW TIFF": encoded(PICTURE, "TIFF", compression="tiff_lzw"),
    "multi-page TIFF": with_a_second("TIFF"),
    "CMYK TIFF": encoded(PICTURE.convert("CMYK"), "TIFF"),
    "HEIC": (DATA / "four_colours.heic").read_bytes(),
    "HEIC lying on its side": (DATA / "four_colours_turned.heic").read_bytes(),
}
if features.check("avif"):
    FILES["AVIF"] = encoded(PICTURE, "AVIF", quality=95)


def assert_shows_four_colors(rgb: np.ndarray) -> None:
    assert rgb.shape == (48, 64, 3)
    for (x, y), color in FOUR_COLORS.items():
        assert np.abs(rgb[y, x].astype(int) - color).max() <= 6, (x, y, rgb[y, x])


@pytest.mark.parametrize("kind", FILES)
def test_every_format_decodes_to_the_first_picture(kind: str) -> None:
    assert_shows_four_colors(decode(FILES[kind]))


@pytest.mark.parametrize("kind", FILES)
def test_the_result_is_a_contiguous_writable_uint8_array(kind: str) -> None:
    rgb = decode(FILES[kind])
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous and rgb.flags.writeable
    rgb[:] = 0


@pytest.mark.parametrize("kind", ["baseline JPEG", "PNG", "HEIC"])
def test_a_path_and_its_bytes_give_the_same(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "no suffix needed"
    path.write_bytes(FILES[kind])
    (tmp_path / "link.png").symlink_to(path)
    assert np.array_equal(decode(path), decode(FILES[kind]))
    assert np.array_equal(decode(tmp_path / "link.png"), decode(FILES[kind]))


# EXIF orientation → how a camera that records it has turned the picture.
TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize(
    ("mode", "file_format", "options"),
    [
        ("RGB", "JPEG", {"quality": 95}),
        ("RGB", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("P", "PNG", {}),
        ("RGB", "TIFF", {}),
        ("RGBA", "WEBP", {"lossless": True}),
    ],
)
def test_exif_orientation_is_applied(
    orientation: int, mode: str, file_format: str, options: dict
) -> None:
    how = TURNED[orientation]
    lying = PICTURE if how is None else PICTURE.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = lying.convert(mode, palette=Image.Palette.ADAPTIVE)
    assert_shows_four_colors(decode(encoded(lying, file_format, exif=exif, **options)))


def test_exif_orientation_is_applied_to_16_bit_gray() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(
        np.asarray(GRAY.transpose(Image.Transpose.ROTATE_90)).astype(np.uint16) * 257
    )
    assert np.array_equal(decode(encoded(deep, "PNG", exif=exif))[..., 0], np.asarray(GRAY))


@pytest.mark.parametrize(
    "block",
    [b"", b"MM\0*", b"MM\0*" + b"\x7f" * 30, b"II*\0\x08\0\0\0\x05\0\x12\x01", b"\xff" * 60],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_broken_exif_block_does_not_reject_the_picture(block: bytes, file_format: str) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert_shows_four_colors(decode(encoded(PICTURE, file_format, exif=b"Exif\0\0" + block)))
    assert not seen


def test_alpha_is_laid_over_white() -> None:
    half = PICTURE.convert("RGBA")
    half.putalpha(Image.fromarray(np.full((48, 64), 102, np.uint8)))
    expected = np.round(np.asarray(PICTURE) * 0.4 + 255 * 0.6)
    for file_format, options in [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})]:
        rgb = decode(encoded(half, file_format, **options))
        assert np.abs(rgb - expected).max() <= 1, file_format

    gray = decode(encoded(Image.merge("LA", [GRAY, Image.new("L", GRAY.size, 0)]), "PNG"))
    assert (gray == 255).all()


def test_transparent_palette_entries_and_keyed_colors_become_white() -> None:
    palette = PICTURE.quantize(4)
    red = palette.getpixel((16, 12))
    green = palette.getpixel((48, 12))
    alphas = bytearray([255] * 4)
    alphas[red] = 0
    alphas[green] = 51

    rgb = decode(encoded(palette, "PNG", transparency=bytes(alphas)))
    assert rgb[12, 16].tolist() == [255, 255, 255]
    assert np.abs(rgb[12, 48] - (np.array([30, 180, 40]) * 0.2 + 204)).max() <= 1
    assert rgb[36, 16].tolist() == [30, 60, 210]
    assert decode(encoded(palette, "GIF", transparency=red))[12, 16].tolist() == [255, 255, 255]
    keyed = decode(encoded(PICTURE, "PNG", transparency=(220, 30, 30)))
    assert keyed[12, 16].tolist() == [255, 255, 255]
    assert keyed[12, 48].tolist() == [30, 180, 40]


FLOATS = np.asarray(GRAY).astype(np.float32)
DEEP = np.asarray(GRAY).astype(np.int64) * 257
DEEP_RGB = np.repeat(DEEP[..., None], 3, axis=2).astype(">u2").tobytes()
GRAY_FILES = {
    "L": encoded(GRAY, "PNG"),
    "L JPEG": encoded(GRAY, "JPEG", quality=100),
    "16-bit": encoded(Image.fromarray(DEEP.astype(np.uint16)), "PNG"),
    "16-bit TIFF": encoded(Image.fromarray(DEEP.astype(np.uint16)), "TIFF"),
    "I TIFF": encoded(Image.fromarray(DEEP.astype(np.int32)), "TIFF"),
    "F TIFF 0-255": encoded(Image.fromarray(FLOATS), "TIFF"),
    "F TIFF 0-1": encoded(Image.fromarray(FLOATS / 255), "TIFF"),
    "16-bit RGB": png(64, 48, bits=16, color=2, samples=DEEP_RGB),
}


@pytest.mark.parametrize("kind", GRAY_FILES)
def test_grayscale_of_any_depth_is_scaled_not_clipped(kind: str) -> None:
    rgb = decode(GRAY_FILES[kind])
    assert rgb.shape == (48, 64, 3)
    assert np.abs(rgb.astype(int) - np.asarray(GRAY)[..., None]).max() <= 1


def test_float_samples_outside_8_bits_are_scaled_by_their_range_and_may_be_nan() -> None:
    samples = np.linspace(-1000, 3000, 64 * 48, dtype=np.float32).reshape(48, 64)
    rgb = decode(encoded(Image.fromarray(samples), "TIFF"))
    assert rgb[0, 0].tolist() == [0, 0, 0] and rgb[-1, -1].tolist() == [255, 255, 255]
    samples[5, 5] = np.nan
    assert decode(encoded(Image.fromarray(samples), "TIFF")).shape == (48, 64, 3)


def test_one_bit_pictures_are_black_and_white() -> None:
    rgb = decode(encoded(GRAY.point(lambda v: 255 if v > 200 else 0, "1"), "PNG"))
    assert rgb[12, 16].tolist() == [0, 0, 0] and rgb[36, 48].tolist() == [255, 255, 255]


def test_an_icc_profile_is_ignored() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"?XYZ", 1)
    swapped = swapped.replace(b"bXYZ", b"rXYZ", 1).replace(b"?XYZ", b"bXYZ", 1)
    assert_shows_four_colors(decode(encoded(PICTURE, "PNG", icc_profile=swapped)))
    assert_shows_four_colors(decode(encoded(PICTURE, "JPEG", quality=95, icc_profile=swapped)))


@pytest.mark.parametrize(
    ("min_side", "shape"), [(75, (75, 100)), (76, (150, 200)), (290, (300, 400)), (301, (600, 800))]
)
def test_min_side_decodes_a_large_jpeg_smaller_but_never_below_it(
    min_side: int, shape: tuple[int, int]
) -> None:
    large = encoded(Image.fromarray(photo_like(800, 600)), "JPEG")
    assert decode(large, min_side=min_side).shape == (*shape, 3)


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 700), height=st.integers(1, 700), min_side=st.integers(1, 400))
def test_min_side_holds_for_every_shape(width: int, height: int, min_side: int) -> None:
    rgb = decode(encoded(Image.new("L", (width, height)), "JPEG"), min_side=min_side)
    assert min(rgb.shape[:2]) >= min(min_side, width, height)
    assert rgb.shape[1] / rgb.shape[0] == pytest.approx(
        width / height, abs=8 * (width / height + 1) / min(rgb.shape[:2])
    )


def test_min_side_leaves_a_png_alone() -> None:
    assert decode(encoded(four_colors(800, 600), "PNG"), min_side=75).shape == (600, 800, 3)
