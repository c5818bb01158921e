"""The overlay for streaming programs: the newest card, large, for a while, and nothing else."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from browsing import CHROMIUM, PATIENCE_MS, until
from serving import make_collection, served, wait_until
from starlette.testclient import TestClient

from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.settings import Settings

VISIBLE = "!document.querySelector('#card').hidden"
NAME = "document.querySelector('#name').textContent"

# At once, because it leaves again.
LOOK = """() => {
    const card = document.querySelector('#card');
    const style = (element) => getComputedStyle(element);
    return {
        texts: ['name', 'facts', 'price'].map((id) => document.getElementById(id).textContent),
        width: card.offsetWidth,
        right: card.offsetLeft + card.offsetWidth,
        accent: style(card).borderBottomColor,
        backgrounds: [document.documentElement, document.body].map((e) => style(e).backgroundColor),
        isTaken: !document.querySelector('#taken').hidden,
    };
}"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("overlay"), count=2)


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[tuple[str, Context]]:
    """The application on a real socket, and what it shares."""
    app = create_app(settings)
    config = uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    context: Context = app.state.context
    wait_until(lambda: server.started and context.phase == "ready")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", context
    context.draining = True  # ends the streams
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


def open_overlay(browser: Any, live: tuple[str, Context], query: str = "") -> Any:
    url, context = live
    wait_until(lambda: len(context.events) == 0)
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{url}/overlay{query}")
    wait_until(lambda: len(context.events) == 1)  # it listens
    return page


def card(settings: Settings, **more: Any) -> dict[str, Any]:
    assert settings.refs
    reference = sorted(settings.refs.iterdir())[0].name
    price = {"median": 1980, "currency": "JPY", "usd_median": 13.27}
    data = {"name": "Blue-Eyes", "set_code": "LOB-001", "rarity": "UR", "price": price}
    return {**data, "ref_url": f"/refs/{reference}", **more}


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="no chromium here")
def test_the_newest_card_is_shown_large_and_leaves(
    browser: Any, live: tuple[str, Context], settings: Settings
) -> None:
    page = open_overlay(browser, live, "?seconds=2&corner=top-right&size=300&accent=ff0000")
    assert page.locator("#card").is_hidden()
    live[1].events.publish("seen", card(settings))
    until(page, VISIBLE)
    shown = page.evaluate(LOOK)
    assert shown["texts"] == ["Blue-Eyes", "LOB-001 · UR", "$13.27"]
    assert shown["width"] == 300
    assert shown["right"] == 1280 - 24
    assert shown["accent"] == "rgb(255, 0, 0)"
    assert set(shown["backgrounds"]) == {"rgba(0, 0, 0, 0)"}
    assert not shown["isTaken"]
    until(page, "document.querySelector('#picture').naturalWidth > 0")
    until(page, f"!({VISIBLE})")
    page.context.close()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="no chromium here")
def test_only_what_the_address_asks_for_is_shown(
    browser: Any, live: tuple[str, Context], settings: Settings
) -> None:
    page = open_overlay(browser, live, "?kinds=taken&session=desk&price=0")
    events = live[1].events
    events.publish("seen", card(settings, name="Not taken", session="desk"))
    events.publish("taken", card(settings, name="Elsewhere", session="phone"))
    foreign = {"name": "<b>Opt</b>", "session": "desk", "ref_url": "https://evil.example/x.jpg"}
    events.publish("taken", foreign)
    until(page, f"{NAME} === '<b>Opt</b>'")
    assert page.locator("#taken").is_visible()
    assert page.locator("#picture").is_hidden()
    assert page.locator("#price").inner_text() == ""
    events.publish("taken", card(settings, name="Owl", session="desk", price={"median": 2}))
    until(page, f"{NAME} === 'Owl'")
    page.context.close()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("corner=left", "corner must be one of top-left"),
        ("size=99999", "size must be a whole number from 120 to 1200"),
        ("seconds=0", "from 1 to 120"),
        ("seconds=²", "from 1 to 120"),
        ("color=red", "a color such as ffffff"),
        ("back=0b1220e", "a color"),
        ("kinds=sold", "kinds must be"),
        ("session=a b", "the name of a session"),
        ("colour=fff", "has no setting 'colour'. It has corner, size"),
    ],
)
def test_a_setting_that_is_wrong_is_named(client: TestClient, query: str, message: str) -> None:
    answer = client.get(f"/overlay?{query}")
    assert answer.status_code == 422
    assert message in answer.json()["detail"]


def test_all_settings_together(client: TestClient) -> None:
    query = "corner=center&size=500&seconds=8&color=fff&back=0000&accent=34d399ff"
    answer = client.get(f"/overlay?{query}&kinds=seen&price=1&session=desk")
    assert answer.status_code == 200
    assert "canvas/js/show.js" in answer.text


def test_the_page_of_a_checkout_without_it_is_404(tmp_path: Path) -> None:
    from data_label_factory.web import assets

    assert assets.find_asset("show.html", tmp_path) is None
