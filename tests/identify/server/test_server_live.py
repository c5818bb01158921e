"""Sessions over HTTP and WebSocket: lasting ids, the newest frame first, clear refusals."""

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from drawn import encoded
from filmed import Table, laid_at, read_cards
from PIL import Image
from serving import Server, make_collection, served
from starlette.testclient import TestClient, WebSocketDenialResponse
from websockets.sync.client import connect

from data_label_factory.identify.images import RGB
from data_label_factory.identify.server import live, sessions
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.sessions import Sessions
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label

HERE, THERE = laid_at(180, 240), laid_at(460, 240)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("live"), count=6)


@pytest.fixture(scope="module")
def cards(settings: Settings) -> list[RGB]:
    assert settings.refs
    return read_cards(settings.refs)


@pytest.fixture(scope="module")
def names(settings: Settings) -> list[str]:
    assert settings.refs
    return [parse_label(file.name).name for file in sorted(settings.refs.iterdir())]


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


@pytest.fixture(scope="module")
def context(client: TestClient) -> Context:
    context: Context = client.app.state.context  # type: ignore[attr-defined]
    return context


@pytest.fixture(scope="module")
def frame(cards: list[RGB]) -> bytes:
    return as_jpeg(Table().film((cards[0], HERE), (cards[1], THERE)))


def as_jpeg(frame: RGB) -> bytes:
    return encoded(Image.fromarray(frame), "JPEG", quality=90)


def post(client: TestClient, frame: bytes, session: str) -> Any:
    files = {"image": ("frame.jpg", frame, "image/jpeg")}
    return client.post("/api/falcon", files=files, data={"session": session})


def open_socket(client: TestClient, session: str = "", **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    query = f"?session={session}" if session else ""
    return client.websocket_connect(f"ws://localhost/api/live{query}", headers=sent)


def ask(socket: Any, frame: bytes) -> Any:
    socket.send_bytes(frame)
    return json.loads(socket.receive_text())


def test_a_session_gives_every_thing_a_lasting_id(
    client: TestClient, frame: bytes, names: list[str]
) -> None:
    answers = [post(client, frame, "cam-1").json() for _ in range(3)]
    for number, answer in enumerate(answers):
        assert answer["session"] == "cam-1"
        assert answer["frame"] == number
        assert [mask["track_id"] for mask in answer["masks"]] == [1, 2]
        assert {mask["name"] for mask in answer["masks"]} == set(names[:2])
        assert all(mask["confident"] and mask["lost_seconds"] == 0 for mask in answer["masks"])


def test_without_a_session_an_answer_is_as_it_was(client: TestClient, frame: bytes) -> None:
    answer = client.post("/api/falcon", files={"image": ("f.jpg", frame, "image/jpeg")}).json()
    assert not {"session", "frame"} & set(answer)
    assert not {"track_id", "lost_seconds"} & set(answer["masks"][0])


def test_an_empty_session_is_none(client: TestClient, frame: bytes) -> None:
    assert "session" not in post(client, frame, "").json()


def test_what_has_gone_is_told_as_not_sure(client: TestClient, frame: bytes) -> None:
    empty = as_jpeg(Table().film())
    post(client, frame, "cam-gone")
    time.sleep(0.3)
    gone = post(client, empty, "cam-gone").json()["masks"]
    assert [mask["track_id"] for mask in gone] == [1, 2]
    for mask in gone:
        assert mask["lost_seconds"] >= 0.3
        assert not mask["confident"]
        assert mask["label"].endswith("?")
    time.sleep(1.1)
    assert post(client, empty, "cam-gone").json()["masks"] == []


@pytest.mark.parametrize("name", ["a b", "ä", "x" * 65, "../x"])
def test_a_session_has_a_simple_name(client: TestClient, frame: bytes, name: str) -> None:
    refused = post(client, frame, name)
    assert refused.status_code == 422
    assert "session" in refused.json()["detail"]


def test_sessions_do_not_know_each_other(
    client: TestClient, frame: bytes, cards: list[RGB]
) -> None:
    post(client, as_jpeg(Table().film((cards[2], HERE))), "cam-a")
    other = post(client, frame, "cam-b").json()
    assert [mask["track_id"] for mask in other["masks"]] == [1, 2]


def test_a_socket_answers_each_frame_with_its_number(
    client: TestClient, frame: bytes, names: list[str]
) -> None:
    with open_socket(client, "cam-2") as socket:
        socket.send_text(json.dumps({"query": "card"}))
        answers = [ask(socket, frame) for _ in range(3)]
    assert [answer["frame"] for answer in answers] == [0, 1, 2]
    assert {mask["name"] for mask in answers[-1]["masks"]} == set(names[:2])
    assert answers[-1]["query"] == "card"
    assert answers[-1]["image_size"] == [640, 480]
    assert answers[-1]["session"] == "cam-2"


def test_a_session_goes_on_over_http_when_the_socket_is_gone(
    client: TestClient, frame: bytes
) -> None:
    with open_socket(client, "cam-3") as socket:
        before = ask(socket, frame)
    after = post(client, frame, "cam-3").json()
    assert [mask["track_id"] for mask in after["masks"]] == [1, 2]
    assert before["session"] == after["session"]


def test_a_frame_that_cannot_be_used_does_not_close_the_socket(
    client: TestClient, frame: bytes
) -> None:
    with open_socket(client) as socket:
        broken = ask(socket, frame[:500])
        assert (broken["frame"], broken["status"]) == (0, 400)
        assert broken["detail"]
        assert ask(socket, b"%PDF-1.4 something")["status"] == 415
        assert ask(socket, b"")["status"] == 400
        assert ask(socket, frame)["count"] == 2


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"query": 7}', "[" * 5000])
def test_a_text_that_is_no_setting_is_refused_and_changes_nothing(
    client: TestClient, frame: bytes, text: str
) -> None:
    with open_socket(client) as socket:
        socket.send_text(json.dumps({"query": "card"}))
        socket.send_text(text)
        refused = json.loads(socket.receive_text())
        assert refused["status"] == 422
        assert "query" in refused["detail"]
        assert ask(socket, frame)["query"] == "card"


def test_a_busy_server_says_so_and_goes_on(
    client: TestClient, context: Context, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_socket(client) as socket:
        monkeypatch.setattr(context.work, "_taken", context.work.places)
        busy = ask(socket, frame)
        assert busy["status"] == 429
        assert busy["retry_after"] >= 1
        monkeypatch.setattr(context.work, "_taken", 0)
        assert ask(socket, frame)["count"] == 2


def test_an_unexpected_error_tells_nothing_of_the_inside(
    client: TestClient, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("secret")

    with open_socket(client) as socket:
        monkeypatch.setattr(live, "answer_frame", fail)
        answer = ask(socket, frame)
        assert answer["status"] == 500
        assert "secret" not in answer["detail"]


def test_the_newest_frame_wins(
    client: TestClient, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    begun = threading.Event()
    answer_frame = live.answer_frame

    def answer_slowly(*arguments: Any) -> bytes:
        begun.set()
        assert may_go_on.wait(30)
        return answer_frame(*arguments)

    monkeypatch.setattr(live, "answer_frame", answer_slowly)
    with open_socket(client) as socket:
        socket.send_bytes(frame)
        assert begun.wait(30)
        for _ in range(5):
            socket.send_bytes(frame)
        time.sleep(0.3)
        may_go_on.set()
        answered = [json.loads(socket.receive_text())["frame"] for _ in range(2)]
    assert answered == [0, 5]


def test_only_so_many_cameras_at_once(
    client: TestClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "sockets", 32)
    with open_socket(client) as socket:
        closed = socket.receive()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1013)


def test_the_best_picture_of_a_track(client: TestClient, frame: bytes) -> None:
    post(client, frame, "cam-p")
    answer = client.get("/api/sessions/cam-p/tracks/1/picture")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.height > 200
    for path in ("cam-p/tracks/9", "nobody/tracks/1"):
        missing = client.get(f"/api/sessions/{path}/picture")
        assert missing.status_code == 404
        assert "picture" in missing.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"host": "evil.example"}, 421),
    ],
)
def test_a_foreign_page_gets_no_socket(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused:
        open_socket(client, **headers).__enter__()
    assert refused.value.status_code == status
    assert refused.value.json()["detail"]


def test_a_socket_needs_the_key(settings: Settings, frame: bytes) -> None:
    with served(replace(settings, api_key="k-1")) as client:
        with pytest.raises(WebSocketDenialResponse) as refused:
            open_socket(client).__enter__()
        assert refused.value.status_code == 401
        with open_socket(client, x_api_key="k-1") as socket:
            assert ask(socket, frame)["count"] == 2


def test_sessions_are_bounded_in_number_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now)
    kept = Sessions()
    first = kept.open("cam-0")
    for number in range(1, 32):
        kept.open(f"cam-{number}")
    assert kept.open("cam-0") is first
    kept.open("one more")
    assert len(kept) == 32
    assert kept.find("cam-1") is None  # the least recently used
    assert kept.find("cam-0") is first

    now = 61.0
    assert kept.find("cam-0") is None
    assert len(kept) == 0


def test_a_real_server_answers_a_real_socket_and_closes_it_when_it_stops(
    settings: Settings, frame: bytes
) -> None:
    with Server(settings, "--workers", "1", "--max-upload-mb", "1") as server:
        address = f"ws://localhost:{server.port}/api/live"
        with connect(address, max_size=None) as socket:
            socket.send(frame)
            assert json.loads(socket.recv())["count"] == 2
            server.stop()
            with pytest.raises(Exception, match=r"1012|1001"):
                socket.recv(timeout=30)


def test_a_frame_over_the_limit_closes_the_socket(settings: Settings) -> None:
    with (
        Server(settings, "--max-upload-mb", "1") as server,
        connect(f"ws://localhost:{server.port}/api/live") as socket,
    ):
        socket.send(bytes(2 * 2**20))
        with pytest.raises(Exception, match="1009"):
            socket.recv(timeout=30)


def test_the_server_forgets_cameras_that_have_gone(settings: Settings, frame: bytes) -> None:
    with Server(settings, "--workers", "1") as server:
        for _ in range(40):  # more than may be connected at once
            with connect(f"ws://localhost:{server.port}/api/live") as socket:
                socket.send(frame)
        with connect(f"ws://localhost:{server.port}/api/live") as socket:
            socket.send(frame)
            assert json.loads(socket.recv(timeout=60))["count"] == 2
