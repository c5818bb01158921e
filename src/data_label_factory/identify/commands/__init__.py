"""One file a command: arguments in, one library call, report out. Options that several share are here."""

from __future__ import annotations

import argparse
from pathlib import Path

from data_label_factory.identify.encoders import DEFAULT_ENCODER, OnnxEncoder, open_encoder
from data_label_factory.identify.index import Index
from data_label_factory.identify.projection import ProjectionHead


def parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"data_label_factory identify {name}",
        description=description,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=32),
        allow_abbrev=False,
    )


def add_encoder_options(p: argparse.ArgumentParser, default: str | None = DEFAULT_ENCODER) -> None:
    shown = default or "the index's own"
    p.add_argument("--encoder", metavar="ID", default=default, help=f"see `identify encoders` (default: {shown})")
    p.add_argument("--projection", metavar="HEAD", type=Path, help="a trained projection head (.pt)")
    p.add_argument("--device", choices=("auto", "cpu", "cuda", "coreml"), default="auto", help="default: auto")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def open_head(path: Path | None) -> ProjectionHead | None:
    return ProjectionHead.load(path) if path else None


def open_encoder_of(index: Index, args: argparse.Namespace) -> OnnxEncoder:
    """The encoder named on the command line, or else the one the index says made it. Raises EncoderError."""
    name = args.encoder or index.meta.encoder.id.partition(":")[0]
    return open_encoder(name, device=args.device)
