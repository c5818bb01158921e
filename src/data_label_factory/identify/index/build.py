"""A folder of reference pictures → an Index.

Incremental by content: what is encoded once is not encoded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError, ImageError, IndexFileError
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.images import RGB, decode, find_images, read_file
from data_label_factory.identify.index.index import Index, IndexMeta, Row
from data_label_factory.labels import parse_label
from data_label_factory.progress import Progress

# Twice the side of the largest encoder input: a JPEG from a phone need not be decoded
# in full (see images.decode).
DECODE_MIN_SIDE = 576
_BATCH_SIZE = 32


@dataclass
class BuildResult:
    """What a build did.

    `unreadable` maps a reference to the reason; `written` is False when nothing
    changed; `rebuilt` says why an older file could not be built upon ("" when it could,
    or there was none).
    """

    index: Index
    encoded: int = 0
    reused: int = 0
    dropped: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    written: bool = True
    rebuilt: str = ""


def build_index(
    refs: str | Path,
    out: str | Path,
    embedder: Embedder,
    *,
    full: bool = False,
    batch_size: int = _BATCH_SIZE,
    quiet: bool = False,
) -> BuildResult:
    """Index the pictures below `refs` into the file `out`, encoding only those whose
    content is new to it.

    One unreadable picture never stops the rest. When the build is interrupted, what was
    encoded so far is kept in `OUT.partial` for the next run, and `out` stays as it was.
    Raises FactoryError when no picture can be indexed or the disk is full.
    """
    refs, out = Path(refs), Path(out)
    _check_destination(out)
    maker = embedder.identity
    created = datetime.now(UTC).isoformat(timespec="seconds")
    meta = IndexMeta(maker.encoder, maker.head_sha256, created=created)

    partial = out.with_name(out.name + ".partial")
    old, rebuilt = (None, "") if full else _load_if_same_maker(out, meta)
    if old:
        meta = replace(meta, calibration=old.meta.calibration)
    known = {} if full else _known_embeddings([_load_if_same_maker(partial, meta)[0], old])

    hashes, unreadable = hash_files(refs)
    if not hashes and not unreadable:
        hint = "Put one picture per item there; the file name is its label"
        raise FactoryError(f"There is no picture in {refs}", hint)

    todo = {
        digest: name for name, digest in hashes.items() if digest not in known
    }  # each content once
    encoded = 0
    try:
        for batch in embed_files(embedder, refs, list(todo.values()), batch_size, quiet=quiet):
            known |= zip((hashes[name] for name in batch.names), batch.rows, strict=True)
            unreadable |= batch.errors
            encoded += len(batch.names)
    except BaseException:
        if encoded:
            with suppress(FactoryError):
                _assemble(hashes, known, meta).save(partial)
        raise

    for name, digest in hashes.items():  # a copy of an unreadable file was not even tried
        if digest not in known:
            unreadable.setdefault(name, unreadable.get(todo[digest], "unreadable"))
    if not known.keys() & hashes.values():
        raise FactoryError(
            f"None of the {len(unreadable)} pictures in {refs} can be read",
            _first_reasons(unreadable),
        )

    index = _assemble(hashes, known, meta)
    unchanged = old is not None and old.same_rows(index)
    if old is not None and unchanged:
        index = old
    else:
        index.save(out)
    partial.unlink(missing_ok=True)
    return BuildResult(
        index=index,
        encoded=encoded,
        reused=len(index) - encoded,
        dropped=len(old.row_of.keys() - index.row_of.keys()) if old else 0,
        unreadable=unreadable,
        written=not unchanged,
        rebuilt=rebuilt,
    )


@dataclass(frozen=True)
class EmbeddedBatch:
    """`rows` (n, D) are the embeddings of the n files in `names`; `errors` maps the
    unreadable ones to the reason.
    """

    names: list[str]
    rows: Embeddings
    errors: dict[str, str]


def embed_files(
    embedder: Embedder,
    refs: Path,
    names: Sequence[str],
    batch_size: int = _BATCH_SIZE,
    *,
    label: str = "encoded",
    quiet: bool = False,
) -> Iterator[EmbeddedBatch]:
    """Embed the files `names` below `refs`, batch by batch and in order, decoding one
    batch ahead.

    `label` is shown with the progress.
    """
    with Progress(label, len(names), enabled=not quiet) as progress:
        for batch in decode_ahead([refs / name for name in names], batch_size):
            tried = names[progress.done : progress.done + len(batch)]
            images = {
                name: image
                for name, image in zip(tried, batch, strict=True)
                if not isinstance(image, ImageError)
            }
            errors = {
                name: str(exc)
                for name, exc in zip(tried, batch, strict=True)
                if isinstance(exc, ImageError)
            }

            rows = embedder.encode(list(images.values()))
            yield EmbeddedBatch(list(images), rows, errors)
            progress.step(len(batch))


def decode_ahead(sources: Sequence[Path], batch_size: int) -> Iterator[list[RGB | ImageError]]:
    """Decode pictures in order, in batches, always one batch ahead of the caller; a bad
    one gives its error.
    """

    def load(source: Path) -> RGB | ImageError:
        try:
            return decode(source, min_side=DECODE_MIN_SIDE)
        except ImageError as exc:
            return exc

    remaining = iter(sources)
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="decode") as pool:
        ahead = [pool.submit(load, source) for source in islice(remaining, batch_size)]
        while ahead:
            batch, ahead = (
                ahead,
                [pool.submit(load, source) for source in islice(remaining, batch_size)],
            )
            yield [future.result() for future in batch]


def hash_files(refs: Path) -> tuple[dict[str, str], dict[str, str]]:
    """SHA-256 of each picture file by its path below `refs`, and why the others cannot
    be read.
    """

    def digest(name: str) -> tuple[str, str, bool]:
        try:
            name.encode("utf-8")
            return name, hashlib.sha256(read_file(refs / name)).hexdigest(), True
        except UnicodeEncodeError:
            printable = name.encode("utf-8", "backslashreplace").decode()
            return printable, "The file name is not valid UTF-8. Rename it", False
        except ImageError as exc:
            return name, str(exc), False

    hashes: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(cpu_count()) as pool:
        for name, value, good in pool.map(digest, find_images(refs)):
            (hashes if good else unreadable)[name] = value
    return hashes, unreadable


def _check_destination(out: Path) -> None:
    if out.is_dir():
        raise FactoryError(f"{out} is a folder", "Name a file for the index, such as refs.npz")
    if not out.parent.is_dir():
        raise FactoryError(
            f"There is no folder {out.parent}",
            "Make it first, or choose another place for the index",
        )


def _load_if_same_maker(path: Path, meta: IndexMeta) -> tuple[Index | None, str]:
    """The index at `path`; or None and why, with no reason when there is none yet."""
    try:
        index = Index.load(path)
    except IndexFileError as exc:
        return None, exc.message if path.exists() else ""
    return (
        (index, "")
        if index.meta.maker == meta.maker
        else (None, f"It was made by {index.meta.maker}")
    )


def _known_embeddings(indexes: Iterable[Index | None]) -> dict[str, Embeddings]:
    """The embedding (D,) of each content, by its SHA-256."""
    return {
        str(d): row
        for index in indexes
        if index
        for d, row in zip(index.sha256, index.embeddings, strict=True)
    }


def _assemble(hashes: dict[str, str], known: dict[str, Embeddings], meta: IndexMeta) -> Index:
    """The index of those files whose embedding is known."""
    rows = [
        Row(name, parse_label(name), digest, known[digest])
        for name, digest in hashes.items()
        if digest in known
    ]
    return Index.from_rows(rows, meta)


def _first_reasons(unreadable: dict[str, str]) -> str:
    first = [f"{name}: {reason}" for name, reason in list(unreadable.items())[:3]]
    return "The first reasons: " + " | ".join(first)
