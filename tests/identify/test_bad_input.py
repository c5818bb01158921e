"""Bad files and disk errors: the other files are indexed, and the reason is reported."""

import gc
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import GridEncoder, pixels, save_picture
from PIL import Image

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder, OnnxEncoder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult, build_index

Run = Callable[..., subprocess.CompletedProcess[str]]


def build(refs: Path, encoder: GridEncoder | OnnxEncoder | None = None) -> BuildResult:
    return build_index(refs, refs.parent / "i.npz", Embedder(encoder or GridEncoder()), quiet=True)


def reason(refs: Path, name: str) -> str:
    """Why `name` was not indexed, although the five good pictures beside it were."""
    result = build(refs)
    assert len(result.index) == 5
    assert list(result.unreadable) == [name]
    return result.unreadable[name]


def similarity(refs: Path, name: str, encoder: GridEncoder | OnnxEncoder | None = None) -> float:
    """The cosine of `name` to card_0.png, which shows the same picture."""
    index = build(refs, encoder).index
    references = index.references.tolist()
    copy, original = (references.index(file) for file in (name, "card_0.png"))
    return float(index.embeddings[copy] @ index.embeddings[original])


def test_a_truncated_file_is_named(refs: Path) -> None:
    path = save_picture(refs / "cut.jpg", 0)
    path.write_bytes(path.read_bytes()[:-300])
    assert "truncated or damaged" in reason(refs, "cut.jpg")


def test_a_pixel_bomb_is_refused(refs: Path) -> None:
    Image.new("1", (9_000, 9_000)).save(refs / "bomb.png")
    assert (refs / "bomb.png").stat().st_size < 100_000
    assert "megapixels" in reason(refs, "bomb.png")


def test_a_zero_byte_file_is_named(refs: Path) -> None:
    (refs / "empty.png").touch()
    assert "The file is empty" in reason(refs, "empty.png")


def test_a_broken_link_is_named(refs: Path) -> None:
    (refs / "gone.png").symlink_to(refs / "nowhere.png")
    assert "A symlink to nothing" in reason(refs, "gone.png")


def test_a_link_to_itself_is_named(refs: Path) -> None:
    (refs / "loop.png").symlink_to(refs / "loop.png")
    assert "Cannot be read" in reason(refs, "loop.png")


def test_folders_that_link_in_a_circle_do_not_hang_the_run(refs: Path) -> None:
    (refs / "sub").mkdir()
    (refs / "sub" / "up").symlink_to(refs, target_is_directory=True)
    assert len(build(refs).index) == 5


def test_a_named_pipe_does_not_hang_the_run(refs: Path) -> None:
    os.mkfifo(refs / "pipe.png")
    assert "Not a regular file" in reason(refs, "pipe.png")


def test_a_name_that_is_not_utf8_is_reported_readably(refs: Path) -> None:
    path = os.fsencode(refs) + b"/caf\xe9.png"
    with open(path, "wb") as file:  # noqa: PTH123 - a Path cannot hold these bytes
        file.write((refs / "card_0.png").read_bytes())
    assert "not valid UTF-8" in reason(refs, "caf\\udce9.png")


def test_the_first_picture_of_an_animation_is_used(refs: Path) -> None:
    first, second = Image.fromarray(pixels(0)), Image.fromarray(pixels(99))
    first.save(refs / "moving.webp", save_all=True, append_images=[second], lossless=True)
    assert similarity(refs, "moving.webp") > 0.999


@pytest.mark.parametrize(
    ("name", "mode", "least"),
    [("cmyk.jpg", "CMYK", 0.97), ("palette.png", "P", 0.97), ("transparent.png", "RGBA", 0.999)],
)
def test_other_color_modes_are_read_as_the_same_picture(
    refs: Path, name: str, mode: str, least: float
) -> None:
    Image.fromarray(pixels(0)).convert(mode).save(refs / name)
    assert similarity(refs, name) > least


def test_sixteen_bits_are_scaled_not_clipped(refs: Path) -> None:
    gray = np.asarray(Image.fromarray(pixels(0)).convert("L"))
    Image.fromarray(gray).save(refs / "card_0.png")
    Image.fromarray(gray.astype(np.uint16) * 257).save(refs / "deep.png")
    assert similarity(refs, "deep.png") > 0.999


def test_a_picture_turned_by_exif_is_indexed_upright(refs: Path, sscd: OnnxEncoder) -> None:
    lying = Image.fromarray(pixels(0)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise, which undoes the turn above
    lying.save(refs / "turned.png", exif=exif)
    lying.save(refs / "lying.png")
    assert similarity(refs, "turned.png", sscd) > 0.999
    assert similarity(refs, "lying.png", sscd) < 0.95


ODD_NAMES = [
    "two words",
    "#1",
    "100%",
    "%41",
    "a\nb",
    "🃏",
    "quo'te\"",
    "-o",
    "<script>",
    "a\\b",
    "dots...",
    "漢字",
]


@pytest.mark.parametrize("stem", ODD_NAMES)
def test_an_odd_name_is_indexed_and_found_again(tmp_path: Path, stem: str) -> None:
    save_picture(tmp_path / "refs" / f"{stem}.png", 1)
    assert build(tmp_path / "refs").index.references.tolist() == [f"{stem}.png"]
    assert Index.load(tmp_path / "i.npz").references.tolist() == [f"{stem}.png"]
    assert not build(tmp_path / "refs").written


def test_the_command_line_takes_odd_names_for_everything(tmp_path: Path, dlf: Run) -> None:
    folder = tmp_path / "-my 100% #refs 🃏"
    save_picture(folder / "a\nb.png", 1)
    out = folder / "ü 'i'.npz"
    done = dlf("identify", "index", "--calibrate", "never", "--refs", folder, "--out", out)
    assert done.returncode == 0, done.stderr
    assert Index.load(out).names.tolist() == ["A B"]


def limit_file_size() -> None:
    """Let the kernel refuse to write more than 1,000 bytes, as it does on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def test_a_full_disk_is_an_error_that_leaves_the_old_index_and_no_litter(
    refs: Path, dlf: Run
) -> None:
    out = refs.parent / "i.npz"
    line = ["identify", "index", "--calibrate", "never", "--refs", refs, "--out", out]
    assert dlf(*line).returncode == 0
    before = out.read_bytes()

    save_picture(refs / "new.png", 60)
    done = dlf(*line, preexec_fn=limit_file_size)
    assert done.returncode == 2
    assert "error: Could not write" in done.stderr
    assert "Traceback" not in done.stderr
    assert out.read_bytes() == before
    assert sorted(path.name for path in refs.parent.iterdir()) == ["i.features", "i.npz", "refs"]
    assert not list((refs.parent / "i.features").glob("*.part"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_an_error(refs: Path, tmp_path: Path) -> None:
    (closed := tmp_path / "closed").mkdir()
    closed.chmod(0o500)
    with pytest.raises(FactoryError, match="Could not write"):
        build_index(refs, closed / "i.npz", Embedder(GridEncoder()), quiet=True)


def test_an_index_that_is_a_link_to_itself_is_replaced(refs: Path) -> None:
    (refs.parent / "i.npz").symlink_to(refs.parent / "i.npz")
    build(refs)
    assert len(Index.load(refs.parent / "i.npz")) == 5


def test_an_index_behind_a_link_is_replaced_and_the_link_kept(refs: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (refs.parent / "i.npz").symlink_to(tmp_path / "store" / "real.npz")
    build(refs)
    assert (refs.parent / "i.npz").is_symlink()
    assert len(Index.load(tmp_path / "store" / "real.npz")) == 5


def test_ten_thousand_files_cost_little_memory(tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    data = bytearray(save_picture(tmp_path / "one.bmp", 0).read_bytes())
    for number in range(10_000):
        data[100:104] = number.to_bytes(4, "little")
        (tmp_path / "refs" / f"card_{number}.bmp").write_bytes(data)

    gc.collect()
    before = psutil.Process().memory_info().rss
    result = build(tmp_path / "refs")
    assert (result.encoded, len(result.index)) == (10_000, 10_000)
    assert psutil.Process().memory_info().rss - before < 100 * 2**20


def test_unreadable_files_are_reported_and_the_rest_is_indexed(refs: Path) -> None:
    (refs / "empty.jpg").touch()
    (refs / "text.png").write_text("no picture")
    (refs / "text_copy.png").write_text("no picture")
    result = build(refs)
    assert len(result.index) == 5
    assert "empty" in result.unreadable["empty.jpg"]
    assert result.unreadable["text.png"] == result.unreadable["text_copy.png"]
    assert "Not a picture" in result.unreadable["text.png"]


def test_a_file_that_became_unreadable_is_dropped(refs: Path) -> None:
    build(refs)
    (refs / "card_3.png").write_bytes(b"damaged")
    result = build(refs)
    assert (result.encoded, result.reused, result.dropped) == (0, 4, 1)
    assert list(result.unreadable) == ["card_3.png"]


def test_only_unreadable_files_are_an_error_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "a.jpg").touch()
    (tmp_path / "refs" / "b.png").write_text("no picture")
    with pytest.raises(FactoryError, match="None of the 2 pictures") as raised:
        build(tmp_path / "refs")
    assert "a.jpg: The file is empty" in raised.value.hint
    assert "b.png: Not a picture" in raised.value.hint


def test_a_folder_without_pictures_is_an_error_and_keeps_the_old_index(refs: Path) -> None:
    build(refs)
    before = (refs.parent / "i.npz").read_bytes()
    for path in refs.iterdir():
        path.unlink()
    (refs / "notes.txt").write_text("not a picture's suffix")
    with pytest.raises(FactoryError, match="no picture in"):
        build(refs)
    assert (refs.parent / "i.npz").read_bytes() == before


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match="not a folder"):
        build(tmp_path / "missing")


@pytest.mark.parametrize("out", [".", "refs", "missing/i.npz"])
def test_an_output_path_that_cannot_hold_an_index_is_refused_before_encoding(
    refs: Path, encoder: GridEncoder, out: str
) -> None:
    with pytest.raises(FactoryError, match="folder"):
        build_index(refs, refs.parent / out, Embedder(encoder), quiet=True)
    assert encoder.encoded == 0
