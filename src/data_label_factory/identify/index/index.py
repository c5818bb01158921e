"""The index: one unit embedding per reference picture, its label,
and what made it.

One `.npz`, never a pickle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import EncoderError, IndexFileError
from data_label_factory.identify.content import Box
from data_label_factory.identify.encoders import EmbedderIdentity, Embeddings
from data_label_factory.identify.index.approximate import EXACT_ROWS, Approximate
from data_label_factory.identify.index.exact import search_exactly
from data_label_factory.identify.index.file_format import (
    COLUMNS,
    DAMAGED,
    TEXT_FIELDS,
    read_index_file,
    write_index_file,
)
from data_label_factory.identify.index.grouping import (
    find_first_views,
    number_items,
    number_variants,
)
from data_label_factory.identify.index.meta import IndexMeta, Row, name_content
from data_label_factory.identify.index.semantic import Packed
from data_label_factory.labels import Label
from data_label_factory.names import Names

_SEARCH_BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False, repr=False)
class Index:
    """N reference pictures.

    `embeddings` (N, D) float32 unit rows; the others (N,) str,
    row by row.

    `references` are paths below the refs folder, with `/`;
    `sha256` are of the reference files' bytes. `semantic` (N, D)
    int8 says what kind of thing each shows (`semantic.unpack`);
    None where no such encoder was used. `file` is what it was read
    from, or what that came from; beside it there may be a graph.
    """

    embeddings: Embeddings
    names: NDArray[np.str_]
    references: NDArray[np.str_]
    set_codes: NDArray[np.str_]
    rarities: NDArray[np.str_]
    sha256: NDArray[np.str_]
    meta: IndexMeta
    semantic: Packed | None = None
    file: Path | None = None

    @classmethod
    def from_rows(cls, rows: list[Row], meta: IndexMeta) -> Index:
        """An index of at least one row, in the order given."""

        def column(values: list[str]) -> NDArray[np.str_]:
            return np.array(values, dtype=np.str_)

        return cls(
            embeddings=np.stack([row.embedding for row in rows]),
            names=column([row.label.name for row in rows]),
            references=column([row.reference for row in rows]),
            set_codes=column([row.label.set_code for row in rows]),
            rarities=column([row.label.rarity for row in rows]),
            sha256=column([row.sha256 for row in rows]),
            meta=meta.noting(rows),
            semantic=_stack([row.semantic for row in rows]),
        )

    def __len__(self) -> int:
        return len(self.references)

    def __repr__(self) -> str:
        return (
            f"<Index: {len(self)} references of {self.item_count} items, "
            f"{self.dim} dimensions, {self.meta.maker}>"
        )

    @property
    def dim(self) -> int:
        """D, the number of dimensions of an embedding."""
        return int(self.embeddings.shape[1])

    @cached_property
    def items(self) -> NDArray[np.int64]:
        """(N,) item number of each row, 0 … items - 1.

        Rows of one name are variants of an item.
        """
        return number_items(self.names)

    @cached_property
    def variants(self) -> NDArray[np.int64]:
        """(N,) variant number of each row, 0 … variants - 1.

        Rows of one label are views of one variant.
        """
        return number_variants(self.items, self.set_codes, self.rarities)

    @cached_property
    def first_views(self) -> NDArray[np.int64]:
        """(N,) the row of the first view of each row's variant:
        that in the uppermost folder with the lowest number in its
        name.
        """
        return find_first_views(self.variants, self.references)

    @cached_property
    def item_count(self) -> int:
        """The number of items; variants of an item count once."""
        return int(self.items.max()) + 1 if len(self) else 0

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each reference."""
        return {reference: row for row, reference in enumerate(self.references.tolist())}

    def other_variants(self, row: int, rows: Sequence[int]) -> tuple[int, ...]:
        """Those of the `rows` that show another variant than `row`;
        of several views of one, the first stands for all.
        """
        others = [other for other in rows if self.variants[other] != self.variants[row]]
        return tuple(dict.fromkeys(map(int, self.first_views[others])))

    def find(self, reference: str) -> str | None:
        """The reference that is meant by its path, see
        `Names.find`; or None.
        """
        return reference if reference in self.row_of else self._lookup.find(reference)

    @cached_property
    def _lookup(self) -> Names:
        return Names(self.row_of)

    def box(self, row: int) -> Box | None:
        """The part of the picture that was indexed, without its
        margin; None for all of it.
        """
        box = self.meta.boxes.get(str(self.sha256[row]))
        return Box(*box) if box else None

    @cached_property
    def contents(self) -> NDArray[np.str_]:
        """(N,) what was indexed of each file: equal for equal
        parts of equal files.
        """
        boxes = self.meta.boxes
        if not boxes:
            return self.sha256
        keys = [name_content(sha256, boxes.get(sha256)) for sha256 in self.sha256.tolist()]
        return np.array(keys, np.str_)

    def label(self, row: int) -> Label:
        """The label of a row, 0 … N - 1. Raises IndexError for any other."""
        return Label(str(self.names[row]), str(self.set_codes[row]), str(self.rarities[row]))

    def find_views(self, label: Label) -> list[int]:
        """The rows of the variant that a label names."""
        is_alike = (self.set_codes == label.set_code) & (self.rarities == label.rarity)
        rows = np.flatnonzero(is_alike).tolist()
        return [row for row in rows if self.label(row).item == label.item]

    def taken(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Index:
        """The index of the `rows` given, by number (M,) in that
        order, or by a mask (N,).
        """
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in COLUMNS.values()}
        semantic = None if self.semantic is None else self.semantic[rows]
        return replace(self, **columns, semantic=semantic)

    def with_row(self, row: Row) -> Index:
        """The index with one more reference, sorted by reference
        as the builder sorts.
        """
        added = Index.from_rows([row], self.meta)
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(added, name)])
            for name in COLUMNS.values()
        }
        if self.semantic is not None:
            if added.semantic is None:
                raise ValueError("the row has no semantic embedding, those of the index have one")
            joined["semantic"] = np.concatenate([self.semantic, added.semantic])
        larger = replace(self, meta=added.meta, **joined)
        return larger.taken(np.argsort(larger.references, kind="stable"))

    def same_rows(self, other: Index) -> bool:
        """Whether both hold the same references with the same labels,
        in any order.
        """
        if len(self) != len(other):
            return False
        orders = [index.references.argsort(kind="stable") for index in (self, other)]
        return all(
            np.array_equal(getattr(self, name)[orders[0]], getattr(other, name)[orders[1]])
            for name in TEXT_FIELDS
        )

    def search(self, queries: Embeddings, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The `k` most similar rows of each query: of a large index
        that has a graph beside it those that this finds, else all.

        `queries` (Q, D) float32 unit rows → cosines (Q, k)
        float32, highest first, and rows (Q, k) int64, with k cut
        to N. Equal cosines come in row order. Raises ValueError
        when D is not the index's.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(
                f"queries of shape {queries.shape} against an index of dimension {self.dim}"
            )

        k = min(k, len(self))
        if self._approximate is not None:
            found = self._approximate.search(queries, k)
            if found is not None:
                return found
        return search_exactly(self.embeddings, queries, k, _SEARCH_BLOCK_BYTES)

    @cached_property
    def _approximate(self) -> Approximate | None:
        if self.file is None or len(self) <= EXACT_ROWS:
            return None
        return Approximate.open(self, self.file)

    def require_maker(self, maker: EmbedderIdentity) -> None:
        """Raises EncoderError, naming both, unless this encoder
        and head made the index.
        """
        if self.meta.maker != maker:
            raise EncoderError(
                f"The index was made by {self.meta.maker}, not by {maker}",
                "Use that encoder and head, or index again with these",
            )

    def with_calibration(self, calibration: dict[str, Any]) -> Index:
        """The same index with another calibration, as
        `Calibration.as_dict` gives it.
        """
        return replace(self, meta=replace(self.meta, calibration=calibration))

    def save(self, path: str | Path) -> None:
        """Write the `.npz` atomically.

        Raises FactoryError when the disk is full or the folder
        not writable.
        """
        fields = {name: getattr(self, name) for name in COLUMNS.values()}
        if self.semantic is not None:
            fields["semantic"] = self.semantic
        write_index_file(Path(path), fields, self.meta)

    @classmethod
    def load(cls, path: str | Path) -> Index:
        """Read an index; of a large file the arrays are views, that nobody
        may write to.

        Raises IndexFileError if it is missing, damaged, or of
        another format.
        """
        path = Path(path)
        try:
            fields, meta = read_index_file(path)
        except FileNotFoundError as exc:
            hint = f"Make one: identify index --refs DIR --out {path}"
            raise IndexFileError(f"There is no index at {path}", hint) from exc
        except OSError as exc:
            raise IndexFileError(f"Cannot read the index {path}: {exc.strerror or exc}") from exc
        except DAMAGED as exc:
            hint = "Make one with: identify index"
            raise IndexFileError(f"{path} is damaged, or no index of this program", hint) from exc
        return cls(**fields, meta=meta, file=path)


def _stack(rows: list[Packed | None]) -> Packed | None:
    known = [row for row in rows if row is not None]
    return np.stack(known) if len(known) == len(rows) else None
