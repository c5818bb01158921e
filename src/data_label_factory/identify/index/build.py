"""A folder of reference pictures → an Index. Incremental by content: what was encoded once is not encoded again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from data_label_factory.errors import FactoryError, ImageError, IndexFileError
from data_label_factory.identify.encoders import Embeddings, Encoder, cpu_count
from data_label_factory.identify.encoders.head import ProjectionHead, check_head_fits
from data_label_factory.identify.images import RGB, decode, find_images, read_file
from data_label_factory.identify.index.index import Index, IndexMeta
from data_label_factory.labels import parse_label
from data_label_factory.progress import Progress

# Twice the largest encoder input: a JPEG from a phone need not be decoded in full (see images.decode).
DECODE_MIN_SIDE = 576


@dataclass
class BuildResult:
    """What a build did. `unreadable` maps a relative path to the reason; `written` is False when nothing changed;
    `rebuilt` says why an older file was not built upon ("" when it was, or there was none)."""

    index: Index
    encoded: int = 0
    reused: int = 0
    dropped: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    written: bool = True
    rebuilt: str = ""


def build_index(
    refs: Path,
    out: Path,
    encoder: Encoder,
    head: ProjectionHead | None = None,
    *,
    full: bool = False,
    batch_size: int = 32,
    quiet: bool = False,
) -> BuildResult:
    """Index the pictures below `refs` into the file `out`, encoding only those whose content is new to it.

    One unreadable picture never stops the rest. When it is interrupted, what was encoded so far is kept beside
    `out` (`OUT.partial`) for the next run, and `out` stays as it was. Raises FactoryError when no picture can be
    indexed, the head belongs to another encoder, or the disk is full.
    """
    if out.is_dir():
        raise FactoryError(f"{out} is a folder", "Name a file for the index, such as refs.npz")
    if not out.parent.is_dir():
        raise FactoryError(f"There is no folder {out.parent}", "Make it first, or choose another place for the index")
    if head:
        check_head_fits(head, encoder.identity.id, None)
    meta = IndexMeta(
        encoder.identity, head.sha256 if head else "", created=datetime.now(UTC).isoformat(timespec="seconds")
    )
    partial = out.with_name(out.name + ".partial")
    old, rebuilt = (None, "") if full else _load_if_same_maker(out, meta)
    if old:
        meta = replace(meta, calibration=old.meta.calibration)
    known = {} if full else _known_rows([_load_if_same_maker(partial, meta)[0], old])

    hashes, unreadable = hash_files(refs)
    if not hashes and not unreadable:
        raise FactoryError(
            f"There is no picture in {refs}", "Put one picture an item there; the file name is its label"
        )
    todo = {digest: name for name, digest in hashes.items() if digest not in known}  # one file a content
    result = BuildResult(index=None, unreadable=unreadable, rebuilt=rebuilt)  # type: ignore[arg-type]
    try:
        for names, rows in _encode(refs, list(todo.values()), encoder, head, unreadable, batch_size, quiet):
            known.update(zip((hashes[name] for name in names), rows, strict=True))
            result.encoded += len(names)
    except BaseException:
        _keep_partial(partial, hashes, known, meta, result.encoded)
        raise
    kept = {name: digest for name, digest in hashes.items() if digest in known}
    for name in hashes.keys() - kept.keys():  # a copy of an unreadable file was not even tried
        unreadable.setdefault(name, unreadable.get(todo.get(hashes[name], ""), "unreadable"))
    if not kept:
        raise FactoryError(f"None of the {len(unreadable)} pictures in {refs} can be read", _reasons(unreadable))

    result.reused = len(kept) - result.encoded
    result.dropped = len(set(map(str, old.filenames)) - kept.keys()) if old else 0
    result.index = _assemble(kept, known, meta)
    if old is not None and _same_rows(old, result.index):
        result.index, result.written = old, False
    else:
        result.index.save(out)
    partial.unlink(missing_ok=True)
    return result


def decode_ahead(sources: Sequence[Path], batch_size: int) -> Iterator[list[RGB | ImageError]]:
    """Decode pictures in order, in batches, always one batch ahead of the caller; a bad one gives its error."""

    def load(source: Path) -> RGB | ImageError:
        try:
            return decode(source, min_side=DECODE_MIN_SIDE)
        except ImageError as exc:
            return exc

    remaining = iter(sources)
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="decode") as pool:
        ahead = [pool.submit(load, source) for source in islice(remaining, batch_size)]
        while ahead:
            batch, ahead = ahead, [pool.submit(load, source) for source in islice(remaining, batch_size)]
            yield [future.result() for future in batch]


def _encode(
    refs: Path,
    names: list[str],
    encoder: Encoder,
    head: ProjectionHead | None,
    unreadable: dict[str, str],
    batch_size: int,
    quiet: bool,
) -> Iterator[tuple[list[str], Embeddings]]:
    """Yield names and embeddings (n, D) batch by batch; what cannot be decoded goes into `unreadable`."""
    with Progress("encoded", len(names), enabled=not quiet) as progress:
        for batch in decode_ahead([refs / name for name in names], batch_size):
            done = names[progress.done : progress.done + len(batch)]
            good = [(name, image) for name, image in zip(done, batch, strict=True) if not isinstance(image, ImageError)]
            unreadable |= {n: str(exc) for n, exc in zip(done, batch, strict=True) if isinstance(exc, ImageError)}
            if good:
                rows = encoder.encode([image for _, image in good])
                yield [name for name, _ in good], head(rows) if head else rows
            progress.step(len(batch))


def hash_files(refs: Path) -> tuple[dict[str, str], dict[str, str]]:
    """SHA-256 of each picture file by relative path, and what was wrong with those that cannot be read."""

    def digest(name: str) -> tuple[str, str, bool]:
        try:
            name.encode("utf-8")
            return name, hashlib.sha256(read_file(refs / name)).hexdigest(), True
        except UnicodeEncodeError:
            return (
                name.encode("utf-8", "backslashreplace").decode(),
                "The file name is not valid UTF-8. Rename it",
                False,
            )
        except ImageError as exc:
            return name, str(exc), False

    hashes: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(cpu_count()) as pool:
        for name, value, good in pool.map(digest, find_images(refs)):
            (hashes if good else unreadable)[name] = value
    return hashes, unreadable


def _load_if_same_maker(path: Path, meta: IndexMeta) -> tuple[Index | None, str]:
    """The index at `path`; or None and why, with no reason when there is none yet."""
    try:
        index = Index.load(path)
    except IndexFileError as exc:
        return None, exc.message if path.exists() else ""
    return (index, "") if index.meta.same_maker(meta) else (None, f"It was made by {index.meta}")


def _known_rows(indexes: Iterable[Index | None]) -> dict[str, Embeddings]:
    return {str(d): row for index in indexes if index for d, row in zip(index.sha256, index.embeddings, strict=True)}


def _assemble(kept: dict[str, str], known: dict[str, Embeddings], meta: IndexMeta) -> Index:
    labels = [parse_label(name) for name in kept]
    return Index(
        embeddings=np.stack([known[digest] for digest in kept.values()]),
        names=np.array([label.name for label in labels], dtype=np.str_),
        filenames=np.array(list(kept), dtype=np.str_),
        set_codes=np.array([label.set_code for label in labels], dtype=np.str_),
        rarities=np.array([label.rarity for label in labels], dtype=np.str_),
        sha256=np.array(list(kept.values()), dtype=np.str_),
        meta=meta,
    )


def _same_rows(a: Index, b: Index) -> bool:
    columns = ("filenames", "names", "set_codes", "rarities", "sha256")
    return len(a) == len(b) and all(bool(np.array_equal(getattr(a, c), getattr(b, c))) for c in columns)


def _keep_partial(
    partial: Path, hashes: dict[str, str], known: dict[str, Embeddings], meta: IndexMeta, encoded: int
) -> None:
    kept = {name: digest for name, digest in hashes.items() if digest in known}
    if encoded:
        with suppress(FactoryError):
            _assemble(kept, known, meta).save(partial)


def _reasons(unreadable: dict[str, str]) -> str:
    first = [f"{name}: {reason}" for name, reason in list(unreadable.items())[:3]]
    return "The first reasons: " + " | ".join(first)
