"""A store of ten times the references in a minute: the distractors of a smaller one again and
again, each copy a little off.

Start, memory, disk and the adding of one are those of a store of that size. The words stay
those of the smaller store, so each holds as many times more features as there are copies;
what a frame takes is that of far more references with words of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Rng
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.local_index import LocalIndex

_HALVINGS = 5  # one bit of 2⁵ differs: in two photos of one thing more do
_WORDS = ("mean", "coarse", "fine", "cells", "spread")
_AS_THEY_ARE = ("counts", "shapes", "tiny", "places", "sizes", "angles", "shared", "words")


def copy_store(base: Columns, own: int, keys: NDArray[np.uint64], empty: Columns, rng: Rng) -> None:
    """Into `empty`: the `own` first references of `base`, and the others of it over and over,
    as many as there are `keys` (N,) in all.
    """
    others = len(base["counts"]) - own
    assert (len(keys) - own) % others == 0
    owned = _rows_of(base, 0, own)
    store = empty.changed(
        append={**owned, "keys": keys[:own]} | {name: base[name] for name in _WORDS}
    )

    copied = _rows_of(base, own, own + others)
    for first in range(own, len(keys), others):
        shift = first - own
        rows = {**copied, "keys": keys[first : first + others]}
        rows["thumb_ends"] = copied["thumb_ends"] + np.uint64(store.rows("thumbs"))
        rows["background_of"] = copied["background_of"] + np.uint32(shift)
        rows["backgrounds"] = copied["backgrounds"].copy()
        similar = rows["backgrounds"]["similar"]
        similar[similar >= own] += shift
        for name in ("signs", "outer"):
            rows[name] = copied[name] ^ _flips(copied[name], rng)
        store = store.changed(append=rows)

    features = store.rows("words")
    store = store.changed(append={"starts": np.zeros(len(base["fine"]) + 1)}, notes={"listed": 0})
    notes = {"listed": features, "learned_for": len(keys)}
    store.changed(replace=LocalIndex(store).listed(), notes=notes)


def _rows_of(base: Columns, start: int, end: int) -> dict[str, NDArray[Any]]:
    """All columns of the references from number `start` to `end`, ends of thumbnails counted
    from 0.
    """
    counts = base["counts"].astype(np.int64)
    features = slice(int(counts[:start].sum()), int(counts[:end].sum()))
    bytes_ = slice(int(base["thumb_ends"][start - 1]) if start else 0, base["thumb_ends"][end - 1])
    numbers = base["background_of"]
    latest = {int(n): at for at, n in enumerate(numbers) if start <= n < end}
    records = np.array([latest[number] for number in range(start, end)])

    by_reference = {"counts", "shapes", "tiny"}
    rows = {
        name: base[name][start:end] if name in by_reference else base[name][features]
        for name in (*_AS_THEY_ARE, "signs", "outer")
    }
    return rows | {
        "thumbs": base["thumbs"][bytes_],
        "thumb_ends": base["thumb_ends"][start:end] - np.uint64(bytes_.start),
        "backgrounds": base["backgrounds"][records],
        "background_of": numbers[records],
    }


def _flips(bits: NDArray[Any], rng: Rng) -> NDArray[Any]:
    """Few bits set, at random; shaped as `bits`."""
    drawn = rng.integers(0, 256, (_HALVINGS, bits.nbytes), np.uint8)
    few = np.asarray(np.bitwise_and.reduce(drawn, axis=0), np.uint8)
    return few.view(bits.dtype).reshape(bits.shape)
