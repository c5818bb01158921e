"""Write a file whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from data_label_factory.errors import FactoryError

_OWNER = re.compile(r"\.([0-9]{1,9})\.[a-z0-9_]{8}\.part$")  # .NAME.PID.RANDOM.part


_being_written: set[str] = set()  # temporary names of this process, whatever thread writes them


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; rename it over `path` only when the block ends without an error.

    Killed at any moment, a process leaves either the old file or the new one. A temporary file that a killed
    process left behind (`.NAME.*.part`) is removed by the next write of the same name.

    Raises FactoryError when the disk is full, the folder is missing or not writable.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        # Writing through a symlink must replace what it points at, not the link.
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        for stale in target.parent.glob(f".{_glob_escape(target.name)}.*.part"):
            _remove_if_abandoned(stale)
        descriptor, name = tempfile.mkstemp(
            prefix=f".{target.name}.{os.getpid()}.", suffix=".part", dir=target.parent
        )
        temporary = Path(name)
        _being_written.add(temporary.name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise FactoryError(
            f"Could not write {path}: {reason}",
            "Free some space or choose another place; nothing was changed",
        ) from exc
    finally:
        if temporary is not None:
            _being_written.discard(temporary.name)
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically. Half a surrogate pair becomes `\\udXXX`. Raises as `atomic_write`."""
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def _remove_if_abandoned(stale: Path) -> None:
    """Remove a leftover whose process is gone; another live process may be writing the same name just now."""
    owner = _OWNER.search(stale.name)  # none: a file of somebody else's making
    if owner is None or stale.name in _being_written:
        return
    # Our own pid on a file that we are not writing: a container's process often has its predecessor's pid.
    if int(owner[1]) == os.getpid() or not is_running(int(owner[1])):
        with suppress(OSError):
            stale.unlink()


def is_running(pid: int) -> bool:
    if os.name == "nt":  # os.kill would end the process there; an old leftover does no harm
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    # There is no call that only reads it; mkstemp made the file 0600, a plain open() would have used this.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _glob_escape(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
