"""A folder of reference pictures → an index and its store of features,
by the workers of a Ray cluster.

The list of what is new is cut into blocks. Workers encode each and leave
it in shared storage; then this process takes them in one after the other,
as if it had read the pictures itself. A worker that dies costs its block,
and a run that is repeated takes what blocks there are.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.distributed.block import Block, unpack_block
from data_label_factory.identify.distributed.cluster import connected
from data_label_factory.identify.distributed.encoding import Job, OpenEmbedder, encode_block
from data_label_factory.identify.distributed.storage import Storage
from data_label_factory.identify.index.build import BuildResult, Encoded, Known, build_index
from data_label_factory.identify.index.file_format import DAMAGED
from data_label_factory.identify.index.meta import IndexMeta, name_content
from data_label_factory.identify.recognize.feature_store import VERSION, feature_store_path
from data_label_factory.identify.recognize.reference_writer import ReferenceWriter
from data_label_factory.identify.recognize.store_writer import MOST_FEATURES, SAMPLE, key_of
from data_label_factory.identify.refresh import Calibrate, finish
from data_label_factory.progress import Progress

Files = dict[str, str]  # below the refs folder, by SHA-256

# Of a block, in references: a full one is some 5 MB and 10 to 20 seconds of a core,
# which is what a worker that dies costs; smaller lists are cut so that all have work.
_MOST, _LEAST, _BLOCKS = 256, 8, 64
_RETRIES = 5  # of a block whose worker dies; more would be the block's own fault
_AHEAD = 2  # blocks given to each worker, so that none waits
_CORES = 1  # of a worker


def build_on_ray(
    refs: str | Path,
    out: str | Path,
    open_embedder: OpenEmbedder,
    *,
    address: str,
    shared: str | Path | None = None,
    calibrate: Calibrate = "auto",
    negatives: str | Path | None = None,
    batch_size: int = 32,
    quiet: bool = False,
    **build: Any,
) -> BuildResult:
    """As `refresh_index`, with the pictures encoded by the Ray at `address`.

    `open_embedder` is called on every machine. `shared` is a place where
    all of them see files (see `Storage`), by default a folder beside the
    index; what this leaves there is removed in the end. Raises as
    `refresh_index`, and FactoryError where a machine cannot do its part.
    """
    refs, out = Path(refs).absolute(), Path(out).absolute()
    embedder = open_embedder()
    storage = Storage(shared or out.with_name(f"{out.stem}.blocks"))
    with connected(address) as ray, ReferenceWriter(feature_store_path(out)) as writer:
        opening = ray.cloudpickle.dumps(open_embedder)
        job = Job(refs, storage.url, opening, None, True, batch_size, _CORES)
        workers = _Workers(ray, job, storage, writer, quiet)
        result = build_index(
            refs, out, embedder, batch_size=batch_size, encode=workers.encode, quiet=quiet, **build
        )
    storage.remove()
    return finish(
        result, refs, out, embedder, calibrate=calibrate, negatives=negatives, quiet=quiet
    )


class _Workers:
    """The workers of a cluster, and the blocks that they leave in `storage`."""

    def __init__(
        self, ray: ModuleType, job: Job, storage: Storage, writer: ReferenceWriter, quiet: bool
    ) -> None:
        self._ray, self._job, self._storage = ray, job, storage
        self._writer, self._quiet = writer, quiet

    def encode(self, meta: IndexMeta, todo: Files, expected: int) -> Iterator[Encoded]:
        """What an index of `meta` has to know of files, see `build.Encode`;
        the features go to the writer.
        """
        made_as = f"{meta.maker} {meta.semantic} {meta.trim} {VERSION} {MOST_FEATURES}"
        prefix = hashlib.blake2b(made_as.encode(), digest_size=4).hexdigest()
        older = self._find_older(prefix)
        left = {sha256: file for sha256, file in todo.items() if sha256 not in older}
        blocks = _cut(left, prefix)
        with Progress("encoded", len(todo), enabled=not self._quiet) as progress:
            progress.step(len(todo) - len(left))
            job = replace(self._job, semantic=meta.semantic, trim=meta.trim)
            for name in _run(self._ray, job, blocks):
                progress.step(len(blocks[name]))

        for name in [*dict.fromkeys(older.values()), *blocks]:
            block = self._read(name)
            entries = [one for one in block.entries if one.sha256 in todo]
            keyed = [
                one.reference._replace(key=key_of(name_content(one.sha256, one.box)))
                for one in entries
            ]
            self._writer.add(keyed, expected)
            found = {
                one.sha256: Known(one.embedding, one.box, one.nothing, one.semantic)
                for one in entries
            }
            unreadable = block.unreadable.items()
            yield found, {left[sha256]: why for sha256, why in unreadable if sha256 in left}

    def _find_older(self, prefix: str) -> dict[str, str]:
        """The blocks that an interrupted run has left, by what is in them;
        what could not be read then is tried again.
        """
        older: dict[str, str] = {}
        for name in self._storage.names():
            if name.startswith(prefix):
                with suppress(FactoryError):  # a damaged one is made again
                    older |= {one.sha256: name for one in self._read(name).entries}
        return older

    def _read(self, name: str) -> Block:
        try:
            return unpack_block(self._storage.read(name))
        except DAMAGED as exc:
            self._storage.discard(name)
            hint = "It is removed; run it again: the others are not made again"
            raise FactoryError(f"The block {name} in {self._storage.url} is damaged", hint) from exc


def _run(ray: ModuleType, job: Job, blocks: dict[str, Files]) -> Iterator[str]:
    """Have the blocks made; the names, as they are done. Raises
    FactoryError when one cannot be made.
    """
    options = {"num_cpus": job.cores, "max_retries": _RETRIES}
    make = ray.remote(**options)(encode_block)
    shared = ray.put(job)
    waiting = iter(blocks.items())
    running: dict[Any, str] = {}
    try:
        while True:
            workers = max(1, int(ray.cluster_resources().get("CPU", 1)) // job.cores)
            while len(running) < _AHEAD * workers and (block := next(waiting, None)):
                running[make.remote(shared, *block)] = block[0]
            if not running:
                return
            (done,), _ = ray.wait(list(running), num_returns=1)
            name = running.pop(done)
            _take(ray, done)
            yield name
    finally:  # after an error, or Ctrl-C
        for one in running:
            ray.cancel(one)


def _take(ray: ModuleType, done: Any) -> None:
    """Raises FactoryError if the work failed."""
    try:
        ray.get(done)
    except ray.exceptions.RayTaskError as exc:
        if isinstance(exc.cause, FactoryError):
            raise FactoryError(exc.cause.message, exc.cause.hint) from exc
        raise
    except ray.exceptions.RayError as exc:
        hint = "Run it again: what is done is not done again"
        raise FactoryError(f"The workers of a block die: {exc}", hint) from exc


def _cut(files: Files, prefix: str) -> dict[str, Files]:
    """Blocks of the files, by a name that says what is in them. Of very
    many, the first blocks stand for all.
    """
    every = list(files.items())
    if len(every) > SAMPLE:
        every = [every[at] for at in np.random.default_rng(0).permutation(len(every))]
    size = min(_MOST, max(_LEAST, math.ceil(len(every) / _BLOCKS)))

    blocks = {}
    for start in range(0, len(every), size):
        own = dict(every[start : start + size])
        digest = hashlib.blake2b("\n".join(own).encode(), digest_size=16).hexdigest()
        blocks[f"{prefix}-{digest}"] = own
    return blocks
