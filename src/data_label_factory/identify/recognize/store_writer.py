"""What is put into a store of references, step by step: their features,
the words that these are, which are shared, and what kinds have in common.

Each step is in the store for good once it is done, so that a run that
is interrupted goes on there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_label_factory.cpu import cpu_count
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.appearance import make_thumbnail
from data_label_factory.identify.recognize.background import (
    Backgrounds,
    find_similar,
    learn_backgrounds,
    make_tiny,
)
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.features import Features, Ints, reference_extractor
from data_label_factory.identify.recognize.local_index import (
    LocalIndex,
    encode_features,
    open_vocabulary,
)
from data_label_factory.identify.recognize.packing import (
    pack_angle,
    pack_places,
    pack_shared,
    pack_size,
)
from data_label_factory.identify.recognize.thumbnails import Thumbnails, compress
from data_label_factory.identify.recognize.vocabulary import Vocabulary
from data_label_factory.progress import Progress

MOST_FEATURES = 96  # a reference: with its thumbnail 8 KB (docs/scale.md)
SAMPLE = 25_000  # references that words are learned from, where there are more
_SHOWN_FROM = 1000  # references, for a progress line to be worth it
_BLOCK = 4096  # features, or references, worked on at a time
_RELIST = 0.5  # fraction of the features that are not in the lists yet


class Reference(NamedTuple):
    """One picture's features, thumbnail as WebP, and coarsest look, by
    the `key` of its content.
    """

    key: int
    features: Features
    thumb: NDArray[np.uint8]
    tiny: NDArray[np.uint8]


def describe(key: int, picture: RGB) -> Reference:
    """What is kept of a picture (H, W, 3) with the `key` of its content."""
    thumb = make_thumbnail(picture)
    features = reference_extractor(MOST_FEATURES)(picture)
    return Reference(key, features, compress(thumb), make_tiny(thumb))


def key_of(content: str) -> int:
    """64 bits of a hash of what was indexed of a file, as an index names it."""
    return int.from_bytes(hashlib.blake2b(content.encode(), digest_size=8).digest(), "little")


def append_references(
    store: Columns, references: Sequence[Reference], vocabulary: Vocabulary | None
) -> Columns:
    """With more references; before there is a `vocabulary`, with their
    descriptors as they are. Raises FactoryError when the disk is full.
    """
    if not references:
        return store

    features = [one.features for one in references]
    descriptors = np.concatenate([one.descriptors for one in features])
    ends = np.cumsum([len(one.thumb) for one in references], dtype=np.uint64)
    by_reference = {
        "keys": np.array([one.key for one in references], np.uint64),
        "counts": np.array([len(one) for one in features]),
        "shapes": np.array([one.shape for one in features]),
        "thumbs": np.concatenate([one.thumb for one in references]),
        "thumb_ends": ends + np.uint64(store.rows("thumbs")),
        "tiny": np.stack([one.tiny for one in references]),
    }
    by_feature = {
        "places": np.concatenate([pack_places(one.xy, one.shape) for one in features]),
        "sizes": pack_size(np.concatenate([one.size for one in features])),
        "angles": pack_angle(np.concatenate([one.angle for one in features])),
    }
    words = encode_features(descriptors, vocabulary) if vocabulary else {"raw": descriptors}
    return store.changed(append={**by_reference, **by_feature, **words})


def learn_words(store: Columns, references: int) -> Columns:
    """With a vocabulary for about so many `references`, and the words of
    the descriptors that are there. Raises FactoryError when the disk is full.
    """
    raw = store["raw"]
    expected = round(len(raw) * references / max(store.rows("counts"), 1))
    vocabulary = Vocabulary.learn(raw, expected)
    parts = [encode_features(raw[a:b], vocabulary) for a, b in _blocks(0, len(raw))]
    parts = parts or [encode_features(raw, vocabulary)]
    words = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    learned: dict[str, NDArray[Any]] = {
        "mean": vocabulary.rotation.mean,
        "coarse": vocabulary.coarse,
        "fine": vocabulary.fine,
        "cells": vocabulary.sizes,
        "spread": vocabulary.spread,
        "raw": raw[:0],
        "starts": np.zeros(len(vocabulary) + 1),
    }
    return store.changed(replace={**learned, **words}, notes={"learned_for": references})


def count_shared(store: Columns, vocabulary: Vocabulary, *, quiet: bool = True) -> Columns:
    """With how many references share each feature, and lists of the
    features, where too many are not in them. Raises FactoryError when
    the disk is full.
    """
    features, known = store.rows("words"), store.rows("shared")
    late = features - int(store.notes.get("listed", 0))
    if late <= _RELIST * features:
        shared = _count(LocalIndex(store, vocabulary), known, quiet)
        return store.changed(append={"shared": shared}) if len(shared) else store

    # Nothing is shared yet: what was counted among fewer would leave details out of the
    # lists that are looked into.
    bare = {"entries": np.zeros(0), "starts": np.zeros(len(vocabulary) + 1)}
    store = store.changed(replace={**bare, "shared": np.zeros(features)}, notes={"listed": 0})
    store = store.changed(replace={"shared": _count(LocalIndex(store, vocabulary), 0, quiet)})
    lists = LocalIndex(store, vocabulary).listed()
    return store.changed(replace=lists, notes={"listed": features})


def compare_kinds(store: Columns, used: Ints, *, quiet: bool = True) -> Columns:
    """With backgrounds of all references `used`: of those that have none,
    and of those whose kind has changed by these. Raises FactoryError when
    the disk is full.
    """
    known = Backgrounds(store)
    new = np.intersect1d(known.missing, used)
    if not len(new):
        return store

    tiny, thumbs = store["tiny"], Thumbnails(store)
    similar = find_similar(tiny, new, used)
    near = np.setdiff1d(np.concatenate(similar), new)
    changed = [
        (int(number), others)
        for number, others in zip(near, find_similar(tiny, near, used), strict=True)
        if not np.array_equal(np.sort(others), np.sort(known.similar(int(number))))
    ]
    numbers = np.array([*new, *(number for number, _ in changed)], np.int64)
    similar += [others for _, others in changed]
    is_shown = not quiet and len(numbers) >= _SHOWN_FROM
    with Progress("references compared", len(numbers), enabled=is_shown) as progress:
        for start, end in _blocks(0, len(numbers)):
            records = learn_backgrounds(thumbs.__getitem__, numbers[start:end], similar[start:end])
            store = store.changed(append=records)
            progress.step(end - start)
    return store


def open_words(store: Columns) -> Vocabulary | None:
    """The vocabulary of a store; None before one is learned."""
    return open_vocabulary(store) if store.rows("fine") else None


def _count(local: LocalIndex, start: int, quiet: bool) -> NDArray[np.uint8]:
    """How many references share each feature from number `start` on, packed."""
    end = local.columns.rows("words")
    is_shown = not quiet and len(local) >= _SHOWN_FROM
    counts = [np.zeros(0, np.uint8)]
    with (
        ThreadPoolExecutor(cpu_count()) as pool,
        Progress("features compared", end - start, enabled=is_shown) as progress,
    ):
        for found in pool.map(lambda run: local.count_sharing(*run), _blocks(start, end)):
            counts.append(pack_shared(found))
            progress.step(len(found))
    return np.concatenate(counts)


def _blocks(start: int, end: int) -> list[tuple[int, int]]:
    return [(at, min(at + _BLOCK, end)) for at in range(start, end, _BLOCK)]
