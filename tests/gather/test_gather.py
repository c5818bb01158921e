"""Gathering: what lands in the folder, what stays untouched, which failures are reported.

And that a crash costs nothing.
"""

import functools
import hashlib
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from conftest import pixels
from drawn import encoded, png
from PIL import Image
from processes import started
from website import BROKEN, BUSY, DRIP, PAGE, RESET, Answer, Site, as_json, hurried

from data_label_factory.cli import main
from data_label_factory.errors import FactoryError, ImageError, ProjectError
from data_label_factory.gather.picture import Picture, inspect
from data_label_factory.gather.result import GatherResult
from data_label_factory.gather.run import gather
from data_label_factory.gather.sources import open_source
from data_label_factory.http.fetch import Fetcher, Patience
from data_label_factory.labels import parse_label
from data_label_factory.project import load_project

Gather = Callable[..., GatherResult]


def jpeg(seed: int, side: int = 64) -> bytes:
    return encoded(Image.fromarray(pixels(seed, side, side)), "JPEG")


def picture(seed: int) -> Answer:
    return Answer(jpeg(seed), "image/jpeg")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that fills positive/parts from the list parts.csv beside it."""
    path = tmp_path / "project.yaml"
    path.write_text(
        "project_name: parts\n"
        f"data_root: {tmp_path / 'data'}\n"
        "buckets:\n"
        "  positive/parts: {source: urls, queries: [parts.csv]}\n"
    )
    return path


@pytest.fixture
def listed(project: Path, website: Site) -> Callable[..., None]:
    """Writes parts.csv: names and the paths of their pictures on the site."""

    def write(*rows: tuple[str, str]) -> None:
        lines = [f"{name},{path if '://' in path else website.url + path}" for name, path in rows]
        (project.parent / "parts.csv").write_text("name,url\n" + "\n".join(lines) + "\n")

    return write


@pytest.fixture
def run(project: Path) -> Gather:
    def run(**options: Any) -> GatherResult:
        options = {"fetcher": hurried(), "quiet": True, "parallel": 4} | options
        return gather(load_project(project), folder=project.parent, **options)

    return run


def files(root: Path) -> dict[str, str]:
    """Every file below `root`, except the manifest, with the SHA-256 of its content."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def manifest(root: Path) -> dict[str, Any]:
    return json.loads((root / "manifest.json").read_text("utf-8"))


def test_pictures_land_under_their_labels_with_their_provenance(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    website.on("/1", picture(1))
    website.on("/2", Answer(encoded(Image.fromarray(pixels(2)), "PNG"), "application/octet-stream"))
    listed(("M8 Bolt", "/1"), ("AC/DC", "/2"))
    result = run()

    root = project.parent / "data"
    assert result.new == ["positive/parts/m8_bolt.jpg", "positive/parts/AC%2FDC.png"]
    assert (result.exit_code, result.failures, result.present) == (0, [], 0)
    assert list(files(root)) == ["positive/parts/AC%2FDC.png", "positive/parts/m8_bolt.jpg"]

    entry = manifest(root)["files"]["positive/parts/m8_bolt.jpg"]
    assert entry["sha256"] == hashlib.sha256(jpeg(1)).hexdigest()
    assert (entry["url"], entry["source"], entry["width"]) == (f"{website.url}/1", "urls", 64)
    assert entry["licence"] == ""
    assert entry["retrieved_at"].startswith("20")
    assert not list(root.glob(".gather*"))


def test_a_second_run_fetches_only_what_is_missing(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    rows = [(f"part {number}", f"/{number}") for number in range(4)]
    for number in range(4):
        website.on(f"/{number}", picture(number))
    listed(*rows)
    run()
    website.seen.clear()
    (project.parent / "data/positive/parts/part_2.jpg").unlink()

    result = run()
    assert (result.new, result.present) == (["positive/parts/part_2.jpg"], 3)
    assert [seen.path for seen in website.seen] == ["/2"]


def test_a_query_that_is_done_is_not_searched_again_unless_more_is_asked(
    website: Site, project: Path, run: Gather
) -> None:
    card = {
        "name": "Kuriboh",
        "card_images": [{"image_url": f"{website.url}/{n}.jpg"} for n in range(2)],
    }
    website.on("/api/v7/cardinfo.php", as_json({"data": [card]}))
    website.on("/0.jpg", picture(0))
    website.on("/1.jpg", picture(1))
    project.write_text(
        project.read_text().replace("{source: urls, queries: [parts.csv]}", "[Kuriboh, Kuriboh]")
    )

    options = {"source": "ygoprodeck", "base_urls": {"ygoprodeck": website.url}}
    assert run(**options).new == ["positive/parts/kuriboh.jpg"]

    (entry,) = manifest(project.parent / "data")["files"].values()
    assert (entry["query"], entry["licence"]) == ("Kuriboh", "© Konami; for personal use")

    website.seen.clear()
    assert run(**options).present == 1
    assert website.seen == []

    result = run(**options, max_per_query=5)
    assert (result.new, result.present) == (["positive/parts/2/kuriboh.jpg"], 1)
    assert parse_label(result.new[0]) == parse_label("kuriboh.jpg")


def test_equal_pictures_are_kept_once_and_different_ones_never_overwritten(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    for path, seed in (("/1", 1), ("/2", 1), ("/3", 3), ("/4", 4)):
        website.on(path, picture(seed))
    listed(("bolt", "/1"), ("screw", "/2"), ("bolt", "/3"), ("nut", "/4"))
    mine = project.parent / "data/positive/parts/nut.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(jpeg(99))

    result = run()
    assert result.new == [
        f"positive/parts/{name}" for name in ("bolt.jpg", "2/bolt.jpg", "2/nut.jpg")
    ]
    assert result.duplicates == {"positive/parts/bolt.jpg": ["Screw"]}
    assert mine.read_bytes() == jpeg(99)

    website.seen.clear()
    again = run()
    assert (again.new, again.present, again.duplicates) == ([], 3, result.duplicates)
    assert website.seen == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=404), "HTTP 404"),
        (BROKEN, "HTTP 500 (3 tries)"),
        (BUSY, "HTTP 429 (3 tries)"),
        (RESET, "(3 tries)"),
        (DRIP, "took longer than"),
        (PAGE, "answered with text/html, not with a picture"),
        (as_json({"a": 1}), "answered with application/json"),
        (Answer(b"<html>", "image/jpeg"), "not a picture"),
        (Answer(b"", "image/jpeg"), "The file is empty"),
        (Answer(jpeg(5)[:-300], "image/jpeg"), "cut off or damaged"),
        (Answer(png(30000, 30000, bits=8, color=0), "image/png"), "over 64 megapixels"),
        (Answer(png(9000, 9000, bits=8, color=0), "image/png"), "9000 × 9000, over 64 megapixels"),
        (Answer(status=302, headers={"Location": "file:///etc/passwd"}), "only http and https"),
        (Answer(b"%!PS-Adobe-3.0 EPSF-3.0\n", "image/x-eps"), "not a picture"),
    ],
)
def test_one_bad_picture_is_named_and_never_stops_the_rest(
    website: Site,
    project: Path,
    listed: Callable[..., None],
    run: Gather,
    answer: Answer,
    reason: str,
) -> None:
    website.on("/bad", answer)
    website.on("/good", picture(1))
    listed(("bad", "/bad"), ("good", "/good"))

    result = run()
    assert list(files(project.parent / "data")) == result.new == ["positive/parts/good.jpg"]

    (failure,) = result.failures
    assert reason in failure.reason
    assert (failure.url, result.exit_code) == (f"{website.url}/bad", 1)

    website.on("/bad", picture(2))
    assert run().new == ["positive/parts/bad.jpg"]


def test_a_run_without_any_picture_exits_2_and_impossible_names_are_failures(
    listed: Callable[..., None], website: Site, run: Gather
) -> None:
    website.on("/1", picture(1))
    listed(("x" * 300, "/1"), ("gone", "/gone"), ("local", "file:///etc/passwd"))

    result = run()
    assert result.exit_code == 2
    assert [
        next(
            part
            for part in ("No file name can carry", "HTTP 404", "only http and https")
            if part in failure.reason
        )
        for failure in result.failures
    ] == ["No file name can carry", "HTTP 404", "only http and https"]


@pytest.mark.parametrize(
    "name", ["../../evil", "..", ".hidden", "/etc/cron", "a\\b", "CON", "x" * 200 + "/../y"]
)
def test_no_name_leads_out_of_the_bucket(
    website: Site, project: Path, listed: Callable[..., None], run: Gather, name: str
) -> None:
    website.on("/1", picture(1))
    listed((name, "/1"))
    (path,) = run().new
    assert path.startswith("positive/parts/")
    assert path.count("/") == 2
    assert parse_label(path).name.casefold() == name.casefold()
    assert list(files(project.parent)) == sorted([f"data/{path}", "parts.csv", "project.yaml"])


def test_a_search_takes_the_next_picture_when_one_is_gone(
    website: Site, project: Path, run: Gather
) -> None:
    group = [{"id": str(n), "title": "Blue", "artist-credit": [{"name": "M"}]} for n in range(4)]
    website.on("/ws/2/release-group", as_json({"release-groups": group}))
    website.on("/release-group/2/front-500", picture(2))
    website.on("/release-group/3/front-500", picture(3))
    project.write_text(
        project.read_text().replace("{source: urls, queries: [parts.csv]}", "[Blue]")
    )

    result = run(source="coverart", base_urls={"coverart": website.url})
    assert (result.new, result.failures) == (["positive/parts/m_-_blue.jpg"], [])
    assert manifest(result.root)["files"][result.new[0]]["url"].endswith("/2/front-500")


@pytest.mark.parametrize(
    "answer",
    [as_json([]), as_json({"data": 5}), as_json({"data": [{"name": None}]}), as_json(None)],
)
def test_an_undocumented_answer_is_a_failure_of_its_query(
    website: Site, project: Path, run: Gather, answer: Answer
) -> None:
    website.on("/cards/search", answer)
    project.write_text(project.read_text().replace("{source: urls, queries: [parts.csv]}", "[x]"))
    (failure,) = run(source="scryfall", base_urls={"scryfall": website.url}).failures
    assert "not documented" in failure.reason or "knows nothing" in failure.reason


def test_a_dry_run_says_what_it_would_fetch_and_writes_nothing(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    listed(("M8 Bolt", "/1"), ("x" * 300, "/2"))
    result = run(dry_run=True)
    assert result.planned == [("positive/parts/m8_bolt", f"{website.url}/1")]
    assert (website.seen, len(result.failures), result.exit_code) == ([], 1, 1)
    assert not (project.parent / "data").exists()


@pytest.mark.parametrize(
    ("bucket", "reason"),
    [
        ("[a]", "line 4: the bucket positive/parts names no source"),
        (
            "{source: nowhere, queries: [a]}",
            r"line 4: the bucket positive/parts: there is no source 'nowhere'",
        ),
        ("{source: urls, queries: [a], options: {x: 1}}", "line 4: .*no option 'x'"),
        ("{source: urls, queries: [a], options: {max: none}}", "line 4: .*max must be a number"),
        ("{source: tmdb, queries: [a]}", "line 4: .*needs a key"),
    ],
)
def test_a_project_that_cannot_work_is_refused_before_anything_is_fetched(
    project: Path, run: Gather, bucket: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMDB_API_KEY", raising=False)
    project.write_text(project.read_text().replace("{source: urls, queries: [parts.csv]}", bucket))
    with pytest.raises(ProjectError, match=reason):
        run()
    assert not (project.parent / "data").exists()


def test_pictures_cut_short_by_a_power_cut_are_replaced_and_nothing_else_is(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    names = ("empty", "short", "mine", "other")
    for number in range(4):
        website.on(f"/{number}", picture(number))
    listed(*[(name, f"/{number}") for number, name in enumerate(names)])
    folder = run().root / "positive/parts"
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "short.jpg").write_bytes(jpeg(1)[:500])
    (folder / "mine.jpg").write_bytes(jpeg(77))  # the user's own, better picture
    (folder / "other.jpg").write_bytes(b"no picture, but not ours either")

    result = run()
    assert result.new == [
        "positive/parts/empty.jpg",
        "positive/parts/short.jpg",
        "positive/parts/2/other.jpg",
    ]
    assert [(folder / f"{name}.jpg").read_bytes() for name in names] == [
        jpeg(0),
        jpeg(1),
        jpeg(77),
        b"no picture, but not ours either",
    ]

    (folder / "short.jpg").write_bytes(jpeg(1)[:500])
    (result.root / "manifest.json").unlink()  # the cut came before it was written
    assert "positive/parts/short.jpg" in run().new
    assert (folder / "short.jpg").read_bytes() == jpeg(1)


def test_a_damaged_manifest_is_refused_and_without_it_files_are_entered_again(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    website.on("/1", picture(1))
    listed(("bolt", "/1"))
    run()
    path = project.parent / "data/manifest.json"
    for text in ("{", "[]", '{"files": {"a": 1}, "queries": {}}'):
        path.write_text(text)
        with pytest.raises(FactoryError, match="Move it away"):
            run()
    path.unlink()

    result = run()
    assert (result.new, result.present) == ([], 1)
    assert list(manifest(result.root)["files"]) == ["positive/parts/bolt.jpg"]


def test_the_users_photos_are_copied_and_named(project: Path, run: Gather) -> None:
    photos = project.parent / "photos"
    photos.mkdir()
    (photos / "IMG_1.JPG").write_bytes(jpeg(1))
    (photos / "IMG_2.jpg").write_bytes(b"no picture")
    os.mkfifo(photos / "IMG_3.jpg")
    (project.parent / "names.csv").write_text(
        "IMG_1.JPG,Rosa Peace\nIMG_2.jpg,b\nIMG_3.jpg,c\nIMG_4.jpg,d\n"
    )
    text = "{source: folder, queries: [names.csv], options: {photos: photos}}"
    project.write_text(project.read_text().replace("{source: urls, queries: [parts.csv]}", text))

    result = run()
    assert result.new == ["positive/parts/rosa_peace.jpg"]
    assert len(result.failures) == 3
    assert (photos / "IMG_1.JPG").read_bytes() == jpeg(1)
    assert run().present == 1


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_bucket_may_be_a_link_to_another_disk(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    for path, seed in (("/1", 1), ("/2", 2)):
        website.on(path, picture(seed))
    listed(("bolt", "/1"), ("bolt", "/2"))
    (project.parent / "data/positive").mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        (project.parent / "data/positive/parts").symlink_to(other)
        assert run().new == ["positive/parts/bolt.jpg", "positive/parts/2/bolt.jpg"]
        assert (Path(other) / "bolt.jpg").read_bytes() == jpeg(1)
        assert run().present == 2


def test_a_folder_that_cannot_be_written_ends_the_run(
    website: Site, project: Path, listed: Callable[..., None], run: Gather
) -> None:
    website.on("/1", picture(1))
    listed(*[(f"part {n}", "/1") for n in range(50)])
    (project.parent / "data").mkdir()
    (project.parent / "data/positive").write_text("a file where a folder should be")
    with pytest.raises(FactoryError, match="Could not"):
        run()
    with pytest.raises(FactoryError, match="Cannot"):
        run(out=project.parent / "data/positive/deeper")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded(Image.new("RGB", (3, 2)), "WEBP"), Picture(".webp", 3, 2)),
        (encoded(Image.new("RGB", (3, 2)), "GIF"), Picture(".gif", 3, 2)),
        (encoded(Image.new("CMYK", (3, 2)), "TIFF"), Picture(".tif", 3, 2)),
        (jpeg(1) + b"trailer" * 500, Picture(".jpg", 64, 64)),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, Picture(".heic", 0, 0)),
    ],
)
def test_formats_are_recognized_by_content(data: bytes, expected: Picture) -> None:
    assert inspect(data) == expected


def test_every_cut_of_a_picture_is_noticed() -> None:
    for whole in (jpeg(1, 200), encoded(Image.fromarray(pixels(1, 200, 200)), "PNG")):
        for end in range(1, len(whole) - 20, len(whole) // 40):
            with pytest.raises(ImageError):
                inspect(whole[:end])


@pytest.mark.parametrize("file_format", ["BMP", "GIF", "TIFF", "WEBP"])
def test_a_small_picture_of_a_format_without_an_end_mark_is_read_to_its_end(
    file_format: str,
) -> None:
    whole = encoded(Image.fromarray(pixels(1, 16, 16)), file_format)
    assert inspect(whole).width == 16
    with pytest.raises(ImageError):
        inspect(whole[: len(whole) * 2 // 3])


# --- the command, and what ends it early ----------------------------------------------------------


@pytest.mark.parametrize("way", ["project file", "option"])
def test_a_plain_project_names_files_without_codes(
    website: Site,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    way: str,
) -> None:
    website.on("/1", picture(1))
    website.on("/M8-30_hex_bolt.jpg", picture(2))
    (project.parent / "parts.csv").write_text(
        "name,url,set_code,rarity\n"
        f"Hex bolt,{website.url}/1,M8-20,UR\n"
        f",{website.url}/M8-30_hex_bolt.jpg,,\n"
        f"Nut,{website.url}/gone,no code,best\n"
    )
    line = ["gather", "--project", str(project)]
    if way == "option":
        line += ["--labels", "plain"]
    else:
        project.write_text(f"{project.read_text()}labels: plain\n")
    root = project.parent / "data"
    for present in (0, 2):
        assert main(line) == 1
        captured = capsys.readouterr()
        assert f"{present} already there, 0 duplicates" in captured.out
        assert "parts.csv, line 4: 'no code' is not a set code, and left out" in captured.err
        assert sorted(files(root)) == [
            "positive/parts/Hex_bolt.jpg",
            "positive/parts/M8-30_hex_bolt.jpg",
        ]


def test_codes_and_rarities_of_a_list_are_in_the_file_names(
    website: Site, project: Path, run: Gather
) -> None:
    rows = [("PLST-2XM-129", "Ultra Rare"), ("sld-83★", "Galaxy Foil"), ("BD/W54-E001", "")]
    lines = ["name,url,set_code,rarity"]
    for number, (code, rarity) in enumerate(rows):
        website.on(f"/{number}", picture(number))
        lines.append(f"bolt,{website.url}/{number},{code},{rarity}")
    (project.parent / "parts.csv").write_text("\n".join(lines), "utf-8")
    result = run()
    assert result.new == [
        "positive/parts/PLST-2XM-129_bolt_ur.jpg",
        "positive/parts/SLD-83★_bolt_{Galaxy_Foil}.jpg",
        "positive/parts/{BD%2FW54-E001}_bolt.jpg",
    ]
    assert [parse_label(path).set_code for path in result.new] == [
        "PLST-2XM-129",
        "SLD-83★",
        "BD/W54-E001",
    ]
    assert run().present == 3


def test_the_command_reports_in_words_and_in_json(
    website: Site, project: Path, listed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    website.on("/1", picture(1))
    listed(("bolt", "/1"), ("gone", "/gone"))

    assert main(["gather", "--project", str(project)]) == 1

    captured = capsys.readouterr()
    assert "1 new, 0 already there, 0 duplicates skipped, 1 failed" in captured.out
    assert "failed: positive/parts: 'parts.csv'" in captured.err
    assert (
        main(
            ["gather", "--project", str(project), "--json", "--out", str(project.parent / "other")]
        )
        == 1
    )

    values = json.loads(capsys.readouterr().out)
    assert (values["new"], values["failed"][0]["url"]) == (
        ["positive/parts/bolt.jpg"],
        f"{website.url}/gone",
    )
    assert main(["gather", "--project", str(project), "--dry-run"]) == 0
    assert "would fetch positive/parts/gone  ←" in capsys.readouterr().out
    assert main(["gather", "--list-sources"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if line[0] != " "]) == 12
    assert main(["gather", "--list-sources", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "ygoprodeck"


@pytest.mark.parametrize(
    "line", [[], ["--project", "x", "--max-per-query", "0"], ["--project", "x", "--base-url", "y"]]
)
def test_wrong_use_of_the_command_is_refused(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gather", *line]) == 2
    assert (line[-2] if line else "--project") in capsys.readouterr().err


def start(project: Path) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    line = [
        sys.executable,
        "-m",
        "data_label_factory",
        "gather",
        "--project",
        str(project),
        "--parallel",
        "4",
    ]
    return started(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def sixty(website: Site, listed: Callable[..., None]) -> None:
    """Sixty rows, some with equal pictures or equal labels; responses take a few milliseconds."""

    def slow(seed: int) -> Callable[[object], Answer]:
        def answer(_: object) -> Answer:
            time.sleep(random.Random(seed).uniform(0, 0.02))
            return picture(seed)

        return answer

    for number in range(60):
        website.on(f"/{number}", slow(number % 50))
    listed(*[(f"part {number % 55}", f"/{number}") for number in range(60)])


@pytest.mark.usefixtures("sixty")
def test_a_run_killed_at_any_moment_and_repeated_ends_with_the_same_folder(
    project: Path, run: Gather, website: Site
) -> None:
    whole = run(out=project.parent / "whole").root
    moments = random.Random(5)

    for _ in range(5):
        website.seen.clear()
        with start(project) as process:
            while not website.seen and process.poll() is None:  # until it has begun
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.25))
            process.kill()
        for name in files(project.parent / "data"):  # every file is complete at any moment
            if not name.startswith("."):  # staged, or not replaced yet
                assert inspect((project.parent / "data" / name).read_bytes())

    result = run()
    assert result.exit_code == 0
    assert files(result.root) == files(whole)

    without_dates = [
        {
            path: {k: v for k, v in entry.items() if k != "retrieved_at"}
            for path, entry in manifest(root)["files"].items()
        }
        for root in (result.root, whole)
    ]
    assert without_dates[0] == without_dates[1]
    assert not list(result.root.glob(".gather*"))


def test_ctrl_c_keeps_what_is_done_and_ends_at_once_even_when_a_server_is_silent(
    website: Site, project: Path, listed: Callable[..., None]
) -> None:
    for number in range(4):
        website.on(f"/{number}", picture(number))
    website.on("/silent", lambda _: time.sleep(30) or picture(9))
    listed(
        *[(f"part {number}", f"/{number}") for number in range(4)],
        *[(f"silent {n}", "/silent") for n in range(9)],
    )
    deadline = time.monotonic() + 20
    with start(project) as process:
        while len(list(project.parent.glob("data/positive/parts/*"))) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)

        begun = time.monotonic()
        assert process.wait(10) == 130
        assert time.monotonic() - begun < 3

    root = project.parent / "data"
    assert len(manifest(root)["files"]) == 4
    assert not list(root.glob(".gather*"))


def test_a_full_disk_ends_the_run_with_one_line_and_loses_nothing(
    website: Site, project: Path, listed: Callable[..., None]
) -> None:
    website.on("/small", Answer(encoded(Image.new("L", (4, 4)), "PNG"), "image/png"))
    website.on("/large", picture(1))
    listed(("small", "/small"), ("large", "/large"))
    line = [sys.executable, "-m", "data_label_factory", "gather", "--project", str(project)]
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(line, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 2
    assert re.search(
        r"^error: Could not write .*: File too large\. Free some space", done.stderr, re.M
    )
    assert "Traceback" not in done.stderr
    assert list(files(project.parent / "data")) in ([], ["positive/parts/small.png"])
    assert subprocess.run(line, capture_output=True).returncode == 0
    assert list(files(project.parent / "data")) == [
        "positive/parts/large.jpg",
        "positive/parts/small.png",
    ]


@pytest.mark.timed
def test_buckets_of_different_hosts_run_side_by_side(
    website: Site, project: Path, run: Gather
) -> None:
    """A host with a slow search does not keep the other bucket waiting."""
    website.on("/slow/cards/search", lambda _: time.sleep(0.3) or as_json({"data": []}))
    (project.parent / "parts.csv").write_text(f"bolt,{website.url}/1\n")
    website.on("/1", picture(1))
    slow = "  negative/cards: {source: scryfall, queries: [a, b, c]}\n"
    project.write_text(project.read_text() + slow)
    run(base_urls={"scryfall": f"{website.url}/slow"}, fetcher=Fetcher(Patience(tries=1)))

    times = {seen.path: seen.at for seen in website.seen}
    assert times["/1"] < times["/slow/cards/search"] + 0.3


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "projects").glob("*.yaml")), ids=lambda p: p.name
)
def test_the_sample_projects_are_valid(path: Path) -> None:
    project = load_project(path)
    for name, bucket in project.buckets.items():
        source = open_source(name, bucket, hurried(), folder=path.parent)
        if source.takes_all:
            assert list(source.find(bucket.queries[0]))
