"""Which entry of a price file a reference has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from data_label_factory.labels import Label, item_key, split_view_ending


class CodeLookup:
    """The codes of a price file, found as a person reads them (`item_key`)."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = {item_key(code): code for code in codes}

    def __contains__(self, code: str) -> bool:
        return item_key(code) in self._codes

    def find(self, label: Label, of_file: Label, reference: str) -> str | None:
        """The code that prices a reference, or None; `of_file` is
        what its file name says.

        It is looked up by set code (the label's, else the file
        name's). Sites list prices by it; a user's own table may
        give a file name or a name instead, which holds for every
        print. What it gives for the first view of an item holds
        for all of them.
        """
        path = PurePosixPath(reference)
        files = [reference, path.stem]
        first, number = split_view_ending(path.stem)
        if number > 1:
            files += [str(path.with_name(first + path.suffix)), first]
        for name in (label.set_code or of_file.set_code, *files, label.name):
            key = item_key(name)
            if key and key in self._codes:  # an entry without a code prices nothing
                return self._codes[key]
        return None
