"""Where the program keeps what it fetched."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$DLF_CACHE, else this program's place in the user's cache folder. It may not exist yet."""
    base = os.environ.get("DLF_CACHE")
    return (
        Path(base)
        if base
        else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        / "data_label_factory"
    )
