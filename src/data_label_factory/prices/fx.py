"""Exchange rates: fetched once, kept on disk for a day without a network, never made up."""

from __future__ import annotations

import argparse
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
from data_label_factory.errors import FactoryError, FetchError
from data_label_factory.folders import cache_folder
from data_label_factory.http.fetch import Fetcher, Patience
from data_label_factory.prices.money import from_number

DEFAULT_FX_URL = "https://open.er-api.com"
# A server waits for this before it is ready; whoever is offline has the rates of the last time.
_AT_START = Patience(connect=3.0, silence=3.0, whole=5.0, tries=2, backoff=0.2, retry_after=2.0)
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Rates:
    """What one unit of `base` is worth in other currencies, and where that is known from.

    `source` is "live", "cache", "given" (on the command line), "same" (USD to USD) or "none"; `note` says for people
    what is behind the last two: how old, or why not.
    """

    base: str
    values: Mapping[str, Decimal] = field(default_factory=dict)
    source: str = "none"
    updated_at: datetime | None = None
    note: str = ""

    def convert(self, amount: Decimal | None, currency: str) -> Decimal | None:
        """`amount` of `base` in `currency`, unrounded; None when the rate is not known."""
        if amount is None or currency == self.base:
            return amount
        rate = self.values.get(currency)
        return None if rate is None else amount * rate

    def info(self) -> dict[str, Any]:
        """For /api/top-prices and the log."""
        usd = self.convert(Decimal(1), "USD")
        age = (
            None
            if self.updated_at is None
            else max(0.0, (datetime.now(UTC) - self.updated_at).total_seconds())
        )
        return {
            "base": self.base,
            "usd_rate": None if usd is None else float(usd),
            "source": self.source,
            "updated_at": self.updated_at.isoformat() if self.updated_at else None,
            "age_hours": None if age is None else round(age / 3600, 1),
            "note": self.note,
        }


class FxRates:
    """Rates by base currency, each fetched once for the life of this object. Safe to share between threads.

    `given` maps a currency to its worth in USD and needs no network; `cache` is the folder that keeps what was
    fetched, by default the user's cache folder.
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

    def of(self, base: str) -> Rates:
        """The rates of `base` (an ISO 4217 code); with neither network nor cache they are empty. Never raises."""
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
        file = self._cache / f"{base}.json"
        try:
            rates = _read(self._fetcher.json(f"{self._url}/v6/latest/{base}"), base, "live")
        except FetchError as exc:
            return self._from_cache(file, base, exc.message)
        if rates is None:
            return self._from_cache(file, base, f"{self._url} gave no rates for {base}")
        with suppress(
            FactoryError, OSError
        ):  # a full disk costs the next offline start its rates, not this one
            self._cache.mkdir(parents=True, exist_ok=True)
            write_text(file, _written(rates))
        return rates

    def _from_cache(self, file: Path, base: str, why: str) -> Rates:
        try:
            rates = _read(json.loads(file.read_bytes(), parse_float=Decimal), base, "cache")
        except (OSError, ValueError, RecursionError):
            rates = None
        if rates is None:
            return Rates(
                base, note=f"no rate: {why}; none is kept from before. Prices stay in {base}"
            )
        hours = (
            0.0
            if rates.updated_at is None
            else (self._now() - rates.updated_at).total_seconds() / 3600
        )
        age = f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
        return Rates(
            base,
            rates.values,
            "cache",
            rates.updated_at,
            f"rates kept from before, {age} old ({why})",
        )


def parse_rate(text: str) -> tuple[str, Decimal]:
    """`JPY=0.0067` → ("JPY", Decimal("0.0067")): what one unit is worth in USD. An argparse type."""
    currency, _, value = text.partition("=")
    rate = from_number(value)
    if not _CURRENCY.fullmatch(currency) or rate is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a rate such as JPY=0.0067 (one unit in USD)"
        )
    return currency, rate


def _written(rates: Rates) -> str:
    """The parts of the document that `_read` reads, the numbers as text to stay exact."""
    moment = None if rates.updated_at is None else rates.updated_at.timestamp()
    values = {code: str(value) for code, value in rates.values.items()}
    return json.dumps(
        {
            "result": "success",
            "base_code": rates.base,
            "time_last_update_unix": moment,
            "rates": values,
        }
    )


def _read(answer: Any, base: str, source: str) -> Rates | None:
    """An open.er-api.com document (v6): `result`, `rates` by currency, `time_last_update_unix`. None if it is none."""
    if (
        not isinstance(answer, dict)
        or answer.get("result") != "success"
        or answer.get("base_code", base) != base
    ):
        return None
    rates = answer.get("rates")
    if not isinstance(rates, dict) or (usd := from_number(rates.get("USD"))) is None:
        return None
    values = {
        str(code): rate for code, value in rates.items() if (rate := from_number(value)) is not None
    }
    moment = answer.get("time_last_update_unix")
    try:
        updated_at = datetime.fromtimestamp(float(moment), UTC) if moment is not None else None
    except (TypeError, ValueError, OverflowError, OSError):
        updated_at = None
    return Rates(base, values | {"USD": usd}, source, updated_at)
