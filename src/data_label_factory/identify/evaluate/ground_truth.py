"""What labelled photos truly show: by file name, by folder, by a CSV, or by a truth.json."""

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
from data_label_factory.identify.images import find_images, read_file
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.labels import item_key, parse_label, stem_of

_SHOWN_NAMES = 5  # of those that an error is about


@dataclass(frozen=True)
class TrueItem:
    """One item that a photo shows. `stems` are the file stems that name it rightly (several when the truth names an
    item and not one of its variants), `filename` one of those references; `outline` (4, 2) float32 px, or None."""

    reference: str
    stems: frozenset[str]
    quad: Quad | None = None


@dataclass(frozen=True)
class Query:
    """A photo and what it shows; with no `items` it must get no sure answer. `name` is how reports call it."""

    path: Path
    name: str
    items: tuple[TrueItem, ...]


@dataclass(frozen=True)
class Queries:
    """`without_truth` names the photos of the folder that nothing is known about; they are left out."""

    photos: list[Query] = field(default_factory=list)
    without_truth: list[str] = field(default_factory=list)


def read_queries(
    index: Index, folder: Path, *, negatives: Path | None = None, truth: Path | None = None
) -> Queries:
    """The photos below `folder` with their truth, then those below `negatives`, which show no item of the index.

    The truth is taken from `truth` (.json, else CSV), or from `truth.json` or `truth.csv` in the folder. Without these
    a photo shows the reference whose stem it has, or else that its own subfolder is named after.

    A CSV has the columns `query,ref`, a row for each item shown; an empty `ref` says that none is. A truth.json is a
    list of `{"file": …, "items": [{"ref": …, "quad": [[x, y] × 4] px, optional}]}`. Photos are named relative to
    the folder; a reference by its path, file name or stem, or an item by its name.

    Raises TruthError when a truth cannot be read or names what the index has not, or when no photo has one;
    ImageError when a folder is none.
    """
    names = _Names(index)
    if truth is None:
        truth = next(
            (path for name in ("truth.json", "truth.csv") if (path := folder / name).is_file()),
            None,
        )
    if truth is not None:
        photos, without = _from_file(truth, folder, names)
    else:
        photos, without = _from_names(folder, names)
    if not any(photo.items for photo in photos):
        raise GroundTruthError(
            f"No photo in {folder} has a truth: {_listed(without) or 'there is none'}",
            "Name each photo, or its subfolder, like the reference it shows; or write a CSV with query,ref and --truth",
        )
    if negatives is not None:
        photos += [
            Query(negatives / name, f"{negatives.name}/{name}", ())
            for name in find_images(negatives)
        ]
    return Queries(photos, without)


class _Names:
    """What a truth may call the references of an index."""

    def __init__(self, index: Index) -> None:
        self._by_stem: dict[str, str] = {}
        self._by_item: dict[str, list[str]] = {}
        for reference, name in zip(map(str, index.references), map(str, index.names), strict=True):
            self._by_stem.setdefault(stem_of(reference), reference)
            self._by_item.setdefault(item_key(name), []).append(reference)

    def find(self, ref: str, quad: Quad | None = None) -> TrueItem | None:
        stem = stem_of(ref)
        if stem in self._by_stem:
            return TrueItem(self._by_stem[stem], frozenset({stem}), quad)
        label = parse_label(ref)
        plain = (
            "" if label.set_code or label.rarity else label.item
        )  # one that names a variant must mean just that
        if variants := self._by_item.get(item_key(ref)) or self._by_item.get(plain):
            return TrueItem(variants[0], frozenset(map(stem_of, variants)), quad)
        return None


def _from_names(folder: Path, names: _Names) -> tuple[list[Query], list[str]]:
    photos, without = [], []
    for name in find_images(folder):
        item = names.find(stem_of(name)) or (
            names.find(name.split("/")[-2]) if "/" in name else None
        )
        if item:
            photos.append(Query(folder / name, name, (item,)))
        else:
            without.append(name)
    return photos, without


def _from_file(path: Path, folder: Path, names: _Names) -> tuple[list[Query], list[str]]:
    """Every photo that the file names, in its order, and the pictures in the folder that it does not."""
    read = _json_rows if path.suffix.lower() == ".json" else _csv_rows
    shown: dict[str, list[TrueItem]] = {}
    unknown: dict[str, None] = {}
    for file, ref, quad in _parsed(path, read):
        items = shown.setdefault(file, [])
        if not ref:
            continue
        item = names.find(ref, quad)
        if item:
            items.append(item)
        else:
            unknown[ref] = None
    if unknown:
        raise GroundTruthError(
            f"{path} names {len(unknown)} references that the index has not: {_listed(unknown)}",
            "Correct the names, or index the pictures they stand for",
        )
    without = [name for name in find_images(folder) if name not in shown]
    return [Query(folder / name, name, tuple(items)) for name, items in shown.items()], without


_Row = tuple[str, str, Quad | None]  # photo, reference ("": none is shown), outline


def _parsed(path: Path, read: Callable[[str], Iterator[_Row]]) -> list[_Row]:
    try:
        return list(read(read_file(path).decode("utf-8-sig")))
    except ImageError as exc:
        raise GroundTruthError(
            f"{path}: {exc.message}", "Name the file that says what the photos show"
        ) from exc
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as exc:
        reason = f"{exc.args[0]} is missing" if isinstance(exc, KeyError) else exc
        raise GroundTruthError(
            f"{path} cannot be read as a truth ({reason})",
            'It is a CSV with the columns query,ref or a JSON list of {"file": …, "items": [{"ref": …}]}',
        ) from exc


def _json_rows(text: str) -> Iterator[_Row]:
    for photo in json.loads(text):
        file = _text(photo["file"])
        if not photo["items"]:
            yield file, "", None
        for item in photo["items"]:
            corners = item.get("quad")
            yield file, _text(item["ref"]), None if corners is None else _parse_quad(corners)


def _csv_rows(text: str) -> Iterator[_Row]:
    rows = (
        row
        for row in csv.reader(io.StringIO(text, newline=""))
        if any(cell.strip() for cell in row)
    )
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row]
        if number == 0 and [cell.lower() for cell in cells[:2]] == ["query", "ref"]:
            continue
        if len(cells) < 2 or not cells[0]:
            raise ValueError(f"the row {','.join(row)!r} has not the two columns query,ref")
        yield cells[0], cells[1], None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} stands where a file name should")
    return value


def _parse_quad(corners: Any) -> Quad:
    quad = as_points(corners)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError(f"{corners!r} is not a quad of four points")
    return quad


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(repr, names[:_SHOWN_NAMES])) + more
