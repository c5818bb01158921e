"""Every reference's views, encoded once and kept on disk: what a head is trained on in seconds.

One file a reference, named by the SHA-256 of the picture, in a folder named by what made it (encoder, recipe of the
views, seed). So adding ten pictures encodes ten, an interruption loses one at most, and memory does not grow with the
collection: at no time are more than a few pictures' views held.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.encoders import (
    Embeddings,
    Encoder,
    EncoderIdentity,
    cpu_count,
    unit_rows,
)
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import DECODE_MIN_SIDE, hash_files
from data_label_factory.identify.train.views import ViewRecipe, draw_views
from data_label_factory.progress import Progress

_STORED = np.dtype("<f2")  # moves a cosine by under 0.0003, and halves the disk
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True)
class Bank:
    """The features of N references. `filenames` and `sha256` row by row; a row has 1 + views + heldout unit vectors of
    `dim`: the reference itself, its training views, and the held-out ones. `encoded` counts references whose views were
    encoded just now; `unreadable` maps files that are in no row to the reason."""

    folder: Path
    references: tuple[str, ...]
    sha256: tuple[str, ...]
    dim: int
    encoder: EncoderIdentity
    recipe: ViewRecipe
    encoded: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.references)

    def read(self, row: int) -> Embeddings:
        """(1 + views + heldout, dim) float32 unit rows. Raises FactoryError when the file has gone or is damaged."""
        vectors = _read(_path(self.folder, self.sha256[row]), self.recipe, self.dim)
        if vectors is None:
            raise FactoryError(
                f"The bank in {self.folder} was changed while it was used", "Run the command again"
            )
        return vectors

    def reference_features(self) -> Embeddings:
        """(N, dim) the references' own features."""
        return np.stack([self.read(row)[0] for row in range(len(self))])

    def training(self, row: int) -> Embeddings:
        """(views, dim) of one reference."""
        return self.read(row)[1 : 1 + self.recipe.views]

    def heldout(self, row: int) -> Embeddings:
        """(heldout, dim) of one reference, tight and loose in turn; never to be trained on."""
        return self.read(row)[1 + self.recipe.views :]


def build_bank(
    refs: Path, cache: Path, encoder: Encoder, recipe: ViewRecipe, *, quiet: bool = False
) -> Bank:
    """The bank of the pictures below `refs`, encoding only what `cache` does not hold yet.

    A picture that cannot be read is left out and reported. Raises FactoryError when none can be read, or the disk is
    full; what was encoded until then, or until an interruption, is kept.
    """
    folder = cache / _maker(encoder.identity, recipe)
    hashes, unreadable = hash_files(refs)
    first = {digest: name for name, digest in reversed(hashes.items())}  # one file a content
    todo = {d: n for d, n in first.items() if _read(_path(folder, d), recipe, encoder.dim) is None}
    with Progress("views of references", len(todo), enabled=not quiet) as progress:
        for digest, views in _draw_ahead(refs, todo, recipe):
            if isinstance(views, ImageError):
                unreadable |= {
                    name: str(views) for name, other in hashes.items() if other == digest
                }
            else:
                _write(_path(folder, digest), encoder.encode(views))
            progress.step()
    kept = {name: digest for name, digest in hashes.items() if name not in unreadable}
    if not kept:
        raise FactoryError(
            f"There is no readable picture in {refs}", next(iter(unreadable.values()), "")
        )
    encoded = sum(name in kept for name in todo.values())
    return Bank(
        folder,
        tuple(kept),
        tuple(kept.values()),
        encoder.dim,
        encoder.identity,
        recipe,
        encoded,
        unreadable,
    )


def _maker(encoder: EncoderIdentity, recipe: ViewRecipe) -> str:
    """A folder's name for all that features depend on apart from the picture."""
    return hashlib.sha256(
        json.dumps([asdict(encoder), recipe.hash], sort_keys=True).encode()
    ).hexdigest()[:24]


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / f"{digest}.f16"


def _read(path: Path, recipe: ViewRecipe, dim: int) -> Embeddings | None:
    """The unit rows in a bank file; None when it is not there, or is not what this recipe writes."""
    rows = 1 + recipe.views + recipe.heldout
    try:
        with path.open(
            "rb"
        ) as file:  # raw numbers of a known count: there is no header to be fooled by
            data = file.read(rows * dim * _STORED.itemsize + 1)
    except OSError:
        return None
    if len(data) != rows * dim * _STORED.itemsize:
        return None
    vectors = np.frombuffer(data, _STORED).reshape(rows, dim).astype(np.float32)
    if not np.isfinite(vectors).all():
        return None
    lengths = np.linalg.norm(vectors, axis=1)  # 0: an encoder may give that for a blank picture
    whole = bool(((np.abs(lengths - 1) < _LENGTH_TOLERANCE) | (lengths == 0)).all())
    return unit_rows(vectors) if whole else None


def _write(path: Path, vectors: Embeddings) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise FactoryError(
            f"Cannot make the folder {path.parent}: {exc.strerror}",
            "Choose another place with --bank",
        ) from exc
    with atomic_write(path) as file:
        file.write(vectors.astype(_STORED).tobytes())


def _draw_ahead(
    refs: Path, todo: dict[str, str], recipe: ViewRecipe
) -> Iterator[tuple[str, list[RGB] | ImageError]]:
    """Hash and pictures to encode (the reference, then its views) of each file, a few ahead of the caller."""

    def draw(digest: str, name: str) -> tuple[str, list[RGB] | ImageError]:
        try:
            reference = decode(refs / name, min_side=DECODE_MIN_SIDE)
        except ImageError as exc:
            return digest, exc
        return digest, [reference, *draw_views(reference, recipe, digest)]

    remaining = iter(todo.items())
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="draw") as pool:
        ahead: list[Future[tuple[str, list[RGB] | ImageError]]] = []
        try:
            while True:
                ahead += [
                    pool.submit(draw, *entry)
                    for entry in islice(remaining, 1 + cpu_count() - len(ahead))
                ]
                if not ahead:
                    return
                yield ahead.pop(0).result()
        finally:
            for future in ahead:
                future.cancel()
