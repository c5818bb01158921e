"""Pictures of Wikimedia Commons, with the licence and author of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from data_label_factory.gather.base import MAX_PAGES, Found, Source, label_of, plain_text

_TYPES = ("image/jpeg", "image/png", "image/webp", "image/tiff")


class Wikimedia(Source):
    name: ClassVar = "wikimedia"
    about: ClassVar = "pictures of Wikimedia Commons by words; the query is the label; licence and author are kept"
    host: ClassVar = "https://commons.wikimedia.org"
    interval: ClassVar = 0.2
    image_interval: ClassVar = 0.2
    options: ClassVar = {"width": "of the copy to fetch, in pixels (default: 1024)"}
    tries_next: ClassVar = True

    def find(self, query: str) -> Iterator[Found]:
        params: dict[str, str | int] = {
            "action": "query",
            "format": "json",
            "generator": "search",
            "gsrnamespace": 6,
            "gsrsearch": query,
            "gsrlimit": min(self.limit + 10, 50),
            "prop": "imageinfo",
            "iiprop": "url|mime|extmetadata",
            "iiurlwidth": self.option.get("width", "1024"),
        }
        for _ in range(MAX_PAGES):
            answer = self.json("/w/api.php", params)
            pages = answer.get("query", {}).get("pages", {}).values()
            for page in sorted(pages, key=lambda page: page.get("index", 0)):
                for info in page.get("imageinfo", ()):
                    if info.get("mime") in _TYPES:
                        yield _found(query, info)
            if "continue" not in answer:
                return
            params |= answer["continue"]


def _found(query: str, info: dict[str, Any]) -> Found:
    about = info.get("extmetadata") or {}
    values = {
        key: plain_text(str(about.get(key, {}).get("value", "")))
        for key in ("LicenseShortName", "Artist")
    }
    return Found(
        label_of(query),
        info.get("thumburl") or info["url"],
        page=info.get("descriptionurl", ""),
        license=values["LicenseShortName"],
        author=values["Artist"],
    )
