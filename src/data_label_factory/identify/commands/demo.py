"""`identify demo`: all stages in one go."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from data_label_factory.command_line import COUNT, FOLDER


@click.command("demo")
@click.option(
    "--refs",
    metavar="DIR",
    type=FOLDER,
    show_default="draw samples",
    help="your own pictures, one per item",
)
@click.option(
    "--out",
    metavar="DIR",
    type=FOLDER,
    default=Path("demo-output"),
    help="folder for the results",
)
@click.option("--seed", metavar="N", type=COUNT, default=3, help="seed of the views to draw")
def command(refs: Path | None, out: Path, seed: int) -> None:
    """Index, verify and recognize a sample collection, or the pictures in your own folder."""
    from data_label_factory.identify.demo.run import run_demo

    result = run_demo(out, refs, seed=seed, say=_say)

    for name, reason in result.build.unreadable.items():
        print(f"not indexed: {name!r}: {reason}", file=sys.stderr)

    report = result.report
    self_id = f"self-identification {report.self_id_rate:.1%}"
    print(f"{report.refs} references of {report.items} items; {self_id}")
    print(f"median margin {report.as_json()['median_margin']:.2f}: {report.verdict}")
    print(f"named {result.right} of the {result.shown} items in three webcam-like views")
    print(f"look at {result.picture}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
