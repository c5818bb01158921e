"""The part of a build that workers do: some reference files → a block."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from data_label_factory.cpu import cpu_count, limit_cores
from data_label_factory.errors import FactoryError
from data_label_factory.identify.distributed.block import Block, Entry, pack_block
from data_label_factory.identify.distributed.storage import Storage
from data_label_factory.identify.encoders import Embedder, EncoderIdentity
from data_label_factory.identify.index.files import DECODE_MIN_SIDE, embed_files
from data_label_factory.identify.index.semantic import embed_kinds
from data_label_factory.identify.recognize.store_writer import describe
from data_label_factory.identify.reference_pictures import Reading, read_reference

OpenEmbedder = Callable[[], Embedder]


@dataclass(frozen=True)
class Job:
    """How to encode the pictures below `refs`, and the `storage` address
    that blocks go to. `opening` is a pickled OpenEmbedder; `semantic`
    made the index's second embeddings.
    """

    refs: Path
    storage: str
    opening: bytes
    semantic: EncoderIdentity | None
    trim: bool
    batch_size: int
    cores: int


def encode_block(job: Job, name: str, files: dict[str, str]) -> int:
    """Write the block `name` of `files`, by SHA-256; the number of entries.

    Nothing is done where it is there already. Raises FactoryError when
    this machine does not see the folder, or cannot write.
    """
    storage = Storage(job.storage)
    if name in storage:
        return 0
    if not job.refs.is_dir():
        raise FactoryError(
            f"A machine of the cluster does not see the folder {job.refs}",
            "Put the pictures where all machines see them by the same path",
        )
    limit_cores(job.cores)
    block = _encode(job, files)
    storage.write(name, pack_block(block))
    return len(block.entries)


def _encode(job: Job, files: dict[str, str]) -> Block:
    embedder = _open_embedder(job.opening)
    sha256_of = {file: sha256 for sha256, file in files.items()}
    read = partial(_read, job)
    entries: list[Entry] = []
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(cpu_count()) as pool:
        batches = embed_files(embedder, list(sha256_of), read, job.batch_size, quiet=True)
        for batch in batches:
            pictures = [one.picture for one in batch.readings]
            references = pool.map(partial(describe, 0), pictures)
            kinds = embed_kinds(embedder, pictures, job.semantic)
            unreadable |= {sha256_of[file]: reason for file, reason in batch.errors.items()}
            for file, row, reading, kind, reference in zip(
                batch.names, batch.rows, batch.readings, kinds, references, strict=True
            ):
                known = reading.box, reading.nothing, kind, reference
                entries.append(Entry(sha256_of[file], row, *known))
    return Block(entries, unreadable)


def _read(job: Job, file: str) -> Reading:
    return read_reference(job.refs / file, DECODE_MIN_SIDE, trim=job.trim)


@lru_cache(maxsize=1)
def _open_embedder(opening: bytes) -> Embedder:
    """Once a process: further blocks find it open."""
    embedder: Embedder = pickle.loads(opening)()
    return embedder
