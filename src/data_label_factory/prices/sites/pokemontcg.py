"""Pokémon prices from the Pokémon TCG API: TCGplayer in dollars, Cardmarket in euros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.gather.pokemontcg import search
from data_label_factory.prices.money import from_number
from data_label_factory.prices.sites.base import PriceSite, prefix_of
from data_label_factory.prices.store import Listing


class PokemonTcgPrices(PriceSite):
    name: ClassVar = "pokemontcg"
    about: ClassVar = "Pokémon; in USD by finish (normal, holofoil, …), in EUR the trend"
    host: ClassVar = "https://api.pokemontcg.io"
    currencies: ClassVar = ("USD", "EUR")

    def listings(self, prefix: str) -> Iterator[Listing]:
        for card in search(self, f"set.id:{prefix.partition('-')[0].lower()}"):
            code = f"{card['set']['id']}-{card['number']}".upper()
            if prefix_of(code) != prefix:
                continue
            for finish, amount in self._amounts_by_finish(card).items():
                price = from_number(amount)
                if price is not None:
                    yield Listing(code, price, finish, name=card["name"])

    def _amounts_by_finish(self, card: Mapping[str, Any]) -> dict[str, Any]:
        shop = card.get("tcgplayer" if self.currency == "USD" else "cardmarket") or {}
        prices = shop.get("prices") or {}
        if self.currency == "EUR":
            return {"": prices.get("trendPrice") or prices.get("averageSellPrice")}
        return {
            finish: values.get("market") or values.get("mid") for finish, values in prices.items()
        }
