"""`data_label_factory identify COMMAND` and `python -m data_label_factory.identify COMMAND`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from data_label_factory.command_line import CONTEXT, LazyGroup, run

_PACKAGE = "data_label_factory.identify.commands"
COMMANDS = {
    "index": (
        f"{_PACKAGE}.index",
        "encode a folder of reference pictures into one .npz file",
    ),
    "verify": (
        f"{_PACKAGE}.verify",
        "test an index on itself: margins, confusable pairs, what to do",
    ),
    "train": (
        f"{_PACKAGE}.train",
        "train a projection head to improve live accuracy, and say whether it does",
    ),
    "encoders": (
        f"{_PACKAGE}.encoders",
        "list the encoders and whether their weights are here",
    ),
    "identify": (
        f"{_PACKAGE}.identify",
        "name what pictures, folders or videos show (the word may be left out)",
    ),
    "evaluate": (
        f"{_PACKAGE}.evaluate",
        "score labeled photos: right, wrong, false accepts, time",
    ),
    "serve": (
        f"{_PACKAGE}.serve",
        "answer frames over HTTP, for clients, a live camera, and people",
    ),
    "demo": (
        f"{_PACKAGE}.demo",
        "run everything on a sample collection, or on your own folder",
    ),
    "scrape_prices": (
        f"{_PACKAGE}.scrape_prices",
        "ask a site for the prices of the references, into one .json file",
    ),
}

# Recognition multiplies many small matrices. Several threads slow that down, tenfold on
# a busy machine.
_ONE_BLAS_THREAD = frozenset({"index", "identify", "evaluate", "serve", "demo"})


class _IdentifyGroup(LazyGroup):
    """`identify photo.jpg` is short for `identify identify photo.jpg`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.table and _is_file_or_option(args[0]):
            args = ["identify", *args]
        return super().parse_args(ctx, args)

    def unknown(self, name: str) -> str:
        return f"There is neither a command nor a file {name!r}."

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ONE_BLAS_THREAD:
            # numpy reads it when it is loaded, which is later.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=_IdentifyGroup,
    table=COMMANDS,
    context_settings=CONTEXT,
    subcommand_metavar="COMMAND [ARGS]... | FILES... --index FILE.npz",
)
def command() -> None:
    """Tell which item a camera sees, from one reference picture per item."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one identify command and return its exit code."""
    return run(command, argv, "identify")


def _is_file_or_option(word: str) -> bool:
    if word.startswith("-"):
        return word not in ("-h", "--help")
    if word == "":
        return False

    # A word that looks like a path counts even if the file does not exist: an error
    # about the file is more useful than "no command".
    looks_like_path = Path(word).suffix != "" or Path(word).name != word
    return looks_like_path or os.path.exists(word)  # noqa: PTH110
