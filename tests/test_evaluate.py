"""Labelled photos → figures: the truth in all its spellings, and the rules against a naive re-statement of them."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from conftest import save_picture
from PIL import Image

from data_label_factory.cli import main
from data_label_factory.errors import GroundTruthError, ImageError
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder, EncoderIdentity, open_encoder
from data_label_factory.identify.evaluate.evaluation import evaluate
from data_label_factory.identify.evaluate.failures import KINDS
from data_label_factory.identify.evaluate.ground_truth import Queries, Query, TrueItem, read_queries
from data_label_factory.identify.evaluate.matching import box_iou
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index, IndexMeta
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.output.evaluate_html import as_html
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.recognize import Detection
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

FILES = [
    "LOCH-JP001_dark_magician_pscr.jpg",
    "LOCH-JP001_dark_magician_ur.jpg",
    "elf.png",
    "set/AC%2FDC.jpg",
]


def index_of(*files: str) -> Index:
    labels = [parse_label(file) for file in files]
    columns = [
        [getattr(label, name) for label in labels] for name in ("name", "set_code", "rarity")
    ]
    names, sets, rarities = (np.array(column, np.str_) for column in columns)
    return Index(
        np.eye(len(files), dtype=np.float32),
        names,
        np.array(files),
        sets,
        rarities,
        names,
        meta=None,
    )  # type: ignore[arg-type]


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        save_picture(folder / name, 1)
    return folder


def shown(queries: Queries) -> dict[str, list[str]]:
    return {query.name: [item.reference for item in query.items] for query in queries.photos}


def square(x: float, y: float, side: float = 10) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def detection(
    reference: str,
    x: float = 0,
    y: float = 0,
    *,
    score: float = 0.5,
    rate: float = 0.0,
    **more: Any,
) -> Detection:
    values = {
        "margin": 0.1,
        "confident": rate <= 0.01,
        "inliers": 9,
        "top_k": ((reference, score),),
    } | more
    quad = as_points(square(x, y, more.pop("side", 10)))
    values.pop("side", None)
    return Detection(
        parse_label(reference), reference, score, quad=quad, false_accept_rate=rate, **values
    )


class Replay:
    """A recogniser that gives each photo in turn the detections it was made with."""

    def __init__(self, detections: Sequence[list[Detection]]) -> None:
        self.detections = list(detections)

    def recognize(self, frame: RGB) -> list[Detection]:
        assert frame.shape[2] == 3
        return self.detections.pop(0)


def test_truth_by_file_stem_then_by_subfolder_then_by_item_name(tmp_path: Path) -> None:
    by_stem, by_folder, by_item = (
        "elf.jpg",
        "LOCH-JP001_dark_magician_ur/17.jpg",
        "dark magician/18.jpg",
    )
    queries = read_queries(
        index_of(*FILES), photos(tmp_path, by_stem, by_folder, by_item, "x/elf.png", "x/what.png")
    )
    assert shown(queries) == {
        "dark magician/18.jpg": [FILES[0]],
        "elf.jpg": [FILES[2]],
        by_folder: [FILES[1]],
    } | {"x/elf.png": [FILES[2]]}
    assert queries.without_truth == ["x/what.png"]
    stems = {query.name: sorted(query.items[0].stems) for query in queries.photos}
    assert stems[by_item] == ["LOCH-JP001_dark_magician_pscr", "LOCH-JP001_dark_magician_ur"]
    assert stems[by_folder] == ["LOCH-JP001_dark_magician_ur"]


def test_truth_by_csv_takes_several_rows_a_photo_and_photos_without_items(tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "b.jpg", "c, d.jpg", "unnamed.jpg")
    truth = tmp_path / "own.csv"
    truth.write_text(
        '\ufeffQuery,Ref\n"c, d.jpg",AC/DC\na.jpg,elf\n\na.jpg , Dark Magician\nb.jpg,\n', "utf-8"
    )
    queries = read_queries(index_of(*FILES), tmp_path, truth=truth)
    assert shown(queries) == {"c, d.jpg": [FILES[3]], "a.jpg": [FILES[2], FILES[0]], "b.jpg": []}
    assert queries.without_truth == ["unnamed.jpg"]


def test_a_truth_json_in_the_folder_is_found_and_keeps_quads(tmp_path: Path) -> None:
    items = [{"ref": "elf.png", "quad": square(1, 2)}, {"ref": "LOCH-JP001_dark_magician_ur.jpg"}]
    truth = [{"file": "a.jpg", "items": items}, {"file": "b.jpg", "items": []}]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    negatives = photos(tmp_path / "empty", "n.png")
    queries = read_queries(index_of(*FILES), photos(tmp_path, "a.jpg"), negatives=negatives)
    assert shown(queries) == {"a.jpg": [FILES[2], FILES[1]], "b.jpg": [], "empty/n.png": []}
    first, second = queries.photos[0].items
    assert first.quad is not None
    assert first.quad.tolist() == square(1, 2)
    assert second.quad is None


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "t.csv",
            "a.jpg,elf\na.jpg,orc\nb.jpg,orc\nb.jpg,LOCH-JP001_dark_magician_gmr",
            "2 references.*'orc', 'LOCH",
        ),
        ("t.csv", "a.jpg\n", "has not the two columns"),
        ("t.json", "[{", "cannot be read as a truth"),
        ("t.json", '[{"file": "a.jpg"}]', "items is missing"),
        ("t.json", '{"a.jpg": "elf"}', "cannot be read as a truth"),
        (
            "t.json",
            '[{"file": "a.jpg", "items": [{"ref": "elf", "quad": [[1, 2], [3, 4]]}]}]',
            "four points",
        ),
        ("t.json", '[{"file": "a.jpg", "items": []}]', "No photo in .* has a truth"),
        ("t.json", "[" * 100_000, "cannot be read as a truth"),
        ("gone.csv", None, "gone.csv: The file is gone"),
    ],
)
def test_a_truth_that_is_none_is_an_error_that_says_why(
    tmp_path: Path, name: str, text: str | None, says: str
) -> None:
    photos(tmp_path, "a.jpg")
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(GroundTruthError, match=says):
        read_queries(index_of(*FILES), tmp_path, truth=tmp_path / name)


def test_photos_that_match_nothing_and_a_folder_that_is_none_are_errors(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match=r"No photo in .* has a truth: 'a.jpg'.*query,ref"):
        read_queries(index_of(*FILES), photos(tmp_path, "a.jpg"))
    with pytest.raises(ImageError, match="is not a folder"):
        read_queries(index_of(*FILES), tmp_path / "none")


def test_unreadable_photos_are_reported_and_stop_nothing(tmp_path: Path) -> None:
    photos(tmp_path, "elf.png")
    (tmp_path / "elf.jpg").write_bytes(b"no picture")
    queries = read_queries(index_of(*FILES), tmp_path)
    result = evaluate(Replay([[detection("elf.png")]]).recognize, queries, quiet=True)
    assert (result.figures.items, result.figures.accepted_right) == (1, 1.0)
    assert list(result.unreadable) == ["elf.jpg"]
    (tmp_path / "elf.png").write_bytes(b"")
    with pytest.raises(GroundTruthError, match="None of the photos"):
        evaluate(Replay([]).recognize, queries, quiet=True)


def naive(frames: list[tuple[list[tuple[str, Any]], list[Detection]]]) -> dict[str, float]:
    """The rules restated with dicts and counters, as a client of an HTTP server would count."""
    n = top1 = right = wrong = extra = found = localized = empty = false = 0
    for items, detections in frames:
        got = [
            {
                "stem": PurePosixPath(d.reference).stem,
                "score": d.score,
                "ok": d.confident,
                "box": d.box,
            }
            for d in detections
        ]
        if not items:
            empty += 1
            false += any(d["ok"] for d in got)
            continue
        used: set[int] = set()
        for stem, quad in items:
            n += 1
            if quad is None:
                top1 += any(
                    d["stem"] == stem for d in sorted(got, key=lambda d: -d["score"])[: len(items)]
                )
                hit = [i for i, d in enumerate(got) if d["ok"] and d["stem"] == stem]
            else:
                xs, ys = zip(*quad, strict=True)
                box = (min(xs), min(ys), max(xs), max(ys))
                best = max(got, key=lambda d: box_iou(d["box"], box), default=None)
                top1 += (
                    best is not None and box_iou(best["box"], box) >= 0.3 and best["stem"] == stem
                )
                near = [
                    i
                    for i, d in enumerate(got)
                    if d["stem"] == stem and box_iou(d["box"], box) >= 0.3
                ]
                hit = [i for i in near if got[i]["ok"] and i not in used][:1]
                localized += 1
                found += any(d["stem"] == stem and box_iou(d["box"], box) >= 0.5 for d in got)
            right += bool(hit)
            used.update(hit)
        if items[0][1] is None:
            sure = sorted((d for d in got if d["ok"]), key=lambda d: -d["score"])
            known = {stem for stem, _ in items}
            wrong += bool(sure) and sure[0]["stem"] not in known
            extra += sum(d["stem"] not in known for d in sure[1:])
        else:
            wrong += sum(d["ok"] and i not in used for i, d in enumerate(got))
    full = max(len(frames) - empty, 1)
    return {
        "items": n, "top1": top1 / n, "accepted_right": right / n, "accepted_wrong_per_frame": wrong / full,
        "extra_per_frame": extra / full, "false_accepts": false, "iou50": found / localized if localized else None,
    }  # fmt: skip


@pytest.mark.parametrize("quads", ["all", "none", "some"])
def test_every_figure_equals_a_naive_count(tmp_path: Path, quads: str) -> None:
    rng = np.random.default_rng(3)
    path = save_picture(tmp_path / "a.png", 0)
    frames, queries = [], []
    for number in range(300):
        items: list[tuple[str, Any]] = []
        for _ in range(rng.integers(0, 4)):
            has_quad = quads == "all" or (quads == "some" and rng.random() < 0.5)
            items.append(
                (f"ref_{rng.integers(5)}", square(*rng.integers(0, 25, 2)) if has_quad else None)
            )
        detections = []
        for _ in range(rng.integers(0, 5)):
            stem, near = (
                items[rng.integers(len(items))] if items and rng.random() < 0.7 else ("ref_9", None)
            )
            x, y = (near[0] if near else rng.integers(0, 25, 2)) + rng.integers(-3, 4, 2)
            score, rate = (
                round(float(rng.random()), 1),
                float(rng.choice([0, 0.005, 0.3, 1])),
            )  # with ties
            detections.append(
                detection(f"{stem}.png", x, y, score=score, rate=rate, side=rng.integers(6, 15))
            )
        frames.append((items, detections))
        true = [
            TrueItem(f"{s}.png", frozenset({s}), None if q is None else as_points(q))
            for s, q in items
        ]
        queries.append(Query(path, str(number), tuple(true)))
    result = evaluate(
        Replay([detections for _, detections in frames]).recognize, Queries(queries), quiet=True
    )
    expected = naive(frames)
    got = {key: getattr(result.figures, key) for key in expected}
    assert got == pytest.approx(expected)
    assert 0.2 < got["accepted_right"] < 0.9
    assert min(got["accepted_wrong_per_frame"], got["false_accepts"]) > 0

    assert [point.rate for point in result.curve] == [0, 0.005, 0.3, 1]
    for point in result.curve:
        changed = [
            (items, [detection(d.reference, *d.quad[0], score=d.score, side=d.quad[1, 0] - d.quad[0, 0],
                          confident=d.false_accept_rate <= point.rate) for d in detections])
            for items, detections in frames
        ]  # fmt: skip
        again = naive(changed)
        assert point.accepted_right == pytest.approx(again["accepted_right"])
        assert point.accepted_wrong_per_frame == pytest.approx(again["accepted_wrong_per_frame"])
        assert point.false_accepts == again["false_accepts"]


def test_top_5_holds_the_name_given_and_the_nearest_others(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "a.png", 0)
    nearest = tuple((f"{i}.png", 1 - i / 10) for i in range(6))
    frames = [[detection("9.png", top_k=nearest)], [detection("2.png", top_k=nearest)], []]
    for stem, top5 in (("3", 2 / 3), ("4", 1 / 3), ("9", 1 / 3), ("2", 2 / 3), ("5", 0)):
        query = Query(path, "a", (TrueItem(f"{stem}.png", frozenset({stem})),))
        assert evaluate(
            Replay(frames).recognize, Queries([query] * 3), quiet=True
        ).figures.top5 == pytest.approx(top5), stem


def test_each_miss_is_told_with_what_went_wrong(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "a.png", 0)
    elf, orc, magician = (
        TrueItem(name, frozenset({name.split(".")[0]}), as_points(square(x, 0)))
        for name, x in (("elf.png", 0), ("orc.png", 20), (FILES[0], 40))
    )
    good, unsure = detection("elf.png"), detection("elf.png", rate=1.0)
    nothing, variant = (
        "Nothing was seen in its place.",
        "Named surely as Dark Magician (UR), a variant of the same item",
    )
    twisted = [("not found", nothing), ("named as another", "Named surely as Elf")]
    cases: list[tuple[tuple[TrueItem, ...], list[Detection], list[tuple[str, str]]]] = [
        ((elf,), [good], []),
        ((elf,), [unsure], [("unsure", "Named rightly, but not surely")]),
        ((elf,), [], [("not found", nothing)]),
        ((elf,), [detection("orc.png", rate=1.0)], [("named as another", "Named not surely as Orc")]),
        ((elf,), [good, detection("elf.png", 1)], [("named twice", "Named surely as Elf")]),
        ((elf,), [good, detection("orc.png", 50)], [("stranger accepted", "Named surely as Orc")]),
        ((elf, orc), [detection("elf.png", 20)], twisted),
        ((magician,), [detection(FILES[1], 40)], [("named as another", variant)]),
        ((), [good], [("stranger accepted", "Named surely as Elf")]),
        ((), [unsure], []),
    ]  # fmt: skip
    as_orc = [("named as another", "Named surely as Orc")]
    bare_elf, bare_orc = replace(elf, quad=None), replace(orc, quad=None)
    cases += [
        ((bare_elf,), [good, detection("orc.png", score=0.4)], [("not judged", "Named surely as Orc")]),
        ((bare_elf, bare_orc), [good], [("not found", nothing)]),
        ((bare_elf,), [detection("orc.png")], as_orc),
        ((bare_elf,), [detection("ape.png", score=0.9, rate=1), detection("orc.png")], as_orc),
    ]  # fmt: skip
    queries = [Query(path, str(number), items) for number, (items, _, _) in enumerate(cases)]
    result = evaluate(
        Replay([detections for _, detections, _ in cases]).recognize, Queries(queries), quiet=True
    )
    for number, (_, _, expected) in enumerate(cases):
        told = [
            (failure.kind, str(failure).split(" (cosine")[0])
            for failure in result.failures
            if failure.query.name == str(number)
        ]
        assert told == expected, number
    assert {failure.kind for failure in result.failures} == {*KINDS}
    assert str(result.failures[0]).endswith("not surely (cosine 0.50, margin 0.10).")
    assert result.as_json()["misses"][0] == {
        "photo": "1", "kind": "unsure", "ref": "elf.png", "named": "elf.png", "confident": False, "score": 0.5,
    }  # fmt: skip


def test_the_page_shows_every_miss_beside_its_reference_and_escapes_names(tmp_path: Path) -> None:
    evil = '"><img src=x onerror=alert(1)>.png'
    for name in ("refs/elf.png", f"refs/{evil}", "a.png", "<b>.png"):
        save_picture(tmp_path / name, 1)
    index = replace(
        index_of("elf.png", evil), meta=IndexMeta(EncoderIdentity("grid", "ab" * 32, {}))
    )
    elf = TrueItem("elf.png", frozenset({"elf"}), as_points(square(0, 0)))
    queries = [Query(tmp_path / name, name, (elf,)) for name in ("a.png", "<b>.png", "a.png")]
    queries.append(Query(tmp_path / "gone.png", "gone\udcff.png", ()))
    replay = Replay([[detection(evil)], [detection("elf.png", rate=1.0)], []])
    result = evaluate(replay.recognize, Queries(queries, ["<left>.png"]), quiet=True)
    page = as_html(result, index, tmp_path / "refs")
    page.encode("utf-8")
    assert "<img src=x" not in page
    assert not re.search(r"https?://|<link|@import|url\(|<script|<b>\.png|<left>", page)
    sources = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert len(sources) == 3 + 3 + 1  # a photo and its reference each, and what one was named as
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    for text in (
        "0.0% accepted right",
        "Named as another: 1",
        "Unsure: 1",
        "Not found: 1",
        "Not readable",
        "Left out",
    ):
        assert text in page
    assert 'class="curve"' in page
    assert as_html(result, index, None).count("no picture") == 4


def test_a_page_without_any_miss_says_so(tmp_path: Path) -> None:
    query = Query(
        save_picture(tmp_path / "a.png", 0), "a", (TrueItem("elf.png", frozenset({"elf"})),)
    )
    result = evaluate(Replay([[detection("elf.png")]]).recognize, Queries([query]), quiet=True)
    index = replace(index_of("elf.png"), meta=IndexMeta(EncoderIdentity("grid", "ab" * 32, {})))
    page = as_html(result, index, None)
    assert "No miss" in page
    assert "silence was not tested" in page


def test_percentiles_of_one_photo_and_of_a_hundred(tmp_path: Path) -> None:
    query = Query(save_picture(tmp_path / "a.png", 0), "a", (TrueItem("a.png", frozenset({"a"})),))
    for count in (1, 100):
        result = evaluate(Replay([[]] * count).recognize, Queries([query] * count), quiet=True)
        times = sorted(outcome.ms for outcome in result.outcomes)
        assert result.ms_p95 == times[94 if count == 100 else 0]
        assert times[0] <= result.ms_p50 <= times[-1]
        assert result.curve == []


def test_the_command_names_views_of_cards_and_prints_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = sorted(draw_collection(tmp_path / "all", count=8))
    for card in cards[:5]:
        (tmp_path / "refs").mkdir(exist_ok=True)
        (tmp_path / "refs" / card.name).write_bytes(card.read_bytes())
    rng = np.random.default_rng(2)
    for folder, shown in (("queries", cards[:5]), ("strangers", cards[5:])):
        (tmp_path / folder).mkdir()
        for card in shown:
            Image.fromarray(render_view([decode(card)], rng).image).save(
                tmp_path / folder / f"{card.stem}.png"
            )
    (tmp_path / "queries" / "other.png").write_bytes(
        (tmp_path / "queries" / f"{cards[0].stem}.png").read_bytes()
    )
    (tmp_path / "strangers" / "bad.jpg").write_bytes(b"")
    build_index(
        tmp_path / "refs", tmp_path / "i.npz", Embedder(open_encoder("sscd-small")), quiet=True
    )
    line = [
        "identify",
        "evaluate",
        "--index",
        str(tmp_path / "i.npz"),
        "--refs",
        str(tmp_path / "refs"),
    ]
    line += ["--queries", str(tmp_path / "queries"), "--negatives", str(tmp_path / "strangers")]
    assert main([*line, "--json", "--html", str(tmp_path / "page.html")]) == 0
    printed = capsys.readouterr()
    values = json.loads(printed.out)
    assert (values["items"], values["frames"], values["empty_frames"], values["false_accepts"]) == (
        5,
        5,
        3,
        0,
    )
    assert values["accepted_right"] >= 0.6
    assert values["accepted_wrong_per_frame"] == 0
    assert len(values["misses"]) == 5 - round(5 * values["accepted_right"])
    assert values["ms_p95"] >= values["ms_p50"] > 1
    assert "not readable: 'strangers/bad.jpg': The file is empty" in printed.err
    assert "left out, nothing says what it shows: 'other.png'" in printed.err
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    assert main(line) == 0
    assert "false accepts        0 of 3" in capsys.readouterr().out
    assert main([*line, "--truth", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: The file is gone" in capsys.readouterr().err
