"""Indexes of a set's own references among thousands of distractors, made once and kept."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scale_copies import copy_store
from scale_pictures import name_contents, read_stock, write_distractors
from scale_synthetic import Material, make_embeddings, make_reference

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.index.semantic import pack, unpack
from data_label_factory.identify.recognize import store_writer
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.feature_store import (
    feature_store_path,
    load_store,
    new_store,
)
from data_label_factory.identify.recognize.store_writer import key_of
from data_label_factory.identify.refresh import calibrate_index, refresh_index
from data_label_factory.walk import walk_folder

STANDINS = 200  # drawn pictures that stand for those of references that have none
_BATCH = 1000  # references written together
_FOLDER = "distractors"


@dataclass(frozen=True)
class Stand:
    """`count` references, and whether distractors are "drawn", "synthesized" or
    "copied"; "none" where the set is alone. `seconds` of CPU went into each stage of its making.
    """

    count: int
    distractors: str
    index_file: Path
    refs: Path
    seconds: dict[str, float]

    @property
    def name(self) -> str:
        return f"{self.count:,} ({self.distractors})" if self.distractors != "none" else "alone"


class Run(NamedTuple):
    """What a bench is given: the set alone is the first of its `stands`."""

    options: argparse.Namespace
    shop: Workshop
    stands: list[Stand]


class Workshop:
    """Makes stands in a `folder` from the sets in `data`; those in it already are taken."""

    def __init__(
        self,
        data: Path,
        name: str,
        stock: Sequence[str],
        folder: Path,
        most_drawn: int,
        most_synthesized: int,
    ) -> None:
        """Of more references than `most_drawn` the distractors are synthesized, of more than
        `most_synthesized` copied. Raises FactoryError when there is no such set.
        """
        self._own = data / name / "refs"
        if not self._own.is_dir():
            hint = "Name with --data the folder that holds NAME/refs"
            raise FactoryError(f"There is no {self._own}", hint)
        self._data, self._stock_names = data, stock
        self._folder = folder / name
        self._most_drawn, self._most_synthesized = most_drawn, most_synthesized
        self.embedder = Embedder.open()

    @property
    def stock(self) -> list[Any]:
        """Pictures that distractors are made from."""
        names = [name for name in self._stock_names if (self._data / name / "refs").is_dir()]
        return read_stock(self._data, names)

    def make_alone(self) -> Stand:
        """The set's own references."""
        return self._make(self._folder / "alone", 0, "none", self._index_files)

    def make(self, count: int) -> Stand:
        """So many references in all. Raises FactoryError for no more than the set has."""
        own = len(walk_folder(self._own).pictures)
        if count <= own:
            raise FactoryError(f"The set has {own} references itself", "Ask for more")
        if count <= self._most_drawn:
            kind, build = "drawn", self._index_files
        elif count <= self._most_synthesized:
            kind, build = "synthesized", self._synthesize
        else:
            kind, build = "copied", self._copy
            others = self._most_synthesized - own
            count = own + round((count - own) / others) * others
        return self._make(self._folder / f"{kind}-{count}", count - own, kind, build)

    def _make(
        self, folder: Path, more: int, kind: str, build: Callable[[Path, Path], dict[str, float]]
    ) -> Stand:
        file, refs, notes = folder / "index.npz", folder / "refs", folder / "seconds.json"
        if not notes.exists():
            self._link(refs, more, more if kind == "drawn" else min(more, STANDINS))
            notes.write_text(json.dumps(build(file, refs)))
        count = len(walk_folder(self._own).pictures) + more
        return Stand(count, kind, file, refs, json.loads(notes.read_text()))

    def _link(self, refs: Path, more: int, drawn: int) -> None:
        """The set's files, and those of `more` distractors, of which so many are `drawn`."""
        refs.mkdir(parents=True, exist_ok=True)
        for name in walk_folder(self._own).pictures:
            _link(refs / name, self._own / name)
        if more:
            files = write_distractors(self.stock, self._folder / "drawn", range(drawn))
            (refs / _FOLDER).mkdir(exist_ok=True)
            for number in range(more):
                _link(refs / _name(number), files[number % drawn])

    def _index_files(self, file: Path, refs: Path) -> dict[str, float]:
        with _timed() as seconds:
            refresh_index(refs, file, self.embedder, quiet=True)
        return {"all": seconds[0]}

    def _synthesize(self, file: Path, refs: Path) -> dict[str, float]:
        own = Index.load(self.make_alone().index_file)
        more = sum(1 for _ in (refs / _FOLDER).iterdir())
        rng = np.random.default_rng(7)
        index = _add_rows(own, more, rng)
        index.save(file)

        folder = feature_store_path(file)
        seconds = _fill(new_store(folder), index, len(own), refs, self.stock, rng)
        calibrate_index(index, file, self.embedder, refs, quiet=True)
        return seconds

    def _copy(self, file: Path, refs: Path) -> dict[str, float]:
        own, base = self.make_alone(), self.make(self._most_synthesized)
        more = sum(1 for _ in (refs / _FOLDER).iterdir())
        rng = np.random.default_rng(8)
        index = _add_rows(Index.load(own.index_file), more, rng)
        index.save(file)

        store = load_store(feature_store_path(base.index_file))
        keys = np.array([key_of(content) for content in index.contents.tolist()], np.uint64)
        with _timed() as seconds:
            copy_store(store, own.count, keys, new_store(feature_store_path(file)), rng)
        calibrate_index(index, file, self.embedder, refs, quiet=True)
        return {"copied": seconds[0]}


def _add_rows(own: Index, more: int, rng: np.random.Generator) -> Index:
    """An index with distractors behind its rows, as files are sorted."""
    texts = {
        "names": [f"Distractor {n:07}" for n in range(more)],
        "references": [_name(n) for n in range(more)],
        "set_codes": [""] * more,
        "rarities": [""] * more,
        "sha256": name_contents(more),
    }
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(own, name), np.array(values, np.str_)])
        for name, values in texts.items()
    }
    known = np.asarray(own.embeddings)
    columns["embeddings"] = np.concatenate([known, make_embeddings(known, more, rng)])
    if own.semantic is not None:
        kinds = pack(make_embeddings(unpack(np.asarray(own.semantic)), more, rng))
        columns["semantic"] = np.concatenate([own.semantic, kinds])
    return replace(own, meta=replace(own.meta, calibration={}), **columns)


def _fill(
    store: Columns,
    index: Index,
    own: int,
    refs: Path,
    stock: Sequence[Any],
    rng: np.random.Generator,
) -> dict[str, float]:
    """All that a store holds of the `own` first rows of an index, and of the others; step by
    step as a build does it, but for reading pictures.
    """
    material = Material.of(stock)
    keys = [key_of(content) for content in index.contents.tolist()]
    real = [store_writer.describe(keys[row], read_row(index, refs, row)) for row in range(own)]
    store = store_writer.append_references(store, real, None)

    words, learning = None, 0.0
    with _timed() as appending:
        for start in range(own, len(index), _BATCH):
            made = [make_reference(material, key, rng) for key in keys[start : start + _BATCH]]
            store = store_writer.append_references(store, made, words)
            if words is None and store.rows("counts") >= min(store_writer.SAMPLE, len(index)):
                with _timed() as seconds:
                    store = store_writer.learn_words(store, len(index))
                words, learning = store_writer.open_words(store), seconds[0]
    assert words is not None

    with _timed() as sharing:
        store = store_writer.count_shared(store, words)
    with _timed() as comparing:
        store_writer.compare_kinds(store, np.arange(len(index)))
    return {
        "words learned": learning,
        "synthesized, encoded, written": appending[0] - learning,
        "features compared": sharing[0],
        "references compared": comparing[0],
    }


@contextmanager
def _timed() -> Iterator[list[float]]:
    """The CPU seconds of what is done inside, all threads, once it is done."""
    seconds: list[float] = []
    start = time.process_time()
    yield seconds
    seconds.append(time.process_time() - start)


def _name(number: int) -> str:
    return f"{_FOLDER}/distractor_{number:07}.jpg"


def _link(path: Path, target: Path) -> None:
    if not path.exists():
        path.symlink_to(target.resolve())
