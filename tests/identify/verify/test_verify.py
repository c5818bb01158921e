"""The self-test of an index: its figures, the pairs it lists, the thresholds it recommends."""

import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GridEncoder, pixels, save_picture
from drawn import draw_collection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from data_label_factory.errors import EncoderError, ImageError
from data_label_factory.identify.encoders import Embedder, EncoderIdentity, OnnxEncoder, unit_rows
from data_label_factory.identify.index import Index, IndexMeta
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.output.verify_html import as_html
from data_label_factory.identify.verify import margins, simulation
from data_label_factory.identify.verify.margins import choose_thresholds, nearest_others
from data_label_factory.identify.verify.report import Report, verify_index


def check(refs: Path, **options: Any) -> Report:
    """Index the folder and verify it against its files."""
    index = build_index(refs, refs.parent / "i.npz", Embedder(GridEncoder()), quiet=True).index
    return verify_index(index, Embedder(GridEncoder()), refs=refs, quiet=True, **options)


def index_of(embeddings: np.ndarray, names: list[str] | None = None) -> Index:
    count = len(embeddings)
    names = names or [f"Item {i}" for i in range(count)]
    files = np.array([f"{i}.jpg" for i in range(count)])
    hashes = np.array([f"{i:064x}" for i in range(count)])
    empty = np.array([""] * count)
    meta = IndexMeta(EncoderIdentity("grid", "ab" * 32, {"side": 4}))
    return Index(unit_rows(embeddings), np.array(names), files, empty, empty, hashes, meta)


def random_index(count: int, items: int, seed: int = 0) -> Index:
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(count, 8))
    return index_of(embeddings, [f"Item {i}" for i in rng.integers(0, items, count)])


def test_distinct_pictures_all_identify_themselves(refs: Path) -> None:
    report = check(refs)
    assert report.self_id_rate == 1
    assert report.passed
    assert report.basis == "re-encoded"
    assert report.not_identified == []
    assert (report.refs, report.items, report.dim) == (5, 5, 48)


def test_the_default_encoder_identifies_sample_cards_and_camera_views_of_them(
    tmp_path: Path, sscd: OnnxEncoder
) -> None:
    draw_collection(tmp_path / "refs", count=8)
    index = build_index(tmp_path / "refs", tmp_path / "i.npz", Embedder(sscd), quiet=True).index
    report = verify_index(index, Embedder(sscd), refs=tmp_path / "refs", simulate=1, quiet=True)
    assert report.self_id_rate == 1
    assert report.simulated
    assert report.simulated.top1 >= 0.75


def test_a_file_under_two_names_is_listed_and_not_identified(refs: Path) -> None:
    shutil.copy(refs / "card_0.png", refs / "copy.png")
    report = check(refs)
    assert report.not_identified == ["card_0.png", "copy.png"]
    assert report.self_id_rate == pytest.approx(4 / 6)
    assert not report.passed
    assert report.verdict == "mend"
    assert report.reasons == {
        "card_0.png": "the same file as copy.png",
        "copy.png": "the same file as card_0.png",
    }
    pair = report.confusable_pairs[0]
    assert (pair.a, pair.b, pair.kind) == ("card_0.png", "copy.png", "same file")
    assert pair.similarity == pytest.approx(1, abs=1e-5)


def test_equal_pixels_in_another_file_are_the_same_picture(refs: Path) -> None:
    Image.fromarray(pixels(0)).save(refs / "copy.bmp")
    report = check(refs)
    assert report.confusable_pairs[0].kind == "same picture"
    assert report.not_identified == ["card_0.png", "copy.bmp"]


def test_different_pictures_are_at_most_similar(refs: Path) -> None:
    almost = pixels(0).copy()
    almost[0, 0] ^= 1
    Image.fromarray(almost).save(refs / "almost.png")
    assert check(refs).confusable_pairs[0].kind == "similar"


def test_variants_of_one_item_are_not_each_others_errors(refs: Path) -> None:
    variants = {"card_0.png", "LOCH-JP001_card_0_ur.png"}
    shutil.copy(refs / "card_0.png", refs / "LOCH-JP001_card_0_ur.png")
    Image.fromarray(255 - pixels(1)).save(refs / "LOCH-JP002_card_1_ur.png")
    report = check(refs)
    assert report.self_id_rate == 1
    assert (report.refs, report.items) == (7, 5)
    assert not any(variants == {pair.a, pair.b} for pair in report.confusable_pairs)
    # The distances are 0, for equal pictures, and 2, for a picture and its negative.
    assert report.variant_separation == {"items": 2, "median": pytest.approx(1, abs=0.05)}


@pytest.mark.parametrize("variants", [2, 3, 4])
def test_variant_separation_is_the_distance_of_the_nearest_two(variants: int) -> None:
    rows = np.random.default_rng(variants).normal(size=(variants + 1, 8))
    index = index_of(rows, ["Other", *["Same"] * variants])
    codes = np.array([f"NEO-{row}" for row in range(variants + 1)])
    index = replace(index, set_codes=codes)

    similarity = -1.0
    for a in range(1, variants + 1):
        for b in range(1, a):
            similarity = max(similarity, float(index.embeddings[a] @ index.embeddings[b]))
    separation = verify_index(index).variant_separation
    assert separation == {"items": 1, "median": pytest.approx(1 - similarity, abs=1e-4)}
    assert separation["median"] > 0.1


def test_without_variants_there_is_no_separation(refs: Path) -> None:
    assert check(refs).variant_separation is None


def test_views_are_neither_variants_nor_confusable_nor_said_to_be_shared(refs: Path) -> None:
    """The second view equals the first picture, the third looks like another item."""
    shutil.copy(refs / "card_0.png", refs / "card_0__2.png")
    Image.fromarray(pixels(1) // 2 + pixels(0) // 2).save(refs / "card_0__3.jpg")
    save_picture(refs / "M8-20_bolt_ur.png", 20)
    save_picture(refs / "M8-20_bolt_ur__2.png", 21)
    built = build_index(refs, refs.parent / "i.npz", Embedder(GridEncoder()), quiet=True)
    assert built.same_pictures == []
    assert built.shared_items == {}

    report = verify_index(built.index, Embedder(GridEncoder()), refs=refs, quiet=True)
    assert (report.refs, report.items) == (9, 6)
    assert report.self_id_rate == 1
    assert report.variant_separation is None
    for pair in report.confusable_pairs:
        assert not pair.a.startswith("card_0") or not pair.b.startswith("card_0")
        assert not pair.a.startswith("M8") or not pair.b.startswith("M8")

    save_picture(refs / "M8-20_bolt__2.png", 22)  # of another rarity: a variant
    assert check(refs).variant_separation is not None


@pytest.mark.parametrize(("rows", "columns"), [(1024, 8192), (7, 5), (3, 1), (1, 200)])
def test_neighbors_equal_a_naive_loop_whatever_the_blocks(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int
) -> None:
    monkeypatch.setattr(margins, "_ROW_BLOCK", rows)
    monkeypatch.setattr(margins, "_COLUMN_BLOCK", columns)
    index = random_index(90, items=30)
    noise = np.random.default_rng(1).normal(0, 0.2, index.embeddings.shape)
    queries = unit_rows(index.embeddings + noise)
    near = nearest_others(queries, np.arange(90), index)

    cosines = queries @ index.embeddings.T
    for query in range(90):
        best: dict[int, float] = {}
        for row, item in enumerate(index.items):
            if item != index.items[query]:
                best[item] = max(best.get(item, -1.0), float(cosines[query, row]))
        first, second = sorted(best.values(), reverse=True)[:2]

        assert near.own[query] == pytest.approx(cosines[query, query], abs=1e-5)
        assert near.other[query] == pytest.approx(first, abs=1e-5)
        assert near.second[query] == pytest.approx(second, abs=1e-5)
        assert cosines[query, near.other_row[query]] == pytest.approx(first, abs=1e-5)
        assert index.items[near.other_row[query]] != index.items[query]


def test_pairs_are_the_most_similar_items_and_each_is_listed_once(refs: Path) -> None:
    index = random_index(60, items=60)
    report = verify_index(index, top_confusables=5)
    similarity = [pair.similarity for pair in report.confusable_pairs]
    assert similarity == sorted(similarity, reverse=True)
    assert len({frozenset((pair.a, pair.b)) for pair in report.confusable_pairs}) == 5
    cosines = index.embeddings @ index.embeddings.T - 2 * np.eye(60)
    assert similarity[0] == pytest.approx(float(cosines.max()), abs=1e-5)
    assert verify_index(index, top_confusables=0).confusable_pairs == []


def test_the_most_similar_variants_of_two_items_are_their_pair() -> None:
    index = index_of(np.array([[1, 0, 0], [1, 0.2, 0], [0, 1, 0.5]]), ["A", "B", "B"])
    assert [(p.a, p.b) for p in verify_index(index).confusable_pairs] == [("0.jpg", "1.jpg")]


@pytest.mark.parametrize(
    ("margin", "verdict"),
    [
        (0.5, "ship it"),
        (0.301, "ship it"),
        (0.299, "consider training"),
        (0.101, "consider training"),
        (0.099, "train"),
    ],
)
def test_the_verdict_follows_the_median_margin(margin: float, verdict: str) -> None:
    angle = math.acos(1 - margin)
    report = verify_index(index_of(np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])))
    assert report.verdict == verdict
    assert report.as_json()["median_margin"] == pytest.approx(margin, abs=1e-3)


def test_stored_rows_are_used_if_the_files_are_not_given() -> None:
    report = verify_index(random_index(20, items=20))
    assert report.basis == "stored"
    assert report.self_id_rate == 1


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.25, 1.0])
def test_thresholds_from_stored_rows_keep_the_false_accept_rate(rate: float) -> None:
    index = random_index(200, items=150)
    thresholds = verify_index(index, false_accept_rate=rate).thresholds
    near = nearest_others(index.embeddings, np.arange(200), index)
    passing = (near.other > thresholds["sim"]) & (near.other - near.second > thresholds["margin"])
    assert np.mean(passing) <= rate


def test_a_picture_that_changed_since_indexing_is_not_identified(refs: Path) -> None:
    index = build_index(refs, refs.parent / "i.npz", Embedder(GridEncoder()), quiet=True).index
    shutil.copy(refs / "card_1.png", refs / "card_0.png")
    (refs / "card_2.png").unlink()
    report = verify_index(index, Embedder(GridEncoder()), refs=refs, quiet=True)
    assert report.not_identified == ["card_0.png", "card_2.png"]
    assert report.reasons == {
        "card_0.png": "the file has changed since it was indexed; now card_1.png is as close",
        "card_2.png": "There is no such file. Check its name and folder",
    }


def test_an_index_of_another_encoder_is_refused(refs: Path) -> None:
    index = build_index(refs, refs.parent / "i.npz", Embedder(GridEncoder()), quiet=True).index
    with pytest.raises(EncoderError, match=r"grid.*other"):
        verify_index(index, Embedder(GridEncoder("other")), refs=refs, quiet=True)


def test_a_single_item_passes_and_has_no_pair(tmp_path: Path) -> None:
    save_picture(tmp_path / "refs" / "only.png", 0)
    report = check(tmp_path / "refs", simulate=1)
    assert report.self_id_rate == 1
    assert report.confusable_pairs == []
    json.dumps(report.as_json(), allow_nan=False)
    page = as_html(report, Index.load(tmp_path / "i.npz"), tmp_path / "refs")
    assert "There is only one item" in page


def test_the_json_has_the_promised_keys(refs: Path) -> None:
    values = json.loads(json.dumps(check(refs, simulate=1).as_json(), allow_nan=False))
    promised = "refs items dim encoder projection self_id_rate median_margin margin_quartiles"
    assert {*promised.split(), "verdict", "confusable_pairs"} <= values.keys()
    assert {"thresholds", "simulated", "variant_separation"} <= values.keys()
    assert {"a", "b", "similarity"} <= values["confusable_pairs"][0].keys()
    assert {"sim", "margin"} <= values["thresholds"].keys()
    assert {"top1", "false_accept_rate"} <= values["simulated"].keys()
    assert values["margin_quartiles"][0] <= values["median_margin"] <= values["margin_quartiles"][1]
    assert values["projection"] is None


def test_simulated_views_are_the_same_each_time_and_decide_the_thresholds(refs: Path) -> None:
    first = check(refs, simulate=2)
    assert first.as_json() == check(refs, simulate=2).as_json()
    assert first.simulated
    assert (first.simulated.views, first.simulated.references) == (10, 5)
    assert first.thresholds["sim"] == first.simulated.sim_threshold
    assert first.thresholds["basis"] == "simulated views"
    assert check(refs).thresholds["basis"] != "simulated views"


def test_simulation_uses_a_limited_number_of_references(
    refs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "SIMULATED_REFERENCES_MAX", 3)
    simulated = check(refs, simulate=1).simulated
    assert simulated and simulated.references == 3


def test_simulation_without_a_readable_file_is_an_error(refs: Path, tmp_path: Path) -> None:
    index = build_index(refs, refs.parent / "i.npz", Embedder(GridEncoder()), quiet=True).index
    embedder = Embedder(GridEncoder())
    with pytest.raises(ImageError, match="No reference file"):
        verify_index(index, embedder, refs=tmp_path / "empty", simulate=1, quiet=True)


cosine = st.floats(-1, 1, width=32)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 40), st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]))
def test_thresholds_keep_the_false_accept_rate_and_accept_the_most(
    data: st.DataObject, count: int, rate: float
) -> None:
    values = [data.draw(hnp.arrays(np.float32, count, elements=cosine)) for _ in range(4)]
    genuine_sim, genuine_margin, unknown_sim, unknown_margin = values
    genuine_margin = np.abs(genuine_margin)
    unknown_margin = np.abs(unknown_margin)
    sim, margin = choose_thresholds(genuine_sim, genuine_margin, unknown_sim, unknown_margin, rate)
    assert np.mean((unknown_sim > sim) & (unknown_margin > margin)) <= rate

    # The thresholds are rounded up, so they may accept a little less than the best ones.
    accepted = np.mean((genuine_sim > sim - 2e-4) & (genuine_margin > margin - 2e-4))
    sims = np.quantile(np.concatenate([genuine_sim, unknown_sim]), np.linspace(0, 1, 64))
    for try_sim, try_margin in product(sims, np.append(unknown_margin, 0)):
        false_accepts = np.sum((unknown_sim > try_sim) & (unknown_margin > try_margin))
        if false_accepts <= int(rate * count):
            assert accepted >= np.mean((genuine_sim > try_sim) & (genuine_margin > try_margin))


HERE = Path(__file__).parent

# VmHWM rather than ru_maxrss, which a child inherits from the process that started it.
MEMORY = """
import re, sys, time
from pathlib import Path
sys.path[:0] = {paths!r}
import numpy as np
from test_verify import index_of, verify_index
index = index_of(np.random.default_rng(0).normal(size=(20_000, 512)).astype(np.float32))
start = time.perf_counter()
report = verify_index(index)
seconds = time.perf_counter() - start
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(report.self_id_rate, int(peak[1]) // 1024, seconds)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads the peak memory from /proc"
)
def test_twenty_thousand_references_take_less_than_a_gigabyte() -> None:
    line = [sys.executable, "-c", MEMORY.format(paths=[str(p) for p in (HERE, HERE.parents[1])])]
    printed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    rate, mebibytes, seconds = map(float, printed.split())
    assert rate == 1
    assert mebibytes < 1000, printed
    assert seconds < 60, printed
