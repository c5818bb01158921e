"""How sure is sure enough, learnt for one index: what strangers to it reach.

Strangers are made from what is at hand: views of the index's own references, each with its item taken out of the
index while it is looked for; for small collections, whose members have few others to be mistaken for, also cards drawn
by us; and pictures given as negatives. What they reach is kept in the index (`IndexMeta.calibration`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Encoder, cpu_count
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.images import RGB, decode, find_images
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import DECODE_MIN_SIDE
from data_label_factory.identify.quad import Outline, as_points
from data_label_factory.identify.recognize import Assessment, Recognizer
from data_label_factory.identify.recognize.confidence import LEAD_PRIOR, LOOKS_PRIOR, Calibration, Tail
from data_label_factory.identify.recognize.feature_cache import features_file
from data_label_factory.progress import Progress
from data_label_factory.samples import draw_card, sample_cards

_FRAMES, _ITEMS_A_FRAME = 24, 3
_FRAME_SIZE_PX = (800, 600)
_FEW_ITEMS = 24  # with fewer, drawn cards are tried as strangers too
_DRAWN_FRAMES = 6
_NEGATIVE_MIN_SIDE_PX = 1024
_OUT_OF_DATE = 0.25  # share by which the number of items may change


@dataclass(frozen=True)
class Strangers:
    """A frame, the outlines of the strangers in it (one: the whole frame, for a negative), and the rows to hide."""

    frame: RGB
    outlines: list[Outline]
    hidden: frozenset[int]


def is_out_of_date(index: Index) -> bool:
    """Whether the index was never calibrated, or has grown or shrunk by more than a quarter since."""
    known = Calibration.from_dict(index.meta.calibration).items
    return abs(index.item_count - known) > _OUT_OF_DATE * known


def calibrate_index(
    index: Index,
    out: Path,
    encoder: Encoder,
    head: ProjectionHead | None,
    refs: Path,
    *,
    negatives: Path | None = None,
    quiet: bool = False,
) -> Index:
    """Calibrate an index that lies at `out`, and write it there with what was learnt; the references' features are
    left beside it. Raises as `calibrate`, and FactoryError when the disk is full."""
    recognizer = Recognizer(index, encoder, head, refs=refs, cache=features_file(out), quiet=quiet)
    calibrated = index.with_calibration(calibrate(recognizer, refs, negatives=negatives, quiet=quiet).as_dict())
    calibrated.save(out)
    return calibrated


def calibrate(
    recognizer: Recognizer, refs: Path, *, negatives: Path | None = None, seed: int = 0, quiet: bool = False
) -> Calibration:
    """Try about eighty strangers, and every picture in the folder `negatives`, on an index.

    A picture that cannot be read is passed over. Deterministic for a seed. Raises ImageError when `negatives` is no
    folder, or holds no picture that can be read.
    """
    index = recognizer.index
    given = _negatives(negatives) if negatives else []
    cases = [*_drawn(index, seed), *_left_out(recognizer, refs, seed)]
    looks: list[float] = []
    leads: list[float] = []
    with (
        Progress("strangers tried", len(cases) + len(given), enabled=not quiet) as progress,
        ThreadPoolExecutor(cpu_count()) as pool,
    ):
        for found, lead in pool.map(lambda case: _try(recognizer, case), _chain(cases, given)):
            looks += found
            leads += lead
            progress.step()
    return Calibration(
        looks=Tail.of(looks, LOOKS_PRIOR),
        lead=Tail.of(leads, LEAD_PRIOR),
        strangers=len(looks),
        items=index.item_count,
    )


def _chain(cases: Sequence[Strangers], negatives: Sequence[Path]) -> Iterator[Strangers]:
    yield from cases
    for path in negatives:
        try:
            frame = decode(path, min_side=_NEGATIVE_MIN_SIDE_PX)
        except ImageError:
            continue
        height, width = frame.shape[:2]
        yield Strangers(frame, [as_points([[0, 0], [width, 0], [width, height], [0, height]])], frozenset())


def _negatives(folder: Path) -> list[Path]:
    paths = [folder / name for name in find_images(folder)]
    if not paths:
        raise ImageError(f"There is no picture in {folder}", "Put pictures there that show none of your items")
    return paths


def _left_out(recognizer: Recognizer, refs: Path, seed: int) -> Iterator[Strangers]:
    """Views of references, each taken out of the index together with what cannot be told from it."""
    index = recognizer.index
    rng = np.random.default_rng(seed)
    firsts = np.unique(index.items, return_index=True)[1]  # one reference an item
    rows = [int(row) for row in rng.permutation(firsts)] if len(firsts) > 1 else []
    each = max(1, min(_ITEMS_A_FRAME, len(rows) // 3))  # of very few, most must stay to be mistaken for
    for number in range(_FRAMES if rows else 0):
        shown = [rows[(number * each + slot) % len(rows)] for slot in range(each)]
        pictures = [picture for row in shown if (picture := _read(refs / str(index.filenames[row]))) is not None]
        if pictures:
            view = render_view(pictures, rng, width=_FRAME_SIZE_PX[0], height=_FRAME_SIZE_PX[1])
            hidden = frozenset(alike for row in shown for alike in recognizer.alike(row))
            yield Strangers(view.image, view.outlines, hidden)


def _drawn(index: Index, seed: int) -> Iterator[Strangers]:
    if index.item_count < _FEW_ITEMS:
        rng = np.random.default_rng(seed)
        cards = [np.asarray(draw_card(card)) for card in sample_cards(_DRAWN_FRAMES * _ITEMS_A_FRAME, seed=1 + seed)]
        for start in range(0, len(cards), _ITEMS_A_FRAME):
            view = render_view(
                cards[start : start + _ITEMS_A_FRAME], rng, width=_FRAME_SIZE_PX[0], height=_FRAME_SIZE_PX[1]
            )
            yield Strangers(view.image, view.outlines, frozenset())


def _read(path: Path) -> RGB | None:
    try:
        return decode(path, min_side=DECODE_MIN_SIDE)
    except ImageError:
        return None


def _try(recognizer: Recognizer, case: Strangers) -> tuple[list[float], list[float]]:
    """What each stranger of a frame reaches: its best log-odds, -inf when nothing was taken for it, and its lead."""
    found = recognizer.assess(case.frame, case.hidden)
    looks = [
        max((one.sureness for one in found if one.seen and _is_at(one, outline)), default=-np.inf)
        for outline in case.outlines
    ]
    return looks, recognizer.leads(case.frame, case.outlines, case.hidden)


def _is_at(one: Assessment, outline: Outline) -> bool:
    """Whether the middle of what was found lies within the outline, in whichever order that runs."""
    x, y = (float(v) for v in one.outline.mean(axis=0))
    return cv2.pointPolygonTest(outline, (x, y), False) >= 0
