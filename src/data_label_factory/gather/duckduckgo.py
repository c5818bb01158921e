"""Pictures from a web search, through the package `ddgs`: for things that no catalog has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.extras import need
from data_label_factory.gather.base import Candidate, Source, make_label
from data_label_factory.gather.query import has_syntax, plain_words

_SPARE_RESULTS = 10  # some of the pictures that a search lists are gone
_SYNTAX_KEYS = "site filetype intitle inurl"


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

    def find(self, query: str) -> Iterator[Candidate]:
        words = query if has_syntax(query, _SYNTAX_KEYS) else plain_words(query)
        for row in self._search(words):
            if row["image"]:
                yield Candidate(make_label(query), row["image"], page=row.get("url") or "")

    def _search(self, query: str) -> list[dict[str, Any]]:
        """Return the result rows; none if nothing was found. Raises
        FetchError.
        """
        ddgs = need("ddgs", extra="gather")
        exceptions = need("ddgs.exceptions", extra="gather")

        # ddgs has its own HTTP client: it reads $DDGS_PROXY,
        # and gets the certificate
        # file that requests would use.
        timeout = int(self.fetcher.patience.silence) or 1
        trusted = os.environ.get("REQUESTS_CA_BUNDLE") or True
        try:
            client = ddgs.DDGS(timeout=timeout, verify=trusted)
            rows: list[dict[str, Any]] = client.images(
                query,
                region=self.option.get("region", "us-en"),
                size=self.option.get("size") or None,
                max_results=self.limit + _SPARE_RESULTS,
                backend="duckduckgo",
            )
        except exceptions.DDGSException as exc:
            if "No results" in str(exc):
                return []
            raise FetchError(
                f"The search of duckduckgo failed: {str(exc)[:200]}",
                "Try again later",
            ) from exc
        return rows
