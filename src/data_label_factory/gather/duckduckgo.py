"""Pictures of a web search, through the package `ddgs`: for things that no catalogue has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.extras import need
from data_label_factory.gather.base import Found, Source, label_of

_SPARE = 10  # of the pictures that a search lists, some are gone


class DuckDuckGo(Source):
    name: ClassVar = "duckduckgo"
    about: ClassVar = (
        "a web image search (pip install 'data_label_factory[gather]'); the query is the label"
    )
    license: ClassVar = "unknown; ask the page's owner before publishing"
    options: ClassVar = {
        "region": "such as us-en (default)",
        "size": "Small, Medium, Large or Wallpaper",
    }
    choices: ClassVar = {"size": ("", "Small", "Medium", "Large", "Wallpaper")}
    tries_next: ClassVar = True

    def check(self) -> None:
        need("ddgs", extra="gather")

    def find(self, query: str) -> Iterator[Found]:
        ddgs, exceptions = need("ddgs", extra="gather"), need("ddgs.exceptions", extra="gather")
        # Its own client, which reads $DDGS_PROXY; the certificate file is the one that requests would take.
        trusted = os.environ.get("REQUESTS_CA_BUNDLE") or True
        try:
            rows = ddgs.DDGS(
                timeout=int(self.fetcher.patience.silence) or 1, verify=trusted
            ).images(
                query,
                region=self.option.get("region", "us-en"),
                size=self.option.get("size") or None,
                max_results=self.limit + _SPARE,
                backend="duckduckgo",
            )
        except exceptions.DDGSException as exc:
            if "No results" in str(exc):
                return
            raise FetchError(
                f"The search of duckduckgo failed: {str(exc)[:200]}", "Try again later"
            ) from exc
        for row in rows:
            yield Found(label_of(query), row["image"], page=row.get("url") or "")
