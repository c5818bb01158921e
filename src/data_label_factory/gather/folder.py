"""One's own photos, named by a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import Found, Source
from data_label_factory.gather.lists import row_label, rows
from data_label_factory.labels import parse_label


class Folder(Source):
    name: ClassVar = "folder"
    about: ClassVar = "one's own photos, copied and named by a CSV of `file,name` lines"
    license: ClassVar = "one's own"
    options: ClassVar = {"photos": "the folder that holds the files (default: the CSV's own)"}
    takes_all: ClassVar = True

    def find(self, query: str) -> Iterator[Found]:
        table = self.folder / Path(query).expanduser()
        photos = (
            self.folder / Path(self.option["photos"]).expanduser()
            if "photos" in self.option
            else table.parent
        )
        found = []
        for line, row in rows(table, ("file", "name")):
            path = photos / row["file"]
            if not path.resolve().is_relative_to(photos.resolve()):
                raise ProjectError(f"{query}, line {line}: {row['file']!r} lies outside {photos}")
            label = row_label(row, query, line) if row["name"] else parse_label(row["file"])
            about = {"page": row["page"], "licence": row["licence"], "author": row["author"]}
            found.append(Found(label, path=path, **about))
        yield from found
