"""Labeled photos → figures: all forms of ground truth, and the rules against a naive count."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from conftest import save_picture
from detections import detection, index_of, square
from drawn import draw_collection
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
from data_label_factory.identify.index import IndexMeta
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.output.evaluate_html import as_html
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.recognize import Detection

GRID_META = IndexMeta(EncoderIdentity("grid", "ab" * 32, {}))
FILES = [
    "LOCH-JP001_dark_magician_pscr.jpg",
    "LOCH-JP001_dark_magician_ur.jpg",
    "elf.png",
    "set/AC%2FDC.jpg",
]


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        save_picture(folder / name, 1)
    return folder


def shown(queries: Queries) -> dict[str, list[str]]:
    return {query.name: [item.reference for item in query.items] for query in queries.photos}


class Replay:
    """A recognizer that gives each photo in turn the detections it was made with."""

    def __init__(self, detections: Sequence[list[Detection]]) -> None:
        self.detections = list(detections)

    def recognize(self, frame: RGB) -> list[Detection]:
        assert frame.shape[2] == 3
        return self.detections.pop(0)


def test_truth_by_file_stem_then_by_subfolder_then_by_item_name(tmp_path: Path) -> None:
    by_stem = "elf.jpg"
    by_folder = "LOCH-JP001_dark_magician_ur/17.jpg"
    by_item = "dark magician/18.jpg"
    folder = photos(tmp_path, by_stem, by_folder, by_item, "x/elf.png", "x/what.png")

    queries = read_queries(index_of(*FILES), folder)
    assert shown(queries) == {
        by_item: [FILES[0]],
        by_stem: [FILES[2]],
        by_folder: [FILES[1]],
        "x/elf.png": [FILES[2]],
    }
    assert queries.without_truth == ["x/what.png"]

    stems = {query.name: sorted(query.items[0].stems) for query in queries.photos}
    assert stems[by_item] == ["LOCH-JP001_dark_magician_pscr", "LOCH-JP001_dark_magician_ur"]
    assert stems[by_folder] == ["LOCH-JP001_dark_magician_ur"]


def test_truth_by_csv_takes_several_rows_per_photo_and_photos_without_items(tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "b.jpg", "c, d.jpg", "unnamed.jpg")
    truth = tmp_path / "own.csv"
    rows = ["Query,Ref", '"c, d.jpg",AC/DC', "a.jpg,elf", "", "a.jpg , Dark Magician", "b.jpg,", ""]
    truth.write_text("\ufeff" + "\n".join(rows), "utf-8")

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
            "a.jpg,elf\na.jpg,orc\nb.jpg,LOCH-JP001_dark_magician_gmr",
            "line 2: the index has no reference 'orc'.*line 3: .* 'LOCH",
        ),
        ("t.csv", "query;photo\na.jpg;elf\n", "must name the columns.*query,ref"),
        ("t.json", "[{", "cannot be read as ground truth .no JSON from line 1, column 3 on"),
        ("t.json", '"caf\udce9"', "cannot be read as ground truth .not UTF-8 text"),
        ("t.json", '[{"file": "a.jpg"}]', "items is missing"),
        ("t.json", '{"a.jpg": "elf"}', "cannot be read as ground truth .it has another shape"),
        ("t.json", '[{"file": "a", "items": [{"ref": "elf", "quad": [[1], 2]}]}]', "four points"),
        (
            "t.json",
            '[{"file": "a.jpg", "items": [{"ref": "elf", "quad": [[1, 2], [3, 4]]}]}]',
            "four points",
        ),
        ("t.json", '[{"file": "a.jpg", "items": []}]', "No photo in .* has ground truth"),
        ("t.json", "[" * 100_000, "cannot be read as ground truth"),
        ("gone.csv", None, "gone.csv: There is no such file"),
    ],
)
def test_invalid_ground_truth_is_an_error_that_says_why(
    tmp_path: Path, name: str, text: str | None, says: str
) -> None:
    photos(tmp_path, "a.jpg")
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(GroundTruthError, match=says):
        read_queries(index_of(*FILES), tmp_path, truth=tmp_path / name)


def test_a_photo_with_a_row_that_cannot_be_used_is_left_out_and_named(tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    truth = tmp_path / "own.csv"
    rows = ["a.jpg;elf", "b.jpg;elf", "b.jpg;orc", ";elf", "c.jpg;elf;x", "c.jpg;elf"]
    truth.write_text("\n".join(["File Name;Item", *rows]))

    queries = read_queries(index_of(*FILES), tmp_path, truth=truth)
    assert shown(queries) == {"a.jpg": [FILES[2]]}
    assert queries.without_truth == ["b.jpg", "c.jpg"]
    lines = [text.removeprefix(f"{truth}, ").partition(":")[0] for text in queries.left_out]
    assert sorted(lines) == ["line 4", "line 5", "line 6"]


def test_photos_that_match_nothing_and_a_missing_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(
        GroundTruthError, match=r"No photo in .* has ground truth: 'a.jpg'.*query,ref"
    ):
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


Frame = tuple[list[tuple[str, Any]], list[Detection]]  # (stem, corners) of items, detections


def count_naively(frames: list[Frame]) -> dict[str, float | None]:
    """The rules restated with counters, as a client of an HTTP server would count."""
    counts: Counter[str] = Counter()
    for items, detections in frames:
        if not items:
            counts["empty"] += 1
            counts["false"] += any(d.confident for d in detections)
            continue

        counts["frames"] += 1
        used: set[int] = set()
        for stem, corners in items:
            counts["items"] += 1
            if corners is None:
                count_by_name(counts, stem, len(items), detections, used)
            else:
                count_by_place(counts, stem, corners, detections, used)

        if items[0][1] is None:
            answers = sorted((d for d in detections if d.confident), key=lambda d: -d.score)
            is_other = [stem_of(d) not in dict(items) for d in answers]
            counts["wrong"] += sum(is_other[:1])
            counts["extra"] += sum(is_other[1:])
        else:
            counts["wrong"] += sum(d.confident and i not in used for i, d in enumerate(detections))

    frame_count = max(counts["frames"], 1)
    return {
        "items": counts["items"],
        "top1": counts["top1"] / counts["items"],
        "accepted_right": counts["right"] / counts["items"],
        "accepted_wrong_per_frame": counts["wrong"] / frame_count,
        "extra_per_frame": counts["extra"] / frame_count,
        "false_accepts": counts["false"],
        "iou50": counts["iou50"] / counts["with_quad"] if counts["with_quad"] else None,
    }


def count_by_name(
    counts: Counter[str], stem: str, item_count: int, detections: list[Detection], used: set[int]
) -> None:
    found = sorted((d for d in detections if not d.is_guess), key=lambda d: -d.score)
    by_score = [*found, *(d for d in detections if d.is_guess)]
    counts["top1"] += any(stem_of(d) == stem for d in by_score[:item_count])

    hits = [i for i, d in enumerate(detections) if d.confident and stem_of(d) == stem]
    counts["right"] += bool(hits)
    used.update(hits)


def count_by_place(
    counts: Counter[str], stem: str, corners: Any, detections: list[Detection], used: set[int]
) -> None:
    xs, ys = zip(*corners, strict=True)
    ious = [box_iou(d.box, (min(xs), min(ys), max(xs), max(ys))) for d in detections]
    for is_guess in (False, True):
        there = [i for i, d in enumerate(detections) if d.is_guess is is_guess and ious[i] >= 0.3]
        if there:
            best = max(there, key=lambda i: (ious[i], -i))
            counts["top1"] += stem_of(detections[best]) == stem
            break

    named = [i for i, d in enumerate(detections) if stem_of(d) == stem]
    hits = [i for i in named if ious[i] >= 0.3 and detections[i].confident and i not in used][:1]
    counts["right"] += bool(hits)
    used.update(hits)

    counts["with_quad"] += 1
    counts["iou50"] += any(ious[i] >= 0.5 for i in named)


def stem_of(one: Detection) -> str:
    return PurePosixPath(one.reference).stem


def random_frame(rng: np.random.Generator, quads: str) -> Frame:
    items: list[tuple[str, Any]] = []
    for _ in range(rng.integers(0, 4)):
        has_quad = quads == "all" or (quads == "some" and rng.random() < 0.5)
        corners = square(*rng.integers(0, 25, 2)) if has_quad else None
        items.append((f"ref_{rng.integers(5)}", corners))

    detections = []
    for _ in range(rng.integers(0, 5)):
        stem, corners = "ref_9", None
        if items and rng.random() < 0.7:
            stem, corners = items[rng.integers(len(items))]
        x, y = (corners[0] if corners else rng.integers(0, 25, 2)) + rng.integers(-3, 4, 2)
        score = round(float(rng.random()), 1)  # rounded, so that there are ties
        rate = float(rng.choice([0, 0.005, 0.3, 1]))
        side = rng.integers(6, 15)
        detections.append(detection(f"{stem}.png", x, y, score=score, rate=rate, side=side))

    if items and rng.random() < 0.5 and not any(d.confident for d in detections):
        stem, corners = items[rng.integers(len(items))]
        x, y = corners[0] if corners else (5, 5)
        guess = detection(f"{stem}.png", x, y, score=0.95, rate=0.005, guess=True)
        detections.append(guess)
    return items, detections


def accept_up_to(rate: float, detections: list[Detection]) -> list[Detection]:
    return [
        replace(one, confident=one.false_accept_rate <= rate and not one.is_guess)
        for one in detections
    ]


@pytest.mark.parametrize("quads", ["all", "none", "some"])
def test_every_figure_equals_a_naive_count(tmp_path: Path, quads: str) -> None:
    rng = np.random.default_rng(3)
    path = save_picture(tmp_path / "a.png", 0)
    frames = [random_frame(rng, quads) for _ in range(300)]
    queries = []
    for number, (items, _) in enumerate(frames):
        true_items = [
            TrueItem(f"{stem}.png", frozenset({stem}), None if q is None else as_points(q))
            for stem, q in items
        ]
        queries.append(Query(path, str(number), tuple(true_items)))

    replay = Replay([detections for _, detections in frames])
    result = evaluate(replay.recognize, Queries(queries), quiet=True)
    expected = count_naively(frames)
    figures = {key: getattr(result.figures, key) for key in expected}
    assert figures == pytest.approx(expected)
    # The random frames are neither too easy nor too hard to tell anything.
    assert 0.2 < figures["accepted_right"] < 0.9
    assert min(figures["accepted_wrong_per_frame"], figures["false_accepts"]) > 0

    assert [point.rate for point in result.curve] == [0, 0.005, 0.3, 1]
    for point in result.curve:
        accepted = [(items, accept_up_to(point.rate, found)) for items, found in frames]
        expected = count_naively(accepted)
        assert point.accepted_right == pytest.approx(expected["accepted_right"])
        wrong = expected["accepted_wrong_per_frame"]
        assert point.accepted_wrong_per_frame == pytest.approx(wrong)
        assert point.false_accepts == expected["false_accepts"]


def test_top_5_holds_the_name_given_and_the_nearest_others(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "a.png", 0)
    nearest = tuple((f"{i}.png", 1 - i / 10) for i in range(6))
    frames = [[detection("9.png", top_k=nearest)], [detection("2.png", top_k=nearest)], []]
    for stem, top5 in (("3", 2 / 3), ("4", 1 / 3), ("9", 1 / 3), ("2", 2 / 3), ("5", 0)):
        query = Query(path, "a", (TrueItem(f"{stem}.png", frozenset({stem})),))
        result = evaluate(Replay(frames).recognize, Queries([query] * 3), quiet=True)
        assert result.figures.top5 == pytest.approx(top5), stem


@pytest.mark.parametrize("has_quads", [True, False])
def test_a_guess_counts_in_top_1_and_5_where_nothing_else_is_there(
    tmp_path: Path, has_quads: bool
) -> None:
    path = save_picture(tmp_path / "a.png", 0)
    item = true_item("elf.png", 0 if has_quads else None)
    guess = detection("elf.png", score=0.9, guess=True)
    near = detection("orc.png", score=0.9, guess=True, top_k=(("orc.png", 0.9), ("elf.png", 0.8)))
    unsure = detection("orc.png", 1, score=0.2, rate=0.5)
    frames = [[guess], [near], [unsure, guess], [unsure, near], [], [guess]]
    query = Query(path, "a", (item,))
    negative = Query(path, "n", ())
    result = evaluate(Replay(frames).recognize, Queries([query] * 5 + [negative]), quiet=True)

    figures = result.figures
    assert (figures.top1, figures.top5) == (1 / 5, 2 / 5)
    assert (figures.accepted_right, figures.accepted_wrong_per_frame) == (0, 0)
    assert (figures.false_accepts, figures.empty_frames) == (0, 1)
    assert [(p.rate, p.accepted_right, p.false_accepts) for p in result.curve] == [(0.5, 0, 0)]


def test_failures_tell_guesses_from_names(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "elf.png", 0)
    query = Query(path, "a", (BARE_ELF,))
    guesses = [detection("elf.png", guess=True), detection("orc.png", guess=True)]
    result = evaluate(
        Replay([[one] for one in guesses]).recognize, Queries([query] * 2), quiet=True
    )
    right, wrong = result.failures
    assert (right.kind, wrong.kind) == ("unsure", "not found")
    assert "guessed correctly" in str(right)
    assert "guessed as Orc" in str(wrong)
    assert [failure.as_json()["guess"] for failure in (right, wrong)] == [True, True]

    page = as_html(result, index_of("elf.png", "orc.png"), None)
    assert "was guessed Orc" in page
    assert "count guesses" in page


def test_any_view_of_what_a_photo_shows_is_right(tmp_path: Path) -> None:
    files = [
        "elf.png",
        "elf__2.jpg",
        "views/elf.jpg",
        "NEO-1_orc_ur.jpg",
        "NEO-1_orc_ur__2.jpg",
        "NEO-2_orc_ur.jpg",
    ]
    names = ["elf.jpg", "elf__2/1.jpg", "elf__7.jpg", "NEO-1_Orc_ur__9.png", "NEO-1_orc_ur.png"]
    queries = read_queries(index_of(*files), photos(tmp_path, *names))
    stems = {query.name: set(query.items[0].stems) for query in queries.photos}
    elf, orc = {"elf", "elf__2"}, {"NEO-1_orc_ur", "NEO-1_orc_ur__2"}
    assert stems == dict(zip(names, [elf, elf, elf, orc, orc], strict=True))

    query = next(query for query in queries.photos if query.name == "NEO-1_orc_ur.png")
    answers = [[detection(file)] for file in files[3:]]
    result = evaluate(Replay(answers).recognize, Queries([query] * 3), quiet=True)
    assert result.figures.accepted_right == pytest.approx(2 / 3)
    assert result.figures.top1 == pytest.approx(2 / 3)


def true_item(reference: str, x: float | None = None) -> TrueItem:
    """An item in a square at `x`, or without a quad."""
    quad = None if x is None else as_points(square(x, 0))
    return TrueItem(reference, frozenset({reference.split(".")[0]}), quad)


ELF = true_item("elf.png", 0)
ORC = true_item("orc.png", 20)
MAGICIAN = true_item(FILES[0], 40)
BARE_ELF = true_item("elf.png")
BARE_ORC = true_item("orc.png")
SURE_ELF = detection("elf.png")
UNSURE_ELF = detection("elf.png", rate=1.0)

NOT_FOUND = ("not found", "Nothing was detected in its place.")
UNSURE = ("unsure", "Named correctly, but not confident")
UNKNOWN_ORC = ("stranger accepted", "Confidently named as Orc")
ORC_INSTEAD = ("named as another", "Confidently named as Orc")

# (items shown, detections, the kinds of failures and what is said of them)
CASES: list[tuple[tuple[TrueItem, ...], list[Detection], list[tuple[str, str]]]] = [
    ((ELF,), [SURE_ELF], []),
    ((ELF,), [UNSURE_ELF], [UNSURE]),
    ((ELF,), [], [NOT_FOUND]),
    (
        (ELF,),
        [detection("orc.png", rate=1.0)],
        [("named as another", "Named as Orc, not confident")],
    ),
    (
        (ELF,),
        [SURE_ELF, detection("elf.png", 1)],
        [("named twice", "Confidently named as Elf")],
    ),
    ((ELF,), [SURE_ELF, detection("orc.png", 50)], [UNKNOWN_ORC]),
    ((ELF,), [UNSURE_ELF, detection("orc.png", 50)], [UNSURE, UNKNOWN_ORC]),
    (
        (ELF, ORC),
        [detection("elf.png", 20)],
        [NOT_FOUND, ("named as another", "Confidently named as Elf")],
    ),
    (
        (MAGICIAN,),
        [detection(FILES[1], 40)],
        [
            (
                "named as another",
                "Confidently named as Dark Magician (UR), a variant of the same item",
            )
        ],
    ),
    (
        (ELF, ELF),
        [SURE_ELF],
        [("not found", "Named correctly, but already the answer for another item")],
    ),
    ((), [SURE_ELF], [("stranger accepted", "Confidently named as Elf")]),
    ((), [UNSURE_ELF], []),
    (
        (BARE_ELF,),
        [SURE_ELF, detection("orc.png", score=0.4)],
        [("not judged", "Confidently named as Orc")],
    ),
    ((BARE_ELF, BARE_ORC), [SURE_ELF], [NOT_FOUND]),
    ((BARE_ELF,), [detection("orc.png")], [ORC_INSTEAD]),
    (
        (BARE_ELF,),
        [detection("ape.png", score=0.9, rate=1), detection("orc.png")],
        [ORC_INSTEAD],
    ),
]


def test_each_failure_says_what_went_wrong(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "a.png", 0)
    queries = [Query(path, str(number), items) for number, (items, _, _) in enumerate(CASES)]
    replay = Replay([detections for _, detections, _ in CASES])
    result = evaluate(replay.recognize, Queries(queries), quiet=True)

    for number, (_, _, expected) in enumerate(CASES):
        failures = [failure for failure in result.failures if failure.query.name == str(number)]
        said = [(failure.kind, str(failure).split(" (cosine")[0]) for failure in failures]
        assert said == expected, number
    assert {failure.kind for failure in result.failures} == {*KINDS}

    assert str(result.failures[0]).endswith("not confident (cosine 0.50, margin 0.10).")
    values = result.as_json()
    assert values["failures"] == values["misses"]
    assert values["failures"][0] == {
        "photo": "1",
        "kind": "unsure",
        "ref": "elf.png",
        "named": "elf.png",
        "confident": False,
        "guess": False,
        "score": 0.5,
    }


def test_the_page_shows_failures_beside_their_references_and_escapes_names(tmp_path: Path) -> None:
    evil = '"><img src=x onerror=alert(1)>.png'
    for name in ("refs/elf.png", f"refs/{evil}", "a.png", "<b>.png"):
        save_picture(tmp_path / name, 1)
    index = replace(index_of("elf.png", evil), meta=GRID_META)
    queries = [Query(tmp_path / name, name, (ELF,)) for name in ("a.png", "<b>.png", "a.png")]
    queries.append(Query(tmp_path / "gone.png", "gone\udcff.png", ()))
    replay = Replay([[detection(evil)], [UNSURE_ELF], []])
    result = evaluate(replay.recognize, Queries(queries, ["<left>.png"]), quiet=True)

    page = as_html(result, index, tmp_path / "refs")
    page.encode("utf-8")
    assert "<img src=x" not in page
    assert not re.search(r"https?://|<link|@import|url\(|<script|<b>\.png|<left>", page)
    sources = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert len(sources) == 3 + 3 + 1  # a photo and its reference each, and what one was named as
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    for heading in (
        "0.0% accepted right",
        "Named as another: 1",
        "Unsure: 1",
        "Not found: 1",
        "Not readable",
        "Left out",
    ):
        assert heading in page
    assert 'class="chart"' in page
    assert r"gone\xff.png" in page

    assert as_html(result, index, None).count("no picture") == 4


def test_a_page_without_failures_says_so(tmp_path: Path) -> None:
    query = Query(save_picture(tmp_path / "a.png", 0), "a", (BARE_ELF,))
    result = evaluate(Replay([[SURE_ELF]]).recognize, Queries([query]), quiet=True)
    page = as_html(result, replace(index_of("elf.png"), meta=GRID_META), None)
    assert "No failures" in page
    assert "silence was not tested" in page


def test_percentiles_of_one_photo_and_of_a_hundred(tmp_path: Path) -> None:
    query = Query(save_picture(tmp_path / "a.png", 0), "a", (TrueItem("a.png", frozenset({"a"})),))
    for count in (1, 100):
        result = evaluate(Replay([[]] * count).recognize, Queries([query] * count), quiet=True)
        times = sorted(outcome.ms for outcome in result.outcomes)
        assert result.ms_p95 == times[94 if count == 100 else 0]
        assert times[0] <= result.ms_p50 <= times[-1]
        assert result.curve == []


def make_photos(folder: Path) -> None:
    """Five cards in refs/ and a view of each in queries/; views of three others in unknown/."""
    cards = sorted(draw_collection(folder / "all", count=8))
    for name in ("refs", "queries", "unknown"):
        (folder / name).mkdir()
    for card in cards[:5]:
        shutil.copy(card, folder / "refs")

    rng = np.random.default_rng(2)
    for card in cards:
        name = "queries" if card in cards[:5] else "unknown"
        view = Image.fromarray(render_view([decode(card)], rng).image)
        view.save(folder / name / f"{card.stem}.png")


@pytest.mark.slow
def test_the_command_names_views_of_cards_and_prints_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_photos(tmp_path)
    queries = tmp_path / "queries"
    shutil.copy(min(queries.iterdir()), queries / "other.png")
    (tmp_path / "unknown" / "bad.jpg").write_bytes(b"")
    refs = tmp_path / "refs"
    out = tmp_path / "i.npz"
    build_index(refs, out, Embedder(open_encoder("sscd-small")), quiet=True)

    line = ["identify", "evaluate", "--index", str(out), "--refs", str(refs)]
    line += ["--queries", str(queries), "--negatives", str(tmp_path / "unknown")]
    assert main([*line, "--json", "--html", str(tmp_path / "page.html")]) == 0
    printed = capsys.readouterr()
    values = json.loads(printed.out)
    assert (values["items"], values["frames"]) == (5, 5)
    assert (values["empty_frames"], values["false_accepts"]) == (3, 0)
    assert values["accepted_right"] >= 0.6
    assert values["accepted_wrong_per_frame"] == 0
    assert len(values["failures"]) == 5 - round(5 * values["accepted_right"])
    assert values["ms_p95"] >= values["ms_p50"] > 1
    assert "not readable: 'unknown/bad.jpg': The file is empty" in printed.err
    assert "left out, nothing says what it shows: 'other.png'" in printed.err
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")

    assert main(line) == 0
    assert "false accepts        0 of 3" in capsys.readouterr().out
    assert main([*line, "--truth", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: There is no such file" in capsys.readouterr().err
