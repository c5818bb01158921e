"""Which of several texts was read, up to a few wrong letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.reading.lines import Line

# Letters that are one shape in small print, and to a reader one guess.
_ONE_SHAPE = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1", "!": "1"})

# By `bench/printings.py`, as are those of `recognize.printings`.
_READ = 0.8  # confidence of a text that may decide …
_FEWEST_LETTERS = 4
_WRONG_LETTERS = 0.2  # … and the part of it that may be misread
_READ_SURELY = 0.95  # a whole text that is none of those known


def fold_text(text: str) -> str:
    """A text without case, spaces, and what tells nothing in small
    print: `EMBR-EN01O` and `embr - en010` are one.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if c.isalnum() or c in "★☆†‡").translate(_ONE_SHAPE)


def edits_within(read: str, text: str) -> int:
    """The fewest edits that turn `read` into some part of `text`
    (Sellers, J. Algorithms 1980); a finger may hide the rest.
    """
    before = [0] * (len(text) + 1)
    for count, letter in enumerate(read, 1):
        row = [count]
        for at, other in enumerate(text, 1):
            row.append(min(before[at] + 1, row[-1] + 1, before[at - 1] + (letter != other)))
        before = row
    return min(before)


def which_may_be_read(line: Line, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the (N,) folded texts stands where `line` was read: those
    nearest to it; all where it was hardly read or is near none; none where
    it is surely another one.
    """
    read = fold_text(line.text)
    if line.confidence < _READ or len(read) < _FEWEST_LETTERS:
        return np.ones(len(texts), bool)

    edits = np.array([edits_within(read, text) for text in texts])
    is_whole = len(read) >= (1 - _WRONG_LETTERS) * min(map(len, texts))
    if edits.min() > 0 and is_whole and line.confidence >= _READ_SURELY:
        return np.zeros(len(texts), bool)
    is_near = edits.min() <= _WRONG_LETTERS * len(read)
    return np.asarray((edits == edits.min()) | (not is_near), bool)
