"""`identify scrape_prices`: ask a site for the prices of the references."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.http.fetch import Fetcher
from data_label_factory.identify.commands.options import create_parser, hours, positive
from data_label_factory.identify.images import find_images
from data_label_factory.prices.scrape import (
    DEFAULT_MAX_AGE_HOURS,
    DEFAULT_MAX_PREFIXES,
    ScrapeResult,
    scrape,
)
from data_label_factory.prices.sites.table import site_class, site_names


def main(argv: Sequence[str]) -> int:
    p = _create_parser()
    args = p.parse_args(argv)
    if args.list_sites:
        _print_sites(args.json)
        return 0
    if args.refs is None or args.out is None:
        p.error("--refs and --out are needed (or --list-sites)")

    site = site_class(args.site)(
        Fetcher(), args.base_url, currency=args.currency.upper(), file=args.csv
    )
    result = scrape(
        find_images(args.refs),
        args.out,
        site,
        max_prefixes=args.max_prefixes,
        max_age_hours=args.max_age,
    )

    print(json.dumps(_as_json(result, args.out)) if args.json else _as_text(result, args.out))
    for prefix, reason in result.file.failed.items():
        print(f"failed, older prices are kept: {prefix or site.name}: {reason}", file=sys.stderr)
    return result.exit_code


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "scrape_prices",
        "Ask a site for the prices of a folder of references, by the set codes in their file "
        "names. Exit 1 if some prices could not be fetched today.",
    )

    p.add_argument("--refs", metavar="DIR", type=Path, help="folder of reference pictures")
    p.add_argument(
        "--out",
        metavar="FILE.json",
        type=Path,
        help="price file to write or update",
    )

    p.add_argument(
        "--site",
        metavar="S",
        default="yuyu-tei",
        help="site to ask, see --list-sites (default: yuyu-tei)",
    )
    p.add_argument(
        "--currency",
        metavar="CUR",
        default="",
        help="currency, where a site has several (default: its first)",
    )
    p.add_argument(
        "--csv",
        metavar="FILE",
        type=Path,
        help="your own table of prices, for --site csv",
    )

    p.add_argument(
        "--max-prefixes",
        metavar="N",
        type=positive,
        default=DEFAULT_MAX_PREFIXES,
        help="set-code prefixes to ask for at most (default: 10)",
    )
    p.add_argument(
        "--max-age",
        metavar="H",
        type=hours,
        default=DEFAULT_MAX_AGE_HOURS,
        help="hours before a prefix is asked for again (default: 12)",
    )
    p.add_argument(
        "--base-url",
        metavar="URL",
        default="",
        help="host to ask instead of the site's own",
    )

    p.add_argument("--list-sites", action="store_true", help="list the sites and exit")
    p.add_argument("--json", action="store_true", help="print the result as JSON")

    return p


def _print_sites(as_json: bool) -> None:
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


def _as_text(result: ScrapeResult, out: Path) -> str:
    file = result.file
    lines = [f"{out}: {len(file.prices)} prices of {file.site} in {file.currency}"]
    if result.codes:
        priced = result.codes - len(result.unpriced)
        lines.append(f"{priced} of the {result.codes} set codes among the references have one")
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
        "scraped_at": file.scraped_at,
    }
