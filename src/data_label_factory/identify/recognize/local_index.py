"""All references' local features in one inverted index, each with its rarity: what many share says little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import Features, Floats, Ints, distances
from data_label_factory.identify.recognize.vocabulary import Vocabulary, count_bits

_PROBES = 4  # words looked at for a query descriptor
_MAX_BITS = 50  # of 128 that may differ: unrelated descriptors of one word differ in about 64
_SAME_DISTANCE = 0.45  # RootSIFT distance under which two references hold the same detail
_KEPT_COPIES = 32  # of a detail that very many references share; bounds the lists
_BLOCK = 4000


@dataclass(frozen=True)
class Pairs:
    """M candidate matches: a query's row, a stored feature's number, and their RootSIFT distance; all (M,)."""

    query: Ints
    feature: Ints
    distance: Floats


class LocalIndex:
    """The features of N references, concatenated. About 180 kB a reference of 1,000 features.

    `reference` says whose each one is, `first[r] … first[r + 1]` are those of reference r, `shapes` (N, 2) the
    references' heights and widths in px. `rarity` (F,) is 1 for a detail that only one reference has and falls to 0
    for one that all share.
    """

    def __init__(self, references: Sequence[Features]) -> None:
        self.shapes = np.array([f.shape for f in references], np.float32).reshape(-1, 2)
        counts = [len(f) for f in references]
        self.first = np.cumsum([0, *counts])
        self.reference = np.repeat(np.arange(len(references)), counts)
        self.xy = np.concatenate([f.xy for f in references])
        self.size = np.concatenate([f.size for f in references])
        self.angle = np.concatenate([f.angle for f in references])
        self.descriptors = np.concatenate([f.descriptors for f in references])
        self._vocabulary = Vocabulary(self.descriptors)
        words = np.concatenate([np.zeros(0, np.int64), *(self._word_of(block) for block in self._blocks())])
        self._fill(words, np.arange(len(words)))
        shared = self._shared_with()
        chance = _KEPT_COPIES / np.maximum(shared, _KEPT_COPIES)
        kept = np.flatnonzero(np.random.default_rng(0).random(len(words)) < chance)
        self._fill(words[kept], kept)
        self.rarity = np.asarray(1 - np.log1p(shared) / np.log1p(max(len(self), 2)), np.float32).clip(0, 1)

    def __len__(self) -> int:
        return len(self.shapes)

    def pairs(self, descriptors: NDArray[np.uint8], max_bits: int = _MAX_BITS) -> Pairs:
        """Candidates for (Q, 128) descriptors: of the same word, signatures at most `max_bits` apart."""
        rows = descriptors.astype(np.float32)
        word = self._vocabulary.words(rows, _PROBES)
        query, probe = np.nonzero(word >= 0)
        word = word[query, probe]
        lengths = self._start[word + 1] - self._start[word]
        slot = np.repeat(np.arange(len(word)), lengths)
        entry = np.arange(len(slot)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + self._start[word][slot]
        signature = self._vocabulary.signatures(self._vocabulary.rotate(rows)[query], word)
        bits = np.zeros(len(slot), np.int32)
        for column in range(signature.shape[1]):
            bits += count_bits(self._signatures[entry, column] ^ signature[slot, column])
        near = bits <= max_bits
        queries, features = query[slot[near]], self._entries[entry[near]]
        return Pairs(queries, features, distances(self.descriptors[features], descriptors[queries]))

    def _fill(self, words: Ints, features: Ints) -> None:
        """Inverted lists: the entries of word w are `_entries[_start[w] : _start[w + 1]]`."""
        order = np.argsort(words, kind="stable")
        self._entries = features[order]
        self._start = np.cumsum([0, *np.bincount(words, minlength=len(self._vocabulary))])
        blocks = [slice(i, i + _BLOCK) for i in range(0, max(len(order), 1), _BLOCK)]
        rotated = (self._vocabulary.rotate(self.descriptors[self._entries[b]].astype(np.float32)) for b in blocks)
        parts = [self._vocabulary.signatures(r, words[order[b]]) for r, b in zip(rotated, blocks, strict=True)]
        self._signatures = np.concatenate(parts)

    def _shared_with(self) -> Ints:
        """(F,) how many other references hold nearly the same descriptor."""
        shared = np.zeros(len(self.descriptors), np.int64)
        for block in self._blocks():
            pairs = self.pairs(self.descriptors[block], max_bits=40)
            other = self.reference[pairs.feature] != self.reference[block][pairs.query]
            same = other & (pairs.distance < _SAME_DISTANCE)
            key = np.unique(pairs.query[same] * len(self) + self.reference[pairs.feature[same]])
            shared[block] = np.bincount(key // len(self), minlength=len(self.descriptors[block]))
        return shared

    def _word_of(self, block: slice) -> Ints:
        return self._vocabulary.words(self.descriptors[block].astype(np.float32), 1)[:, 0]

    def _blocks(self) -> list[slice]:
        return [slice(i, min(i + _BLOCK, len(self.descriptors))) for i in range(0, len(self.descriptors), _BLOCK)]
