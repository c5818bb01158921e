"""`identify serve`: the recognition server.

Its options can also come from the environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from data_label_factory.command_line import FILE, PORT, POSITIVE, Whole
from data_label_factory.identify.commands.options import (
    Number,
    ray_option,
    recognizer_options,
)
from data_label_factory.identify.server.settings import TRACKER_ORIGINS, Settings

if TYPE_CHECKING:
    from data_label_factory.identify.server.access import Access

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
_SEVERAL = ("--cors", "--fx-rate", "--webhook")


class _ServeCommand(click.Command):
    """Its options have short names in the environment, and some take several values."""

    def __init__(self, *args: Any, **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        for option in self.params:
            assert isinstance(option, click.Option)
            name = "DLF_" + option.opts[0].lstrip("-").upper().replace("-", "_")
            old = _OLD_NAMES.get(option.name or "")
            option.envvar = [name, old] if old else [name]
            option.show_envvar = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _repeat_options(args))


def _repeat_options(args: list[str]) -> list[str]:
    """`--cors A B` as `--cors A --cors B`, which is how click takes several values."""
    spread: list[str] = []
    option = ""
    for word in args:
        if word.startswith("-"):
            option = word if word in _SEVERAL else ""
        elif option and spread[-1] != option:
            spread.append(option)
        spread.append(word)
    return spread


@click.command("serve", cls=_ServeCommand)
@recognizer_options
@click.option(
    "--watch",
    is_flag=True,
    help="follow changes in --refs, and new index and price files",
)
@click.option("--allow-enroll", is_flag=True, help="let clients add and remove items")
@click.option(
    "--port", metavar="N", type=PORT, default=8500, help="port to listen on; 0 picks a free one"
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    help="address to listen on; 0.0.0.0 opens the server to other machines",
)
@click.option(
    "--cors",
    metavar="ORIGIN...",
    multiple=True,
    default=TRACKER_ORIGINS,
    help="origins of pages that may use the server from a browser",
)
@click.option(
    "--api-key",
    metavar="KEY",
    default="",
    show_default=False,
    help="key that every client has to send; better set as DLF_API_KEY",
)
@click.option(
    "--lan",
    is_flag=True,
    help="open it to phones of this network: https, a key, and a code to scan",
)
@click.option(
    "--ssl-certfile",
    metavar="F",
    type=FILE,
    help="certificate, to serve HTTPS; --lan makes one by itself",
)
@click.option("--ssl-keyfile", metavar="F", type=FILE, help="key of the certificate")
@click.option(
    "--max-upload-mb",
    metavar="N",
    type=Number(0.001, 1024),
    default=20,
    help="largest upload in MiB",
)
@click.option(
    "--workers-queue",
    "queue",
    metavar="N",
    type=Whole(0, 10_000),
    default=8,
    help="frames that may wait; further ones get 429",
)
@click.option(
    "--workers",
    metavar="N",
    type=POSITIVE,
    show_default="one per core, up to 4",
    help="frames to answer at a time",
)
@click.option(
    "--webhook",
    metavar="URL...",
    multiple=True,
    help="addresses that are told what is seen, taken, gone or unsure",
)
@click.option(
    "--webhook-secret",
    metavar="TEXT",
    default="",
    show_default=False,
    help="signs what they are told; better set as DLF_WEBHOOK_SECRET",
)
@click.option("--prices", metavar="FILE", type=FILE, help="prices to show with the answers")
@click.option(
    "--lists",
    metavar="FILE",
    default="",
    show_default="beside the index, INDEX.lists.sqlite",
    help="file that keeps what people take down; none: keep nothing",
)
@click.option("--fx-url", metavar="URL", help="server to ask for exchange rates")
@click.option(
    "--fx-rate",
    "fx_rates",
    metavar="JPY=0.0067...",
    multiple=True,
    help="fixed rates in USD; no network request",
)
@ray_option("answer")
@click.option(
    "--replicas",
    metavar="N",
    type=POSITIVE,
    default=1,
    help="with --ray: servers that share the requests, each with the whole index",
)
@click.option(
    "--shards",
    metavar="N",
    type=POSITIVE,
    default=1,
    help="with --ray: parts that the references are divided into, where one machine's memory "
    "does not hold them all",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="least severe messages to log",
)
def command(
    workers: int | None, ray: str | None, replicas: int, shards: int, **values: Any
) -> None:
    """Answer frames over HTTP: POST /api/falcon, the live tracker, /docs."""
    from data_label_factory.identify.server.run import serve

    if workers is not None:
        values["workers"] = workers
    settings = Settings(**values)
    if ray is not None:
        from data_label_factory.identify.distributed.serve import serve_on_ray

        serve_on_ray(settings, address=ray, replicas=replicas, shards=shards)
    elif replicas > 1 or shards > 1:
        raise click.UsageError("--replicas and --shards are for --ray")
    else:
        serve(settings, _show_access)


def _show_access(access: Access) -> None:
    """Print what a phone has to scan; logs never hold the key."""
    from data_label_factory.identify.server.access import (
        describe_for_people,
    )

    if access.is_for_phones:
        print("On a phone in the same network, scan this or type the address:\n")
        print(access.code.as_text(), *describe_for_people(access), sep="\n")
        print(flush=True)
