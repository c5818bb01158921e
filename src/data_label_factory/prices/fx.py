"""Exchange rates: fetched once, kept on disk for a day without a network, never made up."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from data_label_factory.atomic import write_text
from data_label_factory.errors import FactoryError, FetchError, PriceError
from data_label_factory.folders import cache_folder
from data_label_factory.http.fetch import Fetcher, Patience
from data_label_factory.prices.money import from_number

DEFAULT_FX_URL = "https://open.er-api.com"
# A server waits this long before it is ready. Offline, it uses the rates of the last
# time.
_AT_START = Patience(connect=3.0, silence=3.0, whole=5.0, tries=2, backoff=0.2, retry_after=2.0)
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Rates:
    """What one unit of `base` is worth in other currencies, and where
    that comes from.

    `source` is "live", "cache", "given" (on the command line), "same"
    (USD to USD) or "none". `note` explains it to people: how old the
    rates are, or why there are none.
    """

    base: str
    values: Mapping[str, Decimal] = field(default_factory=dict)
    source: str = "none"
    updated_at: datetime | None = None
    note: str = ""

    def convert(self, amount: Decimal | None, currency: str) -> Decimal | None:
        """`amount` of `base` in `currency`, unrounded; None if the rate is not known."""
        if amount is None or currency == self.base:
            return amount
        rate = self.values.get(currency)
        return None if rate is None else amount * rate

    def info(self) -> dict[str, Any]:
        """The rate as JSON values, for /api/top-prices and the log."""
        usd = self.convert(Decimal(1), "USD")
        age = None
        if self.updated_at is not None:
            age = max(0.0, _hours_between(self.updated_at, datetime.now(UTC)))

        return {
            "base": self.base,
            "usd_rate": None if usd is None else float(usd),
            "source": self.source,
            "updated_at": self.updated_at.isoformat() if self.updated_at else None,
            "age_hours": None if age is None else round(age, 1),
            "note": self.note,
        }


class FxRates:
    """Rates by base currency, each fetched once per object. Safe to
    share between threads.

    `given` maps currencies to their worth in USD; they need no network.
    `cache` is the folder that keeps fetched rates, by default in the
    user's cache folder.
    """

    def __init__(
        self,
        url: str = DEFAULT_FX_URL,
        given: Mapping[str, Decimal] | None = None,
        cache: Path | None = None,
        fetcher: Fetcher | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = url.rstrip("/")
        self._given = dict(given or {})
        self._cache = cache or cache_folder() / "fx"
        self._fetcher = fetcher or Fetcher(_AT_START)
        self._now = now
        self._known: dict[str, Rates] = {}
        self._lock = threading.Lock()

    def rates_of(self, base: str) -> Rates:
        """The rates of `base` (an ISO 4217 code). Never raises.

        Without network and cache they are empty.
        """
        with self._lock:
            if base not in self._known:
                self._known[base] = self._find(base)
            return self._known[base]

    def _find(self, base: str) -> Rates:
        if base in self._given:
            return Rates(base, {"USD": self._given[base]}, "given", note="set by --fx-rate")
        if base == "USD":
            return Rates(base, source="same", note="prices are in USD")
        if not _CURRENCY.fullmatch(base):
            return Rates(base, note=f"{base!r} is not a currency code such as JPY")

        try:
            document = self._fetcher.json(f"{self._url}/v6/latest/{base}")
        except FetchError as exc:
            return self._read_cache(base, exc.message)
        rates = _parse_rates(document, base, "live")
        if rates is None:
            return self._read_cache(base, f"{self._url} gave no rates for {base}")

        self._write_cache(rates)
        return rates

    def _cache_file(self, base: str) -> Path:
        return self._cache / f"{base}.json"

    def _write_cache(self, rates: Rates) -> None:
        # A full disk costs the next offline start its rates, but not this one.
        with suppress(FactoryError, OSError):
            self._cache.mkdir(parents=True, exist_ok=True)
            write_text(self._cache_file(rates.base), _as_document(rates))

    def _read_cache(self, base: str, why: str) -> Rates:
        try:
            document = json.loads(self._cache_file(base).read_bytes(), parse_float=Decimal)
            rates = _parse_rates(document, base, "cache")
        except (OSError, ValueError, RecursionError):
            rates = None
        if rates is None:
            note = f"no rate: {why}; none is kept from before. Prices stay in {base}"
            return Rates(base, note=note)

        hours = 0.0
        if rates.updated_at is not None:
            hours = _hours_between(rates.updated_at, self._now())
        age = f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
        note = f"rates kept from before, {age} old ({why})"
        return Rates(base, rates.values, "cache", rates.updated_at, note)


def parse_rate(text: str) -> tuple[str, Decimal]:
    """`JPY=0.0067` → ("JPY", Decimal("0.0067")), the worth of one
    unit in USD.

    Raises PriceError if it is not a rate.
    """
    currency, _, value = text.partition("=")
    rate = from_number(value)
    if not _CURRENCY.fullmatch(currency) or rate is None:
        raise PriceError(f"{text!r} is not a rate such as JPY=0.0067 (one unit in USD)")
    return currency, rate


def _hours_between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 3600


def _as_document(rates: Rates) -> str:
    """The parts of the document that `_parse_rates` reads, with the numbers as exact text."""
    moment = None if rates.updated_at is None else rates.updated_at.timestamp()
    return json.dumps(
        {
            "result": "success",
            "base_code": rates.base,
            "time_last_update_unix": moment,
            "rates": {code: str(value) for code, value in rates.values.items()},
        }
    )


def _parse_rates(document: Any, base: str, source: str) -> Rates | None:
    """The rates in an answer of open.er-api.com (v6); None if it is
    not a valid one.

    It has `result`, `base_code`, `rates` by currency, and
    `time_last_update_unix`.
    """
    if not isinstance(document, dict):
        return None
    if document.get("result") != "success" or document.get("base_code", base) != base:
        return None

    rates = document.get("rates")
    if not isinstance(rates, dict) or from_number(rates.get("USD")) is None:
        return None
    values = {}
    for code, value in rates.items():
        rate = from_number(value)
        if rate is not None:
            values[str(code)] = rate

    updated_at = _parse_moment(document.get("time_last_update_unix"))
    return Rates(base, values, source, updated_at)


def _parse_moment(seconds: Any) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
