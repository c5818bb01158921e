"""Yu-Gi-Oh! cards from the YGOPRODeck API, version 7 (cardinfo.php, cardsetsinfo.php)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import Found, Source, label_of
from data_label_factory.labels import SET_CODE

_BY = {"name": "name", "fuzzy": "fname", "archetype": "archetype", "set": "cardset"}


class Ygoprodeck(Source):
    name: ClassVar = "ygoprodeck"
    about: ClassVar = "Yu-Gi-Oh! cards, English, by name, set code, archetype or set"
    host: ClassVar = "https://db.ygoprodeck.com"
    license: ClassVar = "© Konami; for personal use"
    interval: ClassVar = 0.06  # 20 calls a second are allowed
    image_interval: ClassVar = 0.06
    options: ClassVar = {
        "by": "what queries are: name (then fuzzy when no card has it), fuzzy, archetype, set",
        "set": "label with the print in this set, such as LOB",
    }
    choices: ClassVar = {"by": ("name", "fuzzy", "archetype", "set")}

    def find(self, query: str) -> Iterator[Found]:
        by = self.option.get("by", "name")
        if SET_CODE.fullmatch(query):
            yield from self._print(query)
            return
        cards = self._cards({_BY[by]: query})
        if not cards and by == "name":
            cards = self._cards({"fname": query})
        for card in cards:
            code, rarity = self._print_of(card, query if by == "set" else "")
            yield from _pictures(card, code, rarity)

    def _print(self, code: str) -> Iterator[Found]:
        info = self._known("/api/v7/cardsetsinfo.php", {"setcode": code})
        if info:
            for card in self._cards({"id": info["id"]}):
                yield from _pictures(card, code, _only_rarity(card, code))

    def _cards(self, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        found = self._known("/api/v7/cardinfo.php", params)
        return list(found["data"]) if found else []

    def _known(self, path: str, params: Mapping[str, str | int]) -> Any:
        """The answer, or None for a 400 or 404: the API's way to say that it knows no such card."""
        try:
            return self.json(path, params)
        except FetchError as exc:
            if exc.status in (400, 404):
                return None
            raise

    def _print_of(self, card: Mapping[str, Any], set_name: str) -> tuple[str, str]:
        """Set code and rarity of the card's print in the set that was named, if one was."""
        prefix = self.option.get("set", "").upper()
        for entry in card.get("card_sets") or ():
            code = entry["set_code"]
            if (prefix and code.startswith(prefix + "-")) or (
                set_name and entry["set_name"].casefold() == set_name.casefold()
            ):
                return code, _only_rarity(card, code)
        return "", ""


def _only_rarity(card: Mapping[str, Any], code: str) -> str:
    """The rarity of a print, or "" when it exists in several: one picture stands for all of them."""
    known = {
        entry["set_rarity"] for entry in card.get("card_sets") or () if entry["set_code"] == code
    }
    return known.pop() if len(known) == 1 else ""


def _pictures(card: Mapping[str, Any], code: str, rarity: str) -> Iterator[Found]:
    for image in card["card_images"]:
        yield Found(
            label_of(card["name"], code, rarity),
            image["image_url"],
            page=str(card.get("ygoprodeck_url", "")),
        )
