"""Strangers to an index, made from itself; what they teach is kept in it and decides."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GridEncoder, calibrate_quickly
from drawn import draw_collection
from PIL import Image

from data_label_factory.cli import main
from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import SSCD_CONSTANTS, Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer, encoder_constants
from data_label_factory.identify.recognize import calibrate as calibration_module
from data_label_factory.identify.recognize.calibrate import calibrate, is_out_of_date
from data_label_factory.identify.recognize.confidence import Calibration, Spread
from data_label_factory.identify.refresh import calibrate_index


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.open("sscd-small")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> tuple[Path, Index]:
    refs = tmp_path_factory.mktemp("refs")
    draw_collection(refs, count=30)
    return refs, build_index(refs, refs.parent / "cards.npz", embedder, quiet=True).index


@pytest.fixture(scope="module")
def recognizer(collection: tuple[Path, Index], embedder: Embedder) -> Recognizer:
    refs, index = collection
    return Recognizer(index, embedder, refs=refs)


@pytest.fixture
def few_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three frames with views of references instead of 24, six items left out instead of 48."""
    monkeypatch.setattr(calibration_module, "_FRAMES", 3)
    monkeypatch.setattr(calibration_module, "_LEFT_OUT", 6)


@pytest.mark.slow
def test_the_unknown_items_of_an_index_are_its_own_left_out(
    collection: tuple[Path, Index], recognizer: Recognizer
) -> None:
    refs, index = collection
    learned = calibrate(recognizer, refs, quiet=True)
    assert learned.unknowns == 72
    assert learned.items == index.item_count
    # Had the items not been left out, half of the views would have been sure at far more than this.
    assert learned.rate_by_log_odds(3.0) < 0.02


@pytest.mark.usefixtures("few_views")
def test_the_same_index_teaches_the_same_again(
    collection: tuple[Path, Index], recognizer: Recognizer
) -> None:
    refs, _ = collection
    learned = calibrate(recognizer, refs, quiet=True)
    assert learned.unknowns == 9
    assert calibrate(recognizer, refs, quiet=True) == learned


def test_strictness_trades_silence_for_answers(
    collection: tuple[Path, Index], embedder: Embedder
) -> None:
    refs, index = collection
    frame = render_view([decode(refs / str(index.references[3]))], np.random.default_rng(2)).image
    lenient = Recognizer(index, embedder, refs=refs, strictness=0.1)
    (seen,) = lenient.recognize(frame)
    assert seen.confident and 0 < seen.false_accept_rate < 0.1
    lenient.strictness = seen.false_accept_rate / 2
    (same,) = lenient.recognize(frame)
    assert not same.confident and same.reference == seen.reference


@pytest.mark.usefixtures("few_views")
def test_negatives_that_look_like_an_item_raise_the_bar(
    collection: tuple[Path, Index], recognizer: Recognizer, tmp_path: Path
) -> None:
    refs, index = collection
    own = str(index.references[0])
    shutil.copy(refs / own, tmp_path / "looks_like_it.jpg")
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff broken")
    before = calibrate(recognizer, refs, quiet=True)
    after = calibrate(recognizer, refs, negatives=tmp_path, quiet=True)
    assert after.unknowns == before.unknowns + 1
    assert after.rate_by_log_odds(4.0) > before.rate_by_log_odds(4.0)


@pytest.mark.slow
def test_references_that_are_gone_teach_nothing(embedder: Embedder, tmp_path: Path) -> None:
    """Neither left out nor laid out anew, a small collection keeps the prior."""
    refs = tmp_path / "refs"
    draw_collection(refs, count=2)
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs)
    for file in refs.iterdir():
        file.unlink()
    assert calibrate(recognizer, refs, quiet=True).unknowns == 0


def test_a_folder_without_negatives_is_an_error(
    collection: tuple[Path, Index], recognizer: Recognizer, tmp_path: Path
) -> None:
    refs, _ = collection
    with pytest.raises(ImageError, match="no picture"):
        calibrate(recognizer, refs, negatives=tmp_path, quiet=True)


@pytest.mark.usefixtures("few_views")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_collections_of_very_few_are_calibrated_too(
    count: int, embedder: Embedder, tmp_path: Path
) -> None:
    refs = tmp_path / "refs"
    refs.mkdir()
    rng = np.random.default_rng(count)
    for number in range(count):
        rough = rng.integers(0, 256, (12, 9, 3), dtype=np.uint8)
        Image.fromarray(rough).resize((270, 360), Image.Resampling.BICUBIC).save(
            refs / f"thing_{number}.png"
        )
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    calibrated = calibrate_index(index, tmp_path / "i.npz", embedder, refs, quiet=True)
    learned = Calibration.from_dict(calibrated.meta.calibration)
    assert learned.unknowns >= 18 and learned.items == count
    assert Index.load(tmp_path / "i.npz").meta.calibration == calibrated.meta.calibration
    assert (tmp_path / "i.features").is_dir()


@pytest.mark.slow
def test_recolored_unknown_items_are_mostly_met_with_silence(
    embedder: Embedder, tmp_path: Path
) -> None:
    """The same drawing in other colors is what can fool a comparison in gray."""
    refs = tmp_path / "refs"
    refs.mkdir()
    files = draw_collection(tmp_path / "all", count=24)[::2]
    for file in files:
        shutil.copy(file, refs)
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs)
    rng = np.random.default_rng(4)
    fooled, named = 0, 0
    for file in files[:12]:
        picture = decode(file)
        # Red becomes green, green blue, blue red: the gray drawing stays much the same.
        turned = np.ascontiguousarray(np.roll(picture, 1, axis=2))
        fooled += any(d.confident for d in recognizer.recognize(render_view([turned], rng).image))
        named += any(d.confident for d in recognizer.recognize(render_view([picture], rng).image))
    assert named >= 10
    assert fooled <= 2


def test_an_index_is_calibrated_anew_when_it_has_grown_a_lot(
    collection: tuple[Path, Index],
) -> None:
    _, index = collection
    assert is_out_of_date(index)
    tried = replace(Calibration(), unknowns=96, items=index.item_count)
    known = index.with_calibration(replace(tried, likeness=Spread(0.3, 0.1, 24)).as_dict())
    assert not is_out_of_date(known)
    assert is_out_of_date(index.with_calibration(tried.as_dict()))  # by both embeddings, too
    before = known.meta.calibration.copy()
    del before["evidence"]  # by that of an earlier version
    assert is_out_of_date(index.with_calibration(before))
    grown = index.with_calibration(
        replace(Calibration(), unknowns=96, items=index.item_count // 2).as_dict()
    )
    assert is_out_of_date(grown)


@pytest.mark.usefixtures("quick_calibration")
def test_index_calibrates_once_and_keeps_it_when_a_picture_is_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*line: str | Path) -> dict[str, Any]:
        assert main([*map(str, line), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    files = draw_collection(tmp_path / "refs", count=8)
    held_back = files.pop()
    held_back.rename(tmp_path / held_back.name)
    line = [
        "identify",
        "index",
        "--refs",
        tmp_path / "refs",
        "--out",
        tmp_path / "i.npz",
        "--encoder",
        "sscd-small",
    ]
    first = run(*line)
    assert first["calibration"]["strangers"] > 0
    assert run(*line)["written"] is False
    (tmp_path / held_back.name).rename(held_back)
    second = run(*line)
    assert (second["encoded"], second["written"]) == (1, True)
    assert second["calibration"] == first["calibration"]
    never = run(*line[:-3], tmp_path / "j.npz", *line[-2:], "--calibrate", "never")
    assert never["calibration"] is None


def test_the_constants_of_an_encoder_that_nobody_measured_are_learned_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrate_quickly(monkeypatch)
    monkeypatch.setattr(encoder_constants, "_VIEWS", 4)
    monkeypatch.setattr(encoder_constants, "_GROUNDS", 4)
    refs = tmp_path / "refs"
    draw_collection(refs, count=8)
    embedder = Embedder(GridEncoder())
    index = build_index(refs, tmp_path / "grid.npz", embedder, quiet=True).index
    assert Recognizer(index, embedder, refs=refs).constants == SSCD_CONSTANTS  # for want of better

    calibrated = calibrate_index(index, tmp_path / "grid.npz", embedder, refs, quiet=True)
    learned = Calibration.from_dict(Index.load(tmp_path / "grid.npz").meta.calibration).constants
    assert learned is not None and learned != SSCD_CONSTANTS
    assert -1 < learned.unrelated_cosine < 1 and 0 < learned.crop_noise < 1
    assert Recognizer(calibrated, embedder, refs=refs).constants == learned


def test_measured_constants_are_not_learned(
    collection: tuple[Path, Index], recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrate_quickly(monkeypatch)
    refs, _ = collection
    learned = calibrate(recognizer, refs, quiet=True)
    assert learned.unknowns > 0
    assert learned.constants is None and "encoder" not in learned.as_dict()
    assert recognizer.constants == SSCD_CONSTANTS
