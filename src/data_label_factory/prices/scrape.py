"""Reference file names → a price file, with one request per prefix
of set codes.

Prices that cannot be fetched today are kept from the last time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from data_label_factory.errors import FetchError, PriceError
from data_label_factory.labels import LabelScheme, item_key, parse_label
from data_label_factory.prices.limits import DEFAULT_MAX_AGE_HOURS, DEFAULT_MAX_PREFIXES
from data_label_factory.prices.lookup import CodeLookup
from data_label_factory.prices.sites.base import PriceSite, prefix_of
from data_label_factory.prices.store import CodePrice, PriceFile, summarize, with_date

_EVERYTHING = ""  # the only prefix of a site that gives all prices at once
_LISTED_MAX = 12  # prefixes named one by one in a message
_REASON_MAX = 300  # characters


@dataclass
class ScrapeResult:
    """What a run did: the file, and which prefixes were asked for, fresh, or not stocked."""

    file: PriceFile
    codes: int = 0  # set codes among the references
    asked: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    not_stocked: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)  # codes of references without a price
    references: int = 0
    priced: int = 0  # of the references
    unmatched: list[str] = field(default_factory=list)  # rows of a table, of no reference
    left_out: list[str] = field(default_factory=list)  # of a table: rows and columns

    @property
    def exit_code(self) -> int:
        return 1 if self.file.failed else 0


def scrape(
    references: Iterable[str],
    out: Path,
    site: PriceSite,
    *,
    labels: LabelScheme = "cards",
    max_prefixes: int = DEFAULT_MAX_PREFIXES,
    max_age_hours: float = DEFAULT_MAX_AGE_HOURS,
    now: datetime | None = None,
) -> ScrapeResult:
    """Update the price file `out` for the set codes in the file names
    `references`.

    `labels` is what file names say. A prefix asked for within
    `max_age_hours` is not asked for again. One that fails keeps its
    prices, marked with their date. If the run is interrupted, the file
    holds what was fetched so far. Raises PriceError if there is no set
    code, there are too many prefixes, `out` is of another site or
    currency, or nothing could be fetched.
    """
    now = now or datetime.now(UTC)
    found = {reference: parse_label(reference, labels) for reference in references}
    names = {label.set_code: label.name for label in found.values() if label.set_code}
    prefixes = _find_prefixes(names, site, max_prefixes)
    old = _load_old_file(out, site)

    run = _Run(site, old, now, max_age_hours)
    try:
        for prefix in prefixes:
            run.ask(prefix)
    finally:
        file = run.build_file(prefixes, names)
        if file.prefixes:
            file.save(out)

    if not file.prefixes:
        reasons = dict.fromkeys(file.failed.values())
        raise PriceError("Nothing could be fetched", "; ".join(reasons))

    lookup = CodeLookup(file.prices)
    codes = [lookup.find(label, label, reference) for reference, label in found.items()]
    unmatched = sorted(site.lines.keys() - set(codes), key=lambda code: site.lines[code])
    return ScrapeResult(
        file,
        codes=len(names),
        asked=run.asked,
        fresh=run.fresh,
        not_stocked=run.not_stocked,
        unpriced=sorted(code for code in names if code not in lookup),
        references=len(codes),
        priced=len(codes) - codes.count(None),
        unmatched=[f"{code!r} (line {site.lines[code]})" for code in unmatched],
        left_out=site.left_out,
    )


class _Run:
    """The answers of a site so far."""

    def __init__(
        self, site: PriceSite, old: PriceFile | None, now: datetime, max_age_hours: float
    ) -> None:
        self.asked: list[str] = []
        self.fresh: list[str] = []
        self.not_stocked: list[str] = []
        self._site = site
        self._old = old
        self._now = now
        self._max_age_hours = max_age_hours
        self._prices: dict[str, CodePrice] = {}
        self._failed: dict[str, str] = {}

    @property
    def _scraped_at(self) -> str:
        return self._now.isoformat(timespec="seconds")

    def ask(self, prefix: str) -> None:
        """Fetch the prices of a prefix, unless the old ones are still fresh."""
        if self._is_fresh(prefix):
            self.fresh.append(prefix)
            return

        try:
            prices = summarize(self._site.listings(prefix))
        except FetchError as exc:
            self._failed[prefix] = exc.message
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as exc:
            reason = f"{self._site.name} answered in a shape that is not documented ({exc!r})"
            self._failed[prefix] = reason[:_REASON_MAX]
        else:
            self._prices |= prices
            (self.asked if prices else self.not_stocked).append(prefix)

    def build_file(self, prefixes: list[str], names: Mapping[str, str]) -> PriceFile:
        """The price file so far: the new prices, and the old ones of the other `prefixes`."""
        known = {item_key(code): name for code, name in names.items()}
        answered = {*self.asked, *self.not_stocked}
        prices = _keep_prices(self._old, set(prefixes) - answered) | self._prices
        asked_at = {
            prefix: moment
            for prefix, moment in (self._old.prefixes if self._old else {}).items()
            if prefix in prefixes
        }

        return PriceFile(
            self._scraped_at,
            self._site.name,
            self._site.currency,
            {
                code: _with_name(price, known.get(item_key(code), ""))
                for code, price in prices.items()
            },
            prefixes=asked_at | dict.fromkeys(answered, self._scraped_at),
            failed=self._failed,
        )

    def _is_fresh(self, prefix: str) -> bool:
        if self._old is None or not self._site.by_prefix:
            return False
        try:
            asked_at = datetime.fromisoformat(self._old.prefixes.get(prefix, ""))
        except ValueError:
            return False
        if asked_at.tzinfo is None:
            asked_at = asked_at.replace(tzinfo=UTC)
        age_hours = (self._now - asked_at) / timedelta(hours=1)
        return 0 <= age_hours < self._max_age_hours


def _find_prefixes(names: Mapping[str, str], site: PriceSite, most: int) -> list[str]:
    if not site.by_prefix:
        return [_EVERYTHING]

    prefixes = sorted({prefix_of(code) for code in names} - {_EVERYTHING})
    if not prefixes:
        raise PriceError(
            "None of the file names carries a set code, so there is nothing to ask for",
            "Name files like LOCH-JP001_dark_magician.jpg, "
            "or bring your own prices with --site csv",
        )
    if len(prefixes) > most:
        raise PriceError(
            f"The file names have {len(prefixes)} set-code prefixes, over {most}: "
            f"{', '.join(prefixes[:_LISTED_MAX])}, …",
            f"To ask {site.name} for all of them: --max-prefixes {len(prefixes)}",
        )
    return prefixes


def _load_old_file(out: Path, site: PriceSite) -> PriceFile | None:
    if not out.exists():
        return None
    try:
        old = PriceFile.load(out)
    except PriceError as exc:
        raise PriceError(exc.message, "Move it away, or choose another --out") from exc

    if (old.site, old.currency) != (site.name, site.currency):
        raise PriceError(
            f"{out} holds prices of {old.site or 'another site'} "
            f"in {old.currency or 'another currency'}",
            "Choose another --out: one file has one site and currency",
        )
    return old


def _keep_prices(old: PriceFile | None, prefixes: set[str]) -> dict[str, CodePrice]:
    """The prices of `prefixes` in the old file, each marked with its date."""
    if old is None:
        return {}

    kept = {}
    for code, price in old.prices.items():
        prefix = _EVERYTHING if _EVERYTHING in prefixes else prefix_of(code)
        if prefix in prefixes:
            kept[code] = with_date(price, old.prefixes.get(prefix, old.scraped_at))
    return kept


def _with_name(price: CodePrice, name: str) -> CodePrice:
    """Take the English name of the reference file where a shop
    lists only the Japanese one.
    """
    return price if price.name or not name else replace(price, name=name)
