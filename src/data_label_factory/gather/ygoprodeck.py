"""Yu-Gi-Oh! cards from the YGOPRODeck API, version 7 (cardinfo.php, cardsetsinfo.php)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import Candidate, Source, make_label
from data_label_factory.labels import SET_CODE

# The option `by` → the API's parameter.
_PARAMS = {"name": "name", "fuzzy": "fname", "archetype": "archetype", "set": "cardset"}


class Ygoprodeck(Source):
    name: ClassVar = "ygoprodeck"
    about: ClassVar = "Yu-Gi-Oh! cards, English, by name, set code, archetype or set"
    host: ClassVar = "https://db.ygoprodeck.com"
    license: ClassVar = "© Konami; for personal use"
    interval: ClassVar = 0.06  # 20 calls per second are allowed
    image_interval: ClassVar = 0.06
    options: ClassVar = {
        "by": "what queries are: name (then fuzzy if no card has it), fuzzy, archetype, set",
        "set": "label with the print in this set, such as LOB",
    }
    choices: ClassVar = {"by": ("name", "fuzzy", "archetype", "set")}

    def find(self, query: str) -> Iterator[Candidate]:
        if SET_CODE.fullmatch(query):
            yield from self._find_print(query)
            return

        by = self.option.get("by", "name")
        cards = self._fetch_cards({_PARAMS[by]: query})
        if not cards and by == "name":
            cards = self._fetch_cards({"fname": query})

        set_name = query if by == "set" else ""
        for card in cards:
            code, rarity = self._choose_print(card, set_name)
            yield from _list_pictures(card, code, rarity)

    def _find_print(self, code: str) -> Iterator[Candidate]:
        """Yield the pictures of the card that has this set code."""
        info = self._fetch("/api/v7/cardsetsinfo.php", {"setcode": code})
        if info:
            for card in self._fetch_cards({"id": info["id"]}):
                yield from _list_pictures(card, code, _find_only_rarity(card, code))

    def _fetch_cards(self, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        answer = self._fetch("/api/v7/cardinfo.php", params)
        return list(answer["data"]) if answer else []

    def _fetch(self, path: str, params: Mapping[str, str | int]) -> Any:
        """Return the answer, or None for a 400 or 404: the API's way to say "no such
        card".
        """
        try:
            return self.json(path, params)
        except FetchError as exc:
            if exc.status in (400, 404):
                return None
            raise

    def _choose_print(self, card: Mapping[str, Any], set_name: str) -> tuple[str, str]:
        """Return set code and rarity of the card's print in the wanted set.

        That is the set of the option `set`, or the one called `set_name`. Both are ""
        if the card has no print in it, or no set is wanted.
        """
        prefix = self.option.get("set", "").upper()
        for entry in card.get("card_sets") or ():
            code = entry["set_code"]
            by_prefix = prefix and code.startswith(prefix + "-")
            if by_prefix or _is_in_set(entry, set_name):
                return code, _find_only_rarity(card, code)
        return "", ""


def _is_in_set(entry: Mapping[str, Any], set_name: str) -> bool:
    return bool(set_name) and entry["set_name"].casefold() == set_name.casefold()


def _find_only_rarity(card: Mapping[str, Any], code: str) -> str:
    """Return the rarity of a print, or "" if it exists in several: one picture shows
    them all.
    """
    rarities = set()
    for entry in card.get("card_sets") or ():
        if entry["set_code"] == code:
            rarities.add(entry["set_rarity"])
    return rarities.pop() if len(rarities) == 1 else ""


def _list_pictures(card: Mapping[str, Any], code: str, rarity: str) -> Iterator[Candidate]:
    for image in card["card_images"]:
        yield Candidate(
            make_label(card["name"], code, rarity),
            image["image_url"],
            page=str(card.get("ygoprodeck_url", "")),
        )
