"""The price file: what one site said, by code. Written whole, sorted, and read with a clear error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from data_label_factory.atomic import write_text
from data_label_factory.errors import PriceError
from data_label_factory.prices.money import as_number, from_number, median
from data_label_factory.rarities import rarity_code

_MAX_FILE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Listing:
    """One offer. `rarity` is in the site's own words, `code` a set code or whatever the price is known by."""

    code: str
    price: Decimal
    rarity: str = ""
    name: str = ""
    name_jp: str = ""
    in_stock: bool = True

    def __post_init__(self) -> None:
        """Raises TypeError for a price that is not exact."""
        if not isinstance(self.price, Decimal):
            raise TypeError(f"a price must be a Decimal, not {self.price!r}")


@dataclass(frozen=True)
class CodePrice:
    """What one code costs, over all its listings. `scraped_at` is "" when the file's own date holds."""

    median: Decimal
    min: Decimal
    max: Decimal
    count: int
    name: str = ""
    name_jp: str = ""
    rarities: Mapping[str, Decimal] = field(default_factory=dict)
    scraped_at: str = ""

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "median": as_number(self.median),
            "min": as_number(self.min),
            "max": as_number(self.max),
            "count": self.count,
            "name": self.name,
            "name_jp": self.name_jp,
            "rarities": {
                rarity: as_number(price) for rarity, price in sorted(self.rarities.items())
            },
        }
        return values | ({"scraped_at": self.scraped_at} if self.scraped_at else {})


@dataclass(frozen=True)
class PriceFile:
    """A price file. `prefixes` says when each was last asked (ISO 8601), `failed` why one could not be."""

    scraped_at: str
    site: str
    currency: str
    prices: Mapping[str, CodePrice]
    prefixes: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> PriceFile:
        """Raises PriceError for a file that is missing, damaged, or none of ours."""
        try:
            if path.stat().st_size > _MAX_FILE_BYTES:
                raise PriceError(f"{path} is too large for a price file", _MAKE)
            values = json.loads(path.read_bytes(), parse_float=Decimal)
        except OSError as exc:
            raise PriceError(f"Cannot read the prices {path}: {exc.strerror}", _MAKE) from exc
        except (ValueError, RecursionError) as exc:
            raise PriceError(f"{path} is not a price file: it is not valid JSON", _MAKE) from exc
        if not isinstance(values, dict) or not isinstance(values.get("prices"), dict):
            raise PriceError(f"{path} is not a price file: it has no prices", _MAKE)
        prices = {code: _code_price(path, code, entry) for code, entry in values["prices"].items()}
        return cls(
            _text(values, "scraped_at"),
            _text(values, "site"),
            _text(values, "currency"),
            {code: price for code, price in prices.items() if price is not None},
            _texts(values.get("prefixes")),
            _texts(values.get("failed")),
        )

    def save(self, path: Path) -> None:
        """Write the file, sorted by code, atomically. Raises FactoryError when it cannot be written."""
        values = {
            "scraped_at": self.scraped_at,
            "site": self.site,
            "currency": self.currency,
            "prefixes": dict(sorted(self.prefixes.items())),
            "failed": dict(sorted(self.failed.items())),
            "prices": {code: price.as_json() for code, price in sorted(self.prices.items())},
        }
        write_text(path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def summarise(listings: Iterable[Listing]) -> dict[str, CodePrice]:
    """Listings → one CodePrice a code. What is sold out counts only where nothing of that rarity is in stock.

    Rarities that file names know are keyed by their code (`PScR`), others as the site writes them; a rarity's price is
    the median of its listings.
    """
    groups: dict[str, dict[str, list[Listing]]] = {}
    for listing in listings:
        rarity = rarity_code(listing.rarity) or listing.rarity
        groups.setdefault(listing.code, {}).setdefault(rarity, []).append(listing)
    return {code: _summary(by_rarity) for code, by_rarity in groups.items()}


def dated(price: CodePrice, scraped_at: str) -> CodePrice:
    """`price` marked as of `scraped_at`, unless it bears an older date already."""
    return price if price.scraped_at else replace(price, scraped_at=scraped_at)


def _summary(by_rarity: Mapping[str, list[Listing]]) -> CodePrice:
    offers = {
        rarity: [listing.price for listing in group if listing.in_stock]
        or [listing.price for listing in group]
        for rarity, group in by_rarity.items()
    }
    every = [price for prices in offers.values() for price in prices]
    listings = [listing for group in by_rarity.values() for listing in group]
    return CodePrice(
        median(every),
        min(every),
        max(every),
        len(every),
        next((listing.name for listing in listings if listing.name), ""),
        next((listing.name_jp for listing in listings if listing.name_jp), ""),
        {rarity: median(prices) for rarity, prices in offers.items() if rarity},
    )


_MAKE = "Make one: data_label_factory identify scrape_prices --refs DIR --out FILE.json"


def _code_price(path: Path, code: str, entry: Any) -> CodePrice | None:
    """One entry of a file that some other program may have written; None when it says that there is no price."""
    if isinstance(entry, dict) and entry.get("median") is None:
        return None
    middle = from_number(entry.get("median")) if isinstance(entry, dict) else None
    if middle is None:
        raise PriceError(f"{path} is not a price file: the entry {code[:40]!r} has no price", _MAKE)
    rarities = entry.get("rarities")
    known = rarities.items() if isinstance(rarities, dict) else ()
    count = entry.get("count")
    return CodePrice(
        middle,
        from_number(entry.get("min")) or middle,
        from_number(entry.get("max")) or middle,
        count if isinstance(count, int) else 1,
        _text(entry, "name"),
        _text(entry, "name_jp"),
        {rarity: price for rarity, value in known if (price := from_number(value)) is not None},
        _text(entry, "scraped_at"),
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _texts(values: Any) -> dict[str, str]:
    return (
        {key: value for key, value in values.items() if isinstance(value, str)}
        if isinstance(values, dict)
        else {}
    )
