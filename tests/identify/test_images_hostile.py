"""Files that are not pictures or cost too much: one clear ImageError, soon, nothing printed."""

import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from drawn import encoded, four_colors, photo_like, png
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, features

from data_label_factory.errors import ImageError, ImageTooLargeError, ImageUnsupportedError
from data_label_factory.identify.images import Limits, decode

PICTURE = four_colors()
JPEG = encoded(Image.fromarray(photo_like(320, 240)), "JPEG")
PROGRESSIVE = encoded(Image.fromarray(photo_like(320, 240)), "JPEG", progressive=True)
PNG = encoded(Image.fromarray(photo_like(32, 24)), "PNG")
TURNED_BY_EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
GOOD = [
    encoded(PICTURE, "JPEG"),
    encoded(PICTURE, "JPEG", progressive=True, exif=TURNED_BY_EXIF),
    encoded(PICTURE, "MPO", save_all=True, append_images=[four_colors()]),
    encoded(PICTURE, "PNG"),
    encoded(PICTURE.quantize(4), "PNG", transparency=b"\0\x80\xff\xff"),
    encoded(PICTURE, "WEBP"),
    encoded(PICTURE, "BMP"),
    encoded(PICTURE, "GIF", save_all=True, append_images=[four_colors()]),
    encoded(PICTURE, "TIFF"),
    encoded(PICTURE, "TIFF", compression="tiff_lzw"),
    (Path(__file__).parents[1] / "data" / "four_colours.heic").read_bytes(),
    *([encoded(PICTURE, "AVIF")] if features.check("avif") else []),
]


@pytest.fixture
def no_pixels_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: object) -> None:
        pytest.fail("the pixels were decoded before the limits were checked")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)


def test_an_empty_file_says_so() -> None:
    with pytest.raises(ImageError, match="empty"):
        decode(b"")


@pytest.mark.parametrize("data", [JPEG[:-2000], JPEG[: len(JPEG) // 2], PNG[: len(PNG) // 2]])
def test_a_truncated_picture_says_so(data: bytes) -> None:
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"just some text, " * 20,
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        encoded(PICTURE, "PPM"),
        encoded(PICTURE, "ICO"),
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["text", "SVG", "PDF", "EPS", "PPM", "ICO", "PNG signature only"],
)
def test_anything_but_a_picture_in_a_known_format_is_unsupported(data: bytes) -> None:
    with pytest.raises(ImageUnsupportedError, match="Save it as JPEG"):
        decode(data)


@pytest.mark.parametrize(
    ("width", "height"),
    [(8001, 8000), (11_000, 10_000), (14_000, 14_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)],
)
def test_a_huge_canvas_is_refused_from_its_header_without_a_warning(
    width: int, height: int, no_pixels_decoded: None
) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(ImageTooLargeError, match=r"megapixels.*smaller copy"):
            decode(png(width, height, bits=8, color=2))
    assert not seen


def test_a_real_pixel_bomb_of_a_few_kilobytes_is_refused(no_pixels_decoded: None) -> None:
    bomb = png(11_000, 10_000, bits=1, color=0, samples=bytes(1375 * 10_000))
    assert len(bomb) < 16_000
    with pytest.raises(ImageTooLargeError, match="11000 × 10000"):
        decode(bomb)


def test_decoding_in_many_threads_leaves_the_warning_filters_as_they_were() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, GOOD * 20))
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="ours"):
        warnings.warn("ours", UserWarning, stacklevel=1)


def with_repeated_last_scan(progressive: bytes, times: int) -> bytes:
    start = progressive.rindex(b"\xff\xda")
    return progressive[:start] + progressive[start:-2] * times + b"\xff\xd9"


@pytest.mark.timed
def test_a_jpeg_that_repeats_its_scans_is_refused_at_once(no_pixels_decoded: None) -> None:
    began = time.perf_counter()
    with pytest.raises(ImageTooLargeError, match="repeats its scans"):
        decode(with_repeated_last_scan(PROGRESSIVE, 400))
    assert time.perf_counter() - began < 0.5


def test_an_ordinary_progressive_jpeg_keeps_within_the_scan_limit() -> None:
    assert PROGRESSIVE.count(b"\xff\xda") > 5
    assert decode(PROGRESSIVE).shape == (240, 320, 3)
    with pytest.raises(ImageTooLargeError, match="over 3"):
        decode(PROGRESSIVE, limits=Limits(max_scans=3))


def test_bytes_after_the_end_of_a_jpeg_do_not_count_as_scans() -> None:
    scans = b"\0\0" + b"\xff\xda\0\2" * 1000
    for tail in (scans, np.random.default_rng(0).bytes(2**20)):
        assert np.array_equal(decode(JPEG + tail), decode(JPEG))
        assert np.array_equal(decode(PROGRESSIVE + tail), decode(PROGRESSIVE))


@pytest.mark.timed
def test_a_jpeg_full_of_fill_bytes_takes_no_quadratic_time() -> None:
    began = time.perf_counter()
    decode(JPEG[:2] + b"\xff" * 2**20 + JPEG[2:])
    with pytest.raises(ImageError):
        decode(JPEG[:-500] + b"\xff" * 2**20 + b"\0")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(max_bytes=1000), "MiB"),
        (Limits(max_pixels=320 * 240 // 4 - 1), "320 × 240"),
    ],
)
def test_custom_limits_hold_for_bytes_and_paths(limits: Limits, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(JPEG)
    for source in (JPEG, path):
        with pytest.raises(ImageTooLargeError, match=said):
            decode(source, limits=limits)

    exact = Limits(max_bytes=len(JPEG), max_pixels=320 * 240)
    assert decode(JPEG, limits=exact).shape == (240, 320, 3)


def test_a_file_over_the_limit_is_not_even_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.jpg").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ImageTooLargeError, match="1048576 MiB, over 64 MiB"):
        decode(tmp_path / "sparse.jpg")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pipe", "Not a regular file"),
        ("folder", "Cannot be read"),
        ("broken link", "symlink to nothing"),
        ("loop", "Cannot be read"),
        ("missing", "no such file"),
    ],
)
def test_a_path_without_a_readable_file_is_an_error_at_once_and_leaks_nothing(
    name: str, said: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else 0
    for _ in range(20):
        with pytest.raises(ImageError, match=said):
            decode(tmp_path / name)
    if descriptors.exists():
        assert len(list(descriptors.iterdir())) < before + 10


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_without_read_permission_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    path.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        decode(path)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damaged_files_raise_only_image_errors(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(0, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    min_side = data.draw(st.sampled_from([None, 8]))

    try:
        rgb = decode(bytes(damaged), limits=Limits(max_pixels=1_000_000), min_side=min_side)
    except ImageError as error:
        assert error.hint
    else:
        assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3


def test_a_large_jpeg_of_a_phone_is_decoded_at_half_its_size() -> None:
    """108 megapixels, and over what Pillow itself opens: 200."""
    for width, height in ((12000, 9000), (16320, 12240)):
        jpeg = encoded(Image.new("L", (width, height), 200), "JPEG")
        assert decode(jpeg).shape == (height // 2, width // 2, 3)
        assert min(decode(jpeg, min_side=960).shape[:2]) >= 960


def test_a_halved_jpeg_keeps_to_the_limit_whatever_its_shape() -> None:
    strip = encoded(Image.new("L", (6000, 100)), "JPEG")
    limits = Limits(max_pixels=200_000)
    assert decode(strip, limits=limits).shape == (50, 3000, 3)
    assert decode(strip, limits=limits, min_side=100).shape == (50, 3000, 3)


def test_a_progressive_jpeg_over_the_limit_is_refused() -> None:
    """Its decoder holds all of it, whatever is asked for."""
    with pytest.raises(ImageTooLargeError, match="320 × 240"):
        decode(PROGRESSIVE, limits=Limits(max_pixels=320 * 240 - 1))
