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
from data_label_factory.identify.recognize.features import Mask
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
            changes, missing = self._pool.changes, self._references.missing
            try:
                found = super().assess(
                    frame, hidden, explained=explained, quick=quick, effort=effort
                )
                if self._pool.changes == changes:
                    return [self._doubt(one, missing) for one in found] if missing.any() else found
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

    def _doubt(self, one: Assessment, missing: Mask) -> Assessment:
        """An assessment that can as well be each reference that nobody has
        compared, (N,) `missing`, unless something speaks against that:

        - it is another variant of the same item, or looks the same;
        - the embedding puts it before the one found, or hardly behind;
        - the nearest of all, if only a part is in view, or no pose was
          found: parts may look the same where wholes do not.
        """
        references = self._references
        assert isinstance(references, ShardedReferences)
        index = self.index
        rows = references.rows[missing]
        rows = rows[rows >= 0]
        if not len(rows):
            return one

        (own, *_), item = [*references.numbers_in_store([one.row]), -1], index.items[one.row]
        same = np.isin(rows, references.rows[list(references.confusable(own))])
        same |= index.items[rows] == item
        cosines = one.cosines[rows]
        same |= cosines > one.cosines[one.row] - self.constants.crop_noise
        if one.pose is None or one.pose.mask is not None:
            others = np.where(index.items[rows] == item, -np.inf, cosines)
            same[others.argmax()] = True
        rivals = index.other_variants(one.row, [int(row) for row in rows[same]])
        return replace(one, near_duplicates=tuple(dict.fromkeys([*one.near_duplicates, *rivals])))


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
