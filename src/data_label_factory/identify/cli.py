"""`data_label_factory identify COMMAND` and `python -m data_label_factory.identify COMMAND`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from data_label_factory.cli import dispatch

_PACKAGE = "data_label_factory.identify.commands"
COMMANDS = {
    "index": (f"{_PACKAGE}.index", "encode a folder of reference pictures into one .npz file"),
    "verify": (f"{_PACKAGE}.verify", "test an index on itself: margins, confusable pairs, what to do"),
    "encoders": (f"{_PACKAGE}.encoders", "list the encoders and whether their weights are here"),
    "serve": (f"{_PACKAGE}.serve", "answer frames over HTTP: for clients, a live camera, and people"),
    "demo": (f"{_PACKAGE}.demo", "the whole job on a sample collection, or on your own folder"),
}

_USAGE = """\
usage: data_label_factory identify COMMAND …

Tell which item a camera is looking at, from one reference picture each.

commands:
{commands}

  -h, --help   show this and exit; COMMAND --help says more
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one identify command; returns its exit code."""
    return dispatch(list(sys.argv[1:] if argv is None else argv), COMMANDS, _USAGE)
