"""All references' local features in one inverted index, each with its rarity: what many share says little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import Features, Floats, Ints, distances
from data_label_factory.identify.recognize.vocabulary import (
    SIGNATURE_BITS,
    Signatures,
    Vocabulary,
    count_bits,
)

_PROBES = 4  # words looked at for a query descriptor
_MAX_BITS = 50  # of 128 that may differ: unrelated descriptors of one word differ in about 64
SAME_DISTANCE = 0.45  # RootSIFT distance under which two references hold the same detail
_KEPT_COPIES = 32  # of a detail that very many references share; bounds the lists
_BLOCK = 4000


@dataclass(frozen=True)
class Pairs:
    """M candidate matches: a query's row, a stored feature's number, and their RootSIFT distance; all (M,)."""

    query: Ints
    feature: Ints
    distance: Floats


@dataclass(frozen=True)
class Stored:
    """The features of N references, concatenated, and what was worked out for each: what a file of them holds.

    `counts` (N,) features of each reference, `shapes` (N, 2) the references' heights and widths in px; by feature
    `xy` (F, 2) px, `size`, `angle` (F,) as in Features, `descriptors` (F, 128) uint8, `words` (F,) of the vocabulary,
    `signatures` (F, 2) uint64 within their words, and `shared` (F,): how many other references hold nearly the same
    descriptor.
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
        taken = {name: getattr(self, name)[references] for name in ("counts", "shapes")}
        for name in _BY_FEATURE:
            column = getattr(self, name)
            taken[name] = np.concatenate([column[:0], *(column[run] for run in runs)])
        return Stored(**taken)

    def followed_by(self, other: Stored) -> Stored:
        if not len(self.counts):
            return (
                other  # as it is: a copy of all features would double what building an index needs
            )
        return Stored(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in vars(self)
            }
        )

    @classmethod
    def of(cls, references: Sequence[Features]) -> Stored:
        """Without words yet, nothing shared."""
        total = sum(len(f) for f in references)
        return cls(
            counts=np.array([len(f) for f in references], np.int64),
            shapes=np.array([f.shape for f in references], np.float32).reshape(-1, 2),
            xy=np.concatenate([np.zeros((0, 2), np.float32), *(f.xy for f in references)]),
            size=np.concatenate([np.zeros(0, np.float32), *(f.size for f in references)]),
            angle=np.concatenate([np.zeros(0, np.float32), *(f.angle for f in references)]),
            descriptors=np.concatenate(
                [np.zeros((0, 128), np.uint8), *(f.descriptors for f in references)]
            ),
            words=np.zeros(total, np.int32),
            signatures=np.zeros((total, SIGNATURE_BITS // 64), np.uint64),
            shared=np.zeros(total, np.int32),
        )


_BY_FEATURE = ("xy", "size", "angle", "descriptors", "words", "signatures", "shared")


class LocalIndex:
    """The features of N references in inverted lists. About 230 bytes a feature.

    `reference` (F,) says whose each one is, `first[r] … first[r + 1]` are those of reference r. `rarity` (F,) is 1 for
    a detail that only one reference has and falls to 0 for one that all share. The other arrays are those of `stored`.
    """

    def __init__(self, stored: Stored, vocabulary: Vocabulary) -> None:
        self.stored, self.vocabulary = stored, vocabulary
        self.shapes, self.xy, self.size, self.angle = (
            stored.shapes,
            stored.xy,
            stored.size,
            stored.angle,
        )
        self.descriptors = stored.descriptors
        self.first = np.concatenate([[0], np.cumsum(stored.counts)])
        self.reference = np.repeat(np.arange(len(stored.counts), dtype=np.int32), stored.counts)
        self._weigh()

    @classmethod
    def build(cls, stored: Stored) -> LocalIndex:
        """Learn a vocabulary from the features, and from them which are rare."""
        vocabulary = Vocabulary.learn(stored.descriptors)
        return cls(Stored.of([]), vocabulary).extended(stored)

    def extended(self, stored: Stored) -> LocalIndex:
        """With more references after its own; the vocabulary stays, and so does what is known of its own features."""
        if not len(stored.counts):
            return self
        words, signatures = stored.words.copy(), stored.signatures.copy()
        for block in _blocks(len(words)):
            rows = stored.descriptors[block].astype(np.float32)
            own = self.vocabulary.words(rows, 1)[:, 0]
            words[block], signatures[block] = (
                own,
                self.vocabulary.signatures(self.vocabulary.rotate(rows), own),
            )
        # Nothing shared yet: by counts of another index, details would be left out of the lists that are counted by.
        unshared = np.zeros(len(words), np.int32)
        added = replace(stored, words=words, signatures=signatures, shared=unshared)
        whole = LocalIndex(self.stored.followed_by(added), self.vocabulary)
        shared = whole._shared_with(int(self.stored.counts.sum()))
        whole.stored = replace(whole.stored, shared=np.concatenate([self.stored.shared, shared]))
        whole._weigh()
        return whole

    def taken(self, references: Ints) -> LocalIndex:
        """Those references alone, in that order."""
        if np.array_equal(references, np.arange(len(self))):
            return self
        return LocalIndex(self.stored.taken(references), self.vocabulary)

    def owner(self, features: Ints) -> Ints:
        """Whose each of the `features` is; same shape."""
        return self.reference[features].astype(np.int64)

    def __len__(self) -> int:
        return len(self.shapes)

    def pairs(self, descriptors: NDArray[np.uint8], max_bits: int = _MAX_BITS) -> Pairs:
        """Candidates for (Q, 128) descriptors: of the same word, signatures at most `max_bits` apart."""
        rows = descriptors.astype(np.float32)
        word = self.vocabulary.words(rows, _PROBES)
        query, probe = np.nonzero(word >= 0)
        word = word[query, probe]
        lengths = self._start[word + 1] - self._start[word]
        slot = np.repeat(np.arange(len(word)), lengths)
        entry = (
            np.arange(len(slot))
            - np.repeat(np.cumsum(lengths) - lengths, lengths)
            + self._start[word][slot]
        )
        signature = self.vocabulary.signatures(self.vocabulary.rotate(rows)[query], word)
        bits = np.zeros(len(slot), np.int32)
        for column in range(signature.shape[1]):
            bits += count_bits(self._signatures[entry, column] ^ signature[slot, column])
        near = bits <= max_bits
        queries, features = query[slot[near]], self._entries[entry[near]]
        return Pairs(queries, features, distances(self.descriptors[features], descriptors[queries]))

    def _weigh(self) -> None:
        """Rarities, and inverted lists of all features but surplus copies: the entries of word w are
        `_entries[_start[w] : _start[w + 1]]`."""
        shared = self.stored.shared
        self.rarity = np.asarray(
            1 - np.log1p(shared) / np.log1p(max(len(self), 2)), np.float32
        ).clip(0, 1)
        chance = _KEPT_COPIES / np.maximum(shared, _KEPT_COPIES)
        features = np.flatnonzero(np.random.default_rng(0).random(len(chance)) < chance)
        words = self.stored.words[features].astype(np.int64)
        order = np.argsort(words, kind="stable")
        self._entries = features[order]
        self._start = np.cumsum([0, *np.bincount(words, minlength=len(self.vocabulary))])
        self._signatures = self.stored.signatures[self._entries]

    def _shared_with(self, first: int) -> NDArray[np.int32]:
        """(F - first,) how many other references hold nearly the same descriptor, of the features from `first` on."""
        shared = np.zeros(len(self.descriptors) - first, np.int32)
        for block in _blocks(len(shared)):
            features = slice(first + block.start, first + block.stop)
            pairs = self.pairs(self.descriptors[features], max_bits=40)
            other = self.reference[pairs.feature] != self.reference[features][pairs.query]
            same = other & (pairs.distance < SAME_DISTANCE)
            key = np.unique(pairs.query[same] * len(self) + self.reference[pairs.feature[same]])
            shared[block] = np.bincount(key // len(self), minlength=block.stop - block.start)
        return shared


def _blocks(count: int) -> list[slice]:
    return [slice(i, min(i + _BLOCK, count)) for i in range(0, count, _BLOCK)]
