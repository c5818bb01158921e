"""Other methods that name what a photo shows, as functions from a frame to detections."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from recognize_sets import FIGURES, PictureSet, format_table, guessing, measure, open_sets

from data_label_factory.errors import MissingExtraError
from data_label_factory.extras import need
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.evaluate.ground_truth import Queries
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.recognize.features import Extractor, Features
from data_label_factory.identify.recognize.geometry import fit_homography
from data_label_factory.identify.verify.simulation import simulate_camera

Recognize = Callable[[RGB], list[Detection]]
Scores = NDArray[np.floating[Any]]  # (N,), of the index's rows, higher is better

_SIMULATED_VIEWS = 2
_FALSE_ACCEPT_RATE = 0.01
_HASH_BITS = 64
_MOST_BITS = 10  # that may differ
_SIFT = Extractor(most=2000, contrast=0.04, zoom=1.5)
_RATIO = 0.85
_TOLERANCE_PX = 3.0
_ENOUGH_INLIERS = 20
_TOP = 5


def rivals(options: argparse.Namespace, scratch: Path) -> None:
    embedder = Embedder.open()
    rows: list[list[str]] = []
    for pictures in open_sets(options.data, options.sets, embedder, scratch, options.every):
        queries = _without_quads(pictures.queries)
        few = Queries(queries.photos[:: max(1, len(queries.photos) // options.brute)])
        part = f"{len(few.photos)} of {len(queries.photos)} photos"

        ours = guessing(pictures.recognizer)
        frames = whole_frame(pictures, embedder)
        rate = f"{_FALSE_ACCEPT_RATE:.0%} false accepts"
        runs = [
            ("ours", ours, queries),
            (f"embedding of the whole frame, {rate}", frames, queries),
            (f"perceptual hash, at most {_MOST_BITS} bits", perceptual_hash(pictures), queries),
            (f"SIFT + MAGSAC on every reference, {part}", brute_force(pictures), few),
            (f"ours, the same {part}", ours, few),
        ]
        for name, run, photos in runs:
            rows.append([pictures.name, name, *_names_only(measure(run, photos))])
    print(format_table(["set", "method", *_names_only(FIGURES)], rows), flush=True)


def whole_frame(pictures: PictureSet, embedder: Embedder) -> Recognize:
    """The reference nearest to the whole frame, with the thresholds of `verify --simulate`."""
    index = pictures.index
    thresholds = simulate_camera(
        index,
        embedder,
        pictures.refs,
        views=_SIMULATED_VIEWS,
        false_accept_rate=_FALSE_ACCEPT_RATE,
        quiet=True,
    )

    def recognize(frame: RGB) -> list[Detection]:
        cosines = index.embeddings @ embedder.encode([frame])[0]
        best = _make_best(index, frame, cosines)
        similar = best.score > thresholds.sim_threshold
        distinct = best.margin > thresholds.margin_threshold
        return [replace(best, confident=similar and distinct)]

    return recognize


def perceptual_hash(pictures: PictureSet) -> Recognize:
    """The reference whose 64-bit DCT hash differs least from that of the whole frame.

    Raises MissingExtraError if `imagehash` is not installed.
    """
    try:
        imagehash = need("imagehash", extra="dev")
    except MissingExtraError as exc:
        raise MissingExtraError(exc.message, "Run: pip install imagehash") from exc

    index = pictures.index

    def hash_bits(picture: RGB) -> NDArray[np.bool_]:
        return np.asarray(imagehash.phash(Image.fromarray(picture)).hash, bool).ravel()

    known = np.stack([hash_bits(decode(pictures.refs / str(name))) for name in index.references])

    def recognize(frame: RGB) -> list[Detection]:
        differing = (known != hash_bits(frame)).sum(axis=1)
        best = _make_best(index, frame, 1 - differing / _HASH_BITS)
        return [replace(best, confident=best.score >= 1 - _MOST_BITS / _HASH_BITS)]

    return recognize


def brute_force(pictures: PictureSet) -> Recognize:
    """The reference with the most inliers of a homography; every reference is tried.

    Up to 2,000 RootSIFT features per picture, matched with a ratio test.
    """
    index = pictures.index
    known = [_SIFT(decode(pictures.refs / str(name))) for name in index.references]

    def recognize(frame: RGB) -> list[Detection]:
        features = _SIFT(frame)
        inliers = np.array([_count_inliers(features, reference) for reference in known])
        best = _make_best(index, frame, inliers)
        count = int(inliers.max())
        return [replace(best, inliers=count, confident=count >= _ENOUGH_INLIERS)] if count else []

    return recognize


def _count_inliers(frame: Features, reference: Features) -> int:
    if not len(frame) or len(reference) < 2:
        return 0

    ours = frame.descriptors.astype(np.float32)
    theirs = reference.descriptors.astype(np.float32)
    squared = np.maximum(_squares(ours)[:, None] + _squares(theirs) - 2 * ours @ theirs.T, 0)

    # Ratio test: the nearest descriptor must be clearly nearer than the second nearest.
    two = np.argpartition(squared, 1, axis=1)[:, :2]
    distances = np.take_along_axis(squared, two, axis=1)
    clear = distances.min(axis=1) < _RATIO**2 * distances.max(axis=1)
    nearest = np.take_along_axis(two, distances.argmin(axis=1)[:, None], axis=1)[:, 0]

    fit = fit_homography(reference.xy[nearest[clear]], frame.xy[clear], _TOLERANCE_PX)
    return 0 if fit is None else int(fit[1].sum())


def _squares(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.einsum("ij,ij->i", rows, rows), np.float32)


def _make_best(index: Index, frame: RGB, scores: Scores) -> Detection:
    """Return a detection of the row with the highest score: the whole frame, not confident."""
    near = np.argsort(-scores, kind="stable")[:_TOP]
    row = int(near[0])
    others = scores[index.items != index.items[row]]
    height, width = frame.shape[:2]

    return Detection(
        label=index.label(row),
        reference=str(index.references[row]),
        score=float(scores[row]),
        margin=float(scores[row] - others.max()) if len(others) else float(scores[row]),
        confident=False,
        quad=as_points([[0, 0], [width, 0], [width, height], [0, height]]),
        inliers=0,
        top_k=tuple((str(index.references[r]), float(scores[r])) for r in near),
        false_accept_rate=1.0,
    )


def _without_quads(queries: Queries) -> Queries:
    photos = []
    for photo in queries.photos:
        items = tuple(replace(item, quad=None) for item in photo.items)
        photos.append(replace(photo, items=items))
    return Queries(photos, queries.without_truth)


def _names_only(cells: list[str] | tuple[str, ...]) -> list[str]:
    return [cell for cell, name in zip(cells, FIGURES, strict=True) if name != "IoU ≥ 0.5"]
