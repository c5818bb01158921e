"""Prices beside answers: looked up by the label and the file name of what was recognised."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from data_label_factory.labels import Label, item_key, parse_label
from data_label_factory.prices.fx import FxRates, Rates
from data_label_factory.prices.money import as_number
from data_label_factory.prices.store import CodePrice, PriceFile
from data_label_factory.rarities import rarity_code


class HasFilenames(Protocol):
    """An Index, as far as prices are concerned: the relative paths of its references."""

    @property
    def references(self) -> Iterable[str]: ...


class PriceBook:
    """A price file with a rate into dollars. It does not change; to follow a new file, load another."""

    def __init__(self, file: PriceFile, rates: Rates) -> None:
        self.file = file
        self.rates = rates
        self._codes = {item_key(code): code for code in file.prices}
        self._ranked: tuple[HasFilenames | None, list[dict[str, Any]]] = (None, [])

    @classmethod
    def load(cls, path: Path, fx: FxRates) -> PriceBook:
        """Raises PriceError when `path` is no price file. `fx` is asked for its currency, which may use the network."""
        file = PriceFile.load(path)
        return cls(file, fx.of(file.currency))

    def __len__(self) -> int:
        return len(self.file.prices)

    def fx_info(self) -> dict[str, Any]:
        """The rate in use and where it is known from, for `/api/top-prices`."""
        return self.rates.info()

    def price_of(self, label: Label, reference: str = "") -> dict[str, Any] | None:
        """The `price` of a detection as JSON values, or None when nothing is known.

        Looked up by set code (the label's, else the file name's), then by file name and name, as one's own table may.
        When the label's rarity is priced, the amounts are of *that* rarity and `rarity` names it; otherwise they span
        all rarities of the code and `rarity` is None. The `usd_…` are None when no rate is known.
        """
        code = self._code(label, reference)
        if code is None:
            return None
        price = self.file.prices[code]
        rarity = label.rarity or parse_label(reference).rarity
        low, middle, high, rarity_shown = _amounts(price, rarity)
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

    def top(self, limit: int, index: HasFilenames) -> list[dict[str, Any]]:
        """The `limit` dearest codes among the references of `index`, dearest first, as rows of `/api/top-prices`.

        Of several references of one code the dearest stands for it. Ranked once per `index` object.
        """
        of, rows = self._ranked
        if of is not index:
            rows = self._rank(index)
            self._ranked = (index, rows)
        return rows[: max(0, limit)]

    def _rank(self, index: HasFilenames) -> list[dict[str, Any]]:
        dearest: dict[str, tuple[Decimal, dict[str, Any]]] = {}
        for reference in map(str, index.references):
            label = parse_label(reference)
            code = self._code(label, reference)
            if code is None:
                continue
            amount = _amounts(self.file.prices[code], label.rarity)[1]
            if code not in dearest or amount > dearest[code][0]:
                dearest[code] = (amount, self._row(code, label, reference, amount))
        # One file has one currency, so this order is also that of dollars.
        return [
            row for _, row in sorted(dearest.values(), key=lambda pair: (-pair[0], pair[1]["code"]))
        ]

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

    def _code(self, label: Label, reference: str) -> str | None:
        set_code = label.set_code or parse_label(reference).set_code
        # Sites key their prices by code, so a name finds only what the user's own table gave by name: for any print.
        keys = (set_code, reference, PurePosixPath(reference).stem, label.name)
        return next(
            (self._codes[item_key(key)] for key in keys if item_key(key) in self._codes), None
        )


def _amounts(price: CodePrice, rarity: str) -> tuple[Decimal, Decimal, Decimal, str | None]:
    """Lowest, median, highest and the rarity that they are of (None: of all)."""
    if rarity:
        for name, amount in price.rarities.items():
            if rarity in (name, rarity_code(name)):
                return amount, amount, amount, rarity
    return price.min, price.median, price.max, None
