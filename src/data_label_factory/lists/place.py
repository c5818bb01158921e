"""Where the lists of an index are kept."""

from __future__ import annotations

from pathlib import Path

_NONE = "none"
_SUFFIX = ".lists.sqlite"


def find_lists(index: Path, named: str = "") -> Path | None:
    """The file that `--lists` names, by default the one beside the
    index; None for `none`.
    """
    if named == _NONE:
        return None
    return Path(named) if named else index.with_name(index.stem + _SUFFIX)
