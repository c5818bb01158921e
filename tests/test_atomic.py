"""A file is written completely or not at all, whatever happens on the way."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from data_label_factory.atomic import atomic_write, write_text
from data_label_factory.errors import FactoryError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds "old", alone in its folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "index.npz").write_text("old")
    return folder / "index.npz"


def write(path: Path, content: bytes = b"new") -> None:
    with atomic_write(path) as file:
        file.write(content)


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_new_content_replaces_the_old_when_the_block_ends(path: Path) -> None:
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(path) == ["index.npz"]


def test_a_new_file_is_made(path: Path) -> None:
    write_text(path.with_name("é ü.txt"), "Füße\n")
    assert path.with_name("é ü.txt").read_bytes() == "Füße\n".encode()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_nothing_else(
    error: type[BaseException], path: Path
) -> None:
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b"half")
        raise error
    assert path.read_text() == "old"
    assert names(path) == ["index.npz"]


def test_a_full_disk_says_that_nothing_was_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        FactoryError, match=r"index\.npz: No space left on device.*nothing was changed"
    ):
        write(path)
    assert path.read_text() == "old"
    assert names(path) == ["index.npz"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_while_writing_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_full(descriptor: int, mode: str) -> BinaryIO:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, descriptor)
        os.close(full)
        return open_descriptor(descriptor, mode)

    open_descriptor = os.fdopen
    monkeypatch.setattr(os, "fdopen", open_full)
    with pytest.raises(FactoryError, match="No space left on device"):
        write(path, bytes(2**20))
    assert path.read_text() == "old"
    assert names(path) == ["index.npz"]


def test_a_missing_folder_or_one_in_the_way_is_a_factory_error(path: Path) -> None:
    with pytest.raises(FactoryError, match=r"Could not write .*: there is no folder"):
        write(path.parent / "missing" / "a")
    (path.parent / "sub").mkdir()
    with pytest.raises(FactoryError, match="Could not write"):
        write(path.parent / "sub")
    assert names(path) == ["index.npz", "sub"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_without_write_permission_is_a_factory_error(path: Path) -> None:
    path.parent.chmod(0o500)
    with pytest.raises(FactoryError, match="Permission denied"):
        write(path)
    path.parent.chmod(0o700)


def test_through_a_symlink_the_target_is_replaced_and_the_link_stays(
    path: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    write(link)

    assert link.is_symlink() and not path.is_symlink()
    assert path.read_text() == link.read_text() == "new"

    dangling = tmp_path / "dangling"
    dangling.symlink_to("folder/made.txt")
    write(dangling)
    assert dangling.is_symlink() and (path.parent / "made.txt").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_permissions_of_the_old_file_are_kept(mode: int, path: Path) -> None:
    path.chmod(mode)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_gets_what_the_umask_leaves(umask: int, mode: int, path: Path) -> None:
    before = os.umask(umask)
    try:
        write(path.with_name("made"))
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.with_name("made").stat().st_mode) == mode


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(path: Path) -> None:
    gone = f".index.npz.{dead_pid()}.abcd_123.part"
    # In a container, a process often has the same pid as its predecessor.
    ours = f".index.npz.{os.getpid()}.abcd_123.part"
    living = f".index.npz.{os.getppid()}.abcd_123.part"
    for name in (gone, ours, living):
        path.with_name(name).touch()
    write(path)
    assert names(path) == [living, "index.npz"]


def test_files_of_other_programs_stay(path: Path) -> None:
    dead = dead_pid()
    others = [
        ".index.npz.download.part",
        ".index.npz.99999999999999999999.abcd_123.part",
        f".other.npz.{dead}.abcd_123.part",
        f"index.npz.{dead}.abcd_123.part",
        ".index.npz.part",
    ]
    for name in others:
        path.with_name(name).touch()
    write(path)

    assert names(path) == sorted([*others, "index.npz"])


@pytest.mark.parametrize("name", ["[a]*?.npz", "a b #1.npz", "カード.npz"])
def test_odd_names_are_written_and_their_leftovers_found(name: str, path: Path) -> None:
    path.unlink()
    leftover = path.with_name(f".{name}.{dead_pid()}.abcd_123.part")
    leftover.touch()
    write(path.with_name(name))
    assert names(path) == [name]


def test_a_killed_process_leaves_the_old_file_and_the_next_write_cleans_up(path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from data_label_factory.atomic import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); print('ready', flush=True); time.sleep(60)"
    )

    process = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE)
    assert process.stdout is not None

    process.stdout.readline()
    write(path.with_name("other"))
    assert len(names(path)) == 3

    began = time.monotonic()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert time.monotonic() - began < 10
    assert path.read_text() == "old"

    write(path)
    assert path.read_text() == "new"
    assert names(path) == ["index.npz", "other"]


def test_two_threads_may_write_one_name_at_once(path: Path) -> None:
    with atomic_write(path) as first, atomic_write(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert path.read_bytes() == b"first"  # the outer block ended last
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
