"""Webhooks: signed, told again after failures, and never waited for."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from serving import make_collection, served, wait_until
from website import running

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.events import Events, hub, webhooks
from data_label_factory.identify.server.events.webhooks import Webhook, read_secret, sign
from data_label_factory.identify.server.settings import Settings

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()


class Receiver(ThreadingHTTPServer):
    """Answers with the next of `statuses`, then 204; keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.is_followed = False  # a redirection
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append((fields, body))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.is_followed = True
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with running(receiver):
        yield receiver


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_WAITS", (0.01, 0.01))


class Problems(dict[str, FactoryError | None]):
    def note(self, name: str, error: FactoryError | None) -> None:
        self[name] = error


def begin(receiver: Receiver, events: Events, problems: Problems, secret: str = "") -> Webhook:
    url = f"http://127.0.0.1:{receiver.server_address[1]}/hook?token=geheim"
    return Webhook(url, secret, events, problems.note)


def test_a_receiver_that_fails_twice_gets_it_signed_the_third_time(receiver: Receiver) -> None:
    receiver.statuses = [500, 302]
    events, problems = Events(), Problems()
    webhook = begin(receiver, events, problems, SECRET)
    event = events.publish("seen", {"name": "Blue-Eyes", "price": {"median": 3}})
    wait_until(lambda: len(receiver.got) == 3)
    events.publish("gone", {"name": "Blue-Eyes"})
    wait_until(lambda: len(receiver.got) == 4)
    webhook.stop()

    assert [body["type"] for body in receiver.bodies] == ["seen", "seen", "seen", "gone"]
    assert receiver.bodies[0]["data"]["name"] == "Blue-Eyes"
    fields, body = receiver.got[2]
    assert fields["webhook-id"] == event.id  # the same in each try, so that it counts once
    signed = f"{event.id}.{fields['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b"0123456789abcdef", signed, hashlib.sha256).digest()
    assert fields["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert problems == {"webhook 127.0.0.1": None}
    assert not receiver.is_followed
    assert "dropped" not in receiver.bodies[3]


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """From the specification of Standard Webhooks, in its libraries' tests."""
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    fields = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert fields["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_reader_in_the_docs_tells_genuine_from_forged() -> None:
    page = (Path(__file__).parents[4] / "docs" / "events.md").read_text("utf-8")
    scope: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], scope)
    headers = sign(read_secret("geheim"), "run-1", 1764230000, b"{}")
    assert scope["is_genuine"]("geheim", headers, b"{}")
    assert not scope["is_genuine"]("geheim", headers, b"{ }")
    assert not scope["is_genuine"]("other", headers, b"{}")


def test_what_is_given_up_is_said_and_counted(receiver: Receiver) -> None:
    receiver.statuses = [503] * 6
    events, problems = Events(), Problems()
    webhook = begin(receiver, events, problems)
    for _ in range(3):
        events.publish("taken", {"name": "Opt"})
    wait_until(lambda: len(receiver.got) == 7)
    webhook.stop()
    assert receiver.bodies[-1]["dropped"] == 2
    assert "webhook-signature" not in receiver.got[0][0]
    assert problems == {"webhook 127.0.0.1": None}


def test_a_receiver_that_is_gone_is_a_problem_and_stops_nothing() -> None:
    with running(Receiver()) as url:
        pass
    events, problems = Events(), Problems()
    webhook = Webhook(f"{url}/hook?token=geheim", "", events, problems.note)
    for _ in range(hub._MOST_WAITING + 300):
        events.publish("seen", {})  # none waits
    wait_until(lambda: len(problems) == 1)
    webhook.stop()
    (error,) = problems.values()
    assert "could not be told: ConnectionError" in str(error)
    assert "geheim" not in str(problems)


def test_a_server_tells_its_webhooks_and_health_tells_of_those_that_fail(
    receiver: Receiver, tmp_path: Path
) -> None:
    settings = make_collection(tmp_path, count=2)
    url = f"http://127.0.0.1:{receiver.server_address[1]}"
    receiver.statuses = [500] * 3
    with served(replace(settings, webhook=(url,), webhook_secret="geheim")) as client:
        context = client.app.state.context  # type: ignore[attr-defined]
        context.events.publish("taken", {"name": "Opt"})
        name = "webhook 127.0.0.1"
        wait_until(lambda: "answered 500" in client.get("/health").json()["problems"].get(name, ""))
        context.events.publish("taken", {"name": "Owl"})
        wait_until(lambda: client.get("/health").json()["problems"] == {})
        context.events.publish("taken", {"name": "Last"})
    assert receiver.bodies[-1]["data"] == {"name": "Last"}  # told though it stops
    assert receiver.got[-1][0]["webhook-signature"].startswith("v1,")


def test_one_that_works_does_not_hide_another_of_the_same_host(
    receiver: Receiver, tmp_path: Path
) -> None:
    settings = make_collection(tmp_path, count=2)
    with running(Receiver()) as gone:
        pass
    url = f"http://127.0.0.1:{receiver.server_address[1]}"
    with served(replace(settings, webhook=(url, gone))) as client:
        context = client.app.state.context  # type: ignore[attr-defined]
        context.events.publish("taken", {"name": "Opt"})
        wait_until(lambda: list(context.engine.problems) == ["webhook 127.0.0.1 (2)"])
        context.events.publish("taken", {"name": "Owl"})
        wait_until(lambda: len(receiver.got) == 2)
        assert list(context.engine.problems) == ["webhook 127.0.0.1 (2)"]


def test_problems_that_come_at_once_are_all_kept(tmp_path: Path) -> None:
    engine = Engine(make_collection(tmp_path, count=2))
    is_started = threading.Barrier(2)

    class SlowError(FactoryError):
        def __str__(self) -> str:
            time.sleep(0.05)  # the other one comes meanwhile
            return super().__str__()

    def note(source: str) -> None:
        is_started.wait(10)
        engine.problem(source, SlowError("gone"))

    threads = [threading.Thread(target=note, args=(source,)) for source in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(engine.problems) == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"webhook": ("ftp://h/",)}, "is not an address for --webhook"),
        ({"webhook": ("http://",)}, "is not an address"),
        ({"webhook": ("http://h:port/",)}, "is not an address"),
        ({"webhook_secret": "x"}, "needs --webhook"),
        ({"webhook": ("http://h/",), "webhook_secret": "whsec_???"}, "base64"),
        ({"webhook": ("http://h/",), "webhook_secret": "whsec_"}, "base64"),
    ],
)
def test_wrong_use_is_refused_at_the_start(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FactoryError, match=message):
        create_app(replace(Settings(Path("none.npz")), **changes))


def test_settings_show_neither_secret_nor_address() -> None:
    shown = repr(Settings(Path("i"), webhook=("http://h/geheim",), webhook_secret="geheim"))
    assert "geheim" not in shown
