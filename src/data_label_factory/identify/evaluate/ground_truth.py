"""What labeled photos show: read from file names, folder names, a CSV or a truth.json."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import GroundTruthError, ImageError
from data_label_factory.identify.images import read_file
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.labels import (
    Label,
    LabelScheme,
    item_key,
    parse_label,
    split_copy_ending,
    stem_of,
)
from data_label_factory.names import Names
from data_label_factory.walk import Walk, walk_folder

_LISTED_MAX = 5  # names that an error message lists
_DEFAULT_FILES = ("truth.json", "truth.csv")
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error)


@dataclass(frozen=True)
class TrueItem:
    """One item that a photo shows.

    `stems` are the file stems that name it correctly, several if the ground truth gives
    an item and not one of its variants. `reference` is the file of one of them. `quad`
    is (4, 2) float32 px, or None if unknown. `labels` is what file names say.
    """

    reference: str
    stems: frozenset[str]
    quad: Quad | None = None
    labels: LabelScheme = "cards"

    @property
    def label(self) -> Label:
        return parse_label(self.reference, self.labels)


@dataclass(frozen=True)
class Query:
    """A photo and the items that it shows; a photo without `items` must get no
    confident answer.

    Reports call the photo `name`.
    """

    path: Path
    name: str
    items: tuple[TrueItem, ...]


@dataclass(frozen=True)
class Queries:
    """The photos to evaluate.

    `without_truth` names the others, whose contents are unknown; `walks` have what was
    passed over in the folders.
    """

    photos: list[Query] = field(default_factory=list)
    without_truth: list[str] = field(default_factory=list)
    walks: list[Walk] = field(default_factory=list)


def read_queries(
    index: Index,
    folder: str | Path,
    *,
    negatives: str | Path | None = None,
    truth: str | Path | None = None,
) -> Queries:
    """The photos below `folder`, then those below `negatives`, which show no item of
    the index.

    The ground truth is read from `truth` (.json, else CSV), or from `truth.json` or
    `truth.csv` in the folder. Without these, a photo shows the reference with the same
    stem, or else the one that its subfolder is named after.

    A CSV has the columns `query,ref` and one row per item shown; an empty `ref` means
    that the photo shows no item. A truth.json is a list of `{"file": …, "items":
    [{"ref": …, "quad": [[x, y] × 4] px, optional}]}`. Photos are named relative to the
    folder. References are named by path, file name or stem; items by their name.

    Raises GroundTruthError if the ground truth cannot be read, names anything that is
    not in the index, or covers no photo; ImageError if a folder does not exist.
    """
    folder = Path(folder)
    known = _KnownNames(index)
    truth_file = Path(truth) if truth is not None else _find_truth_file(folder)
    walks = [walk_folder(folder, known=_DEFAULT_FILES)]
    if truth_file is not None:
        photos, without_truth = _read_truth_file(truth_file, walks[0], known)
    else:
        photos, without_truth = _read_names(walks[0], known)

    if not any(photo.items for photo in photos):
        raise GroundTruthError(
            f"No photo in {folder} has ground truth: "
            f"{_list_names(without_truth) or walks[0].no_picture()}",
            "Name each photo, or its subfolder, like the reference it shows; "
            "or write a CSV with query,ref and --truth",
        )

    if negatives is not None:
        walk = walk_folder(negatives)
        walks.append(walk)
        for name in walk.pictures:
            photos.append(Query(walk.folder / name, f"{walk.folder.name}/{name}", ()))
    return Queries(photos, without_truth, walks)


class _KnownNames:
    """The names by which ground truth may refer to the references of an index."""

    def __init__(self, index: Index) -> None:
        self._labels = index.meta.labels
        self._by_stem: dict[str, str] = {}
        self._by_item: dict[str, list[str]] = {}

        for row_reference, row_name in zip(index.references, index.names, strict=True):
            reference = str(row_reference)
            self._by_stem.setdefault(stem_of(reference), reference)
            self._by_item.setdefault(item_key(str(row_name)), []).append(reference)
        self._stems = Names(self._by_stem)

    def find(self, name: str, quad: Quad | None = None) -> TrueItem | None:
        """The reference or item called `name`, or None if the index does not have it."""
        stem = stem_of(name)
        if stem in self._by_stem:
            return TrueItem(self._by_stem[stem], frozenset({stem}), quad, self._labels)

        variants = self._by_item.get(item_key(name))
        label = parse_label(name, self._labels)
        # A name with a set code or rarity means that one variant, never just any of the
        # item.
        if not variants and not (label.set_code or label.rarity):
            variants = self._by_item.get(label.item)
        if not variants:
            meant = self._stems.find(stem) or self._stems.find(split_copy_ending(stem)[0])
            variants = [self._by_stem[meant]] if meant else None
        if not variants:
            return None
        return TrueItem(variants[0], frozenset(map(stem_of, variants)), quad, self._labels)


def _find_truth_file(folder: Path) -> Path | None:
    for name in _DEFAULT_FILES:
        if (folder / name).is_file():
            return folder / name
    return None


def _read_names(walk: Walk, known: _KnownNames) -> tuple[list[Query], list[str]]:
    """The photos named after what they show, and the names of the others."""
    photos = []
    without_truth = []
    for name in walk.pictures:
        item = known.find(stem_of(name))
        if item is None and "/" in name:
            item = known.find(name.split("/")[-2])

        if item:
            photos.append(Query(walk.folder / name, name, (item,)))
        else:
            without_truth.append(name)
    return photos, without_truth


def _read_truth_file(path: Path, walk: Walk, known: _KnownNames) -> tuple[list[Query], list[str]]:
    """The photos that the file names, in its order, and the pictures in the folder it
    omits.
    """
    is_json = path.suffix.lower() == ".json"
    photos_here = Names(walk.pictures)
    shown: dict[str, list[TrueItem]] = {}
    unknown: dict[str, None] = {}
    for file, ref, quad in _parse_rows(path, _parse_json if is_json else _parse_csv):
        items = shown.setdefault(photos_here.find(file) or file, [])
        if not ref:
            continue
        item = known.find(ref, quad)
        if item:
            items.append(item)
        else:
            unknown[ref] = None

    if unknown:
        raise GroundTruthError(
            f"{path} names {len(unknown)} references that are not in the index: "
            f"{_list_names(unknown)}",
            "Correct the names, or index the pictures they stand for",
        )

    photos = [Query(walk.folder / name, name, tuple(items)) for name, items in shown.items()]
    without_truth = [name for name in walk.pictures if name not in shown]
    return photos, without_truth


# Photo, reference ("" if it shows no item), quad.
_Row = tuple[str, str, Quad | None]


def _parse_rows(path: Path, parse: Callable[[str], Iterator[_Row]]) -> list[_Row]:
    """The rows of a ground truth file.

    Raises GroundTruthError if it cannot be read or parsed.
    """
    try:
        return list(parse(read_file(path).decode("utf-8-sig")))
    except ImageError as exc:
        raise GroundTruthError(
            f"{path}: {exc.message}", "Name the file that says what the photos show"
        ) from exc
    except _MALFORMED as exc:
        reason = f"{exc.args[0]} is missing" if isinstance(exc, KeyError) else exc
        raise GroundTruthError(
            f"{path} cannot be read as ground truth ({reason})",
            "Write a CSV with the columns query,ref "
            'or a JSON list of {"file": …, "items": [{"ref": …}]}',
        ) from exc


def _parse_json(text: str) -> Iterator[_Row]:
    for photo in json.loads(text):
        file = _parse_name(photo["file"])
        if not photo["items"]:
            yield file, "", None
        for item in photo["items"]:
            corners = item.get("quad")
            quad = None if corners is None else _parse_quad(corners)
            yield file, _parse_name(item["ref"]), quad


def _parse_csv(text: str) -> Iterator[_Row]:
    is_first = True
    for row in csv.reader(io.StringIO(text, newline="")):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue

        is_header = is_first and [cell.lower() for cell in cells[:2]] == ["query", "ref"]
        is_first = False
        if is_header:
            continue
        if len(cells) < 2 or not cells[0]:
            raise ValueError(f"the row {','.join(row)!r} does not have the columns query,ref")
        yield cells[0], cells[1], None


def _parse_name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a file name")
    return value


def _parse_quad(corners: Any) -> Quad:
    quad = as_points(corners)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError(f"{corners!r} is not a quad of four points")
    return quad


def _list_names(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    text = ", ".join(map(repr, names[:_LISTED_MAX]))
    if len(names) > _LISTED_MAX:
        text += f" and {len(names) - _LISTED_MAX} more"
    return text
