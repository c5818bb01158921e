"""The local features of all references in one inverted index,
each with its rarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize import codes
from data_label_factory.identify.recognize.codes import Bits, Coordinates
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.features import Features, Floats, Ints, distances
from data_label_factory.identify.recognize.packing import (
    unpack_angle,
    unpack_places,
    unpack_shared,
    unpack_size,
)
from data_label_factory.identify.recognize.vocabulary import Vocabulary

# RootSIFT distance below which two references hold the same detail.
SAME_DISTANCE = 0.45
PROBES = 4  # words looked at for a query descriptor

# Bits of 128 that may differ: those of unrelated descriptors of one word differ in
# about 64. A frame is blurred; two references are not, so fewer do when these are
# compared.
_MAX_BITS = 50
_MAX_BITS_OF_REFERENCES = 40

# Of a detail that a great many references share; bounds the lists.
_KEPT_COPIES = 32
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio
QUERIES = 256  # whose lists are scanned at a time: what that takes stays in the cache
_DETAILS_HELD = 1024  # references, of some 17 KB each


@dataclass(frozen=True, eq=False)
class Pairs:
    """M candidate matches: a query's row, a stored feature's
    number, the reference that has it, their RootSIFT distance.
    """

    query: Ints  # (M,)
    feature: Ints  # (M,)
    owner: Ints  # (M,)
    distance: Floats  # (M,)

    def taken(self, rows: NDArray[Any]) -> Pairs:
        """Those pairs alone, by number or by mask."""
        return Pairs(self.query[rows], self.feature[rows], self.owner[rows], self.distance[rows])


@dataclass(frozen=True, eq=False)
class Places:
    """Where M features lie in their references: `xy` (M, 2) px, `size`
    (M,) px, `angle` (M,) radians; `shape` (M, 2) of those pictures.
    """

    xy: Floats
    size: Floats
    angle: Floats
    shape: Floats


@dataclass(frozen=True, eq=False)
class Details:
    """The F features of one reference of `shape` (2,): height and width.

    Their numbers start at `first`; `rarity` (F,) is 1 for a detail
    that only one reference has and falls to 0 for one that all share.
    `slack` (F,) is what a squared distance is too large by.
    """

    first: int
    shape: Floats
    xy: Floats
    size: Floats
    angle: Floats
    descriptors: Coordinates
    slack: Floats
    rarity: Floats

    def __len__(self) -> int:
        return len(self.xy)


class LocalIndex:
    """The features of N references in inverted lists, as `columns` holds
    them; 48 bytes a feature.

    Columns `counts` (N,) and `shapes` (N, 2) by reference; `places`
    (F, 2), `sizes`, `angles`, `words`, `signs`, `outer` and `shared`
    (F,) by feature, see `packing` and `codes`. `entries` are the numbers
    of the first features, word by word, as many as `starts` (W + 1,)
    says; those that came later are listed here.
    """

    def __init__(self, columns: Columns, vocabulary: Vocabulary | None = None) -> None:
        """A `vocabulary` that is known to be the one in `columns` is not made again."""
        self.columns = columns
        self.vocabulary = vocabulary or open_vocabulary(columns)
        self.counts = columns["counts"]
        self._shapes = columns["shapes"]
        self.first = np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])
        self._signs, self._words = columns["signs"], columns["words"]
        self._listed = int(columns.notes.get("listed", 0))  # features in the lists on disk
        self._late = self._list(self._listed)
        # Of this object, so that they go when it goes.
        self.details = lru_cache(_DETAILS_HELD)(self._read_details)

    def __len__(self) -> int:
        return len(self.counts)

    def turned(self, features: Features) -> Features:
        """The features of a frame with coordinates instead of descriptors."""
        return replace(features, descriptors=self.vocabulary.rotation(features.descriptors))

    def owner(self, features: Ints) -> Ints:
        """The reference that each of the `features` belongs to; same shape."""
        return np.searchsorted(self.first, features, side="right") - 1

    def shape(self, reference: int) -> Floats:
        """(2,): height and width of a reference's picture, px."""
        return np.asarray(self._shapes[reference], np.float32)

    def places(self, features: Ints, owner: Ints) -> Places:
        """Where `features` (M,) lie in the references `owner` (M,)."""
        shape = np.take(self._shapes, owner, axis=0).astype(np.float32)
        return Places(
            unpack_places(np.take(self.columns["places"], features, axis=0), shape),
            unpack_size(np.take(self.columns["sizes"], features)),
            unpack_angle(np.take(self.columns["angles"], features)),
            shape,
        )

    def pairs(self, rows: Coordinates, max_bits: int = _MAX_BITS) -> Pairs:
        """Candidates for (Q, 128): of the same word, signatures within `max_bits`."""
        return self.scan(rows, self.vocabulary.words(rows, PROBES), max_bits)

    def scan(self, rows: Coordinates, words: Ints, max_bits: int) -> Pairs:
        """The same, of the `words` (Q, PROBES), -1 where there are fewer."""
        found = []
        for start in range(0, max(len(rows), 1), QUERIES):
            block = slice(start, start + QUERIES)
            query, feature = self._scan_lists(rows[block], words[block], max_bits)
            distance = self._distances(np.take(rows[block], query, axis=0), feature)
            found.append((query + start, feature, distance))
        query, feature, distance = (np.concatenate(column) for column in zip(*found, strict=True))
        return Pairs(query, feature, self.owner(feature), distance)

    def count_sharing(self, start: int, end: int) -> NDArray[np.int64]:
        """(end - start,) how many other references hold nearly the
        descriptor of each feature in that range.
        """
        features = np.arange(start, end)
        pairs = self.pairs(self._decode(features), max_bits=_MAX_BITS_OF_REFERENCES)
        same = pairs.owner != self.owner(features)[pairs.query]
        same &= pairs.distance < SAME_DISTANCE
        key = np.unique(pairs.query[same] * len(self) + pairs.owner[same])
        return np.bincount(key // len(self), minlength=len(features))

    def listed(self) -> dict[str, NDArray[Any]]:
        """The columns `entries` and `starts` of all features."""
        entries, starts = self._list(0)
        return {"entries": entries, "starts": starts}

    def _list(self, start: int) -> tuple[NDArray[Any], Ints]:
        """The lists of the features from number `start` on. Of a detail
        that many share only some are in there, by chance but always
        the same.
        """
        features = np.arange(start, len(self._words), dtype=np.int64)
        shared = np.zeros(len(features), np.float32)  # of the last ones, maybe not known yet
        known = self.columns["shared"][start:]
        shared[: len(known)] = unpack_shared(known)
        draw = (features.astype(np.uint64) * _GOLDEN >> np.uint64(32)).astype(np.float64) / 2**32
        kept = features[draw * np.maximum(shared, _KEPT_COPIES) < _KEPT_COPIES]
        words = np.take(self._words, kept).astype(np.int64)
        order = np.argsort(words, kind="stable")
        starts = np.cumsum([0, *np.bincount(words, minlength=len(self.vocabulary))])
        return kept[order].astype(np.uint32), np.asarray(starts, np.int64)

    def _scan_lists(self, rows: Coordinates, words: Ints, max_bits: int) -> tuple[Ints, Ints]:
        """The entries of the `words` (Q, probes) whose signatures
        are near those of the `rows` (Q, 128): rows and features,
        (M,) each.
        """
        query, probe = np.nonzero(words >= 0)
        word = words[query, probe]
        signature = self.vocabulary.signatures(np.take(rows, query, axis=0), word)

        found = []
        for entries, starts in self._lists:
            if len(entries):
                at, feature = _gather(entries, starts, word)
                near = _differing(signature, at, self._signs, feature) <= max_bits
                found.append((query[at[near]], feature[near]))
        if not found:
            return query[:0], query[:0]
        own, feature = (np.concatenate(column) for column in zip(*found, strict=True))
        return own, feature

    @cached_property
    def _lists(self) -> Sequence[tuple[NDArray[Any], Ints]]:
        """Entries and starts: those in `columns`, and the later ones."""
        starts = np.asarray(self.columns["starts"], np.int64)
        return (self.columns["entries"], starts), self._late

    def _distances(self, rows: Coordinates, features: Ints) -> Floats:
        """RootSIFT distances of coordinates (M, 128) to `features` (M,)."""
        slack = codes.excess(np.take(self.vocabulary.spread, np.take(self._words, features)))
        return near_distances(rows, self._decode(features), slack)

    def _decode(self, features: Ints) -> Coordinates:
        words = np.take(self._words, features)
        return codes.decode(
            np.take(self.vocabulary.fine, words, axis=0).astype(np.float32),
            np.take(self.vocabulary.spread, words),
            np.take(self._signs, features, axis=0).view(np.uint8),
            np.take(self.columns["outer"], features, axis=0),
        )

    def _read_details(self, reference: int) -> Details:
        first, last = int(self.first[reference]), int(self.first[reference + 1])
        features = np.arange(first, last)
        places = self.places(features, np.full(len(features), reference))
        return Details(
            first,
            self.shape(reference),
            places.xy,
            places.size,
            places.angle,
            self._decode(features),
            codes.excess(np.take(self.vocabulary.spread, self._words[first:last])),
            self._rarity(features),
        )

    def _rarity(self, features: Ints) -> Floats:
        shared = unpack_shared(np.take(self.columns["shared"], features))
        rarity = 1 - np.log1p(shared) / np.log1p(max(len(self), 2))
        return np.asarray(rarity, np.float32).clip(0, 1)


def near_distances(a: Coordinates, b: Coordinates, slack: Floats) -> Floats:
    """(M,) RootSIFT distances of coordinates (M, 128), row by row, less
    what decoding adds to their squares: `slack` (M,).
    """
    squares = distances(a, b) ** 2 - slack
    return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float32)


def open_vocabulary(columns: Columns) -> Vocabulary:
    """The vocabulary that `columns` holds."""
    mean = columns["mean"]
    return Vocabulary(
        codes.Rotation(np.array(mean)),
        np.array(columns["coarse"]),
        np.array(columns["fine"]),
        columns["cells"].astype(np.int64),
        np.array(columns["spread"]),
    )


def encode_features(
    descriptors: NDArray[np.uint8], vocabulary: Vocabulary
) -> dict[str, NDArray[Any]]:
    """The columns `words`, `signs` and `outer` of (F, 128) descriptors."""
    rows = vocabulary.rotation(descriptors)
    words = vocabulary.words(rows, 1)[:, 0]
    left = rows.astype(np.float32) - np.take(vocabulary.fine, words, axis=0)
    signs, outer = codes.encode(left, np.take(vocabulary.spread, words))
    return {"words": words, "signs": signs.view("<u8"), "outer": outer}


def _gather(entries: NDArray[Any], starts: Ints, words: Ints) -> tuple[Ints, Ints]:
    """The entries of `words` (M,): which of the words, and the features.

    np.take and np.repeat copy rows many times as fast as indexing does.
    """
    lengths = starts[words + 1] - starts[words]
    before = np.cumsum(lengths) - lengths
    entry = np.arange(lengths.sum()) + np.repeat(starts[words] - before, lengths)
    at = np.repeat(np.arange(len(words)), lengths)
    return at, np.take(entries, entry).astype(np.int64)


def _differing(signature: Bits, at: Ints, signs: NDArray[np.uint64], features: Ints) -> Ints:
    """In how many bits the rows `at` of a signature (M, 16) and `features` differ."""
    differing = np.take(signs, features, axis=0)
    differing ^= np.take(signature.view(np.uint64), at, axis=0)
    bits = np.bitwise_count(differing)
    return np.asarray(bits[:, 0] + bits[:, 1], np.int64)
