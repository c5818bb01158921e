"""One file a command: arguments in, one library call, report out. Options that several share are here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from data_label_factory.errors import FactoryError
from data_label_factory.identify.collection import Collection, open_maker
from data_label_factory.identify.encoders import DEFAULT_ENCODER, Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import DEFAULT_STRICTNESS, DETECTORS, Recognizer

_LISTED = 20  # files named one by one in a message


def parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"data_label_factory identify {name}",
        description=description,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=32),
        allow_abbrev=False,
    )


def add_encoder_options(p: argparse.ArgumentParser, default: str | None = DEFAULT_ENCODER) -> None:
    shown = default or "the index's own"
    p.add_argument(
        "--encoder",
        metavar="ID",
        default=default,
        help=f"see `identify encoders` (default: {shown})",
    )
    p.add_argument(
        "--projection", metavar="HEAD", type=Path, help="a trained projection head (.pt)"
    )
    p.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "coreml"), default="auto", help="default: auto"
    )


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def open_embedder(index: Index, args: argparse.Namespace) -> Embedder:
    """The encoder that the options name, or else the one that made the index, with the head. Raises EncoderError."""
    return open_maker(index, args.encoder or "", args.projection, device=args.device)


def add_recognizer_options(p: argparse.ArgumentParser) -> None:
    """The options that `open_recognizer` takes."""
    p.add_argument("--index", metavar="FILE.npz", type=Path, required=True)
    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        help="the reference pictures; without, only embeddings decide",
    )
    add_encoder_options(p, default=None)
    p.add_argument(
        "--detector",
        choices=DETECTORS,
        default=DETECTORS[0],
        help="what looks for items: flat (things anywhere in view), none (the whole frame and its centre only), "
        f"yolo-world (needs the extra of that name) (default: {DETECTORS[0]})",
    )
    p.add_argument(
        "--strictness",
        metavar="RATE",
        type=rate,
        default=DEFAULT_STRICTNESS,
        help=f"share of strangers that may get a sure name (default: {DEFAULT_STRICTNESS})",
    )
    p.add_argument(
        "--sim-threshold", metavar="X", type=cosine, help="be sure only above this cosine, too"
    )
    p.add_argument(
        "--margin-threshold",
        metavar="X",
        type=cosine,
        help="… and above this lead over the next item",
    )


def open_recognizer(args: argparse.Namespace, index: Index | None = None) -> Recognizer:
    """The recognizer that the options ask for; `index` when it is loaded already.

    Raises FactoryError when index, weights or head do not fit, or no reference can be read.
    """
    if args.refs and not args.refs.is_dir():
        raise FactoryError(f"{args.refs} is not a folder", "Name the folder that was indexed")

    index = index or Index.load(args.index)
    collection = Collection(
        index,
        args.index,
        open_embedder(index, args),
        args.refs,
        detector=args.detector,
        strictness=args.strictness,
        sim_threshold=args.sim_threshold,
        margin_threshold=args.margin_threshold,
        quiet=False,
    )
    report_unusable("reference not used", collection.recognizer.unreadable)
    return collection.recognizer


def report_unusable(what: str, reasons: dict[str, str]) -> None:
    """Name on stderr the first 20 files that could not be used, each with its reason, and how many more there are."""
    for name, reason in list(reasons.items())[:_LISTED]:
        print(f"{what}: {name!r}" + (f": {reason}" if reason else ""), file=sys.stderr)
    if len(reasons) > _LISTED:
        print(f"{what}: {len(reasons) - _LISTED} more", file=sys.stderr)


def rate(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must lie in 0…1")
    return value


def cosine(text: str) -> float:
    value = float(text)
    if not -1 <= value <= 1:
        raise argparse.ArgumentTypeError("must lie in -1…1")
    return value
