"""Pictures from a list of addresses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import Candidate, Source
from data_label_factory.gather.lists import parse_row_label, read_rows
from data_label_factory.labels import parse_label


class Urls(Source):
    name: ClassVar = "urls"
    about: ClassVar = "a text or CSV file of `name,url` lines; a line may be just an address"
    takes_all: ClassVar = True

    def find(self, query: str) -> Iterator[Candidate]:
        table = self.folder / Path(query).expanduser()

        # Read the whole list before the first download, so that a wrong line is reported
        # at once.
        rows = read_rows(table, ("name", "url"))
        yield from [self._make_candidate(row, query, line) for line, row in rows]

    def _make_candidate(self, row: dict[str, str], table: str, line: int) -> Candidate:
        """Return the picture of one row. Raises ProjectError for no address."""
        name = row["name"]
        url = row["url"]
        if not url and "://" in name:
            url = name
            name = ""
        if not url:
            raise ProjectError(f"{table}, line {line}: there is no address", "A line is: name,url")

        label, note = parse_label(unquote(urlsplit(url).path), self.labels), ""
        if name:
            label, note = parse_row_label(row, table, line)
        return Candidate(
            label,
            url,
            page=row["page"],
            license=row["licence"],
            author=row["author"],
            note=note,
        )
