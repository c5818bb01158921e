"""Pictures from Wikimedia Commons, with the license and author of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.gather.base import MAX_PAGES, Candidate, Source, make_label, strip_markup

_TYPES = ("image/jpeg", "image/png", "image/webp", "image/tiff")
_FILE_NAMESPACE = 6  # MediaWiki's number for `File:` pages
_SPARE_RESULTS = 10  # some of the results are no pictures
_MAX_RESULTS = 50  # per call


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
            "generator": "search",
            "gsrnamespace": _FILE_NAMESPACE,
            "gsrsearch": query,
            "gsrlimit": min(self.limit + _SPARE_RESULTS, _MAX_RESULTS),
            "prop": "imageinfo",
            "iiprop": "url|mime|extmetadata",
            "iiurlwidth": self.option.get("width", "1024"),
        }

        for _ in range(MAX_PAGES):
            answer = self.json("/w/api.php", params)
            for info in _list_images(answer):
                yield _make_candidate(query, info)
            if "continue" not in answer:
                return
            params |= answer["continue"]


def _list_images(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the `imageinfo` entries of one page of results, best match first."""
    pages = answer.get("query", {}).get("pages", {}).values()
    for page in sorted(pages, key=lambda page: page.get("index", 0)):
        for info in page.get("imageinfo", ()):
            if info.get("mime") in _TYPES:
                yield info


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
