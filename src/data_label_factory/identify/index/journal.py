"""Changes of an index that its file does not hold yet: `my.npz.changes`
beside `my.npz`.

Adding one reference to a large index appends one record here. Every
record has a checksum and reaches the disk before it counts, so that
whatever ends the process leaves all changes before it; half a record
is none. The journal names the very file that it goes on from: beside
any other it counts for nothing. Layout, little endian:

    8 bytes   "DLFCHNG1"
    32 bytes  fingerprint of the index file (`npz`)
    records   length uint32, CRC-32 uint32, then so many bytes:
              length of JSON uint32, JSON, embedding float32, second embedding int8
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError
from data_label_factory.identify.content import Box
from data_label_factory.identify.index.meta import Row
from data_label_factory.labels import Label

_MAGIC = b"DLFCHNG1"
_HEADER_BYTES = len(_MAGIC) + 32
_RECORD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Change:
    """A reference that is added, or replaces the one of its name;
    `row` is None for one that is removed.
    """

    reference: str
    row: Row | None = None


def journal_path(index_file: str | Path) -> Path:
    """Where the changes of an index file are."""
    return Path(f"{index_file}.changes")


def read_changes(path: Path, fingerprint: bytes) -> list[Change]:
    """The changes in the journal at `path`, in their order, if it goes
    on from the index file of that fingerprint; else none.

    Ends before the first record that is damaged. Raises OSError.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return _parse(data, fingerprint)[0]


def append_change(path: Path, fingerprint: bytes, change: Change) -> None:
    """Add a change to the journal at `path`; one of another index file
    is replaced.

    When it returns, the change is on the disk. Raises FactoryError
    when that refuses; then nothing has changed.
    """
    record = _pack(change)
    try:
        data = path.read_bytes() if path.exists() else b""
        if not _belongs(data, fingerprint):
            with atomic_write(path) as new:
                new.write(_MAGIC + fingerprint + record)
            _keep_name(path)
            return

        end = _parse(data, fingerprint)[1]
        with path.open("r+b") as file:
            file.truncate(end)  # half a record, of a process that was killed
            file.seek(end)
            try:
                file.write(record)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), end)
                raise
    except OSError as exc:
        hint = "Free some space or choose another place; nothing was changed"
        raise FactoryError(f"Could not write {path}: {exc.strerror or exc}", hint) from exc


def _keep_name(path: Path) -> None:
    """Bring the name of a new file to the disk as well."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _belongs(data: bytes, fingerprint: bytes) -> bool:
    return data[:_HEADER_BYTES] == _MAGIC + fingerprint


def _parse(data: bytes, fingerprint: bytes) -> tuple[list[Change], int]:
    """The changes, and where the last of them ends."""
    changes: list[Change] = []
    end = _HEADER_BYTES
    if not _belongs(data, fingerprint):
        return [], 0
    while len(data) >= end + _RECORD.size:
        length, checksum = _RECORD.unpack_from(data, end)
        start = end + _RECORD.size
        body = data[start : start + length]
        if len(body) < max(length, 1) or zlib.crc32(body) != checksum:
            break
        changes.append(_unpack(body))
        end = start + length
    return changes, end


def _pack(change: Change) -> bytes:
    described: dict[str, Any] = {"reference": change.reference}
    vectors = b""
    row = change.row
    if row is not None:
        described |= {
            "label": [row.label.name, row.label.set_code, row.label.rarity],
            "sha256": row.sha256,
            "box": list(row.box) if row.box else None,
            "nothing": row.nothing,
            "dim": len(row.embedding),
        }
        vectors = np.asarray(row.embedding, "<f4").tobytes()
        if row.semantic is not None:
            vectors += np.asarray(row.semantic, np.int8).tobytes()
    # ASCII: a name may hold what UTF-8 cannot.
    text = json.dumps(described).encode("ascii")
    body = _LENGTH.pack(len(text)) + text + vectors
    return _RECORD.pack(len(body), zlib.crc32(body)) + body


def _unpack(body: bytes) -> Change:
    (length,) = _LENGTH.unpack_from(body)
    start = _LENGTH.size + length
    described = json.loads(body[_LENGTH.size : start])
    reference = described["reference"]
    if "dim" not in described:
        return Change(reference)

    dim = described["dim"]
    semantic = np.frombuffer(body, np.int8, offset=start + 4 * dim)
    row = Row(
        reference,
        Label(*described["label"]),
        described["sha256"],
        np.frombuffer(body, "<f4", dim, start).astype(np.float32),
        Box(*described["box"]) if described["box"] else None,
        described["nothing"],
        semantic if len(semantic) else None,
    )
    return Change(reference, row)
