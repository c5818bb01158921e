"""What is known of the references' local features, in a folder beside
the index, so that a start reads no picture again.

It is only kept so, and can be made again from the pictures: a folder
that is missing, damaged or of another version is ignored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from data_label_factory.identify.recognize.background import RECORD, TINY_PX
from data_label_factory.identify.recognize.codes import DIMENSIONS
from data_label_factory.identify.recognize.columns import Columns

# Count it up with every change to features, words, thumbnails or backgrounds.
VERSION = "features 6"


def _row(dtype: Any, *shape: int) -> np.dtype[Any]:
    return np.dtype((dtype, shape)) if shape else np.dtype(dtype)


LAYOUT = {
    # By reference.
    "keys": _row("<u8"),
    "counts": _row("<u2"),
    "shapes": _row("<u2", 2),
    "thumb_ends": _row("<u8"),
    "thumbs": _row("u1"),  # bytes
    "tiny": _row("u1", 3 * TINY_PX[0] * TINY_PX[1]),
    "backgrounds": RECORD,
    "background_of": _row("<u4"),
    # By feature. `raw` are descriptors that no vocabulary is learned for yet.
    "places": _row("<u2", 2),
    "sizes": _row("u1"),
    "angles": _row("u1"),
    "shared": _row("u1"),
    "words": _row("<u4"),
    "signs": _row("<u8", DIMENSIONS // 64),
    "outer": _row("u1", DIMENSIONS // 8),
    "raw": _row("u1", DIMENSIONS),
    # The vocabulary, and the features word by word.
    "mean": _row("<f4"),
    "coarse": _row("<f4", DIMENSIONS),
    "fine": _row("u1", DIMENSIONS),
    "cells": _row("<u4"),
    "spread": _row("<f4"),
    "entries": _row("<u4"),
    "starts": _row("<u8"),
}


def feature_store_path(index_file: str | Path) -> Path:
    """Where the local features of an index's references are kept:

    `my.npz` → the folder `my.features`.
    """
    index_file = Path(index_file)
    return index_file.with_name(f"{index_file.stem}.features")


def load_store(folder: Path | None) -> Columns:
    """What a folder holds, or nothing yet; without one, in memory."""
    loaded = Columns.load(LAYOUT, folder) if folder is not None else None
    if loaded is None or loaded.notes.get("version") != VERSION or not _fits(loaded):
        return new_store(folder)
    return loaded


def new_store(folder: Path | None) -> Columns:
    """Nothing yet, to be written into a folder, or in memory."""
    store = Columns(LAYOUT, folder)
    store.notes["version"] = VERSION
    return store


def remove_old_file(folder: Path) -> None:
    """Remove the one file that earlier versions kept instead of the
    folder: `my.features.npz`. An index of that name stays.
    """
    file = folder.with_name(f"{folder.name}.npz")
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            is_ours = str(arrays["version"]).startswith("features ")
        if is_ours:
            file.unlink()
    except (OSError, ValueError, LookupError, TypeError, EOFError, BadZipFile):
        return


def _fits(store: Columns) -> bool:
    """Whether the columns are as long as each other says."""
    rows = store.rows
    features = int(store["counts"].sum(dtype=np.int64))
    thumbs = int(store["thumb_ends"][-1]) if rows("thumb_ends") else 0
    lengths = [
        (rows("counts"), ("keys", "shapes", "thumb_ends", "tiny")),
        (thumbs, ("thumbs",)),
        (features, ("places", "sizes", "angles")),
        (rows("backgrounds"), ("background_of",)),
    ]
    if rows("fine"):
        lengths.append((features, ("words", "signs", "outer")))
        lengths.append((rows("coarse"), ("cells",)))
        lengths.append((rows("fine"), ("spread",)))
        lengths.append((rows("fine") + 1, ("starts",)))
    else:
        lengths.append((features, ("raw",)))
    return all(rows(name) == length for length, names in lengths for name in names)
