"""Hypotheses about photos, each with its evidence and whether it is true, for fit_confidence.

The recognizer's own code makes them. True and false is what `identify evaluate` means by
right and wrong; what cannot be judged is left out. An unknown item is a frame of which no
item is in the index: a photo with its items hidden, or one that shows none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from recognize_sets import PictureSet, open_sets
from unknowns import cut_off

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.evaluate.ground_truth import Query, TrueItem
from data_label_factory.identify.evaluate.matching import match_photo
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import Quad, frame_quad
from data_label_factory.identify.recognize import Assessment, Recognizer
from data_label_factory.identify.recognize.likeness import find_lookalikes
from data_label_factory.labels import parse_label, stem_of
from data_label_factory.samples import draw_collection

SAMPLES, OF_THREE = "samples", " of three"
_CARDS = 150  # drawn; half of them are indexed, as in bench/unknowns.py
_CUTS = (0.35, 0.5, 0.65)  # shares of a card beyond the edge of the frame
_TRIOS = 12  # small indexes of each set
_UNKNOWNS_PER_TRIO = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Hypotheses:
    """N hypotheses and U unknown items.

    `evidence` (N, 6) is in the order of `log_odds`; `collection` (N,) and `unknowns` (U,)
    name the set; `unknown` (N,) is the row of the unknown item that was mistaken for a
    known one, or -1; `margin_ratios` (U,) is the best of each, NaN where its quad is not
    known.
    """

    evidence: Floats
    true: NDArray[np.bool_]
    collection: NDArray[np.str_]
    unknown: NDArray[np.int64]
    unknowns: NDArray[np.str_]
    margin_ratios: Floats

    def save(self, path: Path) -> None:
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Hypotheses:
        with np.load(path) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})


class Collector:
    """Tries photos on recognizers and keeps every hypothesis."""

    def __init__(self) -> None:
        self._rows: list[tuple[tuple[float, ...], bool, str, int]] = []
        self._unknowns: list[tuple[str, float]] = []

    def try_photo(self, name: str, recognizer: Recognizer, query: Query) -> None:
        """Try a photo as it is, then with all its items hidden."""
        frame = decode(query.path)
        if not query.items:
            self._try_unknown(name, recognizer, frame, (), [_whole(frame)])
            return

        found = [one for one in recognizer.assess(frame) if one.pose]
        right, wrong = sort_out(recognizer, query, found)
        self._rows += [(evidence_of(one), True, name, -1) for one in right]
        self._rows += [(evidence_of(one), False, name, -1) for one in wrong]

        hidden = find_lookalike_rows(recognizer, query.items)
        quads = [item.quad for item in query.items if item.quad is not None]
        quads = quads or [one.quad for one in right]
        self._try_unknown(name, recognizer, frame, hidden, quads)

    def hypotheses(self) -> Hypotheses:
        evidence, true, collection, unknown = zip(*self._rows, strict=True)
        unknowns, margin_ratios = zip(*self._unknowns, strict=True)
        return Hypotheses(
            np.array(evidence),
            np.array(true),
            np.array(collection),
            np.array(unknown),
            np.array(unknowns),
            np.array(margin_ratios),
        )

    def _try_unknown(
        self,
        name: str,
        recognizer: Recognizer,
        frame: RGB,
        hidden: Collection[int],
        quads: Sequence[Quad],
    ) -> None:
        if len(hidden) >= len(recognizer.index):
            return

        number = len(self._unknowns)
        margin_ratios = recognizer.margin_ratios(frame, quads, hidden) if quads else []
        self._unknowns.append((name, max(margin_ratios, default=np.nan)))

        for one in recognizer.assess(frame, hidden):
            if one.pose and not one.near_duplicates:
                self._rows.append((evidence_of(one), False, name, number))


def evidence_of(one: Assessment) -> tuple[float, ...]:
    """The six arguments of `log_odds`."""
    pose = one.pose
    assert pose is not None
    outside = 0.0 if pose.mask is None else 1 - float(pose.mask.mean()) / 255
    return (
        pose.evidence.whole,
        pose.evidence.whole_correlation,
        one.margin_ratio,
        pose.color,
        pose.hypothesis.inlier_ratio,
        outside,
    )


def sort_out(
    recognizer: Recognizer, query: Query, found: Sequence[Assessment]
) -> tuple[list[Assessment], list[Assessment]]:
    """Those that name an item of the photo rightly, and those that are wrong for sure: a
    near- duplicate of an item shown is neither.
    """
    detections = [recognizer.describe(one) for one in found]
    verdict = match_photo(query, detections, [True] * len(found))
    right = [item.detection for item in verdict.items if item.correct]
    lookalikes = find_lookalike_rows(recognizer, query.items)

    paired = list(zip(found, detections, strict=True))
    true = [one for one, detection in paired if any(detection is d for d in right)]
    wrong = [one for one, detection in paired if any(detection is d for d in verdict.wrong)]
    return true, [one for one in wrong if one.row not in lookalikes and not one.near_duplicates]


def find_lookalike_rows(recognizer: Recognizer, items: Sequence[TrueItem]) -> frozenset[int]:
    """The rows of the items, and of all that cannot be told from them."""
    stems = frozenset().union(*(item.stems for item in items))
    names = enumerate(map(str, recognizer.index.references))
    rows = [row for row, name in names if stem_of(name) in stems]
    alike = [find_lookalikes(recognizer.index, recognizer.references, row) for row in rows]
    return frozenset[int]().union(*alike)


def collect(
    data: Path, names: Sequence[str], embedder: Embedder, scratch: Path, every: int, seed: int
) -> Hypotheses:
    """All hypotheses about the picture sets `names` in `data`; "samples" are cards drawn here."""
    collector = Collector()
    for pictures in _open(data, names, embedder, scratch, every, seed):
        for query in pictures.queries.photos:
            collector.try_photo(pictures.name, pictures.recognizer, query)

        for recognizer, queries in open_trios(pictures, embedder, scratch, seed):
            for query in queries:
                collector.try_photo(pictures.name + OF_THREE, recognizer, query)
        print(f"collected: {pictures.name}", flush=True)
    return collector.hypotheses()


def _open(
    data: Path, names: Sequence[str], embedder: Embedder, scratch: Path, every: int, seed: int
) -> Iterator[PictureSet]:
    if SAMPLES in names:
        draw_set(scratch / SAMPLES, seed)
        yield from open_sets(scratch, [SAMPLES], embedder, scratch, every)
    if given := [name for name in names if name != SAMPLES]:
        yield from open_sets(data, given, embedder, scratch, every)


def draw_set(folder: Path, seed: int) -> None:
    """Half of the sample cards as references; a simulated view of each of them and of the
    others, whole and cut off by the edge of the frame.

    The others are the hardest unknown items: many are an indexed card in other colors.
    """
    files = draw_collection(folder / "all", count=_CARDS)
    known = files[::2]
    (folder / "refs").mkdir()
    (folder / "frames").mkdir()
    for file in known:
        (folder / "refs" / file.name).hardlink_to(file)

    names, truth = {parse_label(file.name).item for file in known}, []
    for number, file in enumerate(files):
        if file in known or parse_label(file.name).item not in names:
            view = render_view([decode(file)], np.random.default_rng((seed, number)))
            cut = cut_off(view, _CUTS[number // 2 % len(_CUTS)], number // 2 % 4)
            whole = {"ref": file.name, "quad": view.quads[0].tolist()}
            shown = ((view.image, "whole", whole), (cut, "cut", {"ref": file.name}))
            for frame, kind, item in shown:
                name = f"{number}-{kind}.png"
                cv2.imwrite(str(folder / "frames" / name), frame[..., ::-1])
                truth.append({"file": name, "items": [item] if file in known else []})
    (folder / "frames" / "truth.json").write_text(json.dumps(truth))


def open_trios(
    pictures: PictureSet, embedder: Embedder, scratch: Path, seed: int
) -> Iterator[tuple[Recognizer, list[Query]]]:
    """Indexes of three items that photos show, and for each the photos of these items and
    some of others. They are not calibrated: the prior decides when to look again.
    """
    rng = np.random.default_rng(seed)
    photos = pictures.queries.photos
    shown = sorted({item.reference for query in photos for item in query.items})
    order = [shown[number] for number in rng.permutation(len(shown))]

    for number in range(min(_TRIOS, len(order) // 3)):
        trio = order[3 * number : 3 * number + 3]
        folder = scratch / f"{pictures.name}-{number}"
        for name in trio:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to((pictures.refs / name).resolve())
        index = build_index(folder, folder.with_suffix(".npz"), embedder, quiet=True).index

        own = [_narrowed(query, trio) for query in photos]
        others = [query for query in own if not query.items]
        picked = rng.permutation(len(others))[:_UNKNOWNS_PER_TRIO]
        queries = [query for query in own if query.items] + [others[int(i)] for i in picked]
        yield Recognizer(index, embedder, refs=folder), queries


def _narrowed(query: Query, names: Sequence[str]) -> Query:
    """The same photo, in which only the items `names` are known."""
    items = tuple(item for item in query.items if item.reference in names)
    return Query(query.path, query.name, items)


def _whole(frame: RGB) -> Quad:
    height, width = frame.shape[:2]
    return frame_quad(width, height)
