"""`identify encoders`: list the encoders, or fetch weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from data_label_factory.errors import EncoderError
from data_label_factory.folders import cache_folder
from data_label_factory.identify.commands.options import json_option

if TYPE_CHECKING:
    from data_label_factory.identify.encoders import EncoderSpec


@click.command("encoders")
@click.option(
    "--fetch",
    type=click.Choice(["clip"]),
    help="download these weights now, to use them without a network later",
)
@json_option
def command(fetch: str | None, as_json: bool) -> None:
    """List the encoders, what each is for, and whether its weights are on this machine."""
    from data_label_factory.identify.encoders import ENCODERS
    from data_label_factory.identify.encoders.clip import locate

    if fetch:
        print(f"clip: {locate('')}")
        return

    rows = [_describe(spec) for spec in ENCODERS.values()]
    if as_json:
        print(json.dumps(rows))
        return

    for row in rows:
        dim = row["dim"] or "any"
        print(f"{row['id']:11} {dim:>4}  {row['ready']:15} {row['why']}  [{row['licence']}]")
    print(f"Fetched weights are kept in {cache_folder()}")


def _describe(spec: EncoderSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "dim": spec.dim,
        "ready": _describe_state(spec),
        "licence": spec.license,
        "why": spec.why,
    }


def _describe_state(spec: EncoderSpec) -> str:
    from data_label_factory.identify.encoders.clip import weights_in_cache
    from data_label_factory.identify.encoders.lite0 import find_weights

    if spec.id == "clip":
        return "ready" if weights_in_cache() else "fetched on use"
    if spec.id == "onnx":
        return "give a path"
    try:
        # The weights of lite0 are not where the model will be, which its first use makes.
        find_weights() if spec.id == "lite0" else spec.locate("")
    except EncoderError:
        return "not installed"
    return "ready"
