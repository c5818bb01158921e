"""How good a head is: views it was not trained on, identified with and without it."""

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
_CLEAR_GAIN = 0.02  # a median margin has to grow by more than this to count


@dataclass(frozen=True)
class Figures:
    """Fractions of held-out views, and margins as cosine differences.

    `top1` is of all views, `top1_tight` and `top1_loose` of the two
    kinds. `accepted_right` is measured at a false-accept rate of 1 % of
    unknown items: the same views with the true item taken out.
    `margin_views` and `margin_references` are the median margins to the
    best other item, of the views and of the references themselves;
    `verify` shows the latter.
    """

    top1: float
    top1_tight: float
    top1_loose: float
    accepted_right: float
    margin_views: float
    margin_references: float

    @property
    def sort_key(self) -> tuple[float, float]:
        """What the best head is chosen by: correct answers first, then the margin."""
        return round(self.top1 + self.accepted_right, 4), self.margin_views

    def is_better_than(self, other: Figures) -> bool:
        """More correct answers, or as many with clearly wider margins."""
        correct, margin = self.sort_key
        other_correct, other_margin = other.sort_key
        if correct == other_correct:
            return margin > other_margin + _CLEAR_GAIN
        return correct > other_correct

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Validation:
    """The result of validating a head on V views.

    `margins` (V,) are the cosines of the views to the items they show,
    minus those to the best other items. `rows` (V,) are the references
    they show.
    """

    figures: Figures
    margins: Floats
    rows: NDArray[np.int64]

    def score_reference(self, row: int) -> tuple[float, float]:
        """The fraction of a reference's views identified correctly, and their mean margin."""
        margins = self.margins[self.rows == row]
        return float((margins > 0).mean()), float(margins.mean())


class Validator:
    """Validates heads on the held-out views of a bank (of an even
    sample of 2,000 references).
    """

    def __init__(self, bank: Bank, classes: NDArray[np.int64], references: Embeddings) -> None:
        sample = np.linspace(0, len(bank) - 1, min(len(bank), REFERENCES_MAX))
        rows = np.unique(sample.astype(np.int64))

        self._bank = bank
        self._classes = classes
        self._references = references
        self._views = np.concatenate([bank.heldout(int(row)) for row in rows])
        self._rows = np.repeat(rows, bank.recipe.heldout)
        self._near_duplicates = self._find_near_duplicates()

    def validate(self, head: ProjectionHead | None) -> Validation:
        """Search for every held-out view among the references, both
        through `head`.

        None validates the encoder alone.
        """
        references = _project(head, self._references)
        views = _project(head, self._views)
        index = self._index_of(references)

        other = nearest_others(views, self._rows, index).other
        margins = best_of_item(index, views, self._rows) - other
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
            margin_references=float(np.median(_reference_margins(index))),
        )
        return Validation(figures, margins, self._rows)

    def _find_near_duplicates(self) -> NDArray[np.bool_]:
        """(V,) found once, by the encoder alone, so that all heads meet
        the same unknown items.
        """
        index = self._index_of(self._references)
        own = best_of_item(index, self._views[0::2], self._rows[0::2])
        return find_near_duplicates(index, self._rows, own)

    def _index_of(self, references: Embeddings) -> Index:
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


def worst_rows(before: Validation, after: Validation, count: int) -> list[int]:
    """The references whose views are identified worst after training, worst first."""
    rows = [int(row) for row in np.unique(after.rows)]
    rows.sort(key=lambda row: (after.score_reference(row), before.score_reference(row)))
    return rows[:count]


def _reference_margins(index: Index) -> Floats:
    """(N,) the margin of each reference, searched for in its own index."""
    rows = index.embeddings
    other = nearest_others(rows, np.arange(len(index)), index).other
    return np.asarray(np.einsum("nd,nd->n", rows, rows) - other, np.float32)


def _project(head: ProjectionHead | None, rows: Embeddings) -> Embeddings:
    """Apply `head` in blocks, since its hidden layer is wider than its input and output."""
    if head is None:
        return rows
    blocks = [head(rows[at : at + _BLOCK]) for at in range(0, len(rows), _BLOCK)]
    return np.concatenate(blocks)
