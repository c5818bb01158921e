"""One rule for finding a name that is spelled a little differently:
of a file, or of a reference.

A Mac's zip decomposes `é`, a spreadsheet turns `'` into `’`, and
Windows does not mind capitals. A person takes all of these for the
same name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from data_label_factory.labels import item_key


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _caseless(name: str) -> str:
    return _nfc(_nfc(name).casefold())


class Names:
    """Names to look up: exactly, else by the closest reading that
    only one of them has.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find(self, wanted: str) -> str | None:
        """The name that `wanted` means, or None.

        That is the very same, else the one that is equal in
        Unicode's composed form, else without regard to case, else
        by `labels.item_key`. Where several are equal, none is
        meant: each of them has its exact name.
        """
        if wanted in self._names:
            return wanted
        for fold, names in self._folded:
            equal = names.get(fold(wanted), [])
            if len(equal) == 1:
                return equal[0]
        return None

    @cached_property
    def _folded(self) -> list[tuple[Callable[[str], str], dict[str, list[str]]]]:
        """Made at the first name that is not there as it is."""
        folds: tuple[Callable[[str], str], ...] = (_nfc, _caseless, item_key)
        tables = []
        for fold in folds:
            table: dict[str, list[str]] = {}
            for name in self._names:
                table.setdefault(fold(name), []).append(name)
            tables.append((fold, table))
        return tables


def find_file(folder: Path, name: str | PurePosixPath) -> Path | None:
    """The file or folder that `name`, a path below `folder`, means by
    `Names`; or None.

    Folders are read only where the exact name is not there.
    """
    path = folder / name
    if _exists(path):
        return path

    found = folder
    for part in PurePosixPath(name).parts:
        if not _exists(found / part):
            meant = Names(_list_names(found)).find(part)
            if meant is None:
                return None
            part = meant
        found /= part
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, a folder that may not be entered, a zero byte
        return False


def _list_names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except (OSError, ValueError):
        return []
