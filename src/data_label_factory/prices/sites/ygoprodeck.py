"""Yu-Gi-Oh! TCG prices from YGOPRODeck: TCGplayer in dollars, Cardmarket in euros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.prices.money import from_number
from data_label_factory.prices.sites.base import PriceSite, prefix_of
from data_label_factory.prices.store import Listing

_CARD_PRICE_KEYS = {"USD": "tcgplayer_price", "EUR": "cardmarket_price"}


class YgoprodeckPrices(PriceSite):
    name: ClassVar = "ygoprodeck"
    about: ClassVar = (
        "Yu-Gi-Oh! TCG; in USD by print where known, else (and in EUR) one price for all prints"
    )
    host: ClassVar = "https://db.ygoprodeck.com"
    currencies: ClassVar = ("USD", "EUR")

    def listings(self, prefix: str) -> Iterator[Listing]:
        for name in self._set_names.get(prefix.partition("-")[0], ()):
            for card in self._fetch_cards(name):
                yield from self._listings_of(card, name, prefix)

    def _listings_of(
        self, card: Mapping[str, Any], set_name: str, prefix: str
    ) -> Iterator[Listing]:
        for entry in card.get("card_sets") or ():
            # A card's entries are of all its sets; those of other sets are read with
            # their set.
            if entry["set_name"] != set_name or prefix_of(entry["set_code"]) != prefix:
                continue
            price = self._price_of(card, entry)
            if price is not None:
                yield Listing(entry["set_code"], price, entry["set_rarity"], name=card["name"])

    def _price_of(self, card: Mapping[str, Any], entry: Mapping[str, Any]) -> Decimal | None:
        print_price = from_number(entry.get("set_price")) if self.currency == "USD" else None
        card_prices = card.get("card_prices") or [{}]
        return print_price or from_number(card_prices[0].get(_CARD_PRICE_KEYS[self.currency]))

    def _fetch_cards(self, set_name: str) -> list[dict[str, Any]]:
        try:
            return list(self.json("/api/v7/cardinfo.php", {"cardset": set_name})["data"])
        except FetchError as exc:
            if exc.status == 400:  # a set without cards yet
                return []
            raise

    @cached_property
    def _set_names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for entry in self.json("/api/v7/cardsets.php"):
            names.setdefault(entry["set_code"], []).append(entry["set_name"])
        return names
