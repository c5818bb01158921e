"""The walk through a user's folder: what it takes, and that it says what it does not take."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import save_picture
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.errors import ImageError
from data_label_factory.labels import IMAGE_SUFFIXES
from data_label_factory.walk import (
    SYSTEM_NAMES,
    Walk,
    expand_wildcards,
    is_system,
    walk_folder,
)

Run = Callable[..., subprocess.CompletedProcess[str]]


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_picture_files_of_all_subfolders_are_listed_sorted(tmp_path: Path) -> None:
    wanted = [
        "B.JPG",
        "a b #1 100%.png",
        "a.jpeg",
        "line\nbreak.gif",
        "sub/deep/c.webp",
        "sub/d.HeIc",
        "カード/é.tiff",
    ]
    others = ["a.jpg.part", "notes.txt", "png", "sub/e.svg"]
    unwanted = [".hidden.png", "._a.jpeg", ".cache/a.png", "__MACOSX/a.png"]
    make_files(tmp_path, *wanted, *others, *unwanted)
    (tmp_path / "folder.png").mkdir()

    walk = walk_folder(tmp_path)
    assert walk.pictures == sorted(wanted)
    assert walk.others == others
    assert walk.hidden == [".hidden.png"]
    assert walk.system == ["__MACOSX/"]


@pytest.mark.parametrize(
    "place",
    [
        "@eaDir/card.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "#recycle/card.jpg",
        "#snapshot/GMT-2026/card.jpg",
        "$RECYCLE.BIN/S-1-5-21/$R1.jpg",
        "$Recycle.Bin/$R1.jpg",
        "System Volume Information/a.jpg",
        "lost+found/#123.jpg",
        "FOUND.000/FILE0001.JPG",
        "LOST.DIR/1.jpg",
        "@Recycle/card.jpg",
        "Network Trash Folder/card.jpg",
        "deep/er/@eaDir/card.jpg",
        "copied/SYNOPHOTO_THUMB_M.jpg",
        "AlbumArt_{A0B1}_Large.jpg",
        "albumartsmall.jpg",
        "Thumbs.db",
        "sub/desktop.ini",
        "Icon\r",
        "~$cards.xlsx",
    ],
)
def test_what_a_system_put_there_is_passed_over(place: str, tmp_path: Path) -> None:
    make_files(tmp_path, "mine.jpg", place)
    walk = walk_folder(tmp_path)
    assert walk.pictures == ["mine.jpg"]
    assert walk.others == []
    assert len(walk.system) == 1


@pytest.mark.parametrize(
    "place",
    [".Trashes/501/a.jpg", ".dropbox.cache/a.jpg", ".stversions/a.jpg", ".@__thumb/a.jpg"],
)
def test_hidden_folders_are_not_entered(place: str, tmp_path: Path) -> None:
    make_files(tmp_path, "mine.jpg", place)
    assert walk_folder(tmp_path) == Walk(tmp_path, pictures=["mine.jpg"])


@pytest.mark.parametrize(
    "name", ["recycle.jpg", "@home.jpg", "#1_dad.jpg", "lost+found.jpg", "thumbs.png", "$5.jpg"]
)
def test_a_users_own_names_are_not_taken_for_a_systems(name: str, tmp_path: Path) -> None:
    make_files(tmp_path, name)
    assert walk_folder(tmp_path).pictures == [name]


def test_every_system_name_says_whose_it_is() -> None:
    assert all(": " in origin for origin in SYSTEM_NAMES.values())
    assert is_system("@EADIR") and not is_system("eaDir")


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_all_spellings_of_the_formats_are_taken(suffix: str, tmp_path: Path) -> None:
    make_files(tmp_path, f"a{suffix}", f"b{suffix.upper()}")
    assert len(walk_folder(tmp_path).pictures) == 2


def test_what_is_no_picture_by_its_name_is_counted_and_shown(tmp_path: Path) -> None:
    make_files(tmp_path, *(f"{c}.jxl" for c in "dcba"), "e.jpg_large", "f.webp.crdownload", "g")
    (tmp_path / "nas").symlink_to(tmp_path.parent, target_is_directory=True)
    lines = walk_folder(tmp_path).describe_passed_over()
    assert lines == [
        "7 files passed over, not pictures by their name: a.jxl, b.jxl, c.jxl …",
        "1 link to a folder, not followed: nas",
    ]
    assert walk_folder(tmp_path).no_picture().startswith(f"There is no picture in {tmp_path}: 7 f")


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert walk_folder(tmp_path).no_picture().endswith(": it is empty")


def test_links_to_files_are_followed_and_links_to_folders_are_named(tmp_path: Path) -> None:
    make_files(tmp_path, "real/a.png")
    (tmp_path / "linked.png").symlink_to(tmp_path / "real" / "a.png")
    (tmp_path / "real" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "alias.png").symlink_to(tmp_path / "real", target_is_directory=True)
    walk = walk_folder(tmp_path)
    assert walk.pictures == ["linked.png", "real/a.png"]
    assert walk.links == ["alias.png", "real/loop"]


@pytest.mark.parametrize("name", ["missing", "file.png"])
def test_only_a_folder_can_be_walked(name: str, tmp_path: Path) -> None:
    make_files(tmp_path, "file.png")
    with pytest.raises(ImageError, match="is not a folder"):
        walk_folder(tmp_path / name)


def test_a_folder_that_cannot_be_entered_is_named_unless_it_is_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path, "a.png", "locked/b.png", "lost+found/c.png")
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name in ("locked", "lost+found"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may enter every folder
    walk = walk_folder(tmp_path)
    assert walk.pictures == ["a.png"]
    assert walk.locked == {"locked/": "The folder cannot be entered: Permission denied"}
    with pytest.raises(ImageError, match=r"Cannot read the folder .*Permission denied"):
        walk_folder(tmp_path / "locked")


# Trees: each entry is a folder chain and a file name.
_FOLDERS = ["a", "b c", "カード", "@eaDir", "#recycle", ".git", "lost+found"]
_FILES = ["x.jpg", "y.JFIF", "z.txt", "no suffix", ".h.png", "._x.jpg", "Thumbs.db", "v.tar.gz"]
_entries = st.sets(
    st.tuples(st.lists(st.sampled_from(_FOLDERS), max_size=3), st.sampled_from(_FILES)).map(
        lambda entry: "/".join([*entry[0], entry[1]])
    ),
    max_size=25,
)


@given(_entries)
def test_every_file_of_a_tree_is_taken_or_accounted_for_once(
    tmp_path_factory: pytest.TempPathFactory, entries: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    make_files(folder, *entries)
    walk = walk_folder(folder)

    sorted_out = [*walk.pictures, *walk.others, *walk.hidden]
    assert len(set(sorted_out)) == len(sorted_out)
    assert set(sorted_out) <= entries
    for entry in entries - set(sorted_out):
        is_in_system = any(entry.startswith(place) for place in walk.system)
        is_in_hidden = any(part.startswith(".") for part in entry.split("/"))
        assert is_in_system or is_in_hidden
    for picture in walk.pictures:
        assert not any(is_system(part) or part.startswith(".") for part in picture.split("/"))
    assert walk.pictures == sorted(walk.pictures)


def test_wildcards_are_replaced_by_what_they_match(tmp_path: Path) -> None:
    make_files(tmp_path, "b.jpg", "a.jpg", "c.png", "@eaDir/d.jpg", "sub/e.jpg", "odd[1].jpg")

    def expand(pattern: str) -> list[str]:
        found = expand_wildcards([tmp_path / pattern])
        return [path.relative_to(tmp_path).as_posix() for path in found]

    assert expand("*.jpg") == ["a.jpg", "b.jpg", "odd[1].jpg"]
    assert expand("?.png") == ["c.png"]
    assert expand("[ab].jpg") == ["a.jpg", "b.jpg"]
    assert expand("**/*.jpg") == ["a.jpg", "b.jpg", "odd[1].jpg", "sub/e.jpg"]
    assert expand("*/d.jpg") == ["*/d.jpg"]
    assert expand("@eaDir/*.jpg") == ["@eaDir/d.jpg"]
    assert expand("odd[1].jpg") == ["odd[1].jpg"]
    assert expand("*.gif") == ["*.gif"]


def test_the_commands_say_what_they_passed_over(dlf: Run, tmp_path: Path) -> None:
    refs = tmp_path / "refs"
    save_picture(refs / "LOB-EN001_a.png", 1)
    make_files(refs, "a.psd", "@eaDir/x.jpg", "b.jxl")
    table = tmp_path / "t.csv"
    table.write_text("code,price\nLOB-EN001,3\n")

    done = dlf(
        *("identify", "scrape_prices", "--refs", refs, "--out", tmp_path / "p.json"),
        *("--site", "csv", "--csv", table, "--currency", "EUR", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert "2 files passed over, not pictures by their name: a.psd, b.jxl" in done.stderr
    assert "1 entry passed over, put there by a system: @eaDir/" in done.stderr
    passed_over = json.loads(done.stdout)["passed_over"]
    assert passed_over["not_pictures"] == ["a.psd", "b.jxl"]
    assert passed_over["system"] == ["@eaDir/"]
