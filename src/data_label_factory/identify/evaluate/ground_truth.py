"""What labeled photos show: read from file names, folder names, a
CSV or a truth.json.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from data_label_factory.errors import GroundTruthError
from data_label_factory.identify.evaluate.truth_file import read_truth_file
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad
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


@dataclass(frozen=True)
class TrueItem:
    """One item that a photo shows.

    `stems` are the file stems that name it correctly: those of
    all views, and of all variants if the ground truth gives an
    item and not one of them. `reference` is the file of one.
    `quad` is (4, 2) float32 px, or None if unknown. `labels` is
    what file names say.
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
    """A photo and the items that it shows; a photo without
    `items` must get no confident answer.

    Reports call the photo `name`.
    """

    path: Path
    name: str
    items: tuple[TrueItem, ...]


@dataclass(frozen=True)
class Queries:
    """The photos to evaluate.

    `without_truth` names the others, whose contents are unknown;
    `walks` have what was passed over in the folders, and
    `left_out` the rows of the ground truth that cannot be used,
    each with the reason.
    """

    photos: list[Query] = field(default_factory=list)
    without_truth: list[str] = field(default_factory=list)
    walks: list[Walk] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read_queries(
    index: Index,
    folder: str | Path,
    *,
    negatives: str | Path | None = None,
    truth: str | Path | None = None,
) -> Queries:
    """The photos below `folder`, then those below `negatives`,
    which show no item of the index.

    The ground truth is read from `truth` (.json, else CSV), or
    from `truth.json` or `truth.csv` in the folder. Without these,
    a photo shows the reference with the same stem, or else the
    one that its subfolder is named after.

    A CSV has the columns `query,ref` and one row per item shown;
    an empty `ref` means that the photo shows no item. A
    truth.json is a list of `{"file": …, "items": [{"ref": …,
    "quad": [[x, y] × 4] px, optional}]}`. Photos are named
    relative to the folder. References are named by path, file
    name or stem; items by their name.

    Raises GroundTruthError if the ground truth cannot be read or
    covers no photo; ImageError if a folder does not exist.
    """
    folder = Path(folder)
    known = _KnownNames(index)
    truth_file = Path(truth) if truth is not None else _find_truth_file(folder)
    walk = walk_folder(folder, known=_DEFAULT_FILES)
    if truth_file is not None:
        queries = _read_truth_file(truth_file, walk, known)
    else:
        queries = _read_names(walk, known)

    if not any(photo.items for photo in queries.photos):
        nothing = _list_names(queries.without_truth) or walk.no_picture()
        reasons = "; ".join(queries.left_out[:_LISTED_MAX])
        raise GroundTruthError(
            f"No photo in {folder} has ground truth: {reasons or nothing}",
            "Name each photo, or its subfolder, like the reference it shows; "
            "or write a CSV with query,ref and --truth",
        )

    if negatives is not None:
        walk = walk_folder(negatives)
        queries.walks.append(walk)
        for name in walk.pictures:
            queries.photos.append(Query(walk.folder / name, f"{walk.folder.name}/{name}", ()))
    return queries


class _KnownNames:
    """The names by which ground truth may refer to the references
    of an index.
    """

    def __init__(self, index: Index) -> None:
        self._labels = index.meta.labels
        self._by_stem: dict[str, tuple[str, Label]] = {}
        self._by_item: dict[str, list[str]] = {}
        self._views: dict[Label, list[str]] = {}

        for row, reference in enumerate(map(str, index.references)):
            label = index.label(row)
            self._by_stem.setdefault(stem_of(reference), (reference, label.variant))
            self._by_item.setdefault(label.item, []).append(reference)
            self._views.setdefault(label.variant, []).append(reference)
        self._stems = Names(self._by_stem)

    def find(self, name: str, quad: Quad | None = None) -> TrueItem | None:
        """The reference or item called `name`, or None if the
        index does not have it.
        """
        stem = stem_of(name)
        if stem in self._by_stem:
            return self._name(stem, quad)

        variants = self._by_item.get(item_key(name))
        label = parse_label(name, self._labels)
        # A name with a set code or rarity means that one variant,
        # never just any of the item.
        if not variants and (label.set_code or label.rarity):
            variants = self._views.get(label.variant)
        elif not variants:
            variants = self._by_item.get(label.item)
        if not variants:
            meant = self._stems.find(stem) or self._stems.find(split_copy_ending(stem)[0])
            return self._name(meant, quad) if meant else None
        return TrueItem(variants[0], frozenset(map(stem_of, variants)), quad, self._labels)

    def _name(self, stem: str, quad: Quad | None) -> TrueItem:
        """The variant whose file has this stem, by any of its views."""
        reference, variant = self._by_stem[stem]
        stems = frozenset(map(stem_of, self._views[variant]))
        return TrueItem(reference, stems, quad, self._labels)


def _find_truth_file(folder: Path) -> Path | None:
    for name in _DEFAULT_FILES:
        if (folder / name).is_file():
            return folder / name
    return None


def _read_names(walk: Walk, known: _KnownNames) -> Queries:
    """The photos named after what they show, and the names of the others."""
    queries = Queries(walks=[walk])
    for name in walk.pictures:
        item = known.find(stem_of(name))
        if item is None and "/" in name:
            item = known.find(name.split("/")[-2])

        if item:
            queries.photos.append(Query(walk.folder / name, name, (item,)))
        else:
            queries.without_truth.append(name)
    return queries


def _read_truth_file(path: Path, walk: Walk, known: _KnownNames) -> Queries:
    """The photos that the file names, in its order, and the
    pictures in the folder it omits.

    A photo with a row that cannot be used is left out as a whole:
    what it shows is not known.
    """
    rows, left_out = read_truth_file(path)
    photos_here = Names(walk.pictures)
    shown: dict[str, list[TrueItem]] = {}
    unusable: set[str] = set()
    for row in rows:
        name = photos_here.find(row.file) or row.file
        items = shown.setdefault(name, [])
        item = known.find(row.ref, row.quad) if row.ref else None
        if item:
            items.append(item)
        elif row.ref or not row.is_whole:
            unusable.add(name)
        if row.ref and not item:
            reason = f"the index has no reference {row.ref!r}"
            left_out.append(f"{path}, {row.where}: {reason}")

    photos = [
        Query(walk.folder / name, name, tuple(items))
        for name, items in shown.items()
        if name not in unusable
    ]
    without_truth = [name for name in walk.pictures if name not in shown or name in unusable]
    return Queries(photos, without_truth, [walk], left_out)


def _list_names(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    text = ", ".join(map(repr, names[:_LISTED_MAX]))
    if len(names) > _LISTED_MAX:
        text += f" and {len(names) - _LISTED_MAX} more"
    return text
