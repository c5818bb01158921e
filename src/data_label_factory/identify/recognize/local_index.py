"""The local features of all references in one inverted index,
each with its rarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import Features, Floats, Ints, distances
from data_label_factory.identify.recognize.vocabulary import SIGNATURE_BITS, Signatures, Vocabulary

# RootSIFT distance below which two references hold the same detail.
SAME_DISTANCE = 0.45
_PROBES = 4  # words looked at for a query descriptor

# Bits of 128 that may differ: those of unrelated descriptors of one word differ in
# about 64. A frame is blurred; two references are not, so fewer do when these are
# compared.
_MAX_BITS = 50
_MAX_BITS_OF_REFERENCES = 40

# Of a detail that a great many references share; bounds the lists.
_KEPT_COPIES = 32
_BLOCK = 4000
_QUERIES = 256  # whose lists are scanned at a time: what that takes stays in the cache


@dataclass(frozen=True, eq=False)
class Pairs:
    """M candidate matches: a query's row, a stored feature's
    number, their RootSIFT distance.
    """

    query: Ints  # (M,)
    feature: Ints  # (M,)
    distance: Floats  # (M,)

    def taken(self, rows: NDArray[Any]) -> Pairs:
        """Those pairs alone, by number or by mask."""
        return Pairs(self.query[rows], self.feature[rows], self.distance[rows])


@dataclass(frozen=True, eq=False)
class Stored:
    """The features of N references, concatenated, and what was
    worked out for each.

    By reference: `counts` (N,) of features, `shapes` (N, 2)
    heights and widths in px. By feature: `xy` (F, 2) px, `size`,
    `angle` (F,) as in Features, `descriptors` (F, 128) uint8,
    `words` (F,) of the vocabulary, `signatures` (F, 2) uint64
    within their words, and `shared` (F,): how many other
    references hold nearly the same descriptor.
    """

    counts: Ints
    shapes: Floats
    xy: Floats
    size: Floats
    angle: Floats
    descriptors: NDArray[np.uint8]
    words: NDArray[np.int32]
    signatures: Signatures
    shared: NDArray[np.int32]

    def taken(self, references: Ints) -> Stored:
        """Those references alone, in that order."""
        last = np.cumsum(self.counts)
        runs = [slice(last[r] - self.counts[r], last[r]) for r in references]

        def take(name: str) -> NDArray[Any]:
            column = getattr(self, name)
            if name in ("counts", "shapes"):
                return np.asarray(column[references])
            return np.concatenate([column[:0], *(column[run] for run in runs)])

        return Stored(**{name: take(name) for name in STORED_FIELDS})

    def followed_by(self, other: Stored) -> Stored:
        """The references of both, these first."""
        if not len(self.counts):  # not copied: that would double what building an index needs
            return other

        def join(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(self, name), getattr(other, name)])

        return Stored(**{name: join(name) for name in STORED_FIELDS})

    @classmethod
    def of(cls, references: Sequence[Features]) -> Stored:
        """Without words yet, nothing shared."""
        total = sum(len(f) for f in references)
        none = np.zeros(0, np.float32)
        no_descriptors = np.zeros((0, 128), np.uint8)
        return cls(
            counts=np.array([len(f) for f in references], np.int64),
            shapes=np.array([f.shape for f in references], np.float32).reshape(-1, 2),
            xy=np.concatenate([none.reshape(0, 2), *(f.xy for f in references)]),
            size=np.concatenate([none, *(f.size for f in references)]),
            angle=np.concatenate([none, *(f.angle for f in references)]),
            descriptors=np.concatenate([no_descriptors, *(f.descriptors for f in references)]),
            words=np.zeros(total, np.int32),
            signatures=np.zeros((total, SIGNATURE_BITS // 64), np.uint64),
            shared=np.zeros(total, np.int32),
        )


STORED_FIELDS = tuple(field.name for field in fields(Stored))


class LocalIndex:
    """The features of N references in inverted lists. About 230
    bytes per feature.

    `reference` (F,) says which reference each feature belongs to;
    those of reference r are `first[r] … first[r + 1]`. `rarity`
    (F,) is 1 for a detail that only one reference has and falls
    to 0 for one that all share. The other arrays are those of
    `stored`.
    """

    def __init__(self, stored: Stored, vocabulary: Vocabulary) -> None:
        self.stored = stored
        self.vocabulary = vocabulary
        self.shapes = stored.shapes
        self.xy = stored.xy
        self.size = stored.size
        self.angle = stored.angle
        self.descriptors = stored.descriptors
        self.first = np.concatenate([[0], np.cumsum(stored.counts)])
        self.reference = np.repeat(np.arange(len(stored.counts), dtype=np.int32), stored.counts)
        self._fill_lists()

    @classmethod
    def build(cls, stored: Stored) -> LocalIndex:
        """Learn a vocabulary from the features, and from them
        which are rare.
        """
        vocabulary = Vocabulary.learn(stored.descriptors)
        return cls(Stored.of([]), vocabulary).extended(stored)

    def extended(self, stored: Stored) -> LocalIndex:
        """With more references appended.

        The vocabulary stays, and so does what is known of the
        features that are here already.
        """
        if not len(stored.counts):
            return self

        # Nothing shared yet: the counts of another index would leave details out of
        # the lists that `_count_sharing` looks into.
        words, signatures = self._quantize(stored.descriptors)
        unshared = np.zeros(len(words), np.int32)
        added = replace(stored, words=words, signatures=signatures, shared=unshared)
        whole = LocalIndex(self.stored.followed_by(added), self.vocabulary)

        shared = whole._count_sharing(int(self.stored.counts.sum()))
        whole.stored = replace(whole.stored, shared=np.concatenate([self.stored.shared, shared]))
        whole._fill_lists()
        return whole

    def taken(self, references: Ints) -> LocalIndex:
        """Those references alone, in that order."""
        if np.array_equal(references, np.arange(len(self))):
            return self
        return LocalIndex(self.stored.taken(references), self.vocabulary)

    def owner(self, features: Ints) -> Ints:
        """The reference that each of the `features` belongs to; same shape."""
        return self.reference[features].astype(np.int64)

    def __len__(self) -> int:
        return len(self.shapes)

    def pairs(self, descriptors: NDArray[np.uint8], max_bits: int = _MAX_BITS) -> Pairs:
        """Candidates for (Q, 128) descriptors: of the same word,
        signatures within `max_bits`.
        """
        rows = descriptors.astype(np.float32)
        words = self.vocabulary.words(rows, _PROBES)
        rotated = self.vocabulary.rotate(rows)

        found = []
        for start in range(0, max(len(rows), 1), _QUERIES):
            block = slice(start, start + _QUERIES)
            query, feature = self._scan_lists(words[block], rotated[block], max_bits)
            ours = np.take(descriptors[block], query, axis=0)
            distance = distances(np.take(self.descriptors, feature, axis=0), ours)
            found.append((query + start, feature, distance))
        return Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _scan_lists(self, words: Ints, rotated: Floats, max_bits: int) -> tuple[Ints, Ints]:
        """The entries of the `words` (Q, probes) whose signatures
        are near those of the `rotated` rows (Q, D): rows and
        features, (M,) each.

        np.take and np.repeat copy rows many times as fast as
        indexing does.
        """
        query, probe = np.nonzero(words >= 0)
        word = words[query, probe]
        lengths = self._start[word + 1] - self._start[word]
        before = np.cumsum(lengths) - lengths
        entry = np.arange(lengths.sum()) + np.repeat(self._start[word] - before, lengths)

        signature = self.vocabulary.signatures(np.take(rotated, query, axis=0), word)
        differing = np.take(self._signatures, entry, axis=0)
        differing ^= np.repeat(signature, lengths, axis=0)
        bits = np.bitwise_count(differing)
        near = np.flatnonzero(bits[:, 0] + bits[:, 1] <= max_bits)
        return np.repeat(query, lengths)[near], self._entries[entry[near]]

    def _quantize(self, descriptors: NDArray[np.uint8]) -> tuple[NDArray[np.int32], Signatures]:
        """The word and the signature of each descriptor."""
        words = np.zeros(len(descriptors), np.int32)
        signatures = np.zeros((len(descriptors), SIGNATURE_BITS // 64), np.uint64)
        for block in _blocks(len(words)):
            rows = descriptors[block].astype(np.float32)
            nearest = self.vocabulary.words(rows, 1)[:, 0]
            words[block] = nearest
            signatures[block] = self.vocabulary.signatures(self.vocabulary.rotate(rows), nearest)
        return words, signatures

    def _fill_lists(self) -> None:
        """Work out rarities, and the inverted lists of all
        features but surplus copies.

        The entries of word w are `_entries[_start[w] : _start[w +
        1]]`.
        """
        shared = self.stored.shared
        rarity = 1 - np.log1p(shared) / np.log1p(max(len(self), 2))
        self.rarity = np.asarray(rarity, np.float32).clip(0, 1)

        chance = _KEPT_COPIES / np.maximum(shared, _KEPT_COPIES)
        features = np.flatnonzero(np.random.default_rng(0).random(len(chance)) < chance)

        words = self.stored.words[features].astype(np.int64)
        self._entries = features[np.argsort(words, kind="stable")]
        self._start = np.cumsum([0, *np.bincount(words, minlength=len(self.vocabulary))])
        self._signatures = self.stored.signatures[self._entries]

    def _count_sharing(self, first: int) -> NDArray[np.int32]:
        """(F - first,) how many other references hold nearly the
        descriptor of each feature.
        """
        shared = np.zeros(len(self.descriptors) - first, np.int32)
        for block in _blocks(len(shared)):
            features = slice(first + block.start, first + block.stop)
            pairs = self.pairs(self.descriptors[features], max_bits=_MAX_BITS_OF_REFERENCES)
            owner = self.reference[pairs.feature]
            is_other = owner != self.reference[features][pairs.query]
            same = is_other & (pairs.distance < SAME_DISTANCE)

            key = np.unique(pairs.query[same] * len(self) + owner[same])
            shared[block] = np.bincount(key // len(self), minlength=block.stop - block.start)
        return shared


def _blocks(count: int) -> list[slice]:
    return [slice(i, min(i + _BLOCK, count)) for i in range(0, count, _BLOCK)]
