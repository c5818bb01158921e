"""A folder of reference pictures, its index file, and the recognizer of both:
the way in for programs.

Reference files are written before the index that names them, and both
atomically, so that whatever ends the process leaves an index that names only
what is there.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import ConflictError, FactoryError, UnknownItemError
from data_label_factory.identify.choices import DEFAULT_READ_MS, Effort
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, Picture, as_rgb
from data_label_factory.identify.index import Index, Row
from data_label_factory.identify.index.build import BuildResult
from data_label_factory.identify.index.changing import add_row, remove_row
from data_label_factory.identify.index.duplicates import require_new
from data_label_factory.identify.index.files import DECODE_MIN_SIDE
from data_label_factory.identify.index.maker import open_maker
from data_label_factory.identify.index.semantic import embed_kinds
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.identify.recognize.feature_store import feature_store_path
from data_label_factory.identify.recognize.printings import open_print_reader
from data_label_factory.identify.reference_files import encode_reference, name_view, set_aside
from data_label_factory.identify.reference_pictures import read_reference
from data_label_factory.identify.refresh import refresh_index
from data_label_factory.identify.verify.report import Report, verify_index
from data_label_factory.labels import Label, LabelScheme, format_label, parse_label
from data_label_factory.rarities import rarity_code
from data_label_factory.set_codes import read_set_code


class Collection:
    """Reference pictures in a folder, and what it takes to recognize them.

    `open` builds or updates the index; `load` takes an index as it is.
    Further options are those of `Recognizer`: detector, strictness,
    sim_threshold, margin_threshold, top_k, and `read` and `read_ms` of the
    commands. The recognizer is made when it is first needed.
    """

    def __init__(
        self, index: Index, index_file: Path, embedder: Embedder, refs: Path | None, **options: Any
    ) -> None:
        """Raises FactoryError when `refs` is no folder, or another embedder made the index."""
        if refs is not None and not refs.is_dir():
            raise FactoryError(f"{refs} is not a folder", "Name the folder that was indexed")
        index.require_maker(embedder.identity)
        self.index = index
        self.index_file = index_file
        self.embedder = embedder
        self.refs = refs
        self.unreadable: dict[str, str] = {}  # reference → why it could not be indexed
        read, ms = options.pop("read", "auto"), options.pop("read_ms", DEFAULT_READ_MS)
        self._make_recognizer = options.pop("make_recognizer", Recognizer)
        self._options = {"reader": open_print_reader(read, index_file, ms)} | options
        self._recognizer: Recognizer | None = None

    def __repr__(self) -> str:
        return f"<Collection {str(self.refs)!r}: {self.index!r}>"

    @classmethod
    def open(
        cls,
        refs: str | Path,
        index: str | Path | None = None,
        *,
        embedder: Embedder | None = None,
        negatives: str | Path | None = None,
        labels: LabelScheme | None = None,
        quiet: bool = True,
        **options: Any,
    ) -> Collection:
        """The pictures below `refs`, indexed in the file `index` (default:
        beside the folder, `refs.npz`).

        Encodes what is new, calibrates where needed, and reads the
        references. Without an `embedder`, the encoder that made the index is
        used, or the default one for a new index. `labels` is what file names
        say, see `build_index`. Raises FactoryError when no
        picture can be indexed.
        """
        refs = Path(refs)
        index_file = Path(index) if index else refs.with_name(f"{refs.name}.npz")
        if embedder is None:
            embedder = (
                open_maker(Index.load(index_file)) if index_file.is_file() else Embedder.open()
            )

        result = refresh_index(
            refs, index_file, embedder, negatives=negatives, labels=labels, quiet=quiet
        )
        collection = cls(result.index, index_file, embedder, refs, quiet=quiet, **options)
        collection.unreadable = result.unreadable
        return collection

    @classmethod
    def load(
        cls,
        index: str | Path,
        refs: str | Path | None = None,
        *,
        embedder: Embedder | None = None,
        **options: Any,
    ) -> Collection:
        """The index file as it is.

        Without `refs`, only embeddings decide, and nothing can be added or
        removed.

        Raises FactoryError when the index cannot be read, `refs` is not a
        folder, or the embedder did not make it.
        """
        loaded = Index.load(index)
        return cls(
            loaded,
            Path(index),
            embedder or open_maker(loaded),
            Path(refs) if refs else None,
            **options,
        )

    @property
    def recognizer(self) -> Recognizer:
        """Reads the references the first time.

        Its `unreadable` tells those that cannot be read.
        """
        if self._recognizer is None:
            cache = feature_store_path(self.index_file)
            known = {"refs": self.refs, "cache": cache} | self._options
            self._recognizer = self._make_recognizer(self.index, self.embedder, **known)
        return self._recognizer

    def require_references(self) -> None:
        """Raises FactoryError when not one of the references can be read."""
        if len(self.recognizer.unreadable) == len(self.index):
            problem = f"None of the references can be read in {self.refs}"
            raise FactoryError(problem, "Name the folder that was indexed")

    def recognize(
        self, picture: Picture, *, guess: bool = False, effort: Effort = "auto"
    ) -> list[Detection]:
        """The items in a picture, and with `guess` one more detection that
        says what it is nearest to, where none is sure. See
        `Recognizer.recognize`.

        Raises FactoryError also when not one of the references can be read.
        """
        self.require_references()
        return self.recognizer.recognize(picture, guess=guess, effort=effort)

    def verify(self, **options: Any) -> Report:
        """Test the index on itself, see `verify_index`."""
        return verify_index(self.index, self.embedder, refs=self.refs, **{"quiet": True, **options})

    def refresh(self, *, negatives: str | Path | None = None, quiet: bool = True) -> BuildResult:
        """Take over what has changed in the folder. Raises as `open`."""
        result = refresh_index(
            self._require_refs(), self.index_file, self.embedder, negatives=negatives, quiet=quiet
        )
        self.unreadable = result.unreadable
        self.adopt(result.index)
        return result

    def add(
        self,
        picture: Picture,
        name: str = "",
        *,
        set_code: str = "",
        rarity: str = "",
        as_view: bool = False,
    ) -> str:
        """Make a picture the reference of a new item, or `as_view` a further
        view of one that is there; returns the reference's file below the
        folder.

        Without a `name`, the label is taken from the picture's file name.
        Raises LabelError for a name that no file can carry, ConflictError for
        an item or picture that is there already, ImageError for a picture too
        small, and FactoryError when it cannot be written; then nothing is
        changed.
        """
        index = self.read_index()
        scheme = index.meta.labels
        label = Label(name, read_set_code(set_code) or set_code, rarity_code(rarity))
        if not name and isinstance(picture, str | Path):
            label = parse_label(Path(picture).name, scheme)
        stem = format_label(label, scheme)

        views = index.find_views(label)
        if views and as_view:
            return self.add_view(picture, str(index.references[index.first_views[views[0]]]))
        if views:
            raise ConflictError(f"There is a {label} already", "Add a further view of it instead")
        return self._add(index, as_rgb(picture), f"{stem}.jpg", label)

    def add_view(self, picture: Picture, reference: str) -> str:
        """Keep a picture as a further view of the item that has this
        reference, beside it; returns the new reference.

        Raises as `add`, and UnknownItemError when the index has no such
        reference.
        """
        index = self.read_index()
        reference = _find(index, reference)
        label = index.label(index.row_of[reference])
        stem = format_label(label, index.meta.labels)
        place = name_view(self._require_refs(), reference, stem)
        return self._add(index, as_rgb(picture), place, label)

    def remove(self, reference: str) -> Label:
        """Take a reference out of the index, and move its file to the hidden
        folder `.removed`; returns its label.

        Raises UnknownItemError, ConflictError for the last one, and
        FactoryError when the disk refuses.
        """
        refs = self._require_refs()
        index = self.read_index()
        reference = _find(index, reference)
        label = index.label(index.row_of[reference])
        if len(index) == 1:
            raise ConflictError("The last reference cannot be removed", "Add another one first")

        smaller = remove_row(index, self.index_file, reference)
        smaller.write()
        self.adopt(smaller.index)
        set_aside(refs, reference)
        return label

    def save(self, index: str | Path | None = None) -> None:
        """Write the index to its own file, as `add` does, or to another."""
        self.index.save(index or self.index_file)

    def adopt(self, index: Index, recognizer: Recognizer | None = None) -> None:
        """Recognize by another index of the same embedder, and with another
        `recognizer`, if given. Raises EncoderError.
        """
        index.require_maker(self.embedder.identity)
        if known := recognizer or self._recognizer:
            self._recognizer = known.updated(index, self.refs or Path())
        self.index = index

    def _add(self, index: Index, picture: RGB, reference: str, label: Label) -> str:
        """Write a picture as a reference, and an index with its row."""
        data = encode_reference(picture)
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._require_refs() / reference
        reading = read_reference(data, DECODE_MIN_SIDE, trim=index.meta.trim)
        embedding = self.embedder.encode([reading.picture])[0]
        require_new(index, self._require_refs(), picture, sha256, embedding)
        if path.exists():
            raise ConflictError(
                f"There is a file {reference} already", "Choose another name, or index it"
            )

        (kind,) = embed_kinds(self.embedder, [reading.picture], index.meta.semantic)
        row = Row(reference, label, sha256, embedding, reading.box, reading.nothing, kind)
        larger = add_row(index, self.index_file, row)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as file:
                file.write(data)
            self.adopt(larger.index)
            larger.write()
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            self.adopt(index)
            raise
        return reference

    def read_index(self) -> Index:
        """The index as it is on disk now: another program may have replaced it."""
        index = Index.load(self.index_file)
        index.require_maker(self.embedder.identity)
        return index

    def _require_refs(self) -> Path:
        if self.refs is None:
            raise FactoryError(
                "The collection has no folder of reference pictures", "Open it with refs="
            )
        return self.refs


def _find(index: Index, reference: str) -> str:
    """The reference as the index spells it. Raises UnknownItemError."""
    if found := index.find(reference):
        return found
    raise UnknownItemError(f"There is no reference {reference!r}", "The index lists them")
