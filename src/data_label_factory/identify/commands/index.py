"""`identify index`: encode a folder of reference pictures into an index."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_label_factory.command_line import FILE, FOLDER, POSITIVE, labels_option
from data_label_factory.identify.choices import Device
from data_label_factory.identify.commands.options import (
    device_option,
    encoder_option,
    json_option,
    projection_option,
    ray_option,
    report_passed_over,
    report_unusable,
    semantic_option,
    trim_option,
)

if TYPE_CHECKING:
    from data_label_factory.identify.index import Index
    from data_label_factory.identify.index.build import BuildResult


_SHARED_MAX = 3  # items named


@click.command("index")
@click.option(
    "--refs",
    metavar="DIR",
    type=FOLDER,
    required=True,
    help="folder of reference pictures, with subfolders",
)
@click.option(
    "--out",
    metavar="FILE.npz",
    type=FILE,
    required=True,
    help="index to write or update",
)
@encoder_option
@semantic_option
@projection_option
@device_option
@click.option(
    "--batch-size",
    metavar="N",
    type=POSITIVE,
    default=32,
    help="pictures to encode at a time",
)
@click.option(
    "--full",
    is_flag=True,
    help="encode every picture again, even unchanged ones",
)
@click.option(
    "--negatives",
    metavar="DIR",
    type=FOLDER,
    help="pictures that show none of your items, to calibrate with as well",
)
@click.option(
    "--calibrate",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="calibrate the confidence on unknown items; "
    "auto: only if the last calibration is missing or out of date",
)
@click.option(
    "--ocr/--no-ocr",
    default=True,
    help="read the print of references that look alike, if the extra ocr is installed",
)
@trim_option
@labels_option("those of the index that is there, or cards")
@ray_option("encode")
@click.option(
    "--shared",
    metavar="URL",
    default="",
    show_default="a folder beside the index",
    help="with --ray: where workers leave what they have done, a folder that all machines see, "
    "s3://…, gs://…",
)
@click.option("--strict", is_flag=True, help="exit 1 if any picture could not be read")
@json_option
def command(
    refs: Path,
    out: Path,
    encoder: str,
    semantic: str,
    projection: Path | None,
    device: Device,
    batch_size: int,
    ocr: bool,
    ray: str | None,
    shared: str,
    strict: bool,
    as_json: bool,
    **build: Any,
) -> int:
    """Encode a folder of reference pictures, one per item, into an
    index.

    The file name is the label.
    """
    from data_label_factory.identify.encoders import Embedder
    from data_label_factory.identify.refresh import read_prints, refresh_index

    if shared and ray is None:
        raise click.UsageError("--shared is for --ray")
    start = time.perf_counter()
    options: dict[str, Any] = {"semantic": semantic, "device": device, "batch_size": batch_size}
    open_embedder = partial(Embedder.open, encoder, projection, **options)
    build["batch_size"] = batch_size
    if ray is None:
        result = refresh_index(refs, out, open_embedder(), **build)
    else:
        from data_label_factory.identify.distributed.build import build_on_ray

        result = build_on_ray(refs, out, open_embedder, address=ray, shared=shared, **build)
    if ocr and result.written:
        read_prints(result.index, out, open_embedder(), refs)
    seconds = time.perf_counter() - start

    if as_json:
        print(json.dumps(_as_json(result, out, seconds)))
    else:
        print(_as_text(result, out, seconds))
    if result.rebuilt:
        print(f"the older index was not used: {result.rebuilt}", file=sys.stderr)
    _report_pictures(result)
    return 1 if strict and result.unreadable else 0


def _report_pictures(result: BuildResult) -> None:
    """Print what was passed over or left out, and which references cannot be named."""
    report_passed_over([result.walk])
    for name, reason in result.unreadable.items():
        print(f"not indexed: {name!r}: {reason}", file=sys.stderr)
    rests = {name: f"{area:.0%} of the picture is left" for name, area in result.trimmed.items()}
    report_unusable("margin left out", rests)
    report_unusable("never named", result.says_nothing)
    for names in result.same_pictures:
        print(
            f"the same picture under {len(names)} names: {', '.join(map(repr, names))}; "
            "none will be named surely",
            file=sys.stderr,
        )
    _report_shared(result.shared_items)


def _report_shared(items: dict[str, str]) -> None:
    """Print the first items that several files share, and how to keep those apart."""
    for name, reason in list(items.items())[:_SHARED_MAX]:
        print(f"the item {name!r} is shared by {reason}", file=sys.stderr)
    if items:
        others = len(items) - _SHARED_MAX
        more = f"and so in {others} more items; " if others > 0 else ""
        print(
            f"{more}if these are different things, index with --labels plain, "
            "or give them other names",
            file=sys.stderr,
        )


def _as_text(result: BuildResult, out: Path, seconds: float) -> str:
    index = result.index
    counts = (
        f"{result.encoded} encoded, {result.reused} unchanged, {result.dropped} dropped, "
        f"{len(result.unreadable)} not readable"
    )
    state = "written" if result.written else "nothing changed"
    return "\n".join(
        [
            f"{out}: {len(index)} references of {index.item_count} items, "
            f"{index.dim} dimensions, {index.meta.maker}",
            f"{counts}; {state} in {seconds:.1f} s",
            _describe_calibration(index),
        ]
    )


def _describe_calibration(index: Index) -> str:
    from data_label_factory.identify.recognize.confidence import Calibration

    calibration = Calibration.from_dict(index.meta.calibration)
    if not calibration.unknowns:
        return "not calibrated: the confidence is that of a typical collection"
    return (
        f"calibrated on {calibration.unknowns} unknown items, "
        f"when the index had {calibration.items} items"
    )


def _as_json(result: BuildResult, out: Path, seconds: float) -> dict[str, object]:
    index = result.index
    return {
        "index": str(out),
        "refs": len(index),
        "items": index.item_count,
        "dim": index.dim,
        "encoder": index.meta.encoder.id,
        "projection": index.meta.head_sha256 or None,
        "calibration": index.meta.calibration or None,
        "encoded": result.encoded,
        "reused": result.reused,
        "dropped": result.dropped,
        "unreadable": result.unreadable,
        "passed_over": result.walk.passed_over(),
        "trimmed": {name: round(area, 4) for name, area in result.trimmed.items()},
        "says_nothing": result.says_nothing,
        "same_pictures": result.same_pictures,
        "shared_items": result.shared_items,
        "labels": index.meta.labels,
        "written": result.written,
        "rebuilt": result.rebuilt,
        "seconds": round(seconds, 3),
    }
