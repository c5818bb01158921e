"""The scale bench: its distractors, and each of its tables on a drawn set."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from table_rows import rows_of

from data_label_factory.identify.encoders import unit_rows
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize.feature_store import feature_store_path, load_store
from data_label_factory.identify.recognize.store_writer import MOST_FEATURES

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, quick_calibration: None) -> ModuleType:
    """The script as a module, calibrating on two frames instead of forty."""
    monkeypatch.syspath_prepend(str(BENCH))
    import scale  # type: ignore[import-not-found, unused-ignore]

    return scale


@pytest.fixture
def pictures(bench: ModuleType) -> Any:
    import scale_pictures  # type: ignore[import-not-found, unused-ignore]

    return scale_pictures


@pytest.fixture
def synthetic(bench: ModuleType) -> Any:
    import scale_synthetic  # type: ignore[import-not-found, unused-ignore]

    return scale_synthetic


def test_no_part_of_a_distractor_is_part_of_what_it_is_made_of(pictures: Any) -> None:
    """Each row of the pictures grows brighter to the right; of none of the distractors."""
    ramp = np.broadcast_to(np.arange(120, dtype=np.uint8)[:, None], (160, 120, 3)).copy()
    stock = [ramp, np.ascontiguousarray(ramp + 90)]
    for number in range(40):
        drawn = pictures.draw_distractor(stock, np.random.default_rng(number))
        assert drawn.shape == ramp.shape
        steps = np.diff(drawn.astype(int), axis=1)
        assert np.median(steps) <= 0
        assert (steps < 0).sum() > 2 * (steps > 0).sum()


def test_distractors_are_the_same_for_the_same_number(pictures: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    stock = [rng.integers(0, 256, (60, 40, 3), np.uint8) for _ in range(3)]
    first = [path.read_bytes() for path in pictures.write_distractors(stock, tmp_path / "a", [3])]
    files = pictures.write_distractors(stock, tmp_path / "b", range(5))
    assert files[3].read_bytes() == first[0]
    assert len({path.read_bytes() for path in files}) == 5


def test_synthesized_embeddings_are_as_much_like_each_other_as_real_ones(synthetic: Any) -> None:
    rng = np.random.default_rng(2)
    template, spread = rng.standard_normal(64), rng.uniform(0.2, 2, 64)
    rows = rng.standard_normal((120, 64)) * spread + template
    real = unit_rows(rows.astype(np.float32))
    drawn = synthetic.make_embeddings(real, 400, rng)
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(1, abs=1e-5)

    pairs = np.triu_indices(len(real), 1)
    cosines = (real @ real.T)[pairs]
    for others in ((drawn @ drawn.T)[np.triu_indices(len(drawn), 1)], (drawn @ real.T).ravel()):
        assert others.mean() == pytest.approx(cosines.mean(), abs=0.03)
        assert others.std() == pytest.approx(cosines.std(), rel=0.15)


def test_a_synthesized_reference_is_like_a_real_one(synthetic: Any) -> None:
    rng = np.random.default_rng(3)
    real = [rng.integers(0, 256, (30, 20, 3), np.uint8) for _ in range(2)]
    stock = [np.asarray(Image.fromarray(one).resize((300, 450))) for one in real]
    material = synthetic.Material.of(stock)
    made = synthetic.make_reference(material, 5, rng)

    features = made.features
    assert (made.key, len(features), features.shape) == (5, MOST_FEATURES, (480, 320))
    assert (features.xy >= 0).all()
    assert (features.xy < [320, 480]).all()
    lengths = np.linalg.norm(features.descriptors.astype(float), axis=1)
    assert lengths == pytest.approx(512, rel=0.02)

    apart = features.descriptors[:, None].astype(float) - material.descriptors[None]
    nearest = np.linalg.norm(apart, axis=2).min(axis=1) / 512
    assert (nearest > 0.1).all()  # none is a copy


@pytest.mark.slow
def test_every_table_of_a_drawn_set(
    bench: ModuleType, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--drawn", "7", "--synthesized", "9", "--stock", "drawn", "--unknowns", "4"]
    kept = ["--data", str(data), "--set", "drawn", "--keep", str(data / "kept")]

    def table(name: str, counts: str = "7,9,13") -> list[dict[str, str]]:
        """The first one that the bench prints."""
        assert bench.main([name, *kept, *sizes, "--references", counts]) == 0
        return rows_of(capsys.readouterr().out.split("\n\n")[0])

    names = ["alone", "7 (drawn)", "9 (synthesized)", "13 (copied)"]
    rows = table("bytes")
    assert list(rows[0]) == ["bytes a reference", *names]
    for file, name in zip(("alone", "drawn-7", "synthesized-9", "copied-13"), names, strict=True):
        index_file = data / "kept" / "drawn" / file / "index.npz"
        store = load_store(feature_store_path(index_file))
        assert store.rows("counts") == len(Index.load(index_file))
        whole = {row["bytes a reference"]: row[name].replace(",", "") for row in rows}
        assert float(whole["the store"]) == round(store.nbytes / store.rows("counts"))

    rows = table("start", "7")
    assert [row["references"] for row in rows] == names[:2]
    assert all(0 < float(row["private MiB"]) <= float(row["resident MiB"]) for row in rows)

    rows = table("frames", "7")
    assert [row["references"] for row in rows] == names[1:2]
    assert all(row["same"].endswith("of 3") and float(row["CPU ms"]) > 0 for row in rows)

    rows = table("accuracy")
    assert [(row["references"], row["items in photos"]) for row in rows] == [
        (name, "4 in 3") for name in names
    ]
    assert all(float(row["top-1"]) >= 0.75 for row in rows)
    assert all(float(row["wrong per photo"]) == 0 for row in rows)
    assert all(row["false accepts"] == "0 of 2" for row in rows)

    rows = table("unknowns")
    assert [row["tried"] for row in rows] == ["4", "3"] * 4
    assert all(float(row["at 1 %"][:-2]) <= float(row["at 10 %"][:-2]) <= 50 for row in rows)

    rows = table("add", "9")
    assert [row["references"] for row in rows] == [names[0], names[2]]
    assert all(float(row["add s"]) > 0 for row in rows)

    stages = {row["a picture"] for row in table("build")}
    assert {"decode", "local features", "thumbnail", "embedding"} <= stages


def test_no_more_references_than_the_set_has_is_refused(
    bench: ModuleType, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["bytes", "--data", str(data), "--set", "absent"]) == 2
    assert "--data" in capsys.readouterr().err
