"""`identify encoders`: list the encoders, or fetch weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from data_label_factory.errors import EncoderError
from data_label_factory.folders import cache_folder
from data_label_factory.identify.commands.options import create_parser
from data_label_factory.identify.encoders import ENCODERS, EncoderSpec
from data_label_factory.identify.encoders.clip import locate, weights_in_cache


def main(argv: Sequence[str]) -> int:
    p = create_parser(
        "encoders",
        "List the encoders, what each is for, and whether its weights are on this machine.",
    )
    p.add_argument(
        "--fetch",
        choices=("clip",),
        help="download these weights now, to use them without a network later",
    )
    p.add_argument("--json", action="store_true", help="print the list as JSON")
    args = p.parse_args(argv)

    if args.fetch:
        print(f"clip: {locate('')}")
        return 0

    rows = [_describe(spec) for spec in ENCODERS.values()]
    if args.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        dim = row["dim"] or "any"
        print(f"{row['id']:11} {dim:>4}  {row['ready']:15} {row['why']}  [{row['licence']}]")
    print(f"Fetched weights are kept in {cache_folder()}")
    return 0


def _describe(spec: EncoderSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "dim": spec.dim,
        "ready": _describe_state(spec),
        "licence": spec.license,
        "why": spec.why,
    }


def _describe_state(spec: EncoderSpec) -> str:
    if spec.id == "clip":
        return "ready" if weights_in_cache() else "fetched on use"
    if spec.id == "onnx":
        return "give a path"
    try:
        spec.locate("")
    except EncoderError:
        return "not installed"
    return "ready"
