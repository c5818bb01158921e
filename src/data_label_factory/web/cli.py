"""`data_label_factory web`: the live tracker, for a recognition server that runs elsewhere."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click

from data_label_factory.command_line import PORT
from data_label_factory.web.target import DEFAULT_URL, VARIABLE, Target, find_url


@click.command("web")
@click.option(
    "--port", metavar="N", type=PORT, default=3030, help="port to listen on; 0 takes a free one"
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    help="address to listen on; the default is this machine only, 0.0.0.0 opens it",
)
@click.option(
    "--falcon-url",
    metavar="URL",
    show_default=f"{VARIABLE} in the environment or in web/.env.local, else {DEFAULT_URL}",
    help="the server that names what is seen",
)
def command(port: int, host: str, falcon_url: str | None) -> None:
    """The live tracker page, for a recognition server that runs
    elsewhere.

    `identify serve` has the page too, at /canvas/live.
    """
    from data_label_factory.web.proxy import WebServer

    target = Target.parse(falcon_url or find_url())
    with WebServer(host, port, target) as server:
        signal.signal(signal.SIGTERM, _stop)
        print(f"event=ready url={server.url} asks={target.falcon}", file=sys.stderr, flush=True)
        try:
            server.serve_forever()
        except (KeyboardInterrupt, SystemExit):
            return


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit
