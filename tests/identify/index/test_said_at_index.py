"""What `index` says of references that cannot be named, and of margins that it left out."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import GridEncoder, pixels, save_picture
from drawn import photo_like
from PIL import Image

from data_label_factory.errors import FactoryError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.content import Box
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult, build_index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.recognize.reference_reader import read_references
from data_label_factory.identify.train.bank import build_bank
from data_label_factory.identify.train.settings import ViewRecipe
from data_label_factory.identify.verify.report import verify_index

Run = Callable[..., subprocess.CompletedProcess[str]]


def build(refs: Path, **options: object) -> BuildResult:
    embedder = Embedder(GridEncoder())
    return build_index(refs, refs.parent / "i.npz", embedder, quiet=True, **options)  # type: ignore[arg-type]


def save_scan(path: Path, seed: int = 7, share: float = 0.3) -> None:
    """A picture in the middle of a white page."""
    page = Image.new("RGB", (round(200 / share), round(280 / share)), "white")
    page.paste(Image.fromarray(photo_like(200, 280, seed)), (page.width // 3, page.height // 3))
    page.save(path)


def test_references_that_say_nothing_are_named_with_the_reason(refs: Path) -> None:
    Image.new("RGB", (300, 400), "white").save(refs / "page.png")
    Image.new("RGB", (1, 1), "red").save(refs / "dot.png")
    Image.fromarray(photo_like(3000, 1)).save(refs / "strip.png")
    said = build(refs).says_nothing
    assert said == {
        "dot.png": "only 1 × 1 px",
        "page.png": "nearly nothing in it: one color, or white on white",
        "strip.png": "only 3000 × 1 px",
    }
    again = build(refs)
    assert not again.written
    assert again.says_nothing == said  # though nothing was decoded

    report = verify_index(again.index, Embedder(GridEncoder()), refs=refs, quiet=True)
    assert report.passed or report.verdict != "ship it"
    for name in report.not_identified:
        assert report.reasons[name] == said[name]


def test_a_margin_is_left_out_and_said_and_everything_reads_the_same_part(refs: Path) -> None:
    save_scan(refs / "scan.png")
    result = build(refs)
    assert list(result.trimmed) == ["scan.png"]
    assert result.trimmed["scan.png"] == pytest.approx(0.09, abs=0.01)

    index = Index.load(refs.parent / "i.npz")
    row = index.row_of["scan.png"]
    part = read_row(index, refs, row)
    assert part.shape[:2] == pytest.approx((280, 200), abs=6)
    assert index.embeddings[row] == pytest.approx(GridEncoder().encode([part])[0])

    report = verify_index(index, Embedder(GridEncoder()), refs=refs, quiet=True)
    assert report.self_id_rate == 1
    references, _ = read_references(index, refs)
    assert references is not None
    (number,) = references.numbers_of([row])
    shape = references.local.shape(number)
    assert shape[1] / shape[0] == pytest.approx(200 / 280, abs=0.02)


def test_an_index_that_was_made_with_margins_keeps_them_until_it_is_indexed_anew(
    refs: Path,
) -> None:
    save_scan(refs / "scan.png")
    whole = build(refs, trim=False)
    assert not whole.trimmed
    assert not build(refs).written  # as the index that is there

    trimmed = build(refs, trim=True)
    assert trimmed.rebuilt == "Its pictures were read with margins"
    assert list(trimmed.trimmed) == ["scan.png"]
    assert not np.array_equal(trimmed.index.embeddings, whole.index.embeddings)
    assert whole.index.contents[-1] != trimmed.index.contents[-1]
    assert build(refs, trim=False).rebuilt == "Its pictures were read without margins"


def test_references_without_a_margin_are_read_as_ever(refs: Path) -> None:
    with_trim = build(refs).index
    without = build(refs, trim=False, full=True).index
    assert np.array_equal(with_trim.embeddings, without.embeddings)
    assert np.array_equal(with_trim.contents, without.sha256)
    assert not with_trim.meta.boxes


def test_the_box_of_an_enrolled_reference_is_kept(refs: Path) -> None:
    collection = Collection.open(refs, refs.parent / "i.npz", embedder=Embedder(GridEncoder()))
    save_scan(refs.parent / "scan.png")
    added = collection.add(refs.parent / "scan.png", "New Card")
    index = Index.load(refs.parent / "i.npz")
    box = index.box(index.row_of[added])
    assert isinstance(box, Box)
    assert box.area == pytest.approx(0.09, abs=0.01)
    assert not build(refs).written


def test_training_reads_references_as_indexing_does(refs: Path) -> None:
    save_scan(refs / "scan.png")
    encoder = GridEncoder()
    recipes = [
        ViewRecipe(views=2, heldout_frames=1, side_px=32, trim=trim) for trim in (True, False)
    ]
    trimmed, whole = (
        build_bank(refs, refs.parent / "bank", encoder, recipe, quiet=True) for recipe in recipes
    )
    assert trimmed.folder != whole.folder
    own = encoder.encode([decode(refs / "scan.png")])[0]
    scan = trimmed.references.index("scan.png")
    assert whole.reference_features()[scan] == pytest.approx(own, abs=1e-3)
    indexed = build(refs).index.embeddings[scan]
    assert trimmed.reference_features()[scan] == pytest.approx(indexed, abs=1e-3)


def test_one_picture_under_two_names_is_said(refs: Path) -> None:
    shutil.copy(refs / "card_0.png", refs / "second_name.png")
    Image.open(refs / "card_1.png").save(refs / "third.bmp")  # equal pixels
    save_picture(refs / "ace_ur.png", 20)
    shutil.copy(refs / "ace_ur.png", refs / "ace_pscr.png")  # variants of one item
    for number in range(3):
        Image.new("RGB", (64, 64)).save(refs / f"blank {number}.png")

    same = [["card_0.png", "second_name.png"], ["card_1.png", "third.bmp"]]
    assert build(refs).same_pictures == same
    assert build(refs).same_pictures == same


def test_pictures_that_are_only_alike_are_not_called_the_same(refs: Path) -> None:
    nearly = pixels(0).copy()
    nearly[0, 0] += 1
    Image.fromarray(nearly).save(refs / "nearly.png")
    assert build(refs).same_pictures == []


def test_the_command_says_it_all(dlf: Run, tmp_path: Path) -> None:
    refs = tmp_path / "refs"
    for seed in range(3):
        save_picture(refs / f"card_{seed}.jfif", seed, format="JPEG")
    shutil.copy(refs / "card_0.jfif", refs / "copy.jpg")
    save_scan(refs / "scan.png")
    Image.new("RGBA", (64, 64), (255, 255, 255, 0)).save(refs / "blank.png")
    (refs / "@eaDir").mkdir()
    (refs / "a.psd").touch()
    (refs / "nas").symlink_to(tmp_path, target_is_directory=True)

    line = ("identify", "index", "--refs", refs, "--out", tmp_path / "i.npz", "--json")
    done = dlf(*line, "--calibrate", "never")
    assert done.returncode == 0, done.stderr
    for said in (
        "1 file passed over, not pictures by their name: a.psd",
        "1 entry passed over, put there by a system: @eaDir/",
        "1 link to a folder, not followed: nas",
        "margin left out: 'scan.png': 9% of the picture is left",
        "never named: 'blank.png': nearly nothing in it",
        "the same picture under 2 names: 'card_0.jfif', 'copy.jpg'; none will be named surely",
    ):
        assert said in done.stderr
    report = json.loads(done.stdout)
    assert report["refs"] == 6
    assert report["passed_over"]["links"] == ["nas"]
    assert report["same_pictures"] == [["card_0.jfif", "copy.jpg"]]
    assert list(report["says_nothing"]) == ["blank.png"]
    assert list(report["trimmed"]) == ["scan.png"]

    done = dlf(*line, "--calibrate", "never", "--no-trim")
    assert json.loads(done.stdout)["trimmed"] == {}
    assert "the older index was not used: Its pictures were read without margins" in done.stderr


def test_a_folder_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "refs" / "sub").mkdir(parents=True)
    (tmp_path / "refs" / "sub" / "a.jxl").touch()
    said = (
        r"There is no picture in .*refs: 1 file passed over, not pictures by their name: sub/a.jxl"
    )
    with pytest.raises(FactoryError, match=said):
        build(tmp_path / "refs")
