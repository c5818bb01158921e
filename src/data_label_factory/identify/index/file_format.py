"""The file of an index: one `.npz`, never a pickle."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import IndexFileError
from data_label_factory.identify.encoders import EncoderIdentity
from data_label_factory.identify.index.journal import Change, journal_path, read_changes
from data_label_factory.identify.index.merging import merge
from data_label_factory.identify.index.meta import FORMAT_VERSION, IndexMeta
from data_label_factory.identify.index.npz import Npz, write_npz
from data_label_factory.identify.index.semantic import Packed

# Each column of the file, and the field of Index that holds it.
COLUMNS = {
    "embeddings": "embeddings",
    "names": "names",
    "filenames": "references",
    "set_codes": "set_codes",
    "rarities": "rarities",
    "sha256": "sha256",
}
TEXT_FIELDS = tuple(field for field in COLUMNS.values() if field != "embeddings")
# In the order in which they stand in the file: behind what is large there is room for more
# rows of it, see `Npz.extended`.
_WRITTEN = {
    **{name: COLUMNS.get(name, name) for name in ("embeddings", "semantic", "sha256", "filenames")},
    **COLUMNS,
}
_CHECKED_ROWS = 4096

# What zipfile, numpy and json raise for a damaged file; RuntimeError for an archive
# that claims to be encrypted.
DAMAGED = (
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_index_file(path: Path, further: Sequence[Change] = ()) -> tuple[dict[str, Any], IndexMeta]:
    """The fields of an Index, and its meta, after the changes in the
    journal beside it and `further` ones.

    Raises IndexFileError for another format, OSError, and DAMAGED.
    """
    # Opened here, not by numpy, which leaves the file open when it is no archive.
    with path.open("rb") as file:
        stored = Npz(file)
        changes = [*read_changes(journal_path(path), stored.fingerprint), *further]
        arrays, new = merge(stored, changes) if changes else (stored.arrays, [])
    fields: dict[str, Any] = {name: arrays[column] for column, name in COLUMNS.items()}
    semantic = arrays.get("semantic")
    meta = json.loads(str(arrays["meta"]))

    if meta["format"] != FORMAT_VERSION:
        raise IndexFileError(
            f"{path} has format {meta['format']}, this version reads {FORMAT_VERSION}",
            "Index again",
        )
    _check_columns(fields)
    fields["semantic"] = _checked_semantic(semantic, len(fields["embeddings"]))
    makers = {
        name: EncoderIdentity(**meta[name]) for name in ("encoder", "semantic") if meta.get(name)
    }
    return fields, IndexMeta(**{**meta, **makers}).noting(new)


def write_index_file(path: Path, fields: Mapping[str, NDArray[Any]], meta: IndexMeta) -> None:
    """Write an index atomically; its journal is gone then. `fields`
    may hold `semantic`. Raises FactoryError.
    """
    columns = {column: fields[name] for column, name in _WRITTEN.items() if name in fields}
    text = json.dumps(asdict(meta), ensure_ascii=False)
    with atomic_write(path) as file:
        write_npz(file, {"meta": np.array(text), **columns})
    # Until it is gone it counts for nothing: it is of another file.
    with suppress(OSError):
        journal_path(path).unlink(missing_ok=True)


def read_fingerprint(path: Path) -> bytes:
    """What the journal of an index file calls it. Raises OSError and DAMAGED."""
    with path.open("rb") as file:
        return Npz(file).fingerprint


def _checked_semantic(stored: NDArray[Any] | None, rows: int) -> Packed | None:
    if stored is None:
        return None
    if stored.ndim != 2 or stored.dtype != np.int8 or len(stored) != rows:
        raise ValueError(f"semantic is {stored.dtype} {stored.shape}")
    return stored


def _check_columns(fields: dict[str, Any]) -> None:
    embeddings = fields["embeddings"]
    if embeddings.ndim != 2 or embeddings.dtype != np.float32:
        raise ValueError(f"embeddings are {embeddings.dtype} {embeddings.shape}")
    if not len(embeddings):
        raise ValueError("it holds no reference")
    # Of a large file only the first: what is mapped is read when it is needed.
    if not np.isfinite(embeddings[:_CHECKED_ROWS]).all():
        raise ValueError("embeddings are not finite")

    for name in TEXT_FIELDS:
        column = fields[name]
        if column.shape != (len(embeddings),) or column.dtype.kind != "U":
            raise ValueError(f"{name} is {column.dtype} {column.shape}")
