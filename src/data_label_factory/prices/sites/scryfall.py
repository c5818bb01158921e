"""Magic prices from Scryfall: TCGplayer in dollars, Cardmarket in euros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from data_label_factory.gather.scryfall import search
from data_label_factory.prices.money import from_number
from data_label_factory.prices.sites.base import PriceSite, prefix_of
from data_label_factory.prices.store import Listing

_FINISHES = {"": "normal", "_foil": "foil", "_etched": "etched"}


class ScryfallPrices(PriceSite):
    name: ClassVar = "scryfall"
    about: ClassVar = "Magic; normal, foil and etched take the place of rarities"
    host: ClassVar = "https://api.scryfall.com"
    currencies: ClassVar = ("USD", "EUR")

    def listings(self, prefix: str) -> Iterator[Listing]:
        for card in search(self, f"set:{prefix.partition('-')[0].lower()}", "prints"):
            code = f"{card['set']}-{card['collector_number']}".upper()
            if prefix_of(code) != prefix:
                continue

            prices = card.get("prices") or {}
            for ending, finish in _FINISHES.items():
                price = from_number(prices.get(self.currency.lower() + ending))
                if price is not None:
                    yield Listing(
                        code,
                        price,
                        finish,
                        name=card["name"],
                        name_jp=card.get("printed_name") or "",
                    )
