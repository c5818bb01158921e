"""Write a file completely or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from data_label_factory.errors import FactoryError

# .NAME.PID.RANDOM.part, as `_open_temporary` names its files.
_TEMPORARY_NAME = re.compile(r"\.([0-9]{1,9})\.[a-z0-9_]{8}\.part$")

# Temporary files that some thread of this process is writing.
_being_written: set[str] = set()
_HINT = "Free some space or choose another place; nothing was changed"


@contextmanager
def atomic_write(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the block ends
    without an error.

    `mode` are the permissions of the new file; None: those of the
    old one, or what the umask leaves.

    A process that is killed leaves either the old file or the new one.
    The next write of the same name removes the temporary file
    (`.NAME.*.part`) that it left behind.

    Raises FactoryError if the disk is full, or the folder is missing or
    not writable.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        # Writing through a symlink replaces what it points at, not the link.
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        _remove_leftovers(target)

        descriptor, temporary = _open_temporary(target)
        _being_written.add(temporary.name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

        temporary.chmod(_mode_for(target) if mode is None else mode)
        temporary.replace(target)
    except OSError as exc:
        if isinstance(exc, FileNotFoundError):
            reason = f"there is no folder {path.parent}"
            raise FactoryError(f"Could not write {path}: {reason}", "Make it first") from exc
        raise FactoryError(f"Could not write {path}: {exc.strerror or exc}", _HINT) from exc
    finally:
        if temporary is not None:
            _being_written.discard(temporary.name)
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically; a lone surrogate becomes
    `\\udXXX`.

    Raises FactoryError, as `atomic_write` does.
    """
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def is_running(pid: int) -> bool:
    """Return whether the process `pid` exists; on Windows always True."""
    if os.name == "nt":
        # os.kill would end the process there; an old leftover does no harm.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _open_temporary(target: Path) -> tuple[int, Path]:
    """Create a temporary file beside `target`; return its descriptor and its path."""
    descriptor, name = tempfile.mkstemp(
        prefix=f".{target.name}.{os.getpid()}.",
        suffix=".part",
        dir=target.parent,
    )
    return descriptor, Path(name)


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of `target` that their processes left behind."""
    for temporary in target.parent.glob(f".{_escape_glob(target.name)}.*.part"):
        if _is_abandoned(temporary):
            with suppress(OSError):
                temporary.unlink()


def _is_abandoned(temporary: Path) -> bool:
    """Return whether nobody writes this file anymore.

    False for a file that this program did not name: it is not ours
    to remove.
    """
    match = _TEMPORARY_NAME.search(temporary.name)
    if match is None or temporary.name in _being_written:
        return False

    # A file with our own pid that we are not writing: in a container, a process
    # often has the same pid as its predecessor.
    pid = int(match[1])
    return pid == os.getpid() or not is_running(pid)


def _mode_for(target: Path) -> int:
    """Return the permissions of `target`, or those that the umask leaves a new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    return 0o666 & ~_read_umask()


def _read_umask() -> int:
    # No call only reads the umask. mkstemp made the file 0600; a plain open() would
    # have applied the umask.
    umask = os.umask(0o022)
    os.umask(umask)
    return umask


def _escape_glob(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
