"""Is the right one still found among thousands, and does strictness mean what it says there?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from recognize_sets import FIGURES, find_photos, format_table, guessing, measure
from scale_pictures import draw_distractor
from scale_stand import Run, Stand
from unknowns import leave_out

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.evaluate.ground_truth import Queries, read_queries
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.identify.recognize.feature_store import feature_store_path

RATES = (0.1, 0.01)
_PER_FRAME = 3  # drawn unknown items, as calibration shows them
_FRAME_PX = (800, 600)
_SEED = 2**32  # no distractor of an index has such a number


def accuracy(run: Run) -> None:
    """The set's photos, and negatives."""
    rows = []
    folder = run.options.data / "negatives"
    negatives = folder if folder.is_dir() else None
    for stand in run.stands:
        recognizer = _open(stand, run.shop.embedder)
        photos = find_photos(run.options.data / run.options.set)
        queries = read_queries(recognizer.index, photos, negatives=negatives)
        some = Queries(queries.photos[:: run.options.every], queries.without_truth)
        rows.append([stand.name, *measure(guessing(recognizer), some)])
    print(format_table(["references", *FIGURES], rows), flush=True)


def unknowns(run: Run) -> None:
    """Which fraction of unknown items is named at each false-accept rate that is asked for:
    drawn ones of the distractors' kind that are in no index, and the set's photos with their
    items taken out.
    """
    stock = run.shop.stock
    photos = find_photos(run.options.data / run.options.set)
    rows = []
    for stand in run.stands:
        recognizer = _open(stand, run.shop.embedder)
        drawn = [
            rate
            for frame, quads in _draw_frames(stock, run.options.unknowns)
            for rate in _best_rates(_find(recognizer, frame), quads)
        ]
        hidden = [
            min((one.false_accept_rate for one in _find(recognizer, *unknown)), default=1.0)
            for unknown in leave_out(recognizer, photos, run.options.every)
        ]
        for kind, reached in (("drawn", drawn), ("photos, item taken out", hidden)):
            named = [np.mean(np.array(reached) <= rate) for rate in RATES]
            cells = [f"{100 * fraction:.1f} %" for fraction in named]
            rows.append([stand.name, kind, str(len(reached)), *cells])
    head = ("references", "unknown items", "tried", *(f"at {100 * rate:g} %" for rate in RATES))
    print(format_table(head, rows), flush=True)


def _open(stand: Stand, embedder: Embedder) -> Recognizer:
    cache = feature_store_path(stand.index_file)
    return Recognizer(Index.load(stand.index_file), embedder, refs=stand.refs, cache=cache)


def _draw_frames(stock: Sequence[RGB], count: int) -> Iterator[tuple[RGB, list[Quad]]]:
    """Frames with `count` distractors in all that no index has, and where they lie."""
    width, height = _FRAME_PX
    for start in range(0, count, _PER_FRAME):
        rng = np.random.default_rng(_SEED + start)
        shown = [draw_distractor(stock, rng) for _ in range(min(_PER_FRAME, count - start))]
        view = render_view(shown, rng, width=width, height=height)
        yield view.image, view.quads


def _find(
    recognizer: Recognizer, frame: RGB, hidden: frozenset[int] = frozenset()
) -> list[Detection]:
    return [recognizer.describe(one) for one in recognizer.assess(frame, hidden)]


def _best_rates(found: Sequence[Detection], quads: Sequence[Quad]) -> list[float]:
    """The lowest false-accept rate of what was taken for each thing; 1 for nothing."""
    rates = []
    for quad in quads:
        at = [one for one in found if _is_at(one, quad)]
        rates.append(min((one.false_accept_rate for one in at), default=1.0))
    return rates


def _is_at(one: Detection, quad: Quad) -> bool:
    x, y = (float(value) for value in one.quad.mean(axis=0))
    return cv2.pointPolygonTest(quad, (x, y), False) >= 0
