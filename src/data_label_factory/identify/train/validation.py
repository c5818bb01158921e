"""What a head is worth: views that it was never trained on, named with and without it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.index import Index, IndexMeta
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.verify.margins import Floats, nearest_others
from data_label_factory.identify.verify.simulation import (
    best_of_item,
    find_near_duplicates,
    score_views,
)

REFERENCES_MAX = 2000
_BLOCK = 1024
_FALSE_ACCEPT_RATE = 0.01
_CLEARLY = 0.02  # a median margin that grew by less is no gain


@dataclass(frozen=True)
class Figures:
    """Shares of held-out views, and cosine differences.

    `top1` of all views, `top1_tight` and `top1_loose` of the two kinds; `accepted_right` at 1 % of strangers, which are
    the same views with the true item taken out; `margin_views` and `margin_references` are medians of the lead over the
    best other item, of the views and of the references themselves (the one that `verify` shows).
    """

    top1: float
    top1_tight: float
    top1_loose: float
    accepted_right: float
    margin_views: float
    margin_references: float

    @property
    def rank(self) -> tuple[float, float]:
        """What heads are chosen by: answers first, then how sure they are."""
        return round(self.top1 + self.accepted_right, 4), self.margin_views

    def better_than(self, other: Figures) -> bool:
        """More answers right, or as many and clearly surer ones."""
        return self.rank[0] > other.rank[0] or (
            self.rank[0] == other.rank[0] and self.margin_views > other.margin_views + _CLEARLY
        )

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Validation:
    """`leads` (V,) of each view: its cosine to the item it shows, less that to the best other; `rows` (V,) of what it
    shows."""

    figures: Figures
    margins: Floats
    rows: NDArray[np.int64]

    def of_row(self, row: int) -> tuple[float, float]:
        """Of one reference: the share of its views named rightly, and their mean lead."""
        margins = self.margins[self.rows == row]
        return float((margins > 0).mean()), float(margins.mean())


class Validator:
    """Holds the references' and the held-out views' features of a bank (of an even sample of 2,000 references)."""

    def __init__(self, bank: Bank, classes: NDArray[np.int64], references: Embeddings) -> None:
        validation = np.unique(
            np.linspace(0, len(bank) - 1, min(len(bank), REFERENCES_MAX)).astype(np.int64)
        )
        self._bank, self._classes, self._references = bank, classes, references
        self._views = np.concatenate([bank.heldout(int(row)) for row in validation])
        self._rows = np.repeat(validation, bank.recipe.heldout)
        self._near_duplicates = self._find_near_duplicates()

    def validate(self, head: ProjectionHead | None) -> Validation:
        """Search for every held-out view among the references, both through `head` (None: as encoded)."""
        references, views = (_through(head, rows) for rows in (self._references, self._views))
        index = self._index(references)
        margins = (
            best_of_item(index, views, self._rows) - nearest_others(views, self._rows, index).other
        )
        everywhere = np.arange(len(index))
        own = (
            np.einsum("nd,nd->n", references, references)
            - nearest_others(references, everywhere, index).other
        )
        right = margins > 0
        simulation = score_views(
            index, views, self._rows, _FALSE_ACCEPT_RATE, self._near_duplicates
        )
        figures = Figures(
            top1=float(right.mean()),
            top1_tight=float(right[0::2].mean()),
            top1_loose=float(right[1::2].mean()),
            accepted_right=simulation.accepted_right,
            margin_views=float(np.median(margins)),
            margin_references=float(np.median(own)),
        )
        return Validation(figures, margins, self._rows)

    def _find_near_duplicates(self) -> NDArray[np.bool_]:
        """(V,) by the encoder alone and its straightened views, once: so that all heads meet the same strangers."""
        index = self._index(self._references)
        own = best_of_item(index, self._views[0::2], self._rows[0::2])
        return find_near_duplicates(index, self._rows, own)

    def _index(self, references: Embeddings) -> Index:
        """An index whose items are the classes."""
        blank = np.full(len(references), "", np.str_)
        return Index(
            references,
            names=self._classes.astype(np.str_),
            references=np.array(self._bank.references, np.str_),
            set_codes=blank,
            rarities=blank,
            sha256=np.array(self._bank.sha256, np.str_),
            meta=IndexMeta(self._bank.encoder),
        )


def _through(head: ProjectionHead | None, rows: Embeddings) -> Embeddings:
    """In blocks, since a head's hidden layer is wider than what goes in and comes out."""
    return (
        np.concatenate([head(rows[at : at + _BLOCK]) for at in range(0, len(rows), _BLOCK)])
        if head
        else rows
    )


def worst_rows(before: Validation, after: Validation, count: int) -> list[int]:
    """The references that views of are named worst, after training."""
    rows = np.unique(after.rows)
    return sorted(
        (int(row) for row in rows), key=lambda row: (after.of_row(row), before.of_row(row))
    )[:count]
