"""`data_label_factory web`: the live tracker, for a recognition server that runs elsewhere."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from data_label_factory.web.proxy import WebServer
from data_label_factory.web.target import DEFAULT_URL, VARIABLE, Target, find_url


def main(argv: Sequence[str]) -> int:
    parser = _make_parser()
    args = parser.parse_args(argv)
    target = Target.parse(args.falcon_url or find_url())

    with WebServer(args.host, args.port, target) as server:
        signal.signal(signal.SIGTERM, _stop)
        print(f"event=ready url={server.url} asks={target.falcon}", file=sys.stderr, flush=True)
        try:
            server.serve_forever()
        except (KeyboardInterrupt, SystemExit):
            return 0
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="data_label_factory web",
        description="The live tracker page, for a recognition server that runs elsewhere. "
        "`identify serve` has the page too, at /canvas/live.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=32),
        allow_abbrev=False,
    )

    parser.add_argument(
        "--port", type=_port, default=3030, help="default: 3030; 0 takes a free one"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="default: 127.0.0.1, this machine only; 0.0.0.0 opens it",
    )
    parser.add_argument(
        "--falcon-url",
        metavar="URL",
        help=f"the server that names what is seen (default: {VARIABLE} in the environment or in "
        f"web/.env.local, else {DEFAULT_URL})",
    )
    return parser


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must lie in 0…65535")
    return value


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit
