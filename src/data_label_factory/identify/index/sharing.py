"""What file names say: which items several files share that may be different things."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_label_factory.errors import IndexFileError
from data_label_factory.identify.index.index import Index
from data_label_factory.labels import LabelScheme, split_copy_ending, stem_of
from data_label_factory.set_codes import is_surely_a_card

_LISTED_MAX = 3
_SHORT_SET = 2  # letters; the sets of cards have three or more


def find_labels(refs: Path) -> LabelScheme:
    """How the newest index beside the folder `refs` that is of it reads
    file names; "cards" where there is none.
    """
    files = [(file.stat().st_mtime, file) for file in refs.absolute().parent.glob("*.npz")]
    for _, file in sorted(files, reverse=True):
        try:
            index = Index.load(file)
        except IndexFileError:
            continue
        if (refs / str(index.references[0])).is_file():
            return index.meta.labels
    return "cards"


def find_shared_items(index: Index) -> dict[str, str]:
    """The items whose files may show different things, by name,
    with what tells the files apart: set codes, or the numbers of
    copies.

    Printings of one card share an item on purpose. So of the codes
    that other things may have as well, only those count where two
    are of one set (M8-20, M8-30), or whose set is too short for
    cards (WD-40, KR-55).
    """
    order = np.argsort(index.items, kind="stable")
    starts = np.flatnonzero(np.diff(index.items[order])) + 1

    shared: dict[str, str] = {}
    for rows in np.split(order, starts):
        if len(set(index.contents[rows])) > 1:
            reason = _describe_sharing(index, [int(row) for row in rows])
            shared |= {str(index.names[rows[0]]): reason} if reason else {}
    return shared


def _describe_sharing(index: Index, rows: list[int]) -> str:
    written = {str(index.set_codes[row]) for row in rows} - {""}
    codes = sorted(code for code in written if not is_surely_a_card(code))
    sets = {code.rpartition("-")[0] for code in codes}
    is_short = len(codes) > 1 and any(len(name) <= _SHORT_SET for name in sets)
    if len(codes) > len(sets) or is_short:
        return f"{len(rows)} files, though their codes differ ({_list_some(codes)})"

    stems = [stem_of(str(index.references[row])) for row in rows]
    copies = sorted(stem for stem in stems if split_copy_ending(stem)[1])
    if len(copies) > 1:
        return f"{len(rows)} files, though their numbers differ ({_list_some(copies)})"
    return ""


def _list_some(names: list[str]) -> str:
    more = ", …" if len(names) > _LISTED_MAX else ""
    return ", ".join(names[:_LISTED_MAX]) + more
