"""`data_label_factory mcp`: the collection as tools for assistants."""

from __future__ import annotations

import os
from pathlib import Path

import click

from data_label_factory.command_line import FILE
from data_label_factory.identify.commands.options import (
    RecognizerOptions,
    with_recognizer,
)

# As `identify` does: numpy reads it when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.command("mcp")
@with_recognizer
@click.option(
    "--prices",
    metavar="FILE",
    type=FILE,
    help="prices to tell with the items",
)
@click.option(
    "--lists",
    metavar="FILE",
    default="",
    show_default="beside the index, INDEX.lists.sqlite",
    help="file of the lists; none: without lists",
)
def command(
    recognizer: RecognizerOptions,
    prices: Path | None,
    lists: str,
) -> None:
    """Offer the collection to an assistant, over standard input and
    output (the Model Context Protocol).

    An assistant starts it by itself.
    """
    from data_label_factory.identify.assistant import Tools, make_server
    from data_label_factory.identify.index import Index
    from data_label_factory.lists.place import find_lists
    from data_label_factory.prices.book import PriceBook
    from data_label_factory.prices.fx import Rates
    from data_label_factory.prices.store import PriceFile

    index = Index.load(recognizer.index)
    book = None
    if prices:
        # In their own currency: no exchange rates, no network.
        file = PriceFile.load(prices)
        book = PriceBook(file, Rates(file.currency))
    tools = Tools(
        index,
        lambda: recognizer.open(index),
        find_lists(recognizer.index, lists),
        book,
    )
    make_server(tools).run("stdio")
