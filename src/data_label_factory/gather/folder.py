"""The user's own photos, named by a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import Candidate, Source
from data_label_factory.gather.lists import parse_row_label, read_rows
from data_label_factory.labels import parse_label
from data_label_factory.names import find_file


class Folder(Source):
    name: ClassVar = "folder"
    about: ClassVar = "your own photos, copied and named by a CSV of `file,name` lines"
    license: ClassVar = "one's own"
    options: ClassVar = {"photos": "the folder that holds the files (default: the CSV's folder)"}
    takes_all: ClassVar = True

    def find(self, query: str) -> Iterator[Candidate]:
        table = self.folder / Path(query).expanduser()
        photos = table.parent
        if "photos" in self.option:
            photos = self.folder / Path(self.option["photos"]).expanduser()

        # Read the whole list before the first copy, so that a wrong line is reported at
        # once.
        candidates = []
        for line, row in read_rows(table, ("file", "name")):
            path = find_file(photos, row["file"]) or photos / row["file"]
            if not path.resolve().is_relative_to(photos.resolve()):
                raise ProjectError(f"{query}, line {line}: {row['file']!r} lies outside {photos}")

            label, note = parse_label(row["file"], self.labels), ""
            if row["name"]:
                label, note = parse_row_label(row, query, line)
            candidates.append(
                Candidate(
                    label,
                    path=path,
                    page=row["page"],
                    license=row["licence"],
                    author=row["author"],
                    note=note,
                )
            )
        yield from candidates
