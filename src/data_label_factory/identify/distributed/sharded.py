"""References that are divided among shards, as `recognize` looks at them.

Each shard compares its part; here the parts become one again, in the
order in which one process would have found them. So all that follows
decides by the same evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.distributed.shard import Held, bounds_of
from data_label_factory.identify.distributed.shard_pool import ShardPool
from data_label_factory.identify.recognize.background import Backgrounds
from data_label_factory.identify.recognize.codes import Coordinates
from data_label_factory.identify.recognize.features import Floats, Ints
from data_label_factory.identify.recognize.local_index import (
    PROBES,
    QUERIES,
    Details,
    LocalIndex,
    Pairs,
    Places,
)
from data_label_factory.identify.recognize.packing import unpack_angle, unpack_places, unpack_size
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.thumbnails import Thumbnails

_HELD = 1024  # references, of some 70 KB each


class ShardedReferences(ReferenceFeatures):
    """The references `known`, by the shards of a `pool`. What a shard holds
    that is away is passed over, as if it had been removed.

    Whatever asks a shard raises ShardLostError when it does not answer.
    """

    def __init__(self, known: ReferenceFeatures, pool: ShardPool) -> None:
        self.rows, self.columns, self.unused = known.rows, known.columns, known.unused
        self._by_row = np.argsort(known.rows, kind="stable")
        self._pool = pool
        self._bounds = np.array(bounds_of(len(known.rows), pool.parts))
        fetch = lru_cache(_HELD)(self._fetch)
        self.local = _Local(known.local, pool, self._bounds, fetch)
        self.thumbs = _Thumbnails(fetch)
        self._backgrounds = backgrounds = _Backgrounds(fetch, pool)
        self._alike = backgrounds.alike

    def are_away(self, rows: Sequence[int], parts: Collection[int]) -> list[bool]:
        """Which of the rows (M,) of the index the shards `parts` hold."""
        numbers = [super(ShardedReferences, self).numbers_of([row]) for row in rows]
        return [bool(own) and self._part_of(own[0]) in parts for own in numbers]

    def looks_like(self, row: int) -> list[int]:
        """The rows that look the same as one, seen from either side, also
        where a shard holds them that is away.
        """
        numbers = super().numbers_of([row])
        alike = sorted({other for own in numbers for other in self._alike.get(own, ())})
        return [int(other) for other in self.rows[alike] if other >= 0] if alike else []

    def numbers_of(self, rows: Iterable[int]) -> list[int]:
        return self._there(super().numbers_of(rows))

    def _used(self, numbers: Iterable[int]) -> list[int]:
        return self._there(super()._used(numbers))

    def _there(self, numbers: list[int]) -> list[int]:
        missing = self._pool.missing
        if not missing:
            return numbers
        return [number for number in numbers if self._part_of(number) not in missing]

    def _part_of(self, number: int) -> int:
        return int(np.searchsorted(self._bounds, number, side="right")) - 1

    def _fetch(self, number: int) -> Held:
        part = self._part_of(number)
        held: Held = self._pool.ask({part: ("reference", number)})[part]
        return held


class _Local(LocalIndex):
    """A LocalIndex that has others look into the lists, and merges."""

    def __init__(self, known: LocalIndex, pool: ShardPool, bounds: Ints, fetch: Any) -> None:
        super().__init__(known.columns, known.vocabulary)
        self._pool, self._fetch = pool, fetch
        self._ends = self.first[bounds[1:]]  # of each part's features

    def scan(self, rows: Coordinates, words: Ints, max_bits: int) -> Pairs:
        """Of each block of queries first what is in the lists on disk, then
        the later features; query by query, word by word, in their order.
        """
        shared = self._pool.put(rows), self._pool.put(words)
        answers = self._pool.ask_all("scan", *shared, max_bits)
        parts = [answers[part] for part in sorted(answers)]
        query, probe, feature, distance = (
            np.concatenate([one[column] for one in parts]) for column in range(4)
        )
        query, feature = query.astype(np.int64), feature.astype(np.int64)
        is_late = feature >= self._listed
        order = (query // QUERIES * 2 + is_late) * len(rows) + query
        order = np.argsort(order * PROBES + probe, kind="stable")  # the parts ascend already
        query, feature, distance = query[order], feature[order], distance[order]
        return Pairs(query, feature, self.owner(feature), distance)

    def places(self, features: Ints, owner: Ints) -> Places:
        part = np.searchsorted(self._ends, features, side="right")
        rows = {int(one): np.flatnonzero(part == one) for one in np.unique(part)}
        answers = self._pool.ask({one: ("places", features[at]) for one, at in rows.items()})

        place = np.empty((len(features), 2), np.uint16)
        size, angle = np.empty(len(features), np.uint8), np.empty(len(features), np.uint8)
        for one, at in rows.items():
            place[at], size[at], angle[at] = answers[one]
        shape = np.take(self._shapes, owner, axis=0).astype(np.float32)
        return Places(unpack_places(place, shape), unpack_size(size), unpack_angle(angle), shape)

    def _read_details(self, reference: int) -> Details:
        held: Held = self._fetch(reference)
        return held.details


class _Thumbnails(Thumbnails):
    def __init__(self, fetch: Any) -> None:
        self._fetch = fetch
        self._decoded = lru_cache(_HELD)(self._decode)

    def compressed(self, number: int) -> NDArray[np.uint8]:
        held: Held = self._fetch(number)
        return held.thumb


class _Backgrounds(Backgrounds):
    """`alike` has the references that look the same as each, from both
    sides; it is known once and for all.
    """

    def __init__(self, fetch: Any, pool: ShardPool) -> None:
        self._fetch = fetch
        self.alike: dict[int, set[int]] = {}
        for own in pool.ask_all("near_duplicates").values():
            for number, others in own.items():
                for other in others:
                    self.alike.setdefault(number, set()).add(other)
                    self.alike.setdefault(other, set()).add(number)

    @property
    def doubtful(self) -> Ints:
        return np.array(sorted(self.alike), np.int64)

    def similar(self, number: int) -> Ints:
        held: Held = self._fetch(number)
        return held.similar

    def near_duplicates(self, number: int) -> list[int]:
        held: Held = self._fetch(number)
        return held.near_duplicates

    def chance(self, number: int) -> Floats:
        held: Held = self._fetch(number)
        return held.chance
