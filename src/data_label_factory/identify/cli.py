"""`data_label_factory identify COMMAND` and `python -m data_label_factory.identify COMMAND`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.cli import dispatch

_PACKAGE = "data_label_factory.identify.commands"
COMMANDS = {
    "index": (f"{_PACKAGE}.index", "encode a folder of reference pictures into one .npz file"),
    "verify": (
        f"{_PACKAGE}.verify",
        "test an index on itself: margins, confusable pairs, what to do",
    ),
    "train": (
        f"{_PACKAGE}.train",
        "train a projection head that makes live answers surer, and say whether it did",
    ),
    "encoders": (f"{_PACKAGE}.encoders", "list the encoders and whether their weights are here"),
    "identify": (
        f"{_PACKAGE}.identify",
        "name what pictures, folders or videos show (the word may be left out)",
    ),
    "evaluate": (
        f"{_PACKAGE}.evaluate",
        "score labelled photos: right, wrong, false accepts, time",
    ),
    "serve": (
        f"{_PACKAGE}.serve",
        "answer frames over HTTP: for clients, a live camera, and people",
    ),
    "demo": (f"{_PACKAGE}.demo", "the whole job on a sample collection, or on your own folder"),
    "scrape_prices": (
        f"{_PACKAGE}.scrape_prices",
        "ask a site what the references cost, into one .json file",
    ),
}

_USAGE = """\
usage: data_label_factory identify COMMAND …
       data_label_factory identify FILES… --index FILE.npz …

Tell which item a camera is looking at, from one reference picture each.

commands:
{commands}

  -h, --help   show this and exit; COMMAND --help says more
"""


# Recognising multiplies many small matrices, which several threads slow down, tenfold on a busy machine.
_ONE_BLAS_THREAD = frozenset({"index", "identify", "evaluate", "serve", "demo"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one identify command; returns its exit code. What names no command but a file is for `identify` itself."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in COMMANDS and _is_file_or_option(words[0]):
        words.insert(0, "identify")
    if words and words[0] in _ONE_BLAS_THREAD:
        os.environ.setdefault(
            "OPENBLAS_NUM_THREADS", "1"
        )  # read when numpy is loaded, which is later
    return dispatch(words, COMMANDS, _USAGE)


def _is_file_or_option(word: str) -> bool:
    if word.startswith("-"):
        return word not in ("-h", "--help", "--version")
    # What looks like a path is one, even when there is no such file: that is a better message than "no command".
    return word != "" and (
        Path(word).suffix != "" or Path(word).name != word or os.path.exists(word)
    )  # noqa: PTH110
