from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_label_factory.extras import need
from data_label_factory.identify.commands.options import parser, positive
from data_label_factory.identify.server.settings import TRACKER_ORIGINS, Settings

# Names that existing set-ups use; DLF_… wins over them, and an option over both.
_OLD_NAMES = {
    "index": "CARD_INDEX",
    "projection": "CLIP_PROJ",
    "refs": "REFS_DIR",
    "prices": "CARD_PRICES",
    "sim_threshold": "CLIP_SIM_THRESHOLD",
    "margin_threshold": "CLIP_MARGIN_THRESHOLD",
    "port": "PORT",
}


def main(argv: Sequence[str]) -> int:
    p = _parser()
    args = p.parse_args([*_from_environment(p, os.environ), *argv])
    for module in (
        "fastapi",
        "uvicorn",
        "python_multipart",
        "prometheus_client",
        "threadpoolctl",
        "fastapi_offline",
    ):
        need(module, extra="serve")
    from data_label_factory.identify.server.run import serve

    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in vars(args).items()
    }
    serve(Settings(**values))
    return 0


def _parser() -> argparse.ArgumentParser:
    p = parser(
        "serve",
        "Answer frames over HTTP: POST /api/falcon, the live tracker, /docs. Every option can also be set by the "
        "environment: DLF_INDEX for --index, DLF_API_KEY for --api-key, and so on.",
    )
    p.add_argument("--index", metavar="FILE.npz", type=Path, required=True)
    p.add_argument("--refs", metavar="DIR", type=Path, help="the reference pictures; without them only whole frames "
                   "are compared")  # fmt: skip
    p.add_argument(
        "--encoder",
        metavar="ID",
        default="",
        help="see `identify encoders` (default: the index's own)",
    )
    p.add_argument(
        "--projection", metavar="HEAD", type=Path, help="a trained projection head (.pt)"
    )
    p.add_argument(
        "--prices", metavar="FILE", type=Path, help="prices, to be shown beside the answers"
    )
    p.add_argument("--port", type=_port, default=8500, help="default: 8500; 0 takes a free one")
    p.add_argument(
        "--host",
        default="127.0.0.1",
        help="default: 127.0.0.1, this machine only; 0.0.0.0 opens it",
    )
    p.add_argument("--strictness", metavar="R", type=_rate, default=0.01, help="strangers that may get a sure name, at "
                   "most (default: 0.01)")  # fmt: skip
    p.add_argument("--sim-threshold", metavar="X", type=_cosine, help="default: the recogniser's")
    p.add_argument(
        "--margin-threshold", metavar="X", type=_cosine, help="default: the recogniser's"
    )
    p.add_argument(
        "--detector", choices=("flat", "none", "yolo-world"), default="flat", help="default: flat"
    )
    p.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "coreml"), default="auto", help="default: auto"
    )
    p.add_argument("--cors", metavar="ORIGIN", nargs="+", default=list(TRACKER_ORIGINS), help="pages that may ask "
                   f"(default: {' '.join(TRACKER_ORIGINS)})")  # fmt: skip
    p.add_argument(
        "--api-key",
        metavar="KEY",
        default="",
        help="ask every client for it; better set as DLF_API_KEY",
    )
    p.add_argument("--max-upload-mb", metavar="N", type=_megabytes, default=20, help="default: 20")
    p.add_argument("--workers-queue", dest="queue", metavar="N", type=_count, default=8, help="frames that may wait; "
                   "further ones get 429 (default: 8)")  # fmt: skip
    p.add_argument("--workers", metavar="N", type=positive, default=argparse.SUPPRESS, help="frames at a time "
                   "(default: one a core, up to 4)")  # fmt: skip
    p.add_argument(
        "--watch",
        action="store_true",
        help="follow changes in --refs, and new index and prices files",
    )
    p.add_argument("--allow-enroll", action="store_true", help="let clients add and remove items")
    p.add_argument(
        "--ssl-certfile", metavar="F", type=Path, help="serve HTTPS, which a phone's camera needs"
    )
    p.add_argument("--ssl-keyfile", metavar="F", type=Path)
    p.add_argument("--fx-url", metavar="URL", help="where exchange rates come from")
    p.add_argument("--fx-rate", dest="fx_rates", metavar="JPY=0.0067", nargs="+", default=[], help="a rate in USD of "
                   "your own, asked of nobody")  # fmt: skip
    p.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="default: info",
    )
    return p


def _from_environment(p: argparse.ArgumentParser, environment: Mapping[str, str]) -> list[str]:
    """The options that the environment sets, as arguments. Exits as argparse does, naming a variable that is wrong."""
    arguments: list[str] = []
    for action in p._actions:
        option = action.option_strings[-1]
        names = (
            "DLF_" + option.lstrip("-").upper().replace("-", "_"),
            _OLD_NAMES.get(action.dest, ""),
        )
        name = next((name for name in names if environment.get(name)), None)
        if name is None or action.dest == "help":
            continue
        value = environment[name]
        if action.nargs == 0:
            arguments += [option] if value.lower() not in ("0", "false", "no", "off") else []
        elif action.nargs == "+":
            arguments += [option, *value.split()]
        else:
            _check(p, action, name, value)
            arguments.append(f"{option}={value}")
    return arguments


def _check(p: argparse.ArgumentParser, action: argparse.Action, name: str, value: str) -> None:
    try:
        if callable(action.type):
            action.type(value)
        if action.choices and value not in action.choices:
            raise ValueError(f"choose from {', '.join(action.choices)}")
    except (ValueError, argparse.ArgumentTypeError) as exc:
        p.error(f"{name} in the environment cannot be {value!r}: {exc}")


def _port(text: str) -> int:
    return int(_within(text, 0, 65535))


def _rate(text: str) -> float:
    return _within(text, 0, 1)


def _cosine(text: str) -> float:
    return _within(text, -1, 1)


def _megabytes(text: str) -> float:
    return _within(text, 0.001, 1024)


def _count(text: str) -> int:
    return int(_within(text, 0, 10_000))


def _within(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must lie in {low:g}…{high:g}")
    return value
