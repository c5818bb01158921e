"""Which of several texts was read, up to a few wrong letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Letters that are one shape in small print, and to a reader one guess.
_ONE_SHAPE = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1", "!": "1"})


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


def count_edits(read: str, texts: Sequence[str]) -> NDArray[np.int64]:
    """`edits_within` of each of the (N,) folded texts."""
    return np.array([edits_within(read, text) for text in texts], np.int64)
