"""Reference file names → a price file, one request a prefix, with yesterday's prices where today's cannot be had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from data_label_factory.errors import FetchError, PriceError
from data_label_factory.labels import parse_label
from data_label_factory.prices.sites.base import PriceSite, prefix_of
from data_label_factory.prices.store import CodePrice, PriceFile, dated, summarise

DEFAULT_MAX_PREFIXES = 10
DEFAULT_MAX_AGE_HOURS = 12.0
_EVERYTHING = ""  # the one prefix of a site that gives all at once


@dataclass
class Scraped:
    """What a run did: the file, and which prefixes were asked, still fresh, or answered with nothing."""

    file: PriceFile
    codes: int = 0  # set codes among the references
    asked: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    not_stocked: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)  # codes of references that have no price

    @property
    def exit_code(self) -> int:
        return 1 if self.file.failed else 0


def scrape(
    references: Iterable[str],
    out: Path,
    site: PriceSite,
    *,
    max_prefixes: int = DEFAULT_MAX_PREFIXES,
    max_age_hours: float = DEFAULT_MAX_AGE_HOURS,
    now: datetime | None = None,
) -> Scraped:
    """Bring the price file `out` up to date for the set codes in `filenames`.

    A prefix asked within `max_age_hours` is not asked again. One that fails keeps the prices it had, marked with their
    date. Interrupted, the file holds what was asked so far. Raises PriceError: no set code at all, too many prefixes,
    a file of another site or currency, nothing to be had.
    """
    now = now or datetime.now(UTC)
    names = {label.set_code: label.name for label in map(parse_label, references) if label.set_code}
    prefixes = _prefixes(names, site, max_prefixes)
    old = _old_file(out, site)
    result = Scraped(
        PriceFile(now.isoformat(timespec="seconds"), site.name, site.currency, {}), codes=len(names)
    )
    prices: dict[str, CodePrice] = {}
    asked_at: dict[str, str] = {}
    failed: dict[str, str] = {}
    try:
        for prefix in prefixes:
            if (
                old
                and site.by_prefix
                and _is_fresh(old.prefixes.get(prefix, ""), now, max_age_hours)
            ):
                result.fresh.append(prefix)
                continue
            try:
                found = summarise(site.listings(prefix))
            except FetchError as exc:
                failed[prefix] = exc.message
            except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as exc:
                failed[prefix] = (
                    f"{site.name} answered in a shape that is not documented ({exc!r})"[:300]
                )
            else:
                prices |= found
                asked_at[prefix] = result.file.scraped_at
                (result.asked if found else result.not_stocked).append(prefix)
    finally:
        kept = _kept(old, set(prefixes) - asked_at.keys())
        times = {
            prefix: at for prefix, at in (old.prefixes if old else {}).items() if prefix in prefixes
        }
        prices = {
            code: _named(price, names.get(code, "")) for code, price in (kept | prices).items()
        }
        result.file = replace(result.file, prices=prices, prefixes=times | asked_at, failed=failed)
        if result.file.prefixes:
            result.file.save(out)
    if not result.file.prefixes:
        raise PriceError("Nothing could be had", "; ".join(dict.fromkeys(failed.values())))
    result.unpriced = sorted(names.keys() - prices.keys())
    return result


def _prefixes(names: Mapping[str, str], site: PriceSite, most: int) -> list[str]:
    if not site.by_prefix:
        return [_EVERYTHING]
    prefixes = sorted({prefix_of(code) for code in names})
    if not prefixes:
        raise PriceError(
            "None of the file names carries a set code, so there is nothing to ask for",
            "Name files like LOCH-JP001_dark_magician.jpg, or bring your own prices with --site csv",
        )
    if len(prefixes) > most:
        raise PriceError(
            f"The file names have {len(prefixes)} set-code prefixes, over {most}: {', '.join(prefixes[:12])}, …",
            f"To ask {site.name} for all of them: --max-prefixes {len(prefixes)}",
        )
    return prefixes


def _old_file(out: Path, site: PriceSite) -> PriceFile | None:
    if not out.exists():
        return None
    try:
        old = PriceFile.load(out)
    except PriceError as exc:
        raise PriceError(exc.message, "Move it away, or choose another --out") from exc
    if (old.site, old.currency) != (site.name, site.currency):
        raise PriceError(
            f"{out} holds prices of {old.site or 'another site'} in {old.currency or 'another currency'}",
            "Choose another --out: one file has one site and currency",
        )
    return old


def _is_fresh(asked_at: str, now: datetime, max_age_hours: float) -> bool:
    try:
        then = datetime.fromisoformat(asked_at)
    except ValueError:
        return False
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return timedelta() <= now - then < timedelta(hours=max_age_hours)


def _kept(old: PriceFile | None, prefixes: set[str]) -> dict[str, CodePrice]:
    """What the old file knows of `prefixes`, each price marked with its date."""
    if old is None:
        return {}
    prefix_by_code = {
        code: _EVERYTHING if _EVERYTHING in prefixes else prefix_of(code) for code in old.prices
    }
    return {
        code: dated(price, old.prefixes.get(prefix_by_code[code], old.scraped_at))
        for code, price in old.prices.items()
        if prefix_by_code[code] in prefixes
    }


def _named(price: CodePrice, name: str) -> CodePrice:
    """Shops that list Japanese names only get the English one of the reference file."""
    return price if price.name or not name else replace(price, name=name)
