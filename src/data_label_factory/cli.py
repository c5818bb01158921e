"""The top-level command line.

A command is imported only when chosen, so `--help` is instant.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

from data_label_factory import __version__
from data_label_factory.errors import FactoryError

# name: (module with a `main(argv) -> exit code`, one line of help)
Commands = dict[str, tuple[str, str]]

COMMANDS: Commands = {
    "gather": ("data_label_factory.gather.cli", "fetch reference pictures, named by their labels"),
    "identify": (
        "data_label_factory.identify.cli",
        "index, verify and recognize pictures of your things",
    ),
    "web": (
        "data_label_factory.web.cli",
        "the live tracker page, for a server that runs elsewhere",
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
    """Run one command; return its exit code (2 for wrong usage and for a FactoryError)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return dispatch(arguments, COMMANDS, _USAGE)


def dispatch(argv: list[str], commands: Commands, usage: str) -> int:
    """Run the command that `argv` names; print a FactoryError as one clean line.

    `usage` is the text of --help, with `{commands}` where their list goes. Returns the
    exit code.
    """
    _allow_any_character()
    try:
        try:
            return _run(argv, commands, usage)
        finally:
            # Flush here, where a closed pipe is handled.
            sys.stdout.flush()

    except BrokenPipeError:
        # The reader (head, less) has closed the pipe.
        _discard_output()
        return 0

    except OSError as exc:
        # A disk or a folder that no stage expected to fail.
        _discard_output()
        place = f": {exc.filename}" if exc.filename else ""
        _print_error(f"{exc.strerror or exc}{place}")
        return 2


def _run(argv: list[str], commands: Commands, usage: str) -> int:
    """Answer --help, --version and wrong usage, or run the command."""
    rows = [f"  {name:12} {help_}" for name, (_, help_) in commands.items()]
    help_text = usage.format(commands="\n".join(rows))
    if not argv:
        print(help_text, end="", file=sys.stderr)
        return 2

    first, *rest = argv
    if first in ("-h", "--help"):
        print(help_text, end="")
        return 0
    if first == "--version":
        print(f"data_label_factory {__version__}")
        return 0
    if first not in commands:
        choices = ", ".join(commands)
        _print_error(f"there is no command {first!r}. Choose one of: {choices}")
        return 2

    return _run_command(commands[first][0], rest)


def _run_command(module: str, argv: list[str]) -> int:
    """Import `module` and call its `main`; print the errors that the user can act on."""
    try:
        return int(importlib.import_module(module).main(argv))
    except FactoryError as exc:
        _print_error(str(exc))
        return 2

    except ModuleNotFoundError as exc:
        # A command module imported an optional package itself, before need() was called.
        if (exc.name or "").split(".")[0] not in ("numpy", "cv2", "onnxruntime"):
            raise
        hint = "Run: pip install 'data_label_factory[identify]'"
        _print_error(f"{exc.name} is not installed. {hint}")
        return 2

    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _allow_any_character() -> None:
    """Escape characters that the terminal's encoding lacks, rather than fail on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Point stdout at nothing, or the interpreter's last flush would fail as well."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)
