"""`dlf lists`: look, carry elsewhere, take back, back up."""

import json
from pathlib import Path

import pytest

from data_label_factory.cli import main
from data_label_factory.lists.store import ListStore

TABLE = "Count,Name,Edition,Collector Number,Price,Condition\n2,Blade,neo,12,1.5,NM\nx,Bow,,,,\n"


@pytest.fixture
def lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    table = tmp_path / "in.csv"
    table.write_text(TABLE)
    path = str(tmp_path / "my.lists.sqlite")
    assert main(["lists", "import", "Binder", str(table), "--lists", path]) == 1
    told = capsys.readouterr()
    assert told.out == "read as CSV; entries: 1, skipped: 1\n"
    assert "line 3, skipped: 'x' is no quantity" in told.err
    return path


def test_lists_and_their_entries_are_shown(lists: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lists", "ls", "--lists", lists]) == 0
    assert capsys.readouterr().out == "Binder  entries: 1, copies: 2, 3.00 USD\n"
    index = str(Path(lists).with_name("my.npz"))
    assert main(["lists", "show", "binder", "--index", index]) == 0
    assert capsys.readouterr().out == "2 × Blade  [NEO-12]  NM  1.50 USD\n"
    assert main(["lists", "show", "Binder", "--lists", lists, "--find", "bow"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["lists", "ls", "--lists", lists, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["copies"] == 2
    assert main(["lists", "formats"]) == 0
    assert "moxfield" in capsys.readouterr().out


def test_an_export_goes_to_a_file_or_a_pipe_and_says_what_it_loses(
    lists: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    line = ["lists", "export", "Binder", "--lists", lists, "--format"]
    assert main([*line, "discogs", "--out", str(out)]) == 0
    assert "1 entry has a price, which Discogs cannot carry" in capsys.readouterr().err
    assert main([*line, "discogs"]) == 0
    assert capsys.readouterr().out == out.read_bytes().decode()
    assert main([*line, "xlsx", "--out", str(tmp_path / "out.xlsx")]) == 0
    assert main(["lists", "import", "Two", str(tmp_path / "out.xlsx"), "--lists", lists]) == 0
    with ListStore(Path(lists)) as store:
        assert store.entries(2)[0].content == store.entries(1)[0].content
    assert main([*line, "nothing"]) == 2
    assert "There are: moxfield" in capsys.readouterr().err


def test_steps_are_told_and_taken_back(lists: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(lists).with_name("in.csv")
    assert main(["lists", "import", "Binder", str(table), "--lists", lists, "--merge"]) == 1
    assert main(["lists", "history", "Binder", "--lists", lists, "--limit", "1"]) == 0
    told = capsys.readouterr()
    assert "import, 1 entry (command line)" in told.out
    assert "--limit" in told.err
    assert main(["lists", "undo", "Binder", "--lists", lists]) == 0
    assert "entries back: 1, gone: 0" in capsys.readouterr().out
    assert main(["lists", "undo", "Binder", "--lists", lists]) == 0
    assert main(["lists", "undo", "Binder", "--lists", lists]) == 2
    assert "nothing to undo" in capsys.readouterr().err


def test_a_backup_is_a_file_of_lists(
    lists: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.sqlite"
    assert main(["lists", "backup", str(copy), "--lists", lists]) == 0
    assert main(["lists", "ls", "--lists", str(copy)]) == 0
    assert "Binder" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["ls"], "--index"),
        (["ls", "--lists", "gone.sqlite"], "no file gone.sqlite"),
        (["show", "Nope", "--lists", "LISTS"], "There are: 'Binder'"),
        (["import", "Binder", "gone.csv", "--lists", "LISTS"], "Cannot read gone.csv"),
    ],
)
def test_wrong_names_say_what_there_is(
    lists: str, line: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lists", *(word.replace("LISTS", lists) for word in line)]) == 2
    assert message in capsys.readouterr().err
