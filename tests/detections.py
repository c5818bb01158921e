"""Detections and indexes made up for the tests, without any picture."""

from __future__ import annotations

import numpy as np

from data_label_factory.identify.encoders import EncoderIdentity
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.meta import IndexMeta
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.recognize import Detection
from data_label_factory.labels import parse_label

META = IndexMeta(EncoderIdentity("grid", "ab" * 32, {}))


def index_of(*files: str) -> Index:
    labels = [parse_label(file) for file in files]
    names = np.array([label.name for label in labels], np.str_)
    sets = np.array([label.set_code for label in labels], np.str_)
    rarities = np.array([label.rarity for label in labels], np.str_)
    rows = np.eye(len(files), dtype=np.float32)
    return Index(rows, names, np.array(files), sets, rarities, names, META)


def square(x: float, y: float, side: float = 10) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def detection(
    reference: str,
    x: float = 0,
    y: float = 0,
    *,
    score: float = 0.5,
    rate: float = 0.0,
    side: float = 10,
    confident: bool | None = None,
    top_k: tuple[tuple[str, float], ...] | None = None,
    guess: bool = False,
) -> Detection:
    """A detection in a square; confident up to a rate of 0.01 unless told otherwise."""
    return Detection(
        parse_label(reference),
        reference,
        score,
        margin=0.1,
        confident=rate <= 0.01 and not guess if confident is None else confident,
        quad=as_points(square(x, y, side)),
        inliers=9,
        top_k=((reference, score),) if top_k is None else top_k,
        false_accept_rate=rate,
        is_guess=guess,
    )
