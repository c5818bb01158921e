"""Reference files → their hashes, pictures and embeddings, many at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.images import RGB, read_file
from data_label_factory.identify.index.index import Index
from data_label_factory.identify.reference_pictures import Reading, read_part
from data_label_factory.progress import Progress
from data_label_factory.walk import Walk

T = TypeVar("T")

# Twice the side of the largest encoder input: a JPEG from a phone need not be decoded
# in full (see images.decode).
DECODE_MIN_SIDE = 576
BATCH_SIZE = 32


@dataclass(frozen=True)
class EmbeddedBatch:
    """`rows` (n, D) are the embeddings of the n files in `names`,
    as `readings` has them; `errors` maps the unreadable ones to the
    reason.
    """

    names: list[str]
    rows: Embeddings
    readings: list[Reading]
    errors: dict[str, str]


def read_row(index: Index, refs: Path, row: int, min_side: int = DECODE_MIN_SIDE) -> RGB:
    """The picture of a row of the index, as it was indexed. Raises ImageError."""
    return read_part(refs / str(index.references[row]), min_side, index.box(row))


def embed_files(
    embedder: Embedder,
    names: Sequence[str],
    read: Callable[[str], Reading],
    batch_size: int = BATCH_SIZE,
    *,
    label: str = "encoded",
    quiet: bool = False,
) -> Iterator[EmbeddedBatch]:
    """Embed the files `names`, batch by batch and in order, reading one
    batch ahead.

    `read` gives the picture of a name. `label` is shown with the
    progress.
    """
    with Progress(label, len(names), enabled=not quiet) as progress:
        for batch in read_ahead([partial(read, name) for name in names], batch_size):
            tried = names[progress.done : progress.done + len(batch)]
            readings: dict[str, Reading] = {}
            errors: dict[str, str] = {}
            for name, result in zip(tried, batch, strict=True):
                if isinstance(result, ImageError):
                    errors[name] = str(result)
                else:
                    readings[name] = result

            rows = embedder.encode([reading.picture for reading in readings.values()])
            yield EmbeddedBatch(list(readings), rows, list(readings.values()), errors)
            progress.step(len(batch))


def read_ahead(reads: Iterable[Callable[[], T]], batch_size: int) -> Iterator[list[T | ImageError]]:
    """Read pictures in order, in batches, always one batch ahead of the
    caller; a bad one gives its error.
    """

    def attempt(read: Callable[[], T]) -> T | ImageError:
        try:
            return read()
        except ImageError as exc:
            return exc

    remaining = iter(reads)
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="decode") as pool:
        ahead = [pool.submit(attempt, read) for read in islice(remaining, batch_size)]
        while ahead:
            batch, ahead = (
                ahead,
                [pool.submit(attempt, read) for read in islice(remaining, batch_size)],
            )
            yield [future.result() for future in batch]


def hash_files(walk: Walk) -> tuple[dict[str, str], dict[str, str]]:
    """SHA-256 of each picture file by its path below the folder,
    and why the others, and whole folders, cannot be read.
    """

    def digest(name: str) -> tuple[str, str, bool]:
        try:
            name.encode("utf-8")
            return name, hashlib.sha256(read_file(walk.folder / name)).hexdigest(), True
        except UnicodeEncodeError:
            printable = name.encode("utf-8", "backslashreplace").decode()
            return printable, "The file name is not valid UTF-8. Rename it", False
        except ImageError as exc:
            return name, str(exc), False

    hashes: dict[str, str] = {}
    unreadable = dict(walk.locked)
    with ThreadPoolExecutor(cpu_count()) as pool:
        for name, value, good in pool.map(digest, walk.pictures):
            (hashes if good else unreadable)[name] = value
    return hashes, unreadable
