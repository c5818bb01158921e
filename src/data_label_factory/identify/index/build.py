"""A folder of reference pictures → an Index.

Incremental by content: what is encoded once is not encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from data_label_factory.errors import FactoryError, IndexFileError
from data_label_factory.identify.content import Box
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index.changing import fold
from data_label_factory.identify.index.duplicates import find_same_pictures
from data_label_factory.identify.index.files import (
    BATCH_SIZE,
    DECODE_MIN_SIDE,
    embed_files,
    hash_files,
)
from data_label_factory.identify.index.index import Index
from data_label_factory.identify.index.meta import IndexMeta, Row, name_content
from data_label_factory.identify.index.semantic import Packed, embed_kinds
from data_label_factory.identify.index.sharing import find_shared_items
from data_label_factory.identify.reference_pictures import Reading, read_reference
from data_label_factory.labels import LabelScheme, parse_label
from data_label_factory.walk import Walk, walk_folder


@dataclass
class BuildResult:
    """What a build did.

    `unreadable` maps a reference to the reason; `written` is False
    when nothing changed; `rebuilt` says why an older file could not
    be built upon ("" when it could, or there was none). `walk` has
    what was passed over in the folder, and `same_pictures` the
    references of different items that show the very same;
    `shared_items` the items that several files share, though their
    names tell them apart, and how.
    """

    index: Index
    walk: Walk
    encoded: int = 0
    reused: int = 0
    dropped: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    same_pictures: list[list[str]] = field(default_factory=list)
    shared_items: dict[str, str] = field(default_factory=dict)
    written: bool = True
    rebuilt: str = ""

    @property
    def says_nothing(self) -> dict[str, str]:
        """The references that show nothing, and why."""
        nothing = self.index.meta.nothing
        pairs = zip(self.index.references, self.index.sha256, strict=True)
        return {str(name): nothing[sha] for name, sha in pairs if sha in nothing}

    @property
    def trimmed(self) -> dict[str, float]:
        """The references whose margin was left out, and the
        fraction of the picture left.
        """
        boxes = {str(name): self.index.box(row) for name, row in self.index.row_of.items()}
        return {name: box.area for name, box in boxes.items() if box}


# Contents as the index names them, their pictures (H, W, 3), and how many references
# there will be.
Keep = Callable[[Sequence[str], Sequence[RGB], int], None]


class Known(NamedTuple):
    """What is known of a file by its content: the embedding (D,),
    and as in Row.
    """

    embedding: Embeddings
    box: Box | None
    nothing: str
    semantic: Packed | None = None


# What is known of some more pictures, by content; and of files why they cannot be read.
Encoded = tuple[dict[str, Known], dict[str, str]]
# Encodes the files of contents that are new, as an index of this meta has them; so many
# references there will be.
Encode = Callable[[IndexMeta, dict[str, str], int], Iterator[Encoded]]


def build_index(
    refs: str | Path,
    out: str | Path,
    embedder: Embedder,
    *,
    trim: bool | None = None,
    labels: LabelScheme | None = None,
    full: bool = False,
    batch_size: int = BATCH_SIZE,
    keep: Keep | None = None,
    base: Path | None = None,
    encode: Encode | None = None,
    quiet: bool = False,
) -> BuildResult:
    """Index the pictures below `refs` into the file `out`, encoding
    only those whose content is new to it.

    `trim` leaves out margins, and `labels` is what file names say;
    None does as the index that is there, or else trims, and reads
    names of cards. `keep` is given every picture that is encoded,
    unless `encode` does that elsewhere. `base` is the index file to
    build upon, if that is not `out`; it stays as it is. One unreadable
    picture never stops the rest. When the build is interrupted, what
    was encoded so far is kept in `OUT.partial` for the next run, and
    `out` stays as it was. Raises FactoryError when no picture can be
    indexed or the disk is full.
    """
    refs, out = Path(refs), Path(out)
    _check_destination(out)
    maker = embedder.identity
    created = datetime.now(UTC).isoformat(timespec="seconds")
    base = base or out
    before = _read_meta(base)
    trim = trim if trim is not None else before.trim if before else True
    labels = labels or (before.labels if before else "cards")
    meta = IndexMeta(
        maker.encoder,
        maker.head_sha256,
        created=created,
        trim=trim,
        labels=labels,
        semantic=embedder.semantic.identity if embedder.semantic else None,
    )

    partial_file = out.with_name(out.name + ".partial")
    old, rebuilt = (None, "") if full else _load_if_same_maker(base, meta)
    if old:
        meta = replace(meta, calibration=old.meta.calibration)
    known = {} if full else _recall([_load_if_same_maker(partial_file, meta)[0], old], meta)

    walk = walk_folder(refs)
    hashes, unreadable = hash_files(walk)
    if not hashes and not unreadable:
        hint = "Put one picture per item there; the file name is its label"
        raise FactoryError(walk.no_picture(), hint)

    todo = {
        digest: name for name, digest in hashes.items() if digest not in known
    }  # each content once
    encoded = 0
    encode = encode or partial(_encode_files, refs, embedder, batch_size, keep, quiet)
    try:
        for found, errors in encode(meta, todo, len(hashes)):
            known |= found
            unreadable |= errors
            encoded += len(found)
    except BaseException:
        if encoded:
            with suppress(FactoryError):
                _assemble(hashes, known, meta).save(partial_file)
        raise

    for name, digest in hashes.items():  # a copy of an unreadable file was not even tried
        if digest not in known:
            unreadable.setdefault(name, unreadable.get(todo[digest], "unreadable"))
    if not known.keys() & hashes.values():
        raise FactoryError(
            f"None of the {len(unreadable)} pictures in {refs} can be read",
            _first_reasons(unreadable),
        )

    index = replace(_assemble(hashes, known, meta), file=base)
    unchanged = (
        old is not None
        and old.same_rows(index)
        and old.meta.labels == labels
        and old.meta.semantic == index.meta.semantic
    )
    if old is not None and unchanged:
        index = old
        fold(out)
    else:
        index.save(out)
    partial_file.unlink(missing_ok=True)
    return BuildResult(
        index=index,
        walk=walk,
        encoded=encoded,
        reused=len(index) - encoded,
        dropped=len(old.row_of.keys() - index.row_of.keys()) if old else 0,
        unreadable=unreadable,
        same_pictures=find_same_pictures(index, refs),
        shared_items=find_shared_items(index),
        written=not unchanged,
        rebuilt=rebuilt,
    )


def _encode_files(
    refs: Path,
    embedder: Embedder,
    batch_size: int,
    keep: Keep | None,
    quiet: bool,
    meta: IndexMeta,
    todo: dict[str, str],
    expected: int,
) -> Iterator[Encoded]:
    """Encode the files `todo`, by content, here; see Encode."""
    digest_of = {name: digest for digest, name in todo.items()}
    read = partial(_read, refs, meta.trim)
    for batch in embed_files(embedder, list(digest_of), read, batch_size, quiet=quiet):
        digests = [digest_of[name] for name in batch.names]
        pictures = [reading.picture for reading in batch.readings]
        kinds = embed_kinds(embedder, pictures, meta.semantic)
        columns = digests, batch.rows, batch.readings, kinds
        found = {
            digest: Known(row, reading.box, reading.nothing, kind)
            for digest, row, reading, kind in zip(*columns, strict=True)
        }
        if keep is not None:
            contents = [name_content(digest, known.box) for digest, known in found.items()]
            keep(contents, pictures, expected)
        yield found, batch.errors


def _read(refs: Path, trim: bool, name: str) -> Reading:
    return read_reference(refs / name, DECODE_MIN_SIDE, trim=trim)


def _check_destination(out: Path) -> None:
    if out.is_dir():
        raise FactoryError(f"{out} is a folder", "Name a file for the index, such as refs.npz")
    if not out.parent.is_dir():
        raise FactoryError(
            f"There is no folder {out.parent}",
            "Make it first, or choose another place for the index",
        )


def _load_if_same_maker(path: Path, meta: IndexMeta) -> tuple[Index | None, str]:
    """The index at `path`; or None and why, with no reason when
    there is none yet.
    """
    try:
        index = Index.load(path)
    except IndexFileError as exc:
        return None, exc.message if path.exists() else ""
    if index.meta.maker != meta.maker:
        return None, f"It was made by {index.meta.maker}"
    if index.meta.trim != meta.trim:
        return None, f"Its pictures were read {'without' if index.meta.trim else 'with'} margins"
    if meta.semantic is not None and index.meta.semantic != meta.semantic:
        return None, f"It was made without the semantic encoder {meta.semantic}"
    return index, ""


def _read_meta(path: Path) -> IndexMeta | None:
    try:
        return Index.load(path).meta
    except IndexFileError:
        return None


def _recall(indexes: Iterable[Index | None], meta: IndexMeta) -> dict[str, Known]:
    """What is known of each content, by its SHA-256."""
    known = {}
    for index in indexes:
        if index is None:
            continue
        kinds = index.semantic if meta.semantic else None
        for row, digest in enumerate(map(str, index.sha256)):
            nothing = index.meta.nothing.get(digest, "")
            kind = None if kinds is None else kinds[row]
            known[digest] = Known(index.embeddings[row], index.box(row), nothing, kind)
    return known


def _assemble(hashes: dict[str, str], known: dict[str, Known], meta: IndexMeta) -> Index:
    """The index of those files whose embedding is known."""
    rows = [
        Row(name, parse_label(name, meta.labels), digest, *known[digest])
        for name, digest in hashes.items()
        if digest in known
    ]
    return Index.from_rows(rows, meta)


def _first_reasons(unreadable: dict[str, str]) -> str:
    first = [f"{name}: {reason}" for name, reason in list(unreadable.items())[:3]]
    return "The first reasons: " + " | ".join(first)
