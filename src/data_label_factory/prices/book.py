"""Prices for answers: looked up by the label and the file name of the recognized reference."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from data_label_factory.labels import Label, LabelScheme, parse_label
from data_label_factory.prices.fx import FxRates, Rates
from data_label_factory.prices.lookup import CodeLookup
from data_label_factory.prices.money import as_number
from data_label_factory.prices.store import CodePrice, PriceFile
from data_label_factory.rarities import rarity_code


class HasReferences(Protocol):
    """What a price book needs of an Index: the relative paths of its references."""

    @property
    def references(self) -> Iterable[str]: ...


class PriceBook:
    """A price file with a rate into dollars.

    It does not change; load another for a new file.
    """

    def __init__(self, file: PriceFile, rates: Rates) -> None:
        self.file = file
        self.rates = rates
        self._codes = CodeLookup(file.prices)
        self._ranked: tuple[HasReferences | None, list[dict[str, Any]]] = (None, [])

    @classmethod
    def load(cls, path: Path, fx: FxRates) -> PriceBook:
        """Read a price file and find the rates of its currency,
        which may use the network.

        Raises PriceError if `path` is not a price file.
        """
        file = PriceFile.load(path)
        return cls(file, fx.rates_of(file.currency))

    def __len__(self) -> int:
        return len(self.file.prices)

    def fx_info(self) -> dict[str, Any]:
        """The rate in use and its source, for `/api/top-prices`."""
        return self.rates.info()

    def price_of(
        self, label: Label, reference: str = "", labels: LabelScheme = "cards"
    ) -> dict[str, Any] | None:
        """The `price` of a detection as JSON values, or None if
        there is none.

        It is looked up by set code (the label's, else the file
        name's), then by file name and by name, which a user's own
        table may give. If the label's rarity has a price, the
        amounts are of that rarity and `rarity` names it. Otherwise
        they span all rarities of the code and `rarity` is None. The
        `usd_…` are None if no rate is known. `labels` is what file
        names say.
        """
        of_file = parse_label(reference, labels)
        code = self._codes.find(label, of_file, reference)
        if code is None:
            return None

        price = self.file.prices[code]
        rarity = label.rarity or of_file.rarity
        low, middle, high, rarity_shown = _amounts_of(price, rarity)
        return {
            "code": code,
            "median": as_number(middle),
            "min": as_number(low),
            "max": as_number(high),
            "currency": self.file.currency,
            "name_jp": price.name_jp,
            "usd_median": as_number(self.rates.convert(middle, "USD")),
            "usd_min": as_number(self.rates.convert(low, "USD")),
            "usd_max": as_number(self.rates.convert(high, "USD")),
            "rarity": rarity_shown,
            "scraped_at": price.scraped_at or self.file.scraped_at,
        }

    def top(
        self, limit: int, index: HasReferences, labels: LabelScheme = "cards"
    ) -> list[dict[str, Any]]:
        """The `limit` most expensive codes among the references of
        `index`, highest price first.

        They are the rows of `/api/top-prices`. A code with several
        references is represented by the most expensive one. The ranking
        is computed once per `index` object.
        """
        ranked_index, rows = self._ranked
        if ranked_index is not index:
            rows = self._rank(index, labels)
            self._ranked = (index, rows)
        return rows[: max(0, limit)]

    def _rank(self, index: HasReferences, labels: LabelScheme) -> list[dict[str, Any]]:
        highest: dict[str, tuple[Decimal, dict[str, Any]]] = {}
        for reference in map(str, index.references):
            label = parse_label(reference, labels)
            code = self._codes.find(label, label, reference)
            if code is None:
                continue
            amount = _amounts_of(self.file.prices[code], label.rarity)[1]
            if code not in highest or amount > highest[code][0]:
                highest[code] = (amount, self._row(code, label, reference, amount))

        # A file has one currency, so this order is also that of dollars.
        ranked = sorted(highest.values(), key=lambda pair: (-pair[0], pair[1]["code"]))
        return [row for _, row in ranked]

    def _row(self, code: str, label: Label, reference: str, amount: Decimal) -> dict[str, Any]:
        return {
            "code": code,
            "name": str(label),
            "name_jp": self.file.prices[code].name_jp,
            "median": as_number(amount),
            "currency": self.file.currency,
            "jpy_median": as_number(self.rates.convert(amount, "JPY")),
            "usd_median": as_number(self.rates.convert(amount, "USD")),
            "ref_filename": reference,
        }


def _amounts_of(price: CodePrice, rarity: str) -> tuple[Decimal, Decimal, Decimal, str | None]:
    """Lowest, median and highest, and the rarity they are of (None: all of them)."""
    if rarity:
        for name, amount in price.rarities.items():
            if rarity in (name, rarity_code(name)):
                return amount, amount, amount, rarity
    return price.min, price.median, price.max, None
