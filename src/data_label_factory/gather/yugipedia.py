"""Yu-Gi-Oh! prints in every language from Yugipedia's galleries, with set code and rarity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, ClassVar
from urllib.parse import unquote

from data_label_factory.gather.base import Candidate, CardSource, make_label
from data_label_factory.gather.query import Reading
from data_label_factory.labels import SET_CODE, stem_of

_TITLES_PER_CALL = 50  # the MediaWiki API's limit
_CODE_AND_RARITY = re.compile(rf"({SET_CODE.pattern})\s*(?:\(([^)]+)\))?")
_GALLERY = "Card Gallery:"

# What a query may name a page by. Every other colon belongs to a card:
# `Number 39: Utopia`.
_PAGE = re.compile(r"(?:(?:Card|Set|Set Card|Booster) (?:Gallery|Galleries)|File):(?=\S)")
_QUOTED_NAME = re.compile(r'["“]\s*([^"“”]+?)\s*["”]')


class Yugipedia(CardSource):
    name: ClassVar = "yugipedia"
    about: ClassVar = (
        "Yu-Gi-Oh! prints by card name, line of a deck list, set code or gallery page; "
        "each with set code and rarity"
    )
    host: ClassVar = "https://yugipedia.com"
    license: ClassVar = "© Konami; for personal use"
    interval: ClassVar = 1.0
    image_interval: ClassVar = 0.5
    options: ClassVar = {
        "set": "only set codes that begin with this, such as LOCH-JP",
        "rarity": "only this one, such as PScR",
        "width": "of the copy to fetch, in pixels (default: 600)",
    }

    def find(self, query: str) -> Iterator[Candidate]:
        if _PAGE.match(query):
            yield from self._find_prints(query, query, self._read_prefix())
            return

        found = False
        if SET_CODE.fullmatch(query):
            page = f"{_GALLERY}{self._find_card(query)}"
            for candidate in self._find_prints(page, query, query):
                found = True
                yield candidate
        if not found:
            yield from super().find(query)

    def find_card(self, reading: Reading) -> Iterator[Candidate]:
        prefix = reading.set_code.upper() or self._read_prefix()
        if reading.number:
            prefix += f"-{reading.number.upper()}"
        yield from self._find_prints(f"{_GALLERY}{reading.name}", reading.query, prefix)

    def _find_prints(self, page: str, query: str, prefix: str) -> Iterator[Candidate]:
        """Yield the pictures of a gallery page, or of one file."""
        prints = [_Print(page)]
        if not page.startswith("File:"):
            prints = self._fetch_gallery(page)
        wanted = [entry for entry in prints if self._is_wanted(entry, prefix)]
        for start in range(0, len(wanted), _TITLES_PER_CALL):
            part = wanted[start : start + _TITLES_PER_CALL]
            yield from self._list_pictures(part, page, query)

    def _read_prefix(self) -> str:
        return self.option.get("set", "").upper()

    def _find_card(self, code: str) -> str:
        """Return the name of the card that a set code redirects to, or
        the code itself.
        """
        answer = self._call(action="query", titles=code, redirects=1)
        redirects = answer["query"].get("redirects", ())
        return str(redirects[0]["to"]) if redirects else code

    def _fetch_gallery(self, page: str) -> list[_Print]:
        """Return the prints of a gallery page; none if there is no such
        page.
        """
        answer = self._call(action="parse", page=page, prop="text", redirects=1)
        if "error" in answer:  # missingtitle
            return []
        reader = _GalleryReader()
        reader.feed(answer["parse"]["text"])
        return [entry.parse_caption() for entry in reader.entries if entry.file]

    def _is_wanted(self, entry: _Print, prefix: str) -> bool:
        rarity = self.option.get("rarity", entry.rarity)
        return entry.code.startswith(prefix) and rarity == entry.rarity

    def _list_pictures(self, prints: list[_Print], page: str, query: str) -> Iterator[Candidate]:
        """Yield the pictures of at most `_TITLES_PER_CALL` prints."""
        card_name = stem_of(page.partition(":")[2])
        addresses = self._fetch_addresses([entry.file for entry in prints])
        for entry in prints:
            if entry.file not in addresses:
                self.pass_over(query, entry.file)
            else:
                yield Candidate(
                    make_label(entry.name or card_name, entry.code, entry.rarity),
                    addresses[entry.file],
                    page=f"{self.host}/wiki/{entry.file.replace(' ', '_')}",
                )

    def _fetch_addresses(self, files: list[str]) -> dict[str, str]:
        """Return `File:…` title → address of its picture."""
        answer = self._call(
            action="query",
            titles="|".join(files),
            prop="imageinfo",
            iiprop="url",
            iiurlwidth=self.option.get("width", "600"),
        )

        # Pages come back under normalized titles.
        asked = {entry["to"]: entry["from"] for entry in answer["query"].get("normalized", ())}

        addresses = {}
        for page in answer["query"]["pages"]:
            title = page["title"]
            for info in page.get("imageinfo", ()):
                addresses[asked.get(title, title)] = info.get("thumburl") or info["url"]
        return addresses

    def _call(self, **params: str | int) -> Any:
        return self.json("/api.php", {"format": "json", "formatversion": 2, **params})


@dataclass
class _Print:
    """One box of a gallery. `text` collects its caption;
    `parse_caption` fills the rest.
    """

    file: str = ""
    text: list[str] = field(default_factory=list)
    name: str = ""
    code: str = ""
    rarity: str = ""

    def parse_caption(self) -> _Print:
        caption = " ".join(" ".join(self.text).split())
        if match := _CODE_AND_RARITY.search(caption):
            self.code = match[1]
            self.rarity = (match[2] or "").strip()
        if quoted := _QUOTED_NAME.search(caption):
            self.name = quoted[1]
        return self


class _GalleryReader(HTMLParser):
    """Collect the boxes of MediaWiki's `<gallery>`.

    A box is `li.gallerybox` with a link to `File:…` and a caption.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[_Print] = []
        self._in_box = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "li":
            self._in_box = "gallerybox" in (values.get("class") or "").split()
            if self._in_box:
                self.entries.append(_Print())
        elif tag == "a" and self._in_box and not self.entries[-1].file:
            place, colon, name = unquote(values.get("href") or "").rpartition("File:")
            if colon and place.endswith(("/", "title=")):
                self.entries[-1].file = f"File:{name.replace('_', ' ')}"

    def handle_data(self, data: str) -> None:
        if self._in_box:
            self.entries[-1].text.append(data)
