"""Where the program keeps what it downloaded."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return $DLF_CACHE, or this program's folder in the user's cache.

    It may not exist yet.
    """
    if chosen := os.environ.get("DLF_CACHE"):
        return Path(chosen)
    user_cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(user_cache).expanduser() / "data_label_factory"
