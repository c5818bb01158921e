"""`identify scrape_prices`: ask a site for the prices of the references."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from data_label_factory.command_line import FILE, FOLDER, POSITIVE, labels_option
from data_label_factory.identify.commands.options import Number, json_option, report_passed_over
from data_label_factory.prices.limits import DEFAULT_MAX_AGE_HOURS, DEFAULT_MAX_PREFIXES

if TYPE_CHECKING:
    from data_label_factory.labels import LabelScheme
    from data_label_factory.prices.scrape import ScrapeResult

_SHOWN_MAX = 10


@click.command("scrape_prices")
@click.option("--refs", metavar="DIR", type=FOLDER, help="folder of reference pictures")
@click.option("--out", metavar="FILE.json", type=FILE, help="price file to write or update")
@click.option("--site", metavar="S", default="yuyu-tei", help="site to ask, see --list-sites")
@click.option(
    "--currency",
    metavar="CUR",
    default="",
    show_default="its first",
    help="currency, where a site has several",
)
@click.option("--csv", metavar="FILE", type=FILE, help="your own table of prices, for --site csv")
@labels_option("those of an index of the folder beside it, or cards")
@click.option(
    "--max-prefixes",
    metavar="N",
    type=POSITIVE,
    default=DEFAULT_MAX_PREFIXES,
    help="set-code prefixes to ask for at most",
)
@click.option(
    "--max-age",
    metavar="H",
    type=Number(min=0),
    default=DEFAULT_MAX_AGE_HOURS,
    help="hours before a prefix is asked for again",
)
@click.option(
    "--base-url",
    metavar="URL",
    default="",
    show_default=False,
    help="host to ask instead of the site's own",
)
@click.option("--list-sites", is_flag=True, help="list the sites and exit")
@json_option
def command(
    refs: Path | None,
    out: Path | None,
    site: str,
    currency: str,
    csv: Path | None,
    labels: LabelScheme | None,
    max_prefixes: int,
    max_age: float,
    base_url: str,
    list_sites: bool,
    as_json: bool,
) -> int:
    """Ask a site for the prices of a folder of references, by the set
    codes in their file names.

    Exit 1 if some prices could not be fetched today.
    """
    if list_sites:
        _print_sites(as_json)
        return 0
    if refs is None or out is None:
        raise click.UsageError("--refs and --out are needed (or --list-sites)")
    from data_label_factory.http.fetch import Fetcher
    from data_label_factory.identify.index.sharing import find_labels
    from data_label_factory.prices.scrape import scrape
    from data_label_factory.prices.sites.table import site_class
    from data_label_factory.walk import walk_folder

    asked = site_class(site)(Fetcher(), base_url, currency=currency.upper(), file=csv)
    walk = walk_folder(refs)
    result = scrape(
        walk.pictures,
        out,
        asked,
        labels=labels or find_labels(refs),
        max_prefixes=max_prefixes,
        max_age_hours=max_age,
    )

    report = _as_json(result, out) | {"passed_over": walk.passed_over()}
    print(json.dumps(report) if as_json else _as_text(result, out))
    report_passed_over([walk])
    _report_rows(result)
    for prefix, reason in result.file.failed.items():
        print(f"failed, older prices are kept: {prefix or asked.name}: {reason}", file=sys.stderr)
    return result.exit_code


def _print_sites(as_json: bool) -> None:
    from data_label_factory.prices.sites.table import site_class, site_names

    sites = [(name, site_class(name)) for name in site_names()]
    if as_json:
        rows = [
            {"name": name, "about": site.about, "currencies": site.currencies}
            for name, site in sites
        ]
        print(json.dumps(rows))
        return
    for name, site in sites:
        print(f"{name:11} {site.about}  [{', '.join(site.currencies) or 'any currency'}]")


def _report_rows(result: ScrapeResult) -> None:
    """Name the rows of a user's own table that price nothing."""
    for text in result.left_out[:_SHOWN_MAX]:
        print(f"left out: {text}", file=sys.stderr)
    if len(result.left_out) > _SHOWN_MAX:
        print(f"left out: {len(result.left_out)} in all, see --json", file=sys.stderr)

    count = len(result.unmatched)
    if count:
        shown = ", ".join(result.unmatched[:_SHOWN_MAX]) + (", …" if count > _SHOWN_MAX else "")
        which = "1 row matches" if count == 1 else f"{count} rows match"
        print(f"{which} no reference: {shown}", file=sys.stderr)


def _as_text(result: ScrapeResult, out: Path) -> str:
    file = result.file
    prices = f"{len(file.prices)} price" + ("" if len(file.prices) == 1 else "s")
    lines = [f"{out}: {prices} of {file.site} in {file.currency}"]
    if result.codes:
        priced = result.codes - len(result.unpriced)
        lines.append(f"{priced} of the {result.codes} set codes among the references have one")
    if result.priced < result.references and result.codes < result.references:
        lines.append(f"{result.priced} of {result.references} references have a price")
    if result.fresh:
        lines.append(f"still fresh, not asked: {', '.join(result.fresh)}")
    if result.not_stocked:
        lines.append(f"not stocked: {', '.join(result.not_stocked)}")
    return "\n".join(lines)


def _as_json(result: ScrapeResult, out: Path) -> dict[str, object]:
    file = result.file
    return {
        "prices": str(out),
        "site": file.site,
        "currency": file.currency,
        "count": len(file.prices),
        "codes": result.codes,
        "asked": result.asked,
        "fresh": result.fresh,
        "not_stocked": result.not_stocked,
        "failed": dict(file.failed),
        "unpriced": result.unpriced,
        "references": result.references,
        "priced": result.priced,
        "unmatched": result.unmatched,
        "left_out": result.left_out,
        "scraped_at": file.scraped_at,
    }
