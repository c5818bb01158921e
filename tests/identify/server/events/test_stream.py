"""`GET /api/events` on a real socket: a card held up is told as seen, and as gone."""

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn import encoded
from filmed import Table, laid_at, read_cards
from PIL import Image
from serving import Server, ask, make_collection, served

from data_label_factory.identify.server.events import hub, stream
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("events"), count=3)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    with Server(settings) as server:
        yield server


def film(refs: Path | None, place: int = 240) -> tuple[bytes, str]:
    """A frame of the first card, and its name."""
    assert refs
    card = read_cards(refs)[0]
    frame = Table().film((card, laid_at(place, 240)))
    name = parse_label(sorted(refs.iterdir())[0].name).name
    return encoded(Image.fromarray(frame), "JPEG", quality=90), name


class Stream:
    """The lines of a stream, as a client made by hand reads them."""

    def __init__(self, server: Server, path: str = "/api/events", **headers: str) -> None:
        request = urllib.request.Request(
            server.url + path, headers={name.replace("_", "-"): v for name, v in headers.items()}
        )
        self.answer = urllib.request.urlopen(request, timeout=30)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()

    def next(self) -> dict[str, Any]:
        """The next message that has data."""
        fields: dict[str, Any] = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                if "data" in fields:
                    return {**fields, "data": json.loads(fields["data"])}
                continue
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        raise EOFError


def test_a_card_is_seen_and_then_gone(server: Server, settings: Settings) -> None:
    frame, name = film(settings.refs)
    with Stream(server) as listening:
        assert listening.answer.headers["content-type"].startswith("text/event-stream")
        for _ in range(3):
            assert ask(server.url, frame, session="desk")[0] == 200
        seen = listening.next()
        gone = listening.next()  # no frame follows: the server notices by itself

    assert (seen["event"], gone["event"]) == ("seen", "gone")
    told = seen["data"]
    assert told["type"] == "seen"
    assert told["data"]["name"] == gone["data"]["data"]["name"] == name
    assert (told["data"]["session"], told["data"]["track"]) == ("desk", 1)
    with urllib.request.urlopen(server.url + told["data"]["picture"], timeout=30) as picture:
        assert picture.headers["content-type"] == "image/jpeg"

    # Somebody who lost the connection after the first goes on where that was.
    for again in (
        Stream(server, Last_Event_ID=seen["id"]),
        Stream(server, f"/api/events?after={seen['id']}"),
        Stream(server, "/api/events?kinds=gone,taken", Last_Event_ID="elsewhere-1"),
    ):
        with again:
            assert again.next()["id"] == gone["id"]


def test_a_kind_that_is_none_is_refused(server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/api/events?kinds=seen,sold", timeout=30)
    with caught.value as answer:
        assert answer.code == 422
        assert "'sold'" in json.load(answer)["detail"]


def test_a_page_of_another_origin_cannot_listen(server: Server) -> None:
    headers = {"Origin": "https://evil.example", "Host": "evil.example"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(
            urllib.request.Request(f"{server.url}/api/events", headers=headers), timeout=30
        )
    with caught.value as answer:
        assert answer.code == 421
    with Stream(server, Origin="https://evil.example") as read_by_nobody:
        assert "access-control-allow-origin" not in read_by_nobody.answer.headers


def test_a_client_that_reads_nothing_stops_nobody(settings: Settings) -> None:
    frame, _ = film(settings.refs)
    with Server(settings) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as deaf:
            deaf.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert ask(server.url, frame, session="a")[0] == 200
        begun = time.monotonic()
        with Stream(server):  # an open stream does not keep the server from stopping
            assert server.stop() == 0
        assert time.monotonic() - begun < 15


def test_who_hangs_up_before_the_first_line_is_forgotten(settings: Settings) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},  # what uvicorn says
        "method": "GET",
        "scheme": "http",
        "path": "/api/events",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_: object) -> None:
        await asyncio.sleep(60)  # what was sent before is not read yet

    with served(settings) as client:
        context = client.app.state.context  # type: ignore[attr-defined]
        assert client.portal
        client.portal.call(client.app, scope, receive, send)
        assert len(context.events) == 0


def test_silence_is_filled_and_drops_are_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(stream, "_LOOK_SECONDS", 0.01)
    with served(settings) as client:
        context = client.app.state.context  # type: ignore[attr-defined]
        first = context.events.publish("seen", {"name": "Opt"})
        for _ in range(hub._KEPT + 2):
            context.events.publish("taken", {"name": "Opt"})

        async def read() -> list[str]:
            answer = await stream.events(context, "seen,taken", first.id, "")
            parts = []
            async for part in answer.body_iterator:
                parts.append(str(part))
                if part.startswith(":"):
                    context.draining = True  # ends it
            return parts

        assert client.portal
        parts = client.portal.call(read)
        context.draining = False
    assert parts[0].startswith("retry: ")
    assert parts[1].startswith("event: dropped\n")
    assert '"count": 2' in parts[1]
    assert len([part for part in parts if "event: taken" in part]) == hub._KEPT
    assert parts[-1].startswith(":")
    assert len(context.events) == 0


def test_an_entry_of_a_list_is_taken_once(settings: Settings) -> None:
    assert settings.refs
    item = sorted(settings.refs.iterdir())[0].name
    with served(settings) as client:
        context = client.app.state.context  # type: ignore[attr-defined]
        listener = context.events.listen(lambda: None, ["taken"])
        made = client.post("/api/lists", json={"name": "Binder"}).json()
        take = {"item": item, "key": "a", "quantity": 2, "session": "desk"}
        other = {"name": "Opt", "key": "b", "price": 1.5, "currency": "USD"}
        for entries in ([take], [take, other, other], [take], [take, other]):
            path = f"/api/lists/{made['id']}/entries"
            assert client.post(path, json={"entries": entries}).status_code in (200, 201)

        told = [json.loads(event.text)["data"] for _, event in iter(listener.take, (0, None))]
        assert [data["quantity"] for data in told] == [2, 1]
        assert told[0]["name"] == parse_label(item).name
        assert told[0]["session"] == "desk"
        assert client.get(told[0]["ref_url"]).status_code == 200
        assert told[1]["price"] == {"median": 1.5, "currency": "USD"}
        assert "ref_url" not in told[1]
