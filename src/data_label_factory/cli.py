"""The top-level command line. A command is imported only when it is chosen, so `--help` stays instant."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

from data_label_factory import __version__
from data_label_factory.errors import FactoryError

# name: (module with a `main(argv) -> exit code`, one line of help)
COMMANDS = {
    "gather": ("data_label_factory.gather.cli", "fetch reference pictures, named by their labels"),
    "identify": (
        "data_label_factory.identify.cli",
        "index, verify and recognise pictures of your things",
    ),
    "web": (
        "data_label_factory.web.cli",
        "the live tracker page, before a server that runs elsewhere",
    ),
}

_USAGE = """\
usage: data_label_factory COMMAND …      (or: dlf COMMAND …)

Hold something up to a camera and be told which of your things it is.

commands:
{commands}

  -h, --help   show this and exit; COMMAND --help says more
  --version    show the version and exit
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2 for wrong use and for what the user has to mend)."""
    return dispatch(list(sys.argv[1:] if argv is None else argv), COMMANDS, _USAGE)


def dispatch(argv: list[str], commands: dict[str, tuple[str, str]], usage: str) -> int:
    """Hand `argv` to the command it names; print a FactoryError as one clean line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a name that the terminal's encoding lacks must not end the program
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _dispatch(argv, commands, usage)
        finally:
            sys.stdout.flush()  # here, where a reader that has gone is met quietly
    except BrokenPipeError:  # the reader (head, less) has gone
        _drop_output()
        return 0
    except OSError as exc:  # a disk or a folder that no stage expected to fail
        _drop_output()
        print(
            f"error: {exc.strerror or exc}" + (f": {exc.filename}" if exc.filename else ""),
            file=sys.stderr,
        )
        return 2


def _drop_output() -> None:
    """Point stdout elsewhere, or the interpreter's own last flush would fail as this one did."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(argv: list[str], commands: dict[str, tuple[str, str]], usage: str) -> int:
    text = usage.format(
        commands="\n".join(f"  {name:12} {help_}" for name, (_, help_) in commands.items())
    )
    if not argv or argv[0] in ("-h", "--help"):
        print(text, end="", file=sys.stderr if not argv else sys.stdout)
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"data_label_factory {__version__}")
        return 0
    if argv[0] not in commands:
        print(
            f"error: there is no command {argv[0]!r}. Choose one of: {', '.join(commands)}",
            file=sys.stderr,
        )
        return 2
    try:
        return int(importlib.import_module(commands[argv[0]][0]).main(argv[1:]))
    except FactoryError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as exc:
        # A command module's own import of an optional package, met before need() could say so.
        if (exc.name or "").split(".")[0] not in ("numpy", "cv2", "onnxruntime"):
            raise
        print(
            f"error: {exc.name} is not installed. Run: pip install 'data_label_factory[identify]'",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        return 130
