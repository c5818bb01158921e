from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.http.fetch import Fetcher
from data_label_factory.identify.commands.options import parser, positive
from data_label_factory.identify.images import find_images
from data_label_factory.prices.scrape import (
    DEFAULT_MAX_AGE_HOURS,
    DEFAULT_MAX_PREFIXES,
    Scraped,
    scrape,
)
from data_label_factory.prices.sites.table import site_class, site_names


def main(argv: Sequence[str]) -> int:
    p = parser(
        "scrape_prices",
        "Ask a site what the things in a folder of references cost, by the set codes in their file names. "
        "Exit 1 when some prices could not be had today.",
    )
    p.add_argument("--refs", metavar="DIR", type=Path, help="the reference pictures")
    p.add_argument(
        "--out", metavar="FILE.json", type=Path, help="the price file to write or bring up to date"
    )
    p.add_argument(
        "--site", metavar="S", default="yuyu-tei", help="see --list-sites (default: yuyu-tei)"
    )
    p.add_argument(
        "--currency",
        metavar="CUR",
        default="",
        help="where a site has several (default: its first)",
    )
    p.add_argument(
        "--csv", metavar="FILE", type=Path, help="one's own table of prices, for --site csv"
    )
    p.add_argument(
        "--max-prefixes",
        metavar="N",
        type=positive,
        default=DEFAULT_MAX_PREFIXES,
        help="default: 10",
    )
    p.add_argument(
        "--max-age",
        metavar="H",
        type=_hours,
        default=DEFAULT_MAX_AGE_HOURS,
        help="hours a price stays good (default: 12)",
    )
    p.add_argument(
        "--base-url", metavar="URL", default="", help="another host in place of the site's own"
    )
    p.add_argument("--list-sites", action="store_true", help="say what each site is for, and end")
    p.add_argument("--json", action="store_true", help="print the result as JSON")
    args = p.parse_args(argv)
    if args.list_sites:
        _list_sites(args.json)
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


def _list_sites(as_json: bool) -> None:
    rows = [
        {"name": name, "about": site_class(name).about, "currencies": site_class(name).currencies}
        for name in site_names()
    ]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['name']:11} {row['about']}  [{', '.join(row['currencies']) or 'any currency'}]"
        )


def _hours(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _as_text(result: Scraped, out: Path) -> str:
    file, without = result.file, len(result.unpriced)
    lines = [f"{out}: {len(file.prices)} prices of {file.site} in {file.currency}"]
    if result.codes:
        lines.append(
            f"{result.codes - without} of the {result.codes} set codes among the references have one"
        )
    if result.fresh:
        lines.append(f"still fresh, not asked: {', '.join(result.fresh)}")
    if result.not_stocked:
        lines.append(f"not stocked: {', '.join(result.not_stocked)}")
    return "\n".join(lines)


def _as_json(result: Scraped, out: Path) -> dict[str, object]:
    return {
        "prices": str(out),
        "site": result.file.site,
        "currency": result.file.currency,
        "count": len(result.file.prices),
        "codes": result.codes,
        "asked": result.asked,
        "fresh": result.fresh,
        "not_stocked": result.not_stocked,
        "failed": dict(result.file.failed),
        "unpriced": result.unpriced,
        "scraped_at": result.file.scraped_at,
    }
