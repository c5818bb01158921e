"""The tools over the Model Context Protocol, by the official package
`mcp`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from data_label_factory import __version__
from data_label_factory.errors import FactoryError
from data_label_factory.extras import need
from data_label_factory.identify.assistant.tools import MAX_FOUND, Tools

_INSTRUCTIONS = (
    "Tells which items of one collection a picture shows. Only believe names "
    "that are sure; guesses are only what comes nearest."
)
_FORMATS = "csv, json, moxfield, archidekt, manabox, deckbox or another one"

Answer = dict[str, Any]
ItemPath = Annotated[str, Field(description="Path of a picture on this computer")]
Base64 = Annotated[str, Field(description="Or the picture itself, in base64, up to 20 MB")]
Words = Annotated[str, Field(description="Words of the name or set code; empty: all items")]
Limit = Annotated[int, Field(ge=1, le=MAX_FOUND)]
ListName = Annotated[str, Field(description="Name of the list")]
Reference = Annotated[str, Field(description="`reference` of the item, from another tool")]
OtherName = Annotated[str, Field(description="Or the name of a thing that the index lacks")]
Quantity = Annotated[int, Field(ge=1, le=9999)]
FormatId = Annotated[str, Field(description=_FORMATS)]


def make_server(tools: Tools) -> Any:
    """An MCPServer with the tools; those of lists only if there is a
    file for lists.

    Raises MissingExtraError without the extra `mcp`.
    """
    mcpserver = need("mcp.server.mcpserver", extra="mcp")
    server = mcpserver.MCPServer(
        "data_label_factory",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
    )

    def identify_image(path: ItemPath = "", image_base64: Base64 = "") -> Answer:
        """Name what a picture shows. Boxes are left, top, right,
        bottom in px.
        """
        return _run(lambda: tools.identify_image(path, image_base64))

    def search_items(words: Words = "", limit: Limit = 20) -> Answer:
        """Look for items of the collection."""
        return _run(lambda: tools.search_items(words, limit))

    def list_add(
        list_name: ListName,
        reference: Reference = "",
        name: OtherName = "",
        quantity: Quantity = 1,
        note: str = "",
    ) -> Answer:
        """Put an item on a list, which is made if there is none. Equal
        entries become one; every step can be undone.
        """
        return _run(lambda: tools.list_add(list_name, reference, name, quantity, note))

    def list_export(list_name: ListName, format: FormatId = "csv") -> Answer:
        """A list as the text of a file that another tool reads."""
        return _run(lambda: tools.list_export(list_name, format))

    server.add_tool(identify_image)
    server.add_tool(search_items)
    if tools.lists is not None:
        server.add_tool(list_add)
        server.add_tool(list_export)
    return server


def _run(work: Callable[[], Answer]) -> Answer:
    """The answer, or what is wrong in words for the assistant."""
    try:
        return work()
    except FactoryError as exc:
        exceptions = need("mcp.server.mcpserver.exceptions", extra="mcp")
        raise exceptions.ToolError(str(exc)) from exc
