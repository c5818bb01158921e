"""The key of a server that is open to the network: made once and
kept, so that a phone need not scan the code again.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from data_label_factory.lan.private_files import (
    read_private,
    write_private,
)

_FILE = "key"
_BYTES = 16  # 128 bits cannot be guessed
_KEY = re.compile(r"[A-Za-z0-9_-]{22,64}")


def keep_key(folder: Path) -> str:
    """The key in `folder`, a new one if there is none that only
    its owner can read. Raises FactoryError.
    """
    path = folder / _FILE
    kept = (read_private(path) or b"").decode("ascii", "replace").strip()
    if _KEY.fullmatch(kept):
        return kept

    key = secrets.token_urlsafe(_BYTES)
    write_private(path, f"{key}\n".encode())
    return key
