"""Pictures from addresses that one has already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import Found, Source
from data_label_factory.gather.lists import row_label, rows
from data_label_factory.labels import parse_label


class Urls(Source):
    name: ClassVar = "urls"
    about: ClassVar = "a text or CSV file of `name,url` lines; a line may be an address alone"
    takes_all: ClassVar = True

    def find(self, query: str) -> Iterator[Found]:
        found = []  # all of it before the first download: a wrong line is told at once
        for line, row in rows(self.folder / Path(query).expanduser(), ("name", "url")):
            name, url = row["name"], row["url"]
            if not url and "://" in name:
                name, url = "", name
            if not url:
                raise ProjectError(
                    f"{query}, line {line}: there is no address", "A line is: name,url"
                )
            label = (
                parse_label(unquote(urlsplit(url).path))
                if not name
                else row_label(row, query, line)
            )
            found.append(Found(label, url, row["page"], row["licence"], row["author"]))
        yield from found
