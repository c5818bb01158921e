"""What the commands share: options, argument types, and how options become objects."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from data_label_factory.identify.collection import Collection, open_maker
from data_label_factory.identify.encoders import DEFAULT_ENCODER, Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import DEFAULT_STRICTNESS, DETECTORS, Recognizer

_LISTED_MAX = 20  # files named one by one in a message


def create_parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"data_label_factory identify {name}",
        description=description,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=32),
        allow_abbrev=False,
    )


# Options


def add_device_option(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "coreml"),
        default="auto",
        help="device that runs the encoder (default: auto)",
    )


def add_encoder_options(p: argparse.ArgumentParser, default: str = DEFAULT_ENCODER) -> None:
    """Add --encoder, --projection and --device. "" as default means the encoder of the
    index.
    """
    p.add_argument(
        "--encoder",
        metavar="ID",
        default=default,
        help="encoder, as listed by `identify encoders` "
        f"(default: {default or 'the one that made the index'})",
    )
    p.add_argument(
        "--projection",
        metavar="HEAD",
        type=Path,
        help="trained projection head (.pt)",
    )
    add_device_option(p)


def add_index_option(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--index",
        metavar="FILE.npz",
        type=Path,
        required=True,
        help="index of the reference pictures",
    )


def add_recognizer_options(p: argparse.ArgumentParser) -> None:
    """Add the options that `open_recognizer` reads; the server has the same."""
    add_index_option(p)
    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        help="folder of reference pictures; without it, only embeddings decide",
    )
    add_encoder_options(p, default="")

    p.add_argument(
        "--detector",
        choices=DETECTORS,
        default=DETECTORS[0],
        help="how to look for items: flat (flat items anywhere in view), none (only the whole "
        "frame and its center), yolo-world (needs the extra of that name) "
        f"(default: {DETECTORS[0]})",
    )
    p.add_argument(
        "--strictness",
        metavar="RATE",
        type=rate,
        default=DEFAULT_STRICTNESS,
        help="fraction of unknown items that may be named confidently "
        f"(default: {DEFAULT_STRICTNESS})",
    )

    p.add_argument(
        "--sim-threshold",
        metavar="X",
        type=cosine,
        help="also require this cosine to name an item confidently",
    )
    p.add_argument(
        "--margin-threshold",
        metavar="X",
        type=cosine,
        help="also require this margin over the next item to name one confidently",
    )


# Argument types. argparse shows a function's name when it raises ValueError.


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def at_least_two(text: str) -> int:
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError("must be at least 2")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def port(text: str) -> int:
    return int(_within(text, 0, 65535))


def queue_length(text: str) -> int:
    return int(_within(text, 0, 10_000))


def megabytes(text: str) -> float:
    return _within(text, 0.001, 1024)


def rate(text: str) -> float:
    return _within(text, 0, 1)


def cosine(text: str) -> float:
    return _within(text, -1, 1)


def fraction_below_one(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError("must be at least 0 and below 1")
    return value


def above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def hours(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _within(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must lie in {low:g}…{high:g}")
    return value


# From options to objects


def open_embedder(index: Index, args: argparse.Namespace) -> Embedder:
    """The encoder that the options name, or else the one that made the index, with the
    head.

    Raises EncoderError if they cannot be opened, or did not make the index.
    """
    return open_maker(index, args.encoder, args.projection, device=args.device)


def open_recognizer(args: argparse.Namespace, index: Index | None = None) -> Recognizer:
    """The recognizer that the options describe. Pass `index` if it is loaded already.

    Raises FactoryError if index, weights and head do not fit, or no reference can be
    read.
    """
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
    collection.require_references()
    report_unusable("reference not used", collection.recognizer.unreadable)
    return collection.recognizer


def report_unusable(what: str, reasons: dict[str, str]) -> None:
    """Print the first 20 files that could not be used, with the reasons, and count the
    others.
    """
    for name, reason in list(reasons.items())[:_LISTED_MAX]:
        print(f"{what}: {name!r}" + (f": {reason}" if reason else ""), file=sys.stderr)
    if len(reasons) > _LISTED_MAX:
        print(f"{what}: {len(reasons) - _LISTED_MAX} more", file=sys.stderr)
