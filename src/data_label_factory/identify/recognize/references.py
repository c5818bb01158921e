"""The references of an index, as frames are compared with them:
features, thumbnails, kinds.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from data_label_factory.identify.recognize.appearance import FrameMask, compare, resize_like
from data_label_factory.identify.recognize.background import SIMILAR, Backgrounds
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.features import Floats, Ints
from data_label_factory.identify.recognize.geometry import pairs_within
from data_label_factory.identify.recognize.local_index import (
    SAME_DISTANCE,
    LocalIndex,
    near_distances,
)
from data_label_factory.identify.recognize.thumbnails import Thumbnails
from data_label_factory.identify.recognize.vocabulary import Vocabulary

# Details that a near-duplicate shares.
_SAME_DETAILS = 0.5  # fraction, by rarity
_FEW_DETAILS = 5.0  # features, by rarity
_SAME_PLACE = 0.02  # of the diagonal


class ReferenceFeatures:
    """N references by their numbers in a store (see `feature_store`).

    `rows` (N,) are their rows in the index; -1 for what the index does
    not have any more, which is passed over.
    """

    def __init__(self, rows: Ints, columns: Columns, vocabulary: Vocabulary | None = None) -> None:
        """A `vocabulary` that is known to be that of `columns` is not made again."""
        self.rows = rows
        self.columns = columns
        self.local = LocalIndex(columns, vocabulary)
        self.thumbs = Thumbnails(columns)
        self.unused = np.flatnonzero(rows < 0)
        self._backgrounds = Backgrounds(columns)
        self._by_row = np.argsort(rows, kind="stable")

    def numbers_of(self, rows: Iterable[int]) -> list[int]:
        """The references that are these rows of the index; none for one
        whose picture could not be read.
        """
        wanted = np.fromiter(rows, np.int64)
        at = np.searchsorted(self.rows, wanted, sorter=self._by_row).clip(max=len(self.rows) - 1)
        numbers = self._by_row[at]
        return [int(number) for number in numbers[self.rows[numbers] == wanted]]

    def chance(self, number: int) -> Floats:
        """(rows, columns) how often another of its kind agrees with a
        reference in each cell of its thumbnail.
        """
        return self._backgrounds.chance(number)

    def near_duplicates(self, number: int) -> list[int]:
        """The references that look the same as one."""
        return self._used(self._backgrounds.near_duplicates(number))

    @property
    def doubtful(self) -> list[int]:
        """All references that have near-duplicates."""
        return self._used(map(int, self._backgrounds.doubtful))

    def near_duplicates_within(self, number: int, mask: FrameMask) -> list[int]:
        """The near-duplicates of a reference, as far as a frame shows it.

        Includes those that would be near-duplicates if there were no more
        of both than `mask`, of its thumbnail's (H, W), leaves.
        """
        known = self.near_duplicates(number)
        own = self.thumbs[number]
        more = []
        for other in self._find_alike(number, mask):
            cells = compare(resize_like(self.thumbs[other], own), own, shift_px=0).within(mask)
            if (
                other not in known
                and cells.are_near_duplicates
                and self._shared_details(number, other, mask) > _SAME_DETAILS
            ):
                more.append(other)
        return known + more

    def _find_alike(self, number: int, mask: FrameMask) -> list[int]:
        """What may look like a reference inside `mask`: what looks like it
        as a whole, and what shares most of the details there.
        """
        details = self.local.details(number)
        inside = self._inside(details.xy, details.shape, mask)
        owners = self.local.pairs(details.descriptors[inside]).owner
        found, counts = np.unique(owners, return_counts=True)
        sharing = found[np.argsort(-counts, kind="stable")][: SIMILAR + 1]
        alike = dict.fromkeys([*self._backgrounds.similar(number).tolist(), *sharing.tolist()])
        return self._used(other for other in alike if other != number)

    def _shared_details(self, number: int, other: int, mask: FrameMask) -> float:
        """How much of a reference's local features inside `mask` another
        has in the same places.

        By rarity; 1 where too little is left to tell. Finer than cells:
        in those, lines of text look alike.
        """
        own, theirs = self.local.details(number), self.local.details(other)
        rows = self._inside(own.xy, own.shape, mask)
        rarity = own.rarity[rows]
        if rarity.sum() < _FEW_DETAILS:
            return 1.0

        places = theirs.xy * (own.shape / theirs.shape)[::-1]
        reach = _SAME_PLACE * float(np.hypot(*own.shape))
        at, near = pairs_within(own.xy[rows], places, reach)
        slack = own.slack[rows[at]] + theirs.slack[near]
        gap = near_distances(own.descriptors[rows[at]], theirs.descriptors[near], slack)
        shared = np.unique(at[gap < SAME_DISTANCE])
        return float(rarity[shared].sum() / rarity.sum())

    def _used(self, numbers: Iterable[int]) -> list[int]:
        return [number for number in numbers if self.rows[number] >= 0]

    @staticmethod
    def _inside(xy: Floats, shape: Floats, mask: FrameMask) -> Ints:
        """Which of the places (F, 2) in a picture of `shape` are inside `mask`."""
        column, row = (xy / shape[::-1] * mask.shape[::-1]).astype(np.int64).clip(0).T
        shown = mask[row.clip(max=mask.shape[0] - 1), column.clip(max=mask.shape[1] - 1)]
        return np.flatnonzero(shown > 0)
