"""The user's own photos, named by a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from data_label_factory.gather.base import Candidate, Source
from data_label_factory.gather.lists import make_candidate, make_label_of, read_candidates
from data_label_factory.labels import parse_label
from data_label_factory.names import find_file
from data_label_factory.tables import Row


class Folder(Source):
    name: ClassVar = "folder"
    about: ClassVar = "your own photos, copied and named by a CSV of `file,name` lines"
    license: ClassVar = "one's own"
    options: ClassVar = {"photos": "the folder that holds the files (default: the CSV's folder)"}
    takes_all: ClassVar = True

    def find(self, query: str) -> Iterator[Candidate]:
        photos = (self.folder / Path(query).expanduser()).parent
        if "photos" in self.option:
            photos = self.folder / Path(self.option["photos"]).expanduser()

        def make(row: Row) -> Candidate:
            path = find_file(photos, row["file"]) or photos / row["file"]
            if not row["file"]:
                raise ValueError("there is no file")
            if not path.resolve().is_relative_to(photos.resolve()):
                raise ValueError(f"{row['file']!r} lies outside {photos}")

            label, note = parse_label(row["file"], self.labels), ""
            if row["name"]:
                label, note = make_label_of(row, query)
            return make_candidate(row, label, path=path, note=note)

        yield from read_candidates(self, query, ("file", "name"), "file", make)
