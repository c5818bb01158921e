"""One part of the references, which a machine of its own holds and compares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from data_label_factory.identify.recognize.background import Backgrounds
from data_label_factory.identify.recognize.codes import Coordinates
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.feature_store import load_store
from data_label_factory.identify.recognize.features import Floats, Ints
from data_label_factory.identify.recognize.local_index import Details, LocalIndex
from data_label_factory.identify.recognize.thumbnails import Thumbnails

_WORDS = 2**16  # whose lists are gone through at a time

State = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, eq=False)
class Held:
    """All that is known of one reference: its features, its thumbnail as
    WebP, and as `Backgrounds` has them, what is like it and how far.
    """

    details: Details
    thumb: NDArray[np.uint8]
    similar: Ints
    near_duplicates: list[int]
    chance: Floats


class Shard:
    """References of the store in `folder`: number `part` of so many
    `parts`. Only their rows are ever read, so only these take memory.
    """

    def __init__(self, folder: Path, part: int, parts: int) -> None:
        self._limits = threadpool_limits(1, user_api="blas")  # as the server has it
        columns = load_store(folder)
        count = columns.rows("counts")
        self._bounds = bounds_of(count, parts)[part : part + 2]
        self._local = _Part(columns, *self._bounds)
        self._columns = columns
        self._backgrounds = Backgrounds(columns)
        self._thumbs = Thumbnails(columns)

    def state(self) -> State:
        """Which state of the store this is."""
        return self._columns.state

    def near_duplicates(self) -> dict[int, list[int]]:
        """What looks the same as each of its references, where anything does."""
        start, end = self._bounds
        own = [int(one) for one in self._backgrounds.doubtful if start <= one < end]
        return {one: self._backgrounds.near_duplicates(one) for one in own}

    def scan(
        self, rows: Coordinates, words: Ints, max_bits: int
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], Floats]:
        """The candidates of `LocalIndex.scan`: query, which of its words,
        feature, distance, (M,) each.
        """
        pairs = self._local.scan(rows, words, max_bits)
        word = np.take(self._columns["words"], pairs.feature)
        probe = (np.take(words, pairs.query, axis=0) == word[:, None]).argmax(axis=1)
        query, feature = pairs.query.astype(np.uint32), pairs.feature.astype(np.uint32)
        return query, probe.astype(np.uint8), feature, pairs.distance

    def places(self, features: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Places, sizes and angles of features (M,), packed."""
        names = ("places", "sizes", "angles")
        place, size, angle = (np.take(self._columns[name], features, axis=0) for name in names)
        return place, size, angle

    def reference(self, number: int) -> Held:
        """What is known of one of its references."""
        return Held(
            self._local.details(number),
            self._thumbs.compressed(number),
            self._backgrounds.similar(number),
            self._backgrounds.near_duplicates(number),
            self._backgrounds.chance(number),
        )


class _Part(LocalIndex):
    """A LocalIndex whose lists have only the references from `start` to `end`."""

    def __init__(self, columns: Columns, start: int, end: int) -> None:
        super().__init__(columns)
        self._own = int(self.first[start]), int(self.first[end])
        self._lists = [self._keep_own(*one) for one in self._lists]

    def _keep_own(self, entries: NDArray[Any], starts: Ints) -> tuple[NDArray[Any], Ints]:
        kept, counts = [entries[:0]], [np.zeros(1, np.int64)]
        for word in range(0, len(starts) - 1, _WORDS):
            ends = starts[word : word + _WORDS + 1]
            some = entries[ends[0] : ends[-1]]
            is_own = (some >= self._own[0]) & (some < self._own[1])
            before = np.concatenate([[0], np.cumsum(is_own)])
            kept.append(some[is_own])
            counts.append(np.diff(before[ends - ends[0]]))
        return np.concatenate(kept), np.cumsum(np.concatenate(counts))


def bounds_of(count: int, parts: int) -> list[int]:
    """Where so many parts of so many references begin, and the last one ends."""
    return [count * part // parts for part in range(parts + 1)]
