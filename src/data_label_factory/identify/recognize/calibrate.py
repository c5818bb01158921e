"""Calibration of the confidence for one index: how much evidence items
unknown to it reach.

Unknown items are made from what is at hand: views of the index's own
references, each with its item taken out of the index while it is looked
for (leave-one-out); for small collections, where few others can be
mistaken for it, their references laid out anew (`distractors`); and
pictures given as negatives. What they reach is stored in the index
(`IndexMeta.calibration`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import Rng, View, render_view
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.quad import Quad, frame_quad
from data_label_factory.identify.recognize.confidence import (
    EVIDENCE,
    LOG_ODDS_PRIOR,
    MARGIN_RATIO_PRIOR,
    Calibration,
    Spread,
    Tail,
)
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.distractors import recompose, shrink
from data_label_factory.identify.recognize.encoder_constants import learn_from_references
from data_label_factory.identify.recognize.likeness import find_lookalikes
from data_label_factory.identify.recognize.recognizer import Recognizer
from data_label_factory.progress import Progress
from data_label_factory.walk import walk_folder

_FRAMES = 24
_ITEMS_PER_FRAME = 3
_FRAME_SIZE_PX = (800, 600)
_LEFT_OUT = 48  # references compared with all items but their own
_FEW_ITEMS = 24  # with fewer, distractors are tried as unknown items too
_DISTRACTOR_FRAMES = 6
_NEGATIVE_MIN_SIDE_PX = 1024
_OUT_OF_DATE = 0.25  # fraction by which the number of items may change


@dataclass(frozen=True)
class UnknownScene:
    """A frame, the quads of the unknown items in it (for a
    negative, the whole frame), and the rows to hide.
    """

    frame: RGB
    quads: list[Quad]
    hidden: frozenset[int]


def is_out_of_date(index: Index) -> bool:
    """Whether the index was never calibrated, or by other evidence than
    now, or has changed by over a quarter of its items.
    """
    calibration = Calibration.from_dict(index.meta.calibration)
    known = calibration.items
    if calibration.evidence != EVIDENCE:
        return True
    if index.semantic is not None and calibration.likeness is None and index.item_count > 2:
        return True
    return abs(index.item_count - known) > _OUT_OF_DATE * known


def calibrate(
    recognizer: Recognizer,
    refs: Path,
    *,
    negatives: Path | None = None,
    threads: int | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Calibration:
    """Try about eighty unknown items, and every picture in the folder
    `negatives`, on an index.

    A picture that cannot be read is passed over. `threads` is the
    number of cores by default. Deterministic for a seed. Raises
    ImageError when `negatives` is not a folder or holds no picture.
    """
    index = recognizer.index
    constants = None
    if recognizer.embedder.constants is None:
        constants = learn_from_references(index, recognizer.embedder, refs, seed=seed)
        recognizer = copy(recognizer)
        recognizer.calibration = replace(recognizer.calibration, constants=constants)
    negative_files = _find_negatives(negatives) if negatives else []
    scenes = [*_distract(index, refs, seed), *_leave_out(recognizer, refs, seed)]
    left_out = _choose_left_out(index, seed)
    count = len(scenes) + len(negative_files) + len(left_out)

    log_odds: list[float] = []
    margin_ratios: list[float] = []
    with (
        Progress("unknown items tried", count, enabled=not quiet) as progress,
        ThreadPoolExecutor(threads or cpu_count()) as pool,
    ):
        every_scene = _chain(scenes, negative_files)
        for scene_log_odds, scene_ratios in pool.map(
            lambda scene: _try(recognizer, scene), every_scene
        ):
            log_odds += scene_log_odds
            margin_ratios += scene_ratios
            progress.step()

        likeness: list[float] = []
        items: set[int] = set()
        values_of = pool.map(lambda row: _try_left_out(recognizer, refs, row), left_out)
        for row, values in zip(left_out, values_of, strict=True):
            likeness += values
            items |= {int(index.items[row])} if values else set()
            progress.step()

    return Calibration(
        likeness=Spread.of(likeness, len(items)) if left_out else None,
        log_odds=Tail.of(log_odds, LOG_ODDS_PRIOR),
        margin_ratio=Tail.of(margin_ratios, MARGIN_RATIO_PRIOR),
        unknowns=len(log_odds),
        items=index.item_count,
        constants=constants,
    )


def _choose_left_out(index: Index, seed: int) -> list[int]:
    """The rows of some items, all views of each, to compare with all
    others, where two are left to tell apart.
    """
    if index.semantic is None or index.item_count < 3:
        return []
    items = np.unique(index.items)
    chosen: list[int] = []
    for item in np.random.default_rng(seed).permutation(items):
        chosen += map(int, np.flatnonzero(index.items == item))
        if len(chosen) >= _LEFT_OUT:
            break
    return chosen[:_LEFT_OUT]


def _try_left_out(recognizer: Recognizer, refs: Path, row: int) -> list[float]:
    """How much an item is like the rest of the index: what unknown
    things of the same kind reach. Nothing if it cannot be read.
    """
    hidden = find_lookalikes(recognizer.index, recognizer.references, row)
    found = [
        recognizer.find_likely(picture, hidden)
        for picture in _read_rows(recognizer.index, refs, [row])
    ]
    return [one.likeness for one in found if one and one.likeness is not None]


def _chain(
    scenes: Sequence[UnknownScene], negative_files: Sequence[Path]
) -> Iterator[UnknownScene]:
    yield from scenes
    for path in negative_files:
        with suppress(ImageError):
            frame = decode(path, min_side=_NEGATIVE_MIN_SIDE_PX)
            height, width = frame.shape[:2]
            yield UnknownScene(frame, [frame_quad(width, height)], frozenset())


def _find_negatives(folder: Path) -> list[Path]:
    walk = walk_folder(folder)
    if not walk.pictures:
        raise ImageError(walk.no_picture(), "Put pictures there that show none of your items")
    return [folder / name for name in walk.pictures]


def _leave_out(recognizer: Recognizer, refs: Path, seed: int) -> Iterator[UnknownScene]:
    """Views of references, each taken out of the index together with its lookalikes."""
    index = recognizer.index
    rng = np.random.default_rng(seed)
    first_of_item = np.unique(index.items, return_index=True)[1]
    rows = [int(row) for row in rng.permutation(first_of_item)] if len(first_of_item) > 1 else []
    per_frame = max(
        1, min(_ITEMS_PER_FRAME, len(rows) // 3)
    )  # of very few, most must stay to be mistaken for

    for number in range(_FRAMES if rows else 0):
        shown = [rows[(number * per_frame + slot) % len(rows)] for slot in range(per_frame)]
        pictures = _read_rows(index, refs, shown)
        if pictures:
            view = _render(pictures, rng)
            alike = [find_lookalikes(index, recognizer.references, row) for row in shown]
            hidden = frozenset[int]().union(*alike)
            yield UnknownScene(view.image, view.quads, hidden)


def _distract(index: Index, refs: Path, seed: int) -> Iterator[UnknownScene]:
    """Views of distractors made from the references of a small collection."""
    if index.item_count >= _FEW_ITEMS:
        return

    first_of_item = np.unique(index.items, return_index=True)[1]
    pictures = [shrink(picture) for picture in _read_rows(index, refs, first_of_item.tolist())]

    rng = np.random.default_rng(seed)
    for _ in range(_DISTRACTOR_FRAMES if pictures else 0):
        view = _render([recompose(pictures, rng) for _ in range(_ITEMS_PER_FRAME)], rng)
        yield UnknownScene(view.image, view.quads, frozenset())


def _read_rows(index: Index, refs: Path, rows: Sequence[int]) -> list[RGB]:
    """The references that can still be read."""
    pictures = []
    for row in rows:
        with suppress(ImageError):
            pictures.append(read_row(index, refs, row))
    return pictures


def _render(pictures: Sequence[RGB], rng: Rng) -> View:
    width, height = _FRAME_SIZE_PX
    return render_view(pictures, rng, width=width, height=height)


def _try(recognizer: Recognizer, scene: UnknownScene) -> tuple[list[float], list[float]]:
    """What each unknown item of a frame reaches: log-odds, -inf when
    nothing was taken for it, and margin ratio.
    """
    found = [one for one in recognizer.assess(scene.frame, scene.hidden) if one.pose]
    log_odds = [
        max((one.log_odds for one in found if _is_at(one, quad)), default=-np.inf)
        for quad in scene.quads
    ]
    return log_odds, recognizer.margin_ratios(scene.frame, scene.quads, scene.hidden)


def _is_at(one: Assessment, quad: Quad) -> bool:
    """Whether the center of what was found lies inside the quad, whichever way that runs."""
    x, y = (float(v) for v in one.quad.mean(axis=0))
    return cv2.pointPolygonTest(quad, (x, y), False) >= 0
