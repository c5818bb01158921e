"""The top-level command line."""

from __future__ import annotations

from collections.abc import Sequence

import click

from data_label_factory import __version__
from data_label_factory.command_line import CONTEXT, PROGRAM, LazyGroup, run

COMMANDS = {
    "gather": (
        "data_label_factory.gather.cli",
        "fetch reference pictures, named by their labels",
    ),
    "identify": (
        "data_label_factory.identify.cli",
        "index, verify and recognize pictures of your things",
    ),
    "lists": (
        "data_label_factory.lists.cli",
        "look at lists of what was shown, and carry them to other tools",
    ),
    "mcp": (
        "data_label_factory.identify.commands.mcp",
        "the collection as tools for an assistant (MCP)",
    ),
    "web": (
        "data_label_factory.web.cli",
        "the live tracker page, for a server that runs elsewhere",
    ),
}


@click.group(cls=LazyGroup, table=COMMANDS, context_settings=CONTEXT)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def command() -> None:
    """Hold something up to a camera and be told which of your
    things it is.

    `dlf` is short for `data_label_factory`. Every option can also
    be set in the environment: DLF_GATHER_PARALLEL for `gather
    --parallel`, and so on.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (2 for wrong usage and for a FactoryError)."""
    return run(command, argv)
