"""What every command line of this program shares.

`LazyGroup` imports a command only when it is chosen, so `--help` and
completion are instant. `run` is the one place where errors become one
line and an exit code.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click
from click.shell_completion import CompletionItem, shell_complete

from data_label_factory.errors import FactoryError
from data_label_factory.labels import LabelScheme

Function = Callable[..., Any]

PROGRAM = "data_label_factory"
CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "show_default": True,
}

# Types of options and arguments.
FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)


class Whole(click.IntRange):
    """A whole number. Of a word, click would say that it is no "integer range"."""

    name = "integer"


POSITIVE = Whole(min=1)
COUNT = Whole(min=0)
PORT = Whole(0, 65535)


def labels_option(otherwise: str) -> Callable[[Function], Function]:
    """The option that says what file names say; `otherwise` is the default in words."""
    return click.option(
        "--labels",
        type=click.Choice(get_args(LabelScheme)),
        default=None,
        show_default=otherwise,
        help="what file names say: cards (set code, name, rarity) or plain (a name only)",
    )


_SHORT_PROGRAM = "dlf"

# What the extra `identify` brings, by the names that the stages import at their top.
_OF_THE_EXTRA = frozenset(
    {
        "cv2",
        "fastapi",
        "fastapi_offline",
        "jinja2",
        "numpy",
        "onnxruntime",
        "prometheus_client",
        "starlette",
        "threadpoolctl",
        "uvicorn",
    }
)


class LazyGroup(click.Group):
    """A group of commands that are imported when they are chosen.

    `table` maps the name of a command to its module, which has it as
    `command`, and to one line of help.
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.table = table

    def unknown(self, name: str) -> str:
        """What to say of a word that is no command."""
        return f"There is no command {name!r}."

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.table)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        command: click.Command = importlib.import_module(self.table[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.table:
            raise click.NoSuchCommand(name, self.unknown(name), self.table, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=text)
            for name, (_, text) in self.table.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


def run(command: click.Command, argv: Sequence[str] | None, *words: str) -> int:
    """Run `command` on `argv`, by default those of the process; return
    the exit code.

    2 is the exit code of wrong usage and of a FactoryError, which
    is printed as one line, and 130 that of Ctrl-C. `words` come
    between the program's name and `argv` in the usage, and between
    DLF and the option in the names of environment variables.
    """
    _allow_any_character()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _invoke(command, arguments, words)
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


def _invoke(command: click.Command, arguments: list[str], words: tuple[str, ...]) -> int:
    """Parse and run; print the errors that the user can act on."""
    program = _program_name()
    prefix = "_".join(["DLF", *words]).upper()
    variable = f"_{program}_COMPLETE".upper()
    if instruction := os.environ.get(variable):
        return shell_complete(
            command, {"auto_envvar_prefix": prefix}, program, variable, instruction
        )

    try:
        name = " ".join([program, *words])
        with command.make_context(name, arguments, auto_envvar_prefix=prefix) as context:
            return int(command.invoke(context) or 0)

    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except FactoryError as exc:
        _print_error(str(exc))
        return 2

    except ModuleNotFoundError as exc:
        if (exc.name or "").split(".")[0] not in _OF_THE_EXTRA:
            raise
        hint = "Run: pip install 'data_label_factory[identify]'"
        _print_error(f"{exc.name} is not installed. {hint}")
        return 2

    except (KeyboardInterrupt, click.Abort):
        print("interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _program_name() -> str:
    """The name that the user typed, if it is one of the program's two."""
    name = Path(sys.argv[0]).stem
    return name if name == _SHORT_PROGRAM else PROGRAM


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
