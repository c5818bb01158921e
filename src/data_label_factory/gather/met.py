"""Open-access pictures from the Metropolitan Museum of Art's collection API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import Candidate, Source, make_label

_API = "/public/collection/v1"


class Met(Source):
    name: ClassVar = "met"
    about: ClassVar = (
        "works of the Metropolitan Museum of Art in the public domain, by words or object number"
    )
    host: ClassVar = "https://collectionapi.metmuseum.org"
    license: ClassVar = "CC0 1.0"
    interval: ClassVar = 0.02  # 80 calls per second are allowed
    options: ClassVar = {
        "label": "`artist` (default: Artist - Title) or `title`",
        "in": "search in `title` (default) or `all`",
        "image": "small (default) or original",
    }
    choices: ClassVar = {
        "label": ("artist", "title"),
        "in": ("title", "all"),
        "image": ("small", "original"),
    }
    tries_next: ClassVar = True

    def find(self, query: str) -> Iterator[Candidate]:
        original = self.option.get("image") == "original"
        image_key = "primaryImage" if original else "primaryImageSmall"

        found = False
        for numbers in self._list_numbers(query):
            for work in self._fetch_objects(numbers):
                if not work["isPublicDomain"]:
                    self.pass_over(query, work["title"], "not in the public domain")
                elif not work[image_key]:
                    self.pass_over(query, work["title"], f"no picture ({image_key} is empty)")
                else:
                    found = True
                    yield self._make_candidate(work, work[image_key])
            if found:
                return

    def _list_numbers(self, query: str) -> Iterator[list[int]]:
        """Yield the object that the query is the number of, then what a
        search finds: a title may be a number, too.
        """
        if query.isdecimal():
            yield [int(query)]
        yield self._search(query)

    def _search(self, query: str) -> list[int]:
        """Return the numbers of the objects that match."""
        params = {"hasImages": "true", "q": query}
        if self.option.get("in", "title") == "title":
            params = {"title": "true", **params}
        answer = self.json(f"{_API}/search", params)
        return [int(number) for number in answer["objectIDs"] or ()]

    def _fetch_objects(self, numbers: list[int]) -> Iterator[Any]:
        for number in numbers:
            try:
                yield self.json(f"{_API}/objects/{number}")
            except FetchError as exc:
                # The search index still lists objects that were withdrawn.
                if exc.status != 404:
                    raise

    def _make_candidate(self, work: Mapping[str, Any], url: str) -> Candidate:
        title = work["title"]
        artist = work.get("artistDisplayName") or ""
        with_artist = artist and self.option.get("label") != "title"
        return Candidate(
            make_label(f"{artist} - {title}" if with_artist else title),
            url,
            page=work.get("objectURL") or "",
            author=artist,
        )
