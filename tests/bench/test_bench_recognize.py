"""The recognition bench, on a drawn set laid out like the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from table_rows import rows_of

from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import frame_quad, straighten
from data_label_factory.identify.recognize import Recognizer, calibrate

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, quick_calibration: None) -> ModuleType:
    """The script as a module, calibrating on two frames instead of forty."""
    monkeypatch.syspath_prepend(str(BENCH))
    import recognize  # type: ignore[import-not-found, unused-ignore]

    return recognize


@pytest.mark.slow
def test_accuracy_of_a_drawn_set(
    bench: ModuleType,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench, "ABLATIONS", {"no color": bench.ABLATIONS["no color"]})
    assert bench.main(["accuracy", "--data", str(data), "--sets", "drawn,absent", "--ablate"]) == 0

    printed = capsys.readouterr()
    row, ablated = rows_of(printed.out)
    assert (ablated["recognizer"], ablated["items in photos"]) == ("no color", "4 in 3")
    assert (row["set"], row["recognizer"], row["items in photos"]) == ("drawn", "whole", "4 in 3")
    assert float(row["top-1"]) >= 0.75
    assert float(row["IoU ≥ 0.5"]) >= 0.75
    assert row["false accepts"] == "0 of 2"
    assert 0 < float(row["ms p50"]) <= float(row["ms p95"])
    assert "absent" in printed.err


@pytest.mark.slow
def test_a_set_with_views_has_them_as_further_references(
    bench: ModuleType, data: Path, tmp_path: Path
) -> None:
    views = data / "drawn" / "views"
    views.mkdir()
    truth = json.loads((data / "drawn" / "frames" / "truth.json").read_text())
    card = data / "drawn" / "refs" / truth[0]["items"][0]["ref"]
    Image.fromarray(decode(card)[20:, 10:]).save(views / f"{card.stem}__2.jpg")
    embedder = Embedder(open_encoder("sscd-small"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    (pictures,) = bench.open_sets(data, ["drawn+views"], embedder, scratch, 1)
    assert (len(pictures.index), pictures.index.item_count) == (6, 5)
    assert not pictures.recognizer.unreadable
    truths = [item.stems for photo in pictures.queries.photos for item in photo.items]
    assert sum(stems == {card.stem, f"{card.stem}__2"} for stems in truths) == 1
    assert sum(len(stems) == 1 for stems in truths) == 3


@pytest.mark.slow
def test_times_of_a_drawn_set_at_three_sizes(
    bench: ModuleType, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["sizes", "--data", str(data), "--sets", "drawn", "--every", "2"]) == 0

    rows = rows_of(capsys.readouterr().out)
    assert [(row["photos"], row["longer side px"]) for row in rows] == [
        ("2", "640"),
        ("2", "1600"),
        ("2", "4000"),
    ]
    assert all(0 < float(row["ms p50"]) <= float(row["ms p95"]) for row in rows)


@pytest.mark.slow
def test_drawn_walls_are_counted_by_size(
    bench: ModuleType, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(data), "--sets", "drawn", "--kinds", "wall", "--count", "1"]
    assert bench.main(["scenes", *options]) == 0

    rows = rows_of(capsys.readouterr().out.split("most memory")[0])
    assert [row["short side px"] for row in rows] == ["0–60", "60–100", "100–"]
    assert sum(int(row["known"]) for row in rows) >= 8
    named = sum(int(row["known"]) * float(row["sure, right"]) for row in rows)
    assert named >= 0.7 * sum(int(row["known"]) for row in rows)
    assert all(float(row["sure, wrong"]) == 0 for row in rows)


@pytest.mark.parametrize("kind", ["wall", "shelf", "binder", "spines"])
def test_scenes_show_what_their_truth_says(bench: ModuleType, data: Path, kind: str) -> None:
    import scenes  # type: ignore[import-not-found, unused-ignore]

    stock = scenes.read_stock(data / "drawn" / "refs", kind)
    scene = scenes.draw_scene(stock, kind, np.random.default_rng(2))
    assert 10 <= len(scene.things) <= 60
    assert 2e6 * 0.9 <= scene.image[..., 0].size <= 12e6 * 1.1
    assert {thing.ref for thing in scene.things} <= {None, *stock.known_files}
    known = [thing for thing in scene.things if thing.ref]
    assert len(known) < len(scene.things)  # one of five is in no index

    thing = known[0]
    picture = stock.known_files[thing.ref]
    crop = straighten(scene.image, thing.quad, 64).astype(float)
    own = straighten(picture, frame_quad(picture.shape[1], picture.shape[0]), 64).astype(float)
    assert np.corrcoef(crop.ravel(), own.ravel())[0, 1] > 0.7


def test_without_any_set_it_says_what_to_name(
    bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["accuracy", "--data", str(tmp_path)]) == 2
    assert "--data" in capsys.readouterr().err


@pytest.mark.slow
def test_every_ablation_changes_what_is_found_and_leaves_no_trace(
    bench: ModuleType, data: Path
) -> None:
    encoder = open_encoder("sscd-small")
    refs = data / "drawn" / "refs"
    index = build_index(refs, data / "index.npz", Embedder(encoder), quiet=True).index
    uncalibrated = Recognizer(index, Embedder(encoder), refs=refs)
    calibration = calibrate.calibrate(uncalibrated, refs, quiet=True)
    calibrated = index.with_calibration(calibration.as_dict())
    recognizer = Recognizer(calibrated, Embedder(encoder), refs=refs)
    card = decode(data / "drawn" / "frames" / "0.jpg")

    before = answers(recognizer, card)
    for name, switched_off in bench.ABLATIONS.items():
        with switched_off(recognizer):
            changed = answers(recognizer, card) != before
        # The last two are fallbacks for frames in which little is found, unlike this one.
        assert changed is not (name.startswith("no second")), name
        assert answers(recognizer, card) == before, name


def answers(recognizer: Recognizer, frame: RGB) -> list[tuple[str, float]]:
    return [(one.reference, one.false_accept_rate) for one in recognizer.recognize(frame)]
