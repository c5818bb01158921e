"""`dlf mcp`: a client of the protocol names a picture, searches, and fills a list."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import write_prices
from drawn import encoded
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from PIL import Image
from serving import make_collection

from data_label_factory.errors import MissingExtraError
from data_label_factory.identify.assistant import Tools, make_server
from data_label_factory.identify.assistant import tools as tools_module
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.index import Index
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import FxRates

Ask = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("assistant"), count=4)


@pytest.fixture(scope="module")
def cards(settings: Settings) -> list[Path]:
    assert settings.refs
    return sorted(settings.refs.iterdir())


@pytest.fixture
def tools(settings: Settings, cards: list[Path], tmp_path: Path) -> Tools:
    index = Index.load(settings.index)
    collection = Collection(
        index, settings.index, Embedder(open_encoder(settings.encoder)), settings.refs
    )
    yen = {parse_label(card.name).set_code: 3000 + i for i, card in enumerate(cards)}
    prices = PriceBook.load(
        write_prices(tmp_path / "prices.json", yen), FxRates("http://127.0.0.1:9", cache=tmp_path)
    )
    return Tools(index, lambda: collection.recognizer, tmp_path / "l.sqlite", prices)


def talk(tools: Tools, ask: Ask) -> Any:
    """Ask a server in this process."""

    async def scene() -> Any:
        async with Client(make_server(tools)) as client:
            return await ask(client)

    return asyncio.run(scene())


async def call(client: Client, tool: str, /, **arguments: Any) -> Any:
    """What a tool answers: JSON, or the text of its error."""
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text  # type: ignore[union-attr]
    return text if result.is_error else json.loads(text)


def test_a_picture_is_named_and_put_on_a_list_that_is_exported(
    tools: Tools, cards: list[Path]
) -> None:
    label = parse_label(cards[1].name)

    async def ask(client: Client) -> None:
        offered = (await client.list_tools()).tools
        assert [tool.name for tool in offered] == [
            "identify_image",
            "search_items",
            "list_add",
            "list_export",
        ]
        assert all(tool.description for tool in offered)

        said = await call(client, "identify_image", path=str(cards[1]))
        (found,) = said["found"]
        assert (found["name"], found["sure"]) == (label.name, True)
        assert (found["price"], found["currency"]) == (3001, "JPY")

        for quantity in (1, 2):
            added = await call(
                client,
                "list_add",
                list_name="Binder",
                reference=found["reference"],
                quantity=quantity,
            )
        assert added == {"list": "Binder", "name": label.name, "quantity": 3, "entries": 1}
        other = await call(client, "list_add", list_name="Binder", name="Sol Ring", note="foil")
        assert other["entries"] == 2

        exported = await call(client, "list_export", list_name="binder", format="csv")
        assert exported["rows"] == 2
        assert label.name in exported["text"]
        assert "Sol Ring" in exported["text"]
        assert exported["filename"] == "Binder.csv"

    talk(tools, ask)


def test_a_picture_may_come_in_base64_and_unknown_ones_are_guessed(
    tools: Tools, cards: list[Path]
) -> None:
    plain = base64.b64encode(cards[0].read_bytes()).decode()
    gray = base64.b64encode(encoded(Image.new("RGB", (300, 300), "gray"), "PNG")).decode()

    async def ask(client: Client) -> None:
        for text in (plain, f"data:image/jpeg;base64,{plain}"):
            said = await call(client, "identify_image", image_base64=text)
            assert said["found"][0]["name"] == parse_label(cards[0].name).name
        said = await call(client, "identify_image", image_base64=gray)
        assert not any(one["sure"] for one in said["found"])

    talk(tools, ask)


def test_items_are_searched(tools: Tools, cards: list[Path]) -> None:
    label = parse_label(cards[2].name)

    async def ask(client: Client) -> None:
        said = await call(client, "search_items", words=f"{label.name.upper()} {label.set_code}")
        assert said["items"][0]["reference"] == cards[2].name
        assert said["total"] == 1
        said = await call(client, "search_items", limit=3)
        assert (len(said["items"]), said["total"]) == (3, 4)
        assert (await call(client, "search_items", words="nothing"))["items"] == []

    talk(tools, ask)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("identify_image", {}, "either a path or a picture"),
        ("identify_image", {"path": "a", "image_base64": "b"}, "either a path"),
        ("identify_image", {"path": "/none.jpg"}, "There is no file /none.jpg"),
        ("identify_image", {"path": __file__}, "picture"),
        ("identify_image", {"path": "a\0b"}, "a\0b"),
        ("identify_image", {"path": "~nobody-here/a.jpg"}, "Cannot read ~nobody-here/a.jpg"),
        ("identify_image", {"image_base64": "???"}, "not base64"),
        ("search_items", {"limit": 0}, "greater than or equal to 1"),
        ("list_add", {"list_name": "B", "reference": "x.jpg"}, "has no item 'x.jpg'"),
        ("list_add", {"list_name": "B"}, "needs a name"),
        ("list_add", {"list_name": " ", "name": "Opt"}, "name"),
        ("list_add", {"list_name": "B", "name": "Opt", "quantity": 0}, "greater than"),
        ("list_export", {"list_name": "B", "format": "docx"}, "There is no format 'docx'"),
        ("list_export", {"list_name": "B", "format": "xlsx"}, "is no text"),
        ("list_export", {"list_name": "Nowhere"}, "There is no list 'Nowhere'. There are: none"),
    ],
)
def test_what_is_wrong_is_said(
    tools: Tools, name: str, arguments: dict[str, Any], message: str
) -> None:
    said = talk(tools, lambda client: call(client, name, **arguments))
    assert isinstance(said, str)
    assert message in said
    assert tools.lists and (name.startswith("list") or not tools.lists.exists())


def test_what_is_too_large_is_refused(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools_module, "MAX_PICTURE_BYTES", 3000)
    monkeypatch.setattr(tools_module, "MAX_EXPORT_BYTES", 10)
    noise = Image.effect_noise((100, 100), 90)
    (tmp_path / "large.png").write_bytes(encoded(noise, "PNG"))

    async def ask(client: Client) -> None:
        said = await call(client, "identify_image", path=str(tmp_path / "large.png"))
        assert "over" in said or "large" in said
        assert "over" in await call(client, "identify_image", image_base64="A" * 5000)
        await call(client, "list_add", list_name="B", name="Opt")
        assert "dlf lists export" in await call(client, "list_export", list_name="B")

    talk(tools, ask)


def test_without_lists_there_are_no_tools_for_them(tools: Tools) -> None:
    tools.lists = None

    async def ask(client: Client) -> None:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == ["identify_image", "search_items"]

    talk(tools, ask)


def test_without_the_extra_it_says_what_to_install(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(MissingExtraError, match=r"data_label_factory\[mcp\]"):
        make_server(tools)


def test_the_command_talks_over_standard_input_and_output(
    settings: Settings, cards: list[Path], tmp_path: Path
) -> None:
    line = ["-m", "data_label_factory", "mcp", "--index", str(settings.index)]
    line += ["--refs", str(settings.refs), "--encoder", settings.encoder]
    line += ["--lists", str(tmp_path / "lists.sqlite")]

    async def scene() -> None:
        command = StdioServerParameters(command=sys.executable, args=line, env=dict(os.environ))
        async with Client(command) as client:
            said = await call(client, "identify_image", path=str(cards[0]))
            assert said["found"][0]["name"] == parse_label(cards[0].name).name
            await call(client, "list_add", list_name="B", reference=cards[0].name)

    asyncio.run(scene())
    assert (tmp_path / "lists.sqlite").is_file()


def test_wrong_use_of_the_command_is_one_line(dlf: Any, tmp_path: Path) -> None:
    done = dlf("mcp", "--index", tmp_path / "none.npz")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""
