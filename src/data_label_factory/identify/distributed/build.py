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
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.distributed.block_source import BlockSource, Files
from data_label_factory.identify.distributed.cluster import connected
from data_label_factory.identify.distributed.encoding import Job, OpenEmbedder, encode_block
from data_label_factory.identify.distributed.storage import Storage
from data_label_factory.identify.index.build import BuildResult, Encoded, build_index
from data_label_factory.identify.index.meta import IndexMeta
from data_label_factory.identify.recognize.feature_store import VERSION, feature_store_path
from data_label_factory.identify.recognize.reference_reader import (
    MOST_FEATURES,
    SAMPLE,
    find_new,
    read_references,
)
from data_label_factory.identify.refresh import Calibrate, calibrate_where_needed
from data_label_factory.progress import Progress

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
    """As `refresh_index`, with the pictures encoded by the Ray at
    `address`; the store of features is always made.

    `open_embedder` is called on every machine. `shared` is a place where
    all of them see files (see `Storage`), by default a folder beside the
    index; what this leaves there is removed in the end. Raises as
    `refresh_index`, and FactoryError where a machine cannot do its part.
    """
    refs, out = Path(refs).absolute(), Path(out).absolute()
    embedder = open_embedder()
    folder = feature_store_path(out)
    with connected(address) as ray:
        opening = ray.cloudpickle.dumps(open_embedder)
        storage = Storage(shared or out.with_name(f"{out.stem}.blocks"))
        job = Job(refs, storage.url, opening, None, True, batch_size, _CORES)
        work = _Workers(ray, job, storage, quiet)
        result = build_index(
            refs, out, embedder, batch_size=batch_size, encode=work.encode, quiet=quiet, **build
        )
        work.describe(result, refs, folder)

        source = work.source
        source.serve(result.index, refs)
        read_references(result.index, refs, folder=folder, source=source, quiet=quiet)
    storage.remove()
    return calibrate_where_needed(
        result, refs, out, embedder, calibrate=calibrate, negatives=negatives, quiet=quiet
    )


class _Workers:
    """The workers of a cluster, and the blocks that they have made."""

    def __init__(self, ray: ModuleType, job: Job, storage: Storage, quiet: bool) -> None:
        self._ray, self._job, self._storage, self._quiet = ray, job, storage, quiet
        self.source = BlockSource(storage)

    def encode(self, meta: IndexMeta, files: Files) -> Iterator[Encoded]:
        """What an index of `meta` has to know of files; see `build.Encode`."""
        blocks = self._make(meta, files)
        yield from self.source.known(blocks)

    def describe(self, result: BuildResult, refs: Path, folder: Path) -> None:
        """Have the blocks that the store in `folder` needs besides."""
        index = result.index
        rows = find_new(index, refs, folder)
        files = {str(index.sha256[row]): str(index.references[row]) for row in rows}
        new = {sha256: file for sha256, file in files.items() if sha256 not in self.source}
        self._make(index.meta, new)

    def _make(self, meta: IndexMeta, files: Files) -> dict[str, Files]:
        """The blocks of the files, made where they are not there yet."""
        job = replace(self._job, semantic=meta.semantic, trim=meta.trim)
        blocks = _cut(files, f"{meta.maker} {meta.semantic} {meta.trim}")
        missing = {name: own for name, own in blocks.items() if name not in self._storage}
        there = len(files) - sum(map(len, missing.values()))
        with Progress("encoded", len(files), enabled=not self._quiet) as progress:
            progress.step(there)
            for name in _run(self._ray, job, missing):
                progress.step(len(missing[name]))
        self.source.add(blocks)
        return blocks


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


def _cut(files: Files, made_as: str) -> dict[str, Files]:
    """Blocks of the files, by a name that says what is in them and how it
    is `made_as`. Of very many, the first blocks stand for all.
    """
    every = list(files.items())
    if len(every) > SAMPLE:
        every = [every[at] for at in np.random.default_rng(0).permutation(len(every))]
    size = min(_MOST, max(_LEAST, math.ceil(len(every) / _BLOCKS)))

    blocks = {}
    for start in range(0, len(every), size):
        own = dict(every[start : start + size])
        text = "\n".join([made_as, VERSION, str(MOST_FEATURES), *own])
        blocks[hashlib.blake2b(text.encode(), digest_size=16).hexdigest()] = own
    return blocks
