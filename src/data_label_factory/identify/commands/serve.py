"""`identify serve`: the recognition server.

Its options can also come from the environment.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_label_factory.extras import need
from data_label_factory.identify.commands.options import (
    add_recognizer_options,
    create_parser,
    megabytes,
    port,
    positive,
    queue_length,
)
from data_label_factory.identify.server.settings import TRACKER_ORIGINS, Settings

# Names that existing setups use. DLF_… wins over them, and an option wins over both.
_OLD_NAMES = {
    "index": "CARD_INDEX",
    "projection": "CLIP_PROJ",
    "refs": "REFS_DIR",
    "prices": "CARD_PRICES",
    "sim_threshold": "CLIP_SIM_THRESHOLD",
    "margin_threshold": "CLIP_MARGIN_THRESHOLD",
    "port": "PORT",
}
_NEEDED_MODULES = (
    "fastapi",
    "uvicorn",
    "python_multipart",
    "prometheus_client",
    "threadpoolctl",
    "fastapi_offline",
)
_FALSE = ("0", "false", "no", "off")


def main(argv: Sequence[str]) -> int:
    p = _create_parser()
    args = p.parse_args([*_read_environment(p, os.environ), *argv])
    for module in _NEEDED_MODULES:
        need(module, extra="serve")
    from data_label_factory.identify.server.run import serve

    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(args).items()
    }
    serve(Settings(**values))
    return 0


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "serve",
        "Answer frames over HTTP: POST /api/falcon, the live tracker, /docs. Every option can "
        "also be set in the environment: DLF_INDEX for --index, DLF_API_KEY for --api-key, and "
        "so on.",
    )

    add_recognizer_options(p)
    _add_collection_options(p)
    _add_network_options(p)
    _add_load_options(p)
    _add_price_options(p)

    p.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="least severe messages to log (default: info)",
    )

    return p


def _add_collection_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--watch",
        action="store_true",
        help="follow changes in --refs, and new index and price files",
    )
    p.add_argument(
        "--allow-enroll",
        action="store_true",
        help="let clients add and remove items",
    )


def _add_network_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--port",
        type=port,
        default=8500,
        help="port to listen on; 0 picks a free one (default: 8500)",
    )
    p.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 opens the server to other machines "
        "(default: 127.0.0.1)",
    )

    p.add_argument(
        "--cors",
        metavar="ORIGIN",
        nargs="+",
        default=list(TRACKER_ORIGINS),
        help="origins of pages that may use the server from a browser "
        f"(default: {' '.join(TRACKER_ORIGINS)})",
    )
    p.add_argument(
        "--api-key",
        metavar="KEY",
        default="",
        help="key that every client has to send; better set as DLF_API_KEY",
    )

    p.add_argument(
        "--ssl-certfile",
        metavar="F",
        type=Path,
        help="certificate, to serve HTTPS; a phone's camera needs it",
    )
    p.add_argument("--ssl-keyfile", metavar="F", type=Path, help="key of the certificate")


def _add_load_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--max-upload-mb",
        metavar="N",
        type=megabytes,
        default=20,
        help="largest upload in MiB (default: 20)",
    )

    p.add_argument(
        "--workers-queue",
        dest="queue",
        metavar="N",
        type=queue_length,
        default=8,
        help="frames that may wait; further ones get 429 (default: 8)",
    )
    p.add_argument(
        "--workers",
        metavar="N",
        type=positive,
        default=argparse.SUPPRESS,
        help="frames to answer at a time (default: one per core, up to 4)",
    )


def _add_price_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--prices", metavar="FILE", type=Path, help="prices to show with the answers")
    p.add_argument("--fx-url", metavar="URL", help="server to ask for exchange rates")
    p.add_argument(
        "--fx-rate",
        dest="fx_rates",
        metavar="JPY=0.0067",
        nargs="+",
        default=[],
        help="fixed rates in USD; no network request",
    )


def _read_environment(p: argparse.ArgumentParser, environment: Mapping[str, str]) -> list[str]:
    """The options that the environment sets, as arguments.

    Exits as argparse does, naming the variable, if a value is invalid.
    """
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
            arguments += [option] if value.lower() not in _FALSE else []
        elif action.nargs == "+":
            arguments += [option, *value.split()]
        else:
            _check_value(p, action, name, value)
            arguments.append(f"{option}={value}")
    return arguments


def _check_value(p: argparse.ArgumentParser, action: argparse.Action, name: str, text: str) -> None:
    try:
        if callable(action.type):
            action.type(text)
        if action.choices and text not in action.choices:
            raise ValueError(f"choose from {', '.join(action.choices)}")
    except (ValueError, argparse.ArgumentTypeError) as exc:
        p.error(f"{name} in the environment cannot be {text!r}: {exc}")
