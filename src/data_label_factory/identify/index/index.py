"""The index: one unit embedding a reference picture, its label, and what made it. One `.npz`, never a pickle."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import EncoderError, IndexFileError
from data_label_factory.identify.encoders import Embeddings, EncoderIdentity
from data_label_factory.labels import Label, item_key

FORMAT_VERSION = 1
_TEXT_FIELDS = ("names", "filenames", "set_codes", "rarities", "sha256")
_SEARCH_BLOCK_BYTES = 64 * 2**20
# What zipfile, numpy and json trip over in a damaged file; RuntimeError is an archive that claims to be encrypted.
_DAMAGED = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class IndexMeta:
    """What made an index. `head_sha256` is "" without a projection head; `created` is ISO 8601, UTC."""

    encoder: EncoderIdentity
    head_sha256: str = ""
    calibration: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    format: int = FORMAT_VERSION

    def same_maker(self, other: IndexMeta) -> bool:
        """Whether embeddings of the two may be compared."""
        return self.encoder == other.encoder and self.head_sha256 == other.head_sha256

    def __str__(self) -> str:
        return f"{self.encoder}" + (f" with head {self.head_sha256[:8]}" if self.head_sha256 else " without a head")


@dataclass(frozen=True)
class Index:
    """N reference pictures. `embeddings` (N, D) float32 unit rows; the others (N,) str, row by row.

    `filenames` are relative to the refs folder, with `/`; `sha256` are of the reference files' bytes.
    """

    embeddings: Embeddings
    names: NDArray[np.str_]
    filenames: NDArray[np.str_]
    set_codes: NDArray[np.str_]
    rarities: NDArray[np.str_]
    sha256: NDArray[np.str_]
    meta: IndexMeta

    def __len__(self) -> int:
        return len(self.filenames)

    @property
    def dim(self) -> int:
        return int(self.embeddings.shape[1])

    @cached_property
    def items(self) -> NDArray[np.int64]:
        """(N,) item number of each row, 0 … items - 1: rows of one name are variants of one item."""
        keys = [item_key(str(name)) for name in self.names]
        return np.unique(np.array(keys, dtype=np.str_), return_inverse=True)[1].astype(np.int64).reshape(-1)

    @property
    def item_count(self) -> int:
        return int(self.items.max()) + 1 if len(self) else 0

    def label(self, row: int) -> Label:
        return Label(str(self.names[row]), str(self.set_codes[row]), str(self.rarities[row]))

    def search(self, queries: Embeddings, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The `k` most similar rows of each query, exactly.

        `queries` (Q, D) float32 unit rows → cosines (Q, k) float32, highest first, and rows (Q, k) int64, with
        k cut to N. Equal cosines come in row order. Raises ValueError when D is not the index's.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(f"queries of shape {queries.shape} against an index of dimension {self.dim}")
        k = min(k, len(self))
        step = max(1, _SEARCH_BLOCK_BYTES // max(4 * len(self), 1))
        scores, rows = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), step):
            cosines = queries[start : start + step] @ self.embeddings.T
            scores[start : start + step], rows[start : start + step] = _top_k(cosines, k)
        return scores, rows

    def require_maker(self, encoder: EncoderIdentity, head_sha256: str = "") -> None:
        """Raises EncoderError, naming both, unless this encoder and head made the index."""
        wanted = IndexMeta(encoder, head_sha256)
        if not self.meta.same_maker(wanted):
            raise EncoderError(
                f"The index was made by {self.meta}, not by {wanted}",
                "Use that encoder and head, or index again with these",
            )

    def with_calibration(self, calibration: dict[str, Any]) -> Index:
        return replace(self, meta=replace(self.meta, calibration=calibration))

    def save(self, path: Path) -> None:
        """Write the `.npz` atomically. Raises FactoryError when the disk is full or the folder not writable."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in ("embeddings", *_TEXT_FIELDS)}
        with atomic_write(path) as file:
            np.savez(file, meta=np.array(json.dumps(asdict(self.meta), ensure_ascii=False)), **arrays)

    @classmethod
    def load(cls, path: Path) -> Index:
        """Read an index. Raises IndexFileError when it is missing, damaged, or not an index this version reads."""
        try:
            # Opened here, not by numpy, which leaves the file open when it is no archive.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                fields = {name: stored[name] for name in ("embeddings", *_TEXT_FIELDS)}
                meta = json.loads(str(stored["meta"]))
            if meta["format"] != FORMAT_VERSION:
                raise IndexFileError(
                    f"{path} has format {meta['format']}, this version reads {FORMAT_VERSION}", "Index again"
                )
            index = cls(**fields, meta=IndexMeta(**{**meta, "encoder": EncoderIdentity(**meta["encoder"])}))
            index._check()
        except FileNotFoundError as exc:
            raise IndexFileError(
                f"There is no index at {path}", f"Make one: identify index --refs DIR --out {path}"
            ) from exc
        except OSError as exc:
            raise IndexFileError(f"Cannot read the index {path}: {exc.strerror or exc}") from exc
        except _DAMAGED as exc:
            raise IndexFileError(
                f"{path} is not an index of this program ({exc})", "Make one with: identify index"
            ) from exc
        return index

    def _check(self) -> None:
        if self.embeddings.ndim != 2 or self.embeddings.dtype != np.float32:
            raise ValueError(f"embeddings are {self.embeddings.dtype} {self.embeddings.shape}")
        if not len(self):
            raise ValueError("it holds no reference")
        for name in _TEXT_FIELDS:
            column = getattr(self, name)
            if column.shape != (len(self.embeddings),) or column.dtype.kind != "U":
                raise ValueError(f"{name} is {column.dtype} {column.shape}")
        if not np.isfinite(self.embeddings).all():
            raise ValueError("embeddings are not finite")


def _top_k(cosines: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    n = cosines.shape[1]
    if 0 < k < n:
        rows = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        chosen = np.take_along_axis(cosines, rows, axis=1)
        last = chosen.min(axis=1, keepdims=True)
        # Of equal cosines at the cut a partition keeps any: sort those few queries in full.
        torn = np.count_nonzero(cosines == last, axis=1) > np.count_nonzero(chosen == last, axis=1)
        rows[torn] = np.argsort(-cosines[torn], axis=1, kind="stable")[:, :k]
        rows = np.sort(rows, axis=1)
    else:
        rows = np.tile(np.arange(k), (len(cosines), 1))
    scores = np.take_along_axis(cosines, rows, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)
