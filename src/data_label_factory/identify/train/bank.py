"""The features of every reference's views, encoded once and kept on
disk: the training set.

One file per reference. It is named by the SHA-256 of the picture,
in a folder named by what made it: encoder, recipe of the views,
seed. So ten added pictures cost the encoding of ten, and an
interruption loses at most one. Memory does not grow with the
collection: only a few pictures' views are held at a time.
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
from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.encoders import (
    Embeddings,
    Encoder,
    EncoderIdentity,
    unit_rows,
)
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index.files import DECODE_MIN_SIDE, hash_files
from data_label_factory.identify.reference_pictures import read_reference
from data_label_factory.identify.train.settings import ViewRecipe
from data_label_factory.identify.train.views import draw_views
from data_label_factory.labels import LabelScheme
from data_label_factory.progress import Progress
from data_label_factory.walk import walk_folder

# Changes a cosine by less than 0.0003 and halves the disk space.
_STORED = np.dtype("<f2")
_LENGTH_TOLERANCE = 0.01

# Hash of a file, its pictures or why there are none.
_Drawn = tuple[str, list[RGB] | ImageError]


@dataclass(frozen=True)
class Bank:
    """The features of N references; `references` and `sha256` name them
    row by row.

    A row has 1 + views + heldout unit vectors of `dim`: the
    reference itself, its training views, and the held-out ones.
    `encoded` counts the references whose views were encoded just
    now. `unreadable` maps the files that have no row to the reason;
    `labels` is what file names say.
    """

    folder: Path
    references: tuple[str, ...]
    sha256: tuple[str, ...]
    dim: int
    encoder: EncoderIdentity
    recipe: ViewRecipe
    encoded: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    labels: LabelScheme = "cards"

    def __len__(self) -> int:
        return len(self.references)

    def read(self, row: int) -> Embeddings:
        """Return (1 + views + heldout, dim) float32 unit rows.

        Raises FactoryError if the file is gone or damaged.
        """
        path = _bank_file(self.folder, self.sha256[row])
        vectors = _read_vectors(path, self.recipe, self.dim)
        if vectors is None:
            raise FactoryError(
                f"The bank in {self.folder} was changed while it was used",
                "Run the command again",
            )
        return vectors

    def reference_features(self) -> Embeddings:
        """(N, dim) the features of the references themselves."""
        return np.stack([self.read(row)[0] for row in range(len(self))])

    def training(self, row: int) -> Embeddings:
        """(views, dim) of one reference."""
        return self.read(row)[1 : 1 + self.recipe.views]

    def heldout(self, row: int) -> Embeddings:
        """(heldout, dim) of one reference, tight and loose in turn. Never train on these."""
        return self.read(row)[1 + self.recipe.views :]


def build_bank(
    refs: Path,
    cache: Path,
    encoder: Encoder,
    recipe: ViewRecipe,
    *,
    labels: LabelScheme = "cards",
    quiet: bool = False,
) -> Bank:
    """Return the bank of the pictures below `refs`; encode only what
    `cache` does not hold yet.

    Pictures that cannot be read are left out and reported. Raises
    FactoryError if none can be read or the disk is full. Whatever was
    encoded before an error or an interruption is kept.
    """
    folder = cache / _folder_name(encoder.identity, recipe)
    walk = walk_folder(refs)
    hashes, unreadable = hash_files(walk)

    # Files of equal content share one entry, under the first name.
    name_of = {digest: name for name, digest in reversed(hashes.items())}
    missing = {
        digest: name
        for digest, name in name_of.items()
        if _read_vectors(_bank_file(folder, digest), recipe, encoder.dim) is None
    }

    with Progress("views of references", len(missing), enabled=not quiet) as progress:
        for digest, pictures in _draw_ahead(refs, missing, recipe):
            if isinstance(pictures, ImageError):
                unreadable |= dict.fromkeys(_names_with(digest, hashes), str(pictures))
            else:
                _write_vectors(_bank_file(folder, digest), encoder.encode(pictures))
            progress.step()

    kept = {name: digest for name, digest in hashes.items() if name not in unreadable}
    if not kept:
        if not unreadable:
            raise FactoryError(walk.no_picture(), "Put one picture per item there")
        reason = next(iter(unreadable.values()))
        raise FactoryError(f"There is no readable picture in {refs}", reason)

    return Bank(
        folder=folder,
        references=tuple(kept),
        sha256=tuple(kept.values()),
        dim=encoder.dim,
        encoder=encoder.identity,
        recipe=recipe,
        encoded=sum(name in kept for name in missing.values()),
        unreadable=unreadable,
        labels=labels,
    )


def _names_with(digest: str, hashes: dict[str, str]) -> list[str]:
    return [name for name, other in hashes.items() if other == digest]


def _folder_name(encoder: EncoderIdentity, recipe: ViewRecipe) -> str:
    """Hash everything that features depend on, apart from the picture."""
    text = json.dumps([asdict(encoder), recipe.hash], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _bank_file(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / f"{digest}.f16"


def _read_vectors(path: Path, recipe: ViewRecipe, dim: int) -> Embeddings | None:
    """Return the unit rows in a bank file, or None if it is missing or not of this recipe."""
    rows = 1 + recipe.views + recipe.heldout
    size = rows * dim * _STORED.itemsize

    # The file is raw numbers of a known count, so there is no header to trust.
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)
    except OSError:
        return None
    if len(data) != size:
        return None

    vectors = np.frombuffer(data, _STORED).reshape(rows, dim).astype(np.float32)
    if not np.isfinite(vectors).all():
        return None

    lengths = np.linalg.norm(vectors, axis=1)
    is_unit = np.abs(lengths - 1) < _LENGTH_TOLERANCE
    is_blank = lengths == 0  # an encoder may return zeros for a blank picture
    if not (is_unit | is_blank).all():
        return None
    return unit_rows(vectors)


def _write_vectors(path: Path, vectors: Embeddings) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise FactoryError(
            f"Cannot make the folder {path.parent}: {exc.strerror}",
            "Choose another place with --bank",
        ) from exc
    with atomic_write(path) as file:
        file.write(vectors.astype(_STORED).tobytes())


def _draw_ahead(refs: Path, missing: dict[str, str], recipe: ViewRecipe) -> Iterator[_Drawn]:
    """Yield the hash and the pictures to encode of each file, drawn
    a few files ahead.

    The pictures are the reference and then its views, or the
    ImageError of an unreadable file.
    """

    def draw(digest: str, name: str) -> _Drawn:
        try:
            reading = read_reference(refs / name, DECODE_MIN_SIDE, trim=recipe.trim)
        except ImageError as exc:
            return digest, exc
        return digest, [reading.picture, *draw_views(reading.picture, recipe, digest)]

    remaining = iter(missing.items())
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="draw") as pool:
        ahead: list[Future[_Drawn]] = []
        try:
            while True:
                room = 1 + cpu_count() - len(ahead)
                ahead += [pool.submit(draw, *entry) for entry in islice(remaining, room)]
                if not ahead:
                    return
                yield ahead.pop(0).result()
        finally:
            for future in ahead:
                future.cancel()
