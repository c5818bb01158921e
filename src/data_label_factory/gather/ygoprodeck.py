"""Yu-Gi-Oh! cards from the YGOPRODeck API, version 7 (cardinfo.php, cardsetsinfo.php)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import Candidate, CardSource, make_label
from data_label_factory.gather.query import Reading, list_readings
from data_label_factory.labels import SET_CODE

# The option `by` → the API's parameter.
_PARAMS = {"name": "name", "fuzzy": "fname", "archetype": "archetype", "set": "cardset"}


class Ygoprodeck(CardSource):
    name: ClassVar = "ygoprodeck"
    about: ClassVar = (
        "Yu-Gi-Oh! cards, English, by name, line of a deck list, set code, archetype or set"
    )
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
        found = False
        for candidate in self._find_exactly(query):
            found = True
            yield candidate
        if found or query in self.passed_over or self.option.get("by", "name") != "name":
            return

        for reading in list_readings(query):
            cards = self._fetch_cards({"fname": reading.name})
            yield from self._list_cards(cards, reading)
            if cards:
                return

    def find_card(self, reading: Reading) -> Iterator[Candidate]:
        cards = self._fetch_cards({"name": reading.name})
        yield from self._list_cards(cards, reading)

    def _find_exactly(self, query: str) -> Iterator[Candidate]:
        """Yield what has this set code, else this name; or what the
        option `by` says.
        """
        by = self.option.get("by", "name")
        if by != "name":
            cards = self._fetch_cards({_PARAMS[by]: query})
            yield from self._list_cards(cards, Reading(query, ""))
            return

        found = False
        if SET_CODE.fullmatch(query):
            for candidate in self._find_print(query):
                found = True
                yield candidate
        if not found:
            yield from super().find(query)

    def _list_cards(self, cards: list[dict[str, Any]], reading: Reading) -> Iterator[Candidate]:
        set_name = reading.query if self.option.get("by") == "set" else ""
        for card in cards:
            code, rarity = self._choose_print(card, set_name, reading)
            yield from self._list_pictures(card, code, rarity, reading.query)

    def _find_print(self, code: str) -> Iterator[Candidate]:
        """Yield the pictures of the card that has this set code."""
        info = self._fetch("/api/v7/cardsetsinfo.php", {"setcode": code})
        if info:
            for card in self._fetch_cards({"id": info["id"]}):
                rarity = _find_only_rarity(card, code)
                yield from self._list_pictures(card, code, rarity, code)

    def _fetch_cards(self, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        answer = self._fetch("/api/v7/cardinfo.php", params)
        return list(answer["data"]) if answer else []

    def _fetch(self, path: str, params: Mapping[str, str | int]) -> Any:
        """Return the answer, or None for a 400 or 404: the API's way to
        say "no such card".
        """
        try:
            return self.json(path, params)
        except FetchError as exc:
            if exc.status in (400, 404):
                return None
            raise

    def _choose_print(
        self, card: Mapping[str, Any], set_name: str, reading: Reading
    ) -> tuple[str, str]:
        """Return set code and rarity of the card's print in the
        wanted set.

        That is the set of the deck list, of the option `set`, or
        the one called `set_name`. Both are "" if the card has no
        print in it, or no set is wanted.
        """
        prefix = (reading.set_code or self.option.get("set", "")).upper()
        for entry in card.get("card_sets") or ():
            code = entry["set_code"]
            wanted = f"{prefix}-{reading.number.upper()}"
            by_prefix = prefix and f"{code}-".startswith(wanted)
            if by_prefix or _is_in_set(entry, set_name):
                return code, _find_only_rarity(card, code)
        return "", ""

    def _list_pictures(
        self, card: Mapping[str, Any], code: str, rarity: str, query: str
    ) -> Iterator[Candidate]:
        images = card.get("card_images") or ()
        pictures = [image.get("image_url") for image in images]
        if not any(pictures):
            self.pass_over(query, card["name"])
        for url in filter(None, pictures):
            yield Candidate(
                make_label(card["name"], code, rarity),
                url,
                page=str(card.get("ygoprodeck_url", "")),
            )


def _is_in_set(entry: Mapping[str, Any], set_name: str) -> bool:
    return bool(set_name) and entry["set_name"].casefold() == set_name.casefold()


def _find_only_rarity(card: Mapping[str, Any], code: str) -> str:
    """Return the rarity of a print, or "" if it exists in several: one
    picture shows them all.
    """
    rarities = set()
    for entry in card.get("card_sets") or ():
        if entry["set_code"] == code:
            rarities.add(entry["set_rarity"])
    return rarities.pop() if len(rarities) == 1 else ""
