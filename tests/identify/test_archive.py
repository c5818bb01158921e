"""`identify … --to-list`: pictures and PDFs become entries, each file once."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import pixels, save_picture
from detections import detection, index_of
from PIL import Image
from serving import make_collection
from test_pdf import save_pdf

from data_label_factory.cli import main
from data_label_factory.identify.archive import Archive, read_frame
from data_label_factory.identify.batch import RecognizedFrame, Source, Unreadable
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import decode
from data_label_factory.identify.server.settings import Settings
from data_label_factory.lists.store import ListStore

INDEX = index_of("NEO-12_blade_ur.jpg", "bow.jpg", "bow__2.jpg", "axe.jpg")
BLADE, BOW, BOW_2, AXE = map(str, INDEX.references)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ListStore]:
    with ListStore(tmp_path / "l.sqlite") as store:
        store.create("Binder")
        yield store


def frame_of(name: str, *detections: object, number: int | None = None) -> RecognizedFrame:
    return RecognizedFrame(
        Source(Path(name), Path(name).name), number, pixels(1, 64, 64), list(detections)
    )


def test_sure_ones_become_entries_and_unsure_ones_go_to_review() -> None:
    unsure = detection(
        BOW_2, 20, confident=False, top_k=((BOW_2, 0.5), (BOW, 0.4), (AXE, 0.3), (BLADE, 0.1))
    )
    frame = frame_of("in/p.jpg", detection(BLADE), unsure, detection(AXE, 40))
    entries = read_frame(frame, INDEX, places=[(1, 1), (1, 2), (2, 1)])
    said = [entry.content for entry in entries]
    assert [(one.name, one.state, one.row, one.column) for one in said] == [
        ("Blade", "sure", 1, 1),
        ("Bow", "review", 1, 2),
        ("Axe", "sure", 2, 1),
    ]
    assert (said[0].set_code, said[0].rarity, said[0].item) == ("NEO-12", "UR", BLADE)
    assert [one["item"] for one in said[1].candidates] == [BOW, AXE, BLADE]
    assert {one.page for one in said} == {"p.jpg"}
    assert all(entry.crop.startswith(b"\xff\xd8") for entry in entries)


def test_a_guess_counts_only_where_nothing_else_was_found() -> None:
    guess = detection(BOW, guess=True, top_k=((BOW, 0.5), (AXE, 0.4)))
    alone = read_frame(frame_of("p.jpg", guess), INDEX)
    assert [entry.content.state for entry in alone] == ["review"]
    beside = read_frame(frame_of("p.jpg", detection(BLADE), guess), INDEX)
    assert [entry.content.name for entry in beside] == ["Blade"]


def test_a_document_is_taken_as_a_whole_or_not_at_all(store: ListStore, tmp_path: Path) -> None:
    sources = []
    for name in ("a.pdf", "b.pdf", "c.jpg", "d.mp4"):
        (tmp_path / name).write_text(name)
        sources.append(Source(tmp_path / name, name))
    twin = tmp_path / "twin.jpg"
    twin.write_text("c.jpg")

    archive = Archive(store, 1, INDEX)
    chosen = archive.choose([*sources, Source(twin, "twin.jpg")], again=False)
    assert chosen == sources[:3]
    assert archive.taken.known == [str(twin)]
    assert archive.taken.videos == [str(sources[3].path)]

    a, b, c, _ = sources
    found = [detection(BLADE)]
    frames = [
        RecognizedFrame(a, 1, pixels(1, 64, 64), found),
        RecognizedFrame(a, 2, pixels(1, 64, 64), found),
        RecognizedFrame(b, 1, pixels(1, 64, 64), found),
        Unreadable(b, "page 2 is torn"),
        RecognizedFrame(c, None, pixels(1, 64, 64), found),
    ]
    assert list(archive.take(frames)) == frames
    places = [entry.content.page for entry in store.entries(1)]
    assert places == ["a.pdf, page 1", "a.pdf, page 2", "c.jpg"]
    assert [step.kind for step in store.history(1)[0]] == ["scan", "scan", "create"]

    again = Archive(store, 1, INDEX)
    assert again.choose(sources, again=False) == [b]
    assert again.choose(sources, again=True) == [a, b, c]
    store.undo(1)
    assert Archive(store, 1, INDEX).choose(sources, again=False) == [b, c]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("archive"), count=4)


def photo(made: Settings, *which: int, seed: int = 4) -> Image.Image:
    assert made.refs
    files = sorted(made.refs.iterdir())
    rng = np.random.default_rng(seed)
    return Image.fromarray(render_view([decode(files[one]) for one in which], rng).image)


def test_a_folder_with_a_pdf_becomes_a_list_once(
    made: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert made.refs
    folder = tmp_path / "album"
    folder.mkdir()
    photo(made, 0).save(folder / "1.png")
    save_pdf(folder / "2.pdf", photo(made, 1), photo(made, 2))
    save_picture(folder / "3.png", 5)
    lists = tmp_path / "my.sqlite"
    options = ["--index", str(made.index), "--refs", str(made.refs), "--encoder", made.encoder]
    line = ["identify", str(folder), *options, "--to-list", "Album", "--lists", str(lists)]

    assert main(line) == 0
    told = capsys.readouterr().err
    assert "list 'Album': files taken: " in told
    with ListStore(lists) as store:
        info = store.find("album")
        assert info
        sure = [one.content for one in store.entries(info.id) if one.content.state == "sure"]
    names = [file.name for file in sorted(made.refs.iterdir())]
    assert [(one.item, one.page) for one in sure] == [
        (names[0], "1.png"),
        (names[1], "2.pdf, page 1"),
        (names[2], "2.pdf, page 2"),
    ]

    assert main(line) == 0
    assert "--again takes it twice" in capsys.readouterr().err
    assert main([*line, "--again"]) == 0
    capsys.readouterr()
    assert main(["lists", "show", "Album", "--lists", str(lists), "--json"]) == 0
    shown = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert sum(one["state"] == "sure" for one in shown) == 6


def test_prices_are_noted_and_no_file_of_lists_is_an_error(
    made: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert made.refs
    first = min(made.refs.iterdir())
    prices = tmp_path / "prices.json"
    code = replace_code(first.name)
    prices.write_text(
        json.dumps(
            {
                "scraped_at": "2026-11-01T00:00:00Z",
                "site": "own",
                "currency": "JPY",
                "prices": {code: {"median": 120, "min": 100, "max": 150, "count": 3}},
            }
        )
    )
    photo(made, 0).save(tmp_path / "1.png")
    lists = tmp_path / "l.sqlite"
    options = ["--index", str(made.index), "--refs", str(made.refs), "--encoder", made.encoder]
    line = ["identify", str(tmp_path / "1.png"), *options, "--to-list", "A"]
    assert main([*line, "--lists", str(lists), "--prices", str(prices)]) == 0
    with ListStore(lists) as store:
        assert (store.entries(1)[0].content.price, store.get(1).totals[0].currency) == (120, "JPY")
    assert main([*line, "--lists", "none"]) == 2
    assert "--lists" in capsys.readouterr().err


def replace_code(name: str) -> str:
    return name.partition("_")[0]
