"""Pictures from Wikimedia Commons, with the license and author of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.gather.base import MAX_PAGES, Candidate, Source, make_label, strip_markup
from data_label_factory.gather.query import has_syntax, plain_words
from data_label_factory.labels import stem_of

_TYPES = ("image/jpeg", "image/png", "image/webp", "image/tiff")
_FILE_NAMESPACE = 6  # MediaWiki's number for `File:` pages
_SPARE_RESULTS = 10  # some of the results are no pictures
_MAX_RESULTS = 50  # per call

_FILE_PAGE = re.compile(r"File:(?=\S)", re.IGNORECASE)

# The keywords of CirrusSearch that say something of files.
_SYNTAX_KEYS = (
    "incategory deepcat intitle insource hastemplate "
    "haswbstatement filetype filemime filesize "
    "fileres filew fileh filebits local inlabel "
    "incaption hascaption prefix morelike"
)


class Wikimedia(Source):
    name: ClassVar = "wikimedia"
    about: ClassVar = (
        "pictures of Wikimedia Commons by words; the query is the label; "
        "license and author are kept"
    )
    host: ClassVar = "https://commons.wikimedia.org"
    interval: ClassVar = 0.2
    image_interval: ClassVar = 0.2
    options: ClassVar = {"width": "of the copy to fetch, in pixels (default: 1024)"}
    tries_next: ClassVar = True

    def find(self, query: str) -> Iterator[Candidate]:
        params: dict[str, str | int] = {
            "action": "query",
            "format": "json",
            **self._choose_pages(query),
            "prop": "imageinfo",
            "iiprop": "url|mime|extmetadata",
            "iiurlwidth": self.option.get("width", "1024"),
        }

        for _ in range(MAX_PAGES):
            answer = self.json("/w/api.php", params)
            for page in _list_pages(answer):
                yield from self._list_pictures(query, page)
            if "continue" not in answer:
                return
            params |= answer["continue"]

    def _choose_pages(self, query: str) -> dict[str, str | int]:
        """Return the parameters that choose the files: one by its name,
        or by a search.
        """
        if _FILE_PAGE.match(query):
            return {"titles": query}
        return {
            "generator": "search",
            "gsrnamespace": _FILE_NAMESPACE,
            "gsrsearch": query if has_syntax(query, _SYNTAX_KEYS) else plain_words(query),
            "gsrlimit": min(self.limit + _SPARE_RESULTS, _MAX_RESULTS),
        }

    def _list_pictures(self, query: str, page: Mapping[str, Any]) -> Iterator[Candidate]:
        words = query
        if _FILE_PAGE.match(query):
            words = stem_of(query.partition(":")[2])
        infos = page.get("imageinfo") or ()
        if not infos:
            self.pass_over(query, str(page.get("title", "a page")), "no picture")
        for info in infos:
            if info.get("mime") in _TYPES:
                yield _make_candidate(words, info)


def _list_pages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the file pages of one page of results, best match first."""
    pages = answer.get("query", {}).get("pages", {}).values()
    return sorted(pages, key=lambda page: page.get("index", 0))


def _make_candidate(query: str, info: Mapping[str, Any]) -> Candidate:
    metadata = info.get("extmetadata") or {}
    return Candidate(
        make_label(query),
        info.get("thumburl") or info["url"],
        page=info.get("descriptionurl", ""),
        license=_read_metadata(metadata, "LicenseShortName"),
        author=_read_metadata(metadata, "Artist"),
    )


def _read_metadata(metadata: Mapping[str, Any], key: str) -> str:
    return strip_markup(str(metadata.get(key, {}).get("value", "")))
