"""Blocks in shared storage, as a build takes in what is in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.distributed.block import Block, Entry, unpack_block
from data_label_factory.identify.distributed.storage import Storage
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import Encoded, Known
from data_label_factory.identify.index.file_format import DAMAGED
from data_label_factory.identify.recognize.features import Ints
from data_label_factory.identify.recognize.reference_reader import read_reference_file
from data_label_factory.identify.recognize.store_writer import Reference

_HELD = 2  # blocks in memory: they are taken in one after the other
_NO_BLOCK = 2**62

Files = dict[str, str]  # below the refs folder, by SHA-256


class BlockSource:
    """The blocks whose names were added; a `Source` of their references."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._names: list[str] = []
        self._block_of: dict[str, int] = {}  # by SHA-256
        self._index: Index | None = None
        self._refs = Path()
        self._lock = threading.Lock()
        self._open = lru_cache(_HELD)(self._read)

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._block_of

    def add(self, blocks: dict[str, Files]) -> None:
        """Take note of the blocks of these names, and of what they are of."""
        for name, files in blocks.items():
            self._block_of |= dict.fromkeys(files, len(self._names))
            self._names.append(name)

    def known(self, blocks: dict[str, Files]) -> Iterator[Encoded]:
        """What an index has to know of the pictures, block by block.

        Raises FactoryError for a block that is lost or damaged.
        """
        for name, files in blocks.items():
            block = self._unpack(name)
            entries = {
                one.sha256: Known(one.embedding, one.box, one.nothing, one.semantic)
                for one in block.entries
            }
            yield entries, {files[sha256]: why for sha256, why in block.unreadable.items()}

    def serve(self, index: Index, refs: Path) -> None:
        """From now on give the references of `index`, which are below `refs`."""
        self._index, self._refs = index, refs

    def order(self, rows: Ints) -> Ints:
        """Block by block."""
        assert self._index is not None
        blocks = [self._block_of.get(str(sha256), _NO_BLOCK) for sha256 in self._index.sha256[rows]]
        return rows[np.argsort(blocks, kind="stable")]

    def __call__(self, row: int) -> Reference:
        """What a block has of a row; what none has is read from its file."""
        assert self._index is not None
        sha256 = str(self._index.sha256[row])
        if sha256 in self._block_of:
            with self._lock:
                entry = self._open(self._block_of[sha256]).get(sha256)
            if entry is not None and entry.box == self._index.box(row):
                return entry.reference
        return read_reference_file(self._index, self._refs, row)

    def _read(self, number: int) -> dict[str, Entry]:
        return {one.sha256: one for one in self._unpack(self._names[number]).entries}

    def _unpack(self, name: str) -> Block:
        try:
            return unpack_block(self._storage.read(name))
        except DAMAGED as exc:
            self._storage.discard(name)
            hint = "It is removed; run it again: the others are not made again"
            raise FactoryError(f"The block {name} in {self._storage.url} is damaged", hint) from exc
