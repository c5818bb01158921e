"""Recognizing by shards, and what may be said while one of them is away.

Then nothing is known of how its references look, but what the index has
of them: their embeddings and names, and which of them look the same as
others. An answer is sure only if none of them can be what is in view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.choices import Effort
from data_label_factory.identify.distributed.shard_pool import ShardLostError, ShardPool
from data_label_factory.identify.distributed.sharded import ShardedReferences
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.reference_reader import read_references
from data_label_factory.identify.recognize.references import ReferenceFeatures

_TRIES = 4  # of a frame, while shards go and come


class ShardedRecognizer(Recognizer):
    """A Recognizer whose references the shards of a `pool` hold."""

    def __init__(self, pool: ShardPool, *arguments: Any, **options: Any) -> None:
        """Raises FactoryError also where the shards hold another state of
        the references.
        """
        self._pool = pool
        self._read_references = partial(_read_sharded, pool)
        super().__init__(*arguments, **options)

    def assess(
        self,
        frame: RGB,
        hidden: Collection[int] = (),
        *,
        explained: Sequence[Quad] = (),
        quick: bool = False,
        effort: Effort = "auto",
    ) -> list[Assessment]:
        """As `Recognizer.assess`, by the same shards from beginning to end.

        Raises ShardLostError if these change again and again.
        """
        assert isinstance(self._references, ShardedReferences)
        for _ in range(_TRIES):
            changes, away = self._pool.changes, self._pool.missing
            try:
                found = super().assess(
                    frame, hidden, explained=explained, quick=quick, effort=effort
                )
                if self._pool.changes == changes:
                    return [self._doubt(one, away) for one in found] if away else found
            except ShardLostError:
                continue
        raise ShardLostError

    @property
    def is_outgrown(self) -> bool:
        """Never: shards keep to what they started with."""
        return False

    def watch_gaps(self) -> Callable[[], bool]:
        changes, was_whole = self._pool.changes, not self._pool.missing
        return lambda: not was_whole or self._pool.changes != changes

    def _doubt(self, one: Assessment, away: Collection[int]) -> Assessment:
        """An assessment that can as well be each reference of the shards
        `away`, unless something speaks against that:

        - it is another variant of the same item, or looks the same;
        - the embedding puts it before the one found, or hardly behind;
        - the nearest of all, if only a part is in view, or no pose was
          found: parts may look the same where wholes do not.
        """
        references, items = self._references, self.index.items
        assert isinstance(references, ShardedReferences)
        same = [*references.looks_like(one.row), *np.flatnonzero(items == items[one.row]).tolist()]
        are_away = references.are_away(same, away)
        rivals = [row for row, is_away in zip(same, are_away, strict=True) if is_away]

        least = one.nearest.cosine(one.row) - self.constants.crop_noise
        is_whole = one.pose is not None and one.pose.mask is None
        for row in one.nearest.rows():
            is_near = one.nearest.cosine(row) > least
            if is_whole and not is_near:
                break
            if references.are_away([row], away)[0]:
                rivals.append(row)
                if not is_near and items[row] != items[one.row]:
                    break

        others = self.index.other_variants(one.row, rivals)
        return replace(one, near_duplicates=tuple(dict.fromkeys([*one.near_duplicates, *others])))


def _read_sharded(
    pool: ShardPool,
    index: Index,
    refs: Path,
    _known: ReferenceFeatures | None = None,
    *,
    folder: Path | None = None,
    quiet: bool = True,
) -> tuple[ShardedReferences | None, dict[str, str]]:
    """As `read_references`, of which only what is small is kept here."""
    references, unreadable = read_references(index, refs, folder=folder, quiet=quiet)
    if references is None:
        return None, unreadable
    if references.columns.state != pool.state:
        hint = "Start again: identify serve"
        raise FactoryError("The references have changed since the shards started", hint)
    return ShardedReferences(references, pool), unreadable
