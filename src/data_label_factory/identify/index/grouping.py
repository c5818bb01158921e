"""Which rows of an index belong together: items, variants, first views."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_label_factory.labels import item_key, view_number

Text = NDArray[np.str_]  # (N,)
Numbers = NDArray[np.int64]  # (N,)


def number_items(names: Text) -> Numbers:
    """The item of each name, 0 … items - 1, in the order of their keys."""
    every = names.tolist()
    keys = {name: item_key(name) for name in dict.fromkeys(every)}
    numbers = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    return np.array([numbers[keys[name]] for name in every], np.int64)


def number_variants(items: Numbers, set_codes: Text, rarities: Text) -> Numbers:
    """The variant of each row, 0 … variants - 1, in the order of their
    first rows: rows of one item, set code and rarity.
    """
    numbers: dict[tuple[int, str, str], int] = {}
    keys = zip(items.tolist(), set_codes.tolist(), rarities.tolist(), strict=True)
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def find_first_views(variants: Numbers, references: Text) -> Numbers:
    """The row of the first view of each row's variant: that in the
    uppermost folder with the lowest number in its name.
    """
    order = np.argsort(variants, kind="stable")
    counts = np.bincount(variants)
    starts = np.cumsum(counts) - counts
    first = order[starts]  # right where there is one view
    for variant in np.flatnonzero(counts > 1):
        start = starts[variant]
        rows = order[start : start + counts[variant]]
        ranks = [_rank(str(references[row])) for row in rows]
        first[variant] = rows[min(range(len(rows)), key=ranks.__getitem__)]
    return np.asarray(first[variants], np.int64)


def _rank(reference: str) -> tuple[int, int, str]:
    return reference.count("/"), view_number(reference), reference
