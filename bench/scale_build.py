"""What a reference takes: bytes on disk by part, CPU by stage, and adding one more."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from recognize_sets import format_table
from scale_pictures import draw_distractor
from scale_stand import Run, Stand

from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.files import DECODE_MIN_SIDE
from data_label_factory.identify.recognize.appearance import make_thumbnail
from data_label_factory.identify.recognize.background import make_tiny
from data_label_factory.identify.recognize.feature_store import (
    LAYOUT,
    feature_store_path,
    load_store,
)
from data_label_factory.identify.recognize.features import reference_extractor
from data_label_factory.identify.recognize.store_writer import MOST_FEATURES
from data_label_factory.identify.recognize.thumbnails import compress
from data_label_factory.walk import walk_folder

_MEASURED = 100  # pictures, for the stages
_NEW = 2**33  # the number of a distractor that no index has

PARTS = {
    "descriptors": ("signs", "outer", "raw"),
    "their words": ("words",),
    "lists of the words": ("entries", "starts"),
    "places, sizes, angles, how many share them": ("places", "sizes", "angles", "shared"),
    "thumbnail": ("thumbs", "thumb_ends"),
    "coarsest look": ("tiny",),
    "kind": ("backgrounds", "background_of"),
    "vocabulary": ("mean", "coarse", "fine", "cells", "spread"),
    "content, counts, shape": ("keys", "counts", "shapes"),
}


def count_bytes(run: Run) -> None:
    """Of the store, part by part, and of the index file."""
    columns = []
    for stand in run.stands:
        store = load_store(feature_store_path(stand.index_file))
        size = {name: store.rows(name) * LAYOUT[name].itemsize for name in LAYOUT}
        own = [sum(size[name] for name in names) for names in PARTS.values()]
        index = stand.index_file.stat().st_size
        columns.append([f"{b / stand.count:,.0f}" for b in (*own, sum(own), index)])
    rows = list(zip((*PARTS, "the store", "the index file"), *columns, strict=True))
    print(format_table(("bytes a reference", *(one.name for one in run.stands)), rows), flush=True)


def build(run: Run) -> None:
    """CPU of each picture's stages, on some of the set's; then of all stages of each build."""
    folder = run.options.data / run.options.set / "refs"
    files = [folder / name for name in walk_folder(folder).pictures[:_MEASURED]]
    rows = [[name, f"{ms:.1f}"] for name, ms in _time_stages(files, run.shop.embedder).items()]
    print(format_table(("a picture", "CPU ms"), rows), flush=True)

    rows = []
    for stand in run.stands:
        for stage, seconds in stand.seconds.items():
            rows.append([stand.name, stage, f"{seconds:.0f}", f"{1e3 * seconds / stand.count:.2f}"])
    print("\n" + format_table(("references", "stage", "CPU s", "ms a reference"), rows), flush=True)


def _time_stages(files: Sequence[Path], embedder: Embedder) -> dict[str, float]:
    """CPU milliseconds a picture in each stage."""
    spent: dict[str, float] = {}

    def time_one(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = work()
        spent[name] = spent.get(name, 0.0) + (time.process_time() - start) * 1e3 / len(files)
        return result

    extract = reference_extractor(MOST_FEATURES)
    encoders = {"embedding": embedder.encode}
    if embedder.semantic:
        encoders["second embedding"] = embedder.semantic.encode
    for encode in encoders.values():
        encode([decode(files[0])])  # what the first call sets up is not timed

    for file in files:
        picture: RGB = time_one("decode", partial(decode, file, min_side=DECODE_MIN_SIDE))
        time_one("local features", partial(extract, picture))
        thumb = time_one("thumbnail", partial(make_thumbnail, picture))
        time_one("thumbnail", partial(compress, thumb))
        time_one("thumbnail", partial(make_tiny, thumb))
        for name, encode in encoders.items():
            time_one(name, partial(encode, [picture]))
    return spent


def add(run: Run) -> None:
    """A copy of each index gets one reference more, by a program that has it open, and loses
    it again. Bytes are what the process hands to the system to write.
    """
    picture = draw_distractor(run.shop.stock, np.random.default_rng(_NEW))
    rows = []
    for stand in run.stands:
        with tempfile.TemporaryDirectory(dir=stand.index_file.parent) as scratch:
            index_file, refs = _copy(stand, Path(scratch))
            collection = Collection.load(index_file, refs, embedder=run.shop.embedder)
            collection.recognizer.recognize(picture)  # all is open before
            reference, *added = _measure(partial(collection.add, picture, "One More"))
            _, *removed = _measure(partial(collection.remove, reference))
            rows.append([stand.name, *added, *removed])
    head = ("references", "add s", "written KB", "remove s", "written KB")
    print(format_table(head, rows), flush=True)


def _copy(stand: Stand, folder: Path) -> tuple[Path, Path]:
    """The index and its references, as links, in another folder."""
    for path in stand.index_file.parent.glob(f"{stand.index_file.stem}.*"):
        copy = shutil.copytree if path.is_dir() else shutil.copyfile
        copy(path, folder / path.name)
    refs = folder / "refs"
    shutil.copytree(stand.refs, refs, symlinks=True)
    return folder / stand.index_file.name, refs


def _measure(work: Callable[[], Any]) -> tuple[Any, str, str]:
    """The result, seconds, and kilobytes written."""
    before, start = _written(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    return result, f"{seconds:.2f}", f"{(_written() - before) / 1000:,.0f}"


def _written() -> int:
    counters = psutil.Process().io_counters()
    return int(getattr(counters, "write_chars", counters.write_bytes))
