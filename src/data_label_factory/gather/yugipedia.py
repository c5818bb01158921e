"""Yu-Gi-Oh! prints in every language from Yugipedia's galleries: set code and rarity of each picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, ClassVar
from urllib.parse import unquote

from data_label_factory.gather.base import Found, Source, label_of
from data_label_factory.labels import SET_CODE

_TITLES_A_CALL = 50  # the MediaWiki API's limit
_CODE_AND_RARITY = re.compile(rf"({SET_CODE.pattern})\s*(?:\(([^)]+)\))?")


class Yugipedia(Source):
    name: ClassVar = "yugipedia"
    about: ClassVar = (
        "Yu-Gi-Oh! prints by card name, set code or gallery page; each with set code and rarity"
    )
    host: ClassVar = "https://yugipedia.com"
    license: ClassVar = "© Konami; for personal use"
    interval: ClassVar = 1.0
    image_interval: ClassVar = 0.5
    options: ClassVar = {
        "set": "only set codes that begin so, such as LOCH-JP",
        "rarity": "only this one, such as PScR",
        "width": "of the copy to fetch, in pixels (default: 600)",
    }

    def find(self, query: str) -> Iterator[Found]:
        prefix, page = self.option.get("set", "").upper(), query
        if SET_CODE.fullmatch(query):
            prefix, page = query, self._card_of(query)
        if ":" not in page:
            page = f"Card Gallery:{page}"
        prints = [
            entry
            for entry in self._gallery(page)
            if entry.code.startswith(prefix)
            and self.option.get("rarity", entry.rarity) == entry.rarity
        ]
        for start in range(0, len(prints), _TITLES_A_CALL):
            some = prints[start : start + _TITLES_A_CALL]
            addresses = self._addresses([entry.file for entry in some])
            for entry in some:
                if entry.file in addresses:
                    label = label_of(entry.name or page.partition(":")[2], entry.code, entry.rarity)
                    yield Found(
                        label,
                        addresses[entry.file],
                        page=f"{self.host}/wiki/{entry.file.replace(' ', '_')}",
                    )

    def _card_of(self, code: str) -> str:
        """The card that a set code redirects to."""
        answer = self._api(action="query", titles=code, redirects=1)
        return str(next((entry["to"] for entry in answer["query"].get("redirects", ())), code))

    def _gallery(self, page: str) -> list[_Print]:
        answer = self._api(action="parse", page=page, prop="text", redirects=1)
        if "error" in answer:  # missingtitle: there is no such gallery
            return []
        reader = _GalleryReader()
        reader.feed(answer["parse"]["text"])
        return [entry.read() for entry in reader.entries if entry.file]

    def _addresses(self, files: list[str]) -> dict[str, str]:
        answer = self._api(
            action="query",
            titles="|".join(files),
            prop="imageinfo",
            iiprop="url",
            iiurlwidth=self.option.get("width", "600"),
        )
        normal = {entry["to"]: entry["from"] for entry in answer["query"].get("normalized", ())}
        return {
            normal.get(page["title"], page["title"]): info.get("thumburl") or info["url"]
            for page in answer["query"]["pages"]
            for info in page.get("imageinfo", ())
        }

    def _api(self, **params: str | int) -> Any:
        return self.json("/api.php", {"format": "json", "formatversion": 2, **params})


@dataclass
class _Print:
    """One box of a gallery; `text` gathers its caption until `read` takes it apart."""

    file: str = ""
    text: list[str] = field(default_factory=list)
    name: str = ""
    code: str = ""
    rarity: str = ""

    def read(self) -> _Print:
        caption = " ".join(" ".join(self.text).split())
        if match := _CODE_AND_RARITY.search(caption):
            self.code, self.rarity = match[1], (match[2] or "").strip()
        if quoted := re.search(r'["“]\s*([^"“”]+?)\s*["”]', caption):
            self.name = quoted[1]
        return self


class _GalleryReader(HTMLParser):
    """Collects the boxes of MediaWiki's `<gallery>`: `li.gallerybox` with a link to `File:…` and a caption."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[_Print] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "li":
            self._inside = "gallerybox" in (values.get("class") or "").split()
            if self._inside:
                self.entries.append(_Print())
        elif tag == "a" and self._inside and not self.entries[-1].file:
            place, colon, name = unquote(values.get("href") or "").rpartition("File:")
            if colon and place.endswith(("/", "title=")):
                self.entries[-1].file = f"File:{name.replace('_', ' ')}"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.entries[-1].text.append(data)
