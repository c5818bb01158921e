"""Files that only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError

_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700


def read_private(path: Path) -> bytes | None:
    """The content; None if there is no such file, or others could
    have read or changed it.
    """
    try:
        mode = path.stat().st_mode
        if os.name != "nt" and stat.S_IMODE(mode) & ~_OWNER_ONLY:
            return None
        return path.read_bytes()
    except OSError:
        return None


def write_private(path: Path, content: bytes) -> None:
    """Write it, atomically, so that only the owner can read it.

    Raises FactoryError.
    """
    try:
        path.parent.mkdir(_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    except OSError as exc:
        raise FactoryError(
            f"Cannot make the folder {path.parent}: {exc.strerror}",
            "Name another in DLF_CACHE",
        ) from exc
    with atomic_write(path, _OWNER_ONLY) as file:
        file.write(content)
