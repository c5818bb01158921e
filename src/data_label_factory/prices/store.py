"""The price file: the prices of one site, by code."""

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
_MAKE_HINT = "Make one: data_label_factory identify scrape_prices --refs DIR --out FILE.json"


@dataclass(frozen=True)
class Listing:
    """One offer. `rarity` is in the site's words; `code` is a set code or another key."""

    code: str
    price: Decimal
    rarity: str = ""
    name: str = ""
    name_jp: str = ""
    in_stock: bool = True

    def __post_init__(self) -> None:
        """Raises TypeError if the price is not exact."""
        if not isinstance(self.price, Decimal):
            raise TypeError(f"a price must be a Decimal, not {self.price!r}")


@dataclass(frozen=True)
class CodePrice:
    """The price of one code, over all its listings.

    If `scraped_at` is "", it is the file's.
    """

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
    """A price file.

    `prefixes` says when each prefix was last asked for (ISO 8601),
    `failed` why one could not be.
    """

    scraped_at: str
    site: str
    currency: str
    prices: Mapping[str, CodePrice]
    prefixes: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> PriceFile:
        """Read a price file.

        Raises PriceError if it is missing, damaged, or something else.
        """
        values = _read_json(path)
        if not isinstance(values, dict) or not isinstance(values.get("prices"), dict):
            raise PriceError(f"{path} is not a price file: it has no prices", _MAKE_HINT)

        prices = {}
        for code, entry in values["prices"].items():
            price = _parse_entry(path, code, entry)
            if price is not None:
                prices[code] = price
        return cls(
            _text_of(values, "scraped_at"),
            _text_of(values, "site"),
            _text_of(values, "currency"),
            prices,
            prefixes=_texts_in(values.get("prefixes")),
            failed=_texts_in(values.get("failed")),
        )

    def save(self, path: Path) -> None:
        """Write the file atomically, sorted by code. Raises FactoryError if that fails."""
        values = {
            "scraped_at": self.scraped_at,
            "site": self.site,
            "currency": self.currency,
            "prefixes": dict(sorted(self.prefixes.items())),
            "failed": dict(sorted(self.failed.items())),
            "prices": {code: price.as_json() for code, price in sorted(self.prices.items())},
        }
        write_text(path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def summarize(listings: Iterable[Listing]) -> dict[str, CodePrice]:
    """Listings → one CodePrice per code.

    A listing that is sold out counts only if nothing of its rarity
    is in stock. Rarities that file names know are keyed by their
    code (`PScR`), others as the site writes them. The price of a
    rarity is the median of its listings.
    """
    groups: dict[str, dict[str, list[Listing]]] = {}
    for listing in listings:
        rarity = rarity_code(listing.rarity)
        groups.setdefault(listing.code, {}).setdefault(rarity, []).append(listing)
    return {code: _summarize_code(by_rarity) for code, by_rarity in groups.items()}


def with_date(price: CodePrice, scraped_at: str) -> CodePrice:
    """`price` marked as of `scraped_at`, unless it has an older date already."""
    return price if price.scraped_at else replace(price, scraped_at=scraped_at)


def _summarize_code(by_rarity: Mapping[str, list[Listing]]) -> CodePrice:
    prices_by_rarity = {}
    for rarity, group in by_rarity.items():
        in_stock = [listing.price for listing in group if listing.in_stock]
        prices_by_rarity[rarity] = in_stock or [listing.price for listing in group]

    all_prices = [price for prices in prices_by_rarity.values() for price in prices]
    listings = [listing for group in by_rarity.values() for listing in group]
    return CodePrice(
        median=median(all_prices),
        min=min(all_prices),
        max=max(all_prices),
        count=len(all_prices),
        name=next((listing.name for listing in listings if listing.name), ""),
        name_jp=next((listing.name_jp for listing in listings if listing.name_jp), ""),
        rarities={rarity: median(prices) for rarity, prices in prices_by_rarity.items() if rarity},
    )


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise PriceError(f"{path} is too large for a price file", _MAKE_HINT)
        return json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as exc:
        raise PriceError(f"Cannot read the prices {path}: {exc.strerror}", _MAKE_HINT) from exc
    except (ValueError, RecursionError) as exc:
        message = f"{path} is not a price file: it is not valid JSON"
        raise PriceError(message, _MAKE_HINT) from exc


def _parse_entry(path: Path, code: str, entry: Any) -> CodePrice | None:
    """One entry of a file that another program may have written;
    None if it has no price.

    Raises PriceError if the entry is invalid.
    """
    if isinstance(entry, dict) and entry.get("median") is None:
        return None
    middle = from_number(entry.get("median")) if isinstance(entry, dict) else None
    if middle is None:
        message = f"{path} is not a price file: the entry {code[:40]!r} has no price"
        raise PriceError(message, _MAKE_HINT)

    count = entry.get("count")
    return CodePrice(
        median=middle,
        min=from_number(entry.get("min")) or middle,
        max=from_number(entry.get("max")) or middle,
        count=count if isinstance(count, int) else 1,
        name=_text_of(entry, "name"),
        name_jp=_text_of(entry, "name_jp"),
        rarities=_parse_rarities(entry.get("rarities")),
        scraped_at=_text_of(entry, "scraped_at"),
    )


def _parse_rarities(values: Any) -> dict[str, Decimal]:
    if not isinstance(values, dict):
        return {}
    prices = {rarity: from_number(value) for rarity, value in values.items()}
    return {rarity: price for rarity, price in prices.items() if price is not None}


def _text_of(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _texts_in(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if isinstance(value, str)}
