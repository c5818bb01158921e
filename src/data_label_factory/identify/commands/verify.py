"""`identify verify`: test an index on itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from data_label_factory.atomic import write_text
from data_label_factory.command_line import COUNT, FILE, FOLDER
from data_label_factory.identify.choices import Device
from data_label_factory.identify.commands.options import (
    RATE,
    device_option,
    index_encoder_option,
    index_option,
    json_option,
    open_embedder,
    projection_option,
)

if TYPE_CHECKING:
    from data_label_factory.identify.verify.report import Report

_NAMED_MAX = 20  # references that did not identify themselves, named one by one


@click.command("verify")
@index_option
@click.option(
    "--refs",
    metavar="DIR",
    type=FOLDER,
    help="folder of reference pictures: encode each again and search for it",
)
@index_encoder_option
@projection_option
@device_option
@click.option(
    "--top-confusables",
    metavar="N",
    type=COUNT,
    default=10,
    help="pairs to list",
)
@click.option(
    "--simulate",
    metavar="N",
    type=COUNT,
    default=0,
    help="webcam-like views to simulate per reference (needs --refs)",
)
@click.option(
    "--far",
    metavar="RATE",
    type=RATE,
    default=0.01,
    help="fraction of unknown items that the thresholds may accept",
)
@click.option(
    "--html",
    metavar="FILE",
    type=FILE,
    help="write a page with a histogram and the pairs as pictures",
)
@json_option
def command(
    index: Path,
    refs: Path | None,
    encoder: str,
    projection: Path | None,
    device: Device,
    top_confusables: int,
    simulate: int,
    far: float,
    html: Path | None,
    as_json: bool,
) -> int:
    """Test an index on itself.

    Exit 0 if at least 99 % of the references identify themselves,
    else 1.
    """
    if simulate and not refs:
        raise click.UsageError("--simulate needs --refs: views are made from the pictures there")
    from data_label_factory.identify.index import Index
    from data_label_factory.identify.output.verify_html import as_html
    from data_label_factory.identify.verify.report import verify_index

    loaded = Index.load(index)
    report = verify_index(
        loaded,
        open_embedder(loaded, encoder, projection, device) if refs else None,
        refs=refs,
        top_confusables=top_confusables,
        simulate=simulate,
        false_accept_rate=far,
    )

    print(json.dumps(report.as_json()) if as_json else _as_text(report))
    if html:
        write_text(html, as_html(report, loaded, refs))
        print(f"page: {html}", file=sys.stderr)
    return 0 if report.passed else 1


def _as_text(report: Report) -> str:
    values = report.as_json()
    low, high = values["margin_quartiles"]
    thresholds = report.thresholds
    if report.basis == "re-encoded":
        basis = "files encoded again"
    else:
        basis = "stored rows only (give --refs to re-encode)"

    lines = [
        f"{report.refs} references of {report.items} items · {report.encoder} · {basis}",
        f"self-identification  {report.self_id_rate:.2%}",
        f"median margin        {values['median_margin']:.3f}   (quartiles {low:.3f} … {high:.3f})",
        f"verdict              {report.verdict}: {report.action}",
        f"thresholds           similarity {thresholds['sim']:.3f}, "
        f"margin {thresholds['margin']:.3f}   (from {thresholds['basis']})",
    ]
    if separation := report.variant_separation:
        lines.append(
            f"variants             {separation['items']} items, "
            f"median distance {separation['median']:.3f}"
        )
    if views := report.views:
        by_both = "" if views.found_by_both is None else f", by both {views.found_by_both:.1%}"
        lines.append(
            f"views                {views.found:.1%} of {views.views} of {views.items} items are "
            f"nearest to another one of their item{by_both}"
        )
    if simulated := report.simulated:
        lines.append(
            f"simulated camera     top-1 {simulated.top1:.1%} of {simulated.views} views; "
            f"accepted right {simulated.accepted_right:.1%}, "
            f"wrong {simulated.accepted_wrong:.1%}, "
            f"unknown {simulated.false_accept_rate:.1%}"
        )

    lines += _describe_pairs(report)
    lines += [
        f"not identified: {name}: {reason}"
        for name, reason in list(report.reasons.items())[:_NAMED_MAX]
    ]
    return "\n".join(lines)


def _describe_pairs(report: Report) -> list[str]:
    lines = []
    for pair in report.confusable_pairs:
        kind = "" if pair.kind == "similar" else f"   ({pair.kind})"
        lines.append(f"  {pair.similarity:.3f}  {pair.a}  ~  {pair.b}{kind}")
    return ["most confusable pairs", *lines] if lines else []
