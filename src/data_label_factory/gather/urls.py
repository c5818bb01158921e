"""Pictures from a list of addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from data_label_factory.gather.base import Candidate, Source
from data_label_factory.gather.lists import make_candidate, make_label_of, read_candidates
from data_label_factory.labels import parse_label
from data_label_factory.tables import Row


class Urls(Source):
    name: ClassVar = "urls"
    about: ClassVar = "a text or CSV file of `name,url` lines; a line may be just an address"
    takes_all: ClassVar = True

    def find(self, query: str) -> Iterator[Candidate]:
        def make(row: Row) -> Candidate:
            name = row["name"]
            url = row["url"]
            if not url and "://" in name:
                url = name
                name = ""
            if not url:
                raise ValueError("there is no address; a line is: name,url")

            label, note = parse_label(unquote(urlsplit(url).path), self.labels), ""
            if name:
                label, note = make_label_of(row, query)
            return make_candidate(row, label, url=url, note=note)

        yield from read_candidates(self, query, ("name", "url"), "url", make)
