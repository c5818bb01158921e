"""Open-access pictures of the Metropolitan Museum of Art's collection API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import Found, Source, label_of

_API = "/public/collection/v1"


class Met(Source):
    name: ClassVar = "met"
    about: ClassVar = (
        "works of the Metropolitan Museum of Art in the public domain, by words or object number"
    )
    host: ClassVar = "https://collectionapi.metmuseum.org"
    license: ClassVar = "CC0 1.0"
    interval: ClassVar = 0.02  # 80 calls a second are allowed
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

    def find(self, query: str) -> Iterator[Found]:
        numbers = [int(query)] if query.isdecimal() else self._search(query)
        for number in numbers:
            try:
                work = self.json(f"{_API}/objects/{number}")
            except FetchError as exc:
                if exc.status == 404:  # the search index still lists objects that were withdrawn
                    continue
                raise
            key = "primaryImage" if self.option.get("image") == "original" else "primaryImageSmall"
            if work["isPublicDomain"] and work[key]:
                by = work.get("artistDisplayName") or ""
                name = (
                    f"{by} - {work['title']}"
                    if by and self.option.get("label") != "title"
                    else work["title"]
                )
                yield Found(label_of(name), work[key], page=work.get("objectURL") or "", author=by)

    def _search(self, query: str) -> list[int]:
        params = {"hasImages": "true", "q": query}
        if self.option.get("in", "title") == "title":
            params = {"title": "true", **params}
        return [int(number) for number in self.json(f"{_API}/search", params)["objectIDs"] or ()]
