"""Magic: The Gathering cards from the Scryfall API (cards/search)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import MAX_PAGES, Api, Candidate, CardSource, make_label
from data_label_factory.gather.query import Reading, has_syntax
from data_label_factory.labels import item_key

# The values of `image_status` of a card that the site has no picture of.
_NO_PICTURE = ("missing", "placeholder")

# The keywords of the site's syntax guide.
_SYNTAX_KEYS = (
    "c color colors id identity commander t type o "
    "oracle fo fulloracle kw keyword m mana mv cmc "
    "manavalue devotion produces pow power tou "
    "toughness pt powtou loy loyalty def defense is "
    "not has include r rarity in s e set edition cn "
    "number b block st cube f format legal banned "
    "restricted usd eur tix cheapest a artist artists "
    "ft flavor wm watermark lore art atag arttag "
    "function otag oracletag new border frame stamp "
    "game year date prints sets paperprints papersets "
    "illustrations reprints l lang language unique "
    "order sort direction prefer display name n "
    "oracleid scryfallid"
)


class Scryfall(CardSource):
    name: ClassVar = "scryfall"
    about: ClassVar = (
        "Magic cards by name, line of a deck list, or Scryfall's search syntax, such as set:neo"
    )
    host: ClassVar = "https://api.scryfall.com"
    license: ClassVar = "© Wizards of the Coast; fan content policy"
    interval: ClassVar = 0.1
    options: ClassVar = {
        "set": "only prints of this set, such as neo",
        "unique": "cards (default), art or prints",
        "image": "small, normal (default), large, png",
    }
    choices: ClassVar = {
        "unique": ("cards", "art", "prints"),
        "image": ("normal", "small", "large", "png"),
    }

    def find(self, query: str) -> Iterator[Candidate]:
        if query.startswith("!") or has_syntax(query, _SYNTAX_KEYS):
            yield from self._search(query, Reading(query, ""))
        else:
            yield from super().find(query)

    def find_card(self, reading: Reading) -> Iterator[Candidate]:
        words = f'!"{_quote(reading.name)}"'
        if reading.set_code:
            words += f" set:{reading.set_code.lower()}"
        if reading.number:
            words += f' cn:"{reading.number}"'
        yield from self._search(words, reading)

    def _search(self, words: str, reading: Reading) -> Iterator[Candidate]:
        """Yield the cards that have a picture, then other prints of
        those that have none.
        """
        if (chosen := self.option.get("set")) and not reading.set_code:
            words += f" set:{chosen}"

        unique = self.option.get("unique", "cards")
        shown: set[str] = set()
        waiting: set[str] = set()
        for card in search(self, words, unique):
            faces = self._list_faces(card, reading)
            (shown if faces else waiting).add(_identify(card))
            yield from faces

        waiting -= shown
        if not waiting or unique == "prints":
            return
        for card in search(self, words, "prints"):
            if _identify(card) in waiting and (faces := self._list_faces(card, reading)):
                waiting.discard(_identify(card))
                yield from faces

    def _list_faces(self, card: Mapping[str, Any], reading: Reading) -> list[Candidate]:
        """Return one picture, or one per face that has its own, labeled
        with the face's name.

        The face that the query names comes first.
        """
        code = f"{card['set']}-{card['collector_number']}"
        shown = []
        faces = [card]
        if "image_uris" not in card:
            faces = card.get("card_faces") or faces

        for face in faces:
            status = str(face.get("image_status") or card.get("image_status") or "")
            uris = face.get("image_uris") or {}
            url = uris.get(self.option.get("image", "normal"))
            if not url or status in _NO_PICTURE or _is_soon(url):
                why = "no picture yet"
                if status:
                    why += f" (image_status {status})"
                name = f"{face['name']} ({code.upper()})"
                self.pass_over(reading.query, name, why)
                continue
            shown.append(
                Candidate(
                    make_label(face["name"], code),
                    url,
                    page=card.get("scryfall_uri", ""),
                    author=face.get("artist") or card.get("artist") or "",
                )
            )

        wanted = item_key(reading.name)
        shown.sort(key=lambda face: item_key(face.label.name) != wanted)
        return [replace(face, more_faces=face is not shown[-1]) for face in shown]


def _identify(card: Mapping[str, Any]) -> str:
    """Return what all prints of a card have in common."""
    return str(card.get("oracle_id") or card["name"])


def _is_soon(url: str) -> bool:
    """Return whether this is the site's picture for a card without one."""
    return urlsplit(url).hostname == "errors.scryfall.com"


def _quote(name: str) -> str:
    """Return a name as it stands between double quotes.

    Scryfall ignores punctuation there.
    """
    return " ".join(re.sub(r'["“”\\]', " ", name).split())


def search(api: Api, words: str, unique: str) -> Iterator[dict[str, Any]]:
    """Yield every card that a search finds, page after page.

    Yields nothing if no card matches. Raises FetchError.
    """
    path = "/cards/search"
    params = {"q": words, "unique": unique, "order": "released"}
    for _ in range(MAX_PAGES):
        try:
            answer = api.json(path, params)
        except FetchError as exc:
            if exc.status == 404:  # Scryfall's way to say that no card matches
                return
            raise

        yield from answer["data"]
        if not answer.get("has_more"):
            return
        path = answer["next_page"]
        params = {}
