"""The start page: what it says, that its links work, and that names and keys stay what they are."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import write_prices
from conftest import save_picture
from markup import EVIL, Page, assert_inert
from serving import Server, make_collection, reindex, served, wait_until
from starlette.testclient import TestClient

from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.server import start_page
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label

PERSON = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("start"), count=4)


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A collection with hostile file names; the slash of some is not possible in one."""
    made = make_collection(tmp_path_factory.mktemp("evil"), count=1)
    assert made.refs
    for seed, name in enumerate(EVIL):
        save_picture(made.refs / f"{name.replace('/', '')}.png", seed)
    reindex(made)
    return made


def test_it_says_what_it_knows_and_how_it_is_doing(settings: Settings) -> None:
    with served(settings) as client:
        page = assert_inert(client.get("/").text)
    assert "4 items, 4 pictures" in page.text
    for words in (
        "Ready: it names what a camera",
        "All were read.",
        "Not calibrated on this collection",
        "None. Start the server with --prices",
        "onnx:model.onnx, without a trained head",
        "curl -F image=@photo.jpg http://localhost/api/falcon",
    ):
        assert words in page.text, words


def test_its_links_are_relative_and_work(settings: Settings) -> None:
    with served(settings) as client:
        answer = client.get("/")
        page = Page(answer.text)
        links = [*page.values_of("href"), *page.values_of("src")]
        assert {"docs", "canvas/live", "health", "api/items", "metrics"} <= set(links)
        for link in links:
            assert not link.startswith("/") and "://" not in link
            assert client.get(f"/{link}").status_code == 200, link
        assert "<i>" not in client.get("/", headers={"Host": "localhost:1<i>"}).text


def test_no_main_link_leads_to_json(settings: Settings) -> None:
    with served(settings) as client:
        main = client.get("/").text.partition("For programs")[0]
        for link in Page(main).values_of("href"):
            assert "json" not in client.get(f"/{link}").headers["content-type"], link


def test_its_policy_allows_its_own_style_and_pictures_only(settings: Settings) -> None:
    with served(settings) as client:
        policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "img-src 'self'" in policy and "unsafe" not in policy and "script-src" not in policy


def test_the_newest_pictures_come_first_and_each_item_once(settings: Settings) -> None:
    assert settings.refs
    files = sorted(settings.refs.iterdir())
    for age, file in enumerate([files[2], files[0], files[3], files[1]]):
        os.utime(file, (1.7e9 - age * 86400,) * 2)
    with served(settings) as client:
        page = client.get("/").text
    shown = re.findall(r'src="refs/([^"?]+)\?w=240"', page)
    assert shown == [file.name for file in (files[2], files[0], files[3], files[1])]
    assert datetime.fromtimestamp(1.7e9).strftime("%Y-%m-%d") in page


def test_pictures_that_are_gone_are_not_shown(settings: Settings, tmp_path: Path) -> None:
    assert settings.refs
    shutil.copytree(settings.refs, tmp_path / "refs")
    gone, *others = sorted((tmp_path / "refs").iterdir())
    gone.unlink()
    with served(replace(settings, refs=tmp_path / "refs")) as client:
        page = client.get("/").text
    assert len(re.findall(r'src="refs/', page)) == len(others)
    assert "1 of 4 cannot be read" in page


def test_without_reference_pictures_it_shows_none_and_says_why(settings: Settings) -> None:
    with served(replace(settings, refs=None)) as client:
        page = client.get("/").text
    assert "<img" not in page and "Start the server with --refs" in page


def test_the_most_valuable_come_first_with_their_prices(settings: Settings, tmp_path: Path) -> None:
    assert settings.refs
    codes = [parse_label(file.name).set_code for file in sorted(settings.refs.iterdir())]
    yen = {code: 1000 * (number + 1) for number, code in enumerate(filter(None, codes))}
    prices = write_prices(tmp_path / "p.json", yen)
    with served(replace(settings, prices=prices, fx_rates=("JPY=0.0067",))) as client:
        wait_until(lambda: client.get("/health").json()["has_prices"])
        page = Page(client.get("/").text)
    highest = max(yen.values())
    assert f"{highest:,} JPY (${highest * 0.0067:.2f})" in page.text
    assert page.text.index(f"{highest:,} JPY") < page.text.index("1,000 JPY")
    assert re.search(rf"{len(yen)} in JPY from csv, (\d+ days? old|from today)", page.text)


@pytest.mark.parametrize(
    ("timestamp", "days"),
    [
        ((datetime.now(UTC) - timedelta(days=3, hours=1)).isoformat(), 3),
        ((datetime.now(UTC) + timedelta(days=3)).isoformat(), 0),
        ("2020-01-01T00:00:00", (datetime.now(UTC) - datetime(2020, 1, 1, tzinfo=UTC)).days),
        ("yesterday", None),
        ("", None),
    ],
    ids=["days ago", "in the future", "without a zone", "no time", "empty"],
)
def test_days_since_a_time(timestamp: str, days: int | None) -> None:
    assert start_page._count_days(timestamp) == days


@pytest.mark.parametrize(
    ("known_items", "says"),
    [(4, "Calibrated: it rests on 96 unknown items"), (1, "has changed a lot")],
)
def test_it_says_whether_the_confidence_is_calibrated(
    settings: Settings, tmp_path: Path, known_items: int, says: str
) -> None:
    calibrated = replace(settings, index=tmp_path / "calibrated.npz")
    learned = Calibration(unknowns=96, items=known_items).as_dict()
    Index.load(settings.index).with_calibration(learned).save(calibrated.index)
    with served(calibrated) as client:
        assert says in client.get("/").text


def test_while_it_loads_it_says_so_and_looks_again(settings: Settings) -> None:
    engine = Engine(settings)
    app = create_app(settings, engine, load=False)
    with TestClient(app, base_url="http://localhost") as client:
        page = client.get("/").text
        assert "Loading" in page and '<meta http-equiv="refresh"' in page
        engine.load()
        assert '<meta http-equiv="refresh"' not in client.get("/").text
        app.state.context.failed = True
        assert "Its log says why" in client.get("/").text


def test_names_and_problems_become_text(evil: Settings, settings: Settings) -> None:
    with served(evil) as client:
        engine = client.app.state.context.engine  # type: ignore[attr-defined]
        engine.problem(EVIL[0], ValueError(EVIL[1]))
        page = assert_inert(client.get("/").text)
        assert EVIL[0] in page.text and EVIL[1] in page.text and "{{7*7}}" in page.text
        pictures = page.values_of("src")
        assert len(pictures) == 1 + len(EVIL)
        for picture in pictures:
            assert client.get(f"/{picture}").headers["content-type"] == "image/jpeg"
        evil_kinds = set(page.elements)
    with served(settings) as client:
        assert evil_kinds <= set(Page(client.get("/").text).elements)


# With a key


def test_without_the_key_a_person_sees_a_page_that_tells_nothing_else(settings: Settings) -> None:
    with served(replace(settings, api_key="open sesame")) as client:
        refused = client.get("/", headers=PERSON)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
        assert "style-src 'sha256-" in refused.headers["content-security-policy"]
        page = assert_inert(refused.text)
        assert "give the key as the password" in page.text
        assert not page.values_of("href") and not page.values_of("src")
        assert not re.search(
            r"sesame|items|onnx|localhost|\d\.\d+\.\d", refused.text.partition("</style>")[2]
        )

        assert "X-API-Key" in client.get("/").json()["detail"]  # programs still get JSON

        opened = client.get("/", headers={"X-API-Key": "open sesame"})
        assert "4 items" in opened.text
        assert "sesame" not in opened.text
        assert "-H 'X-API-Key: KEY'" in Page(opened.text).text


def test_a_foreign_host_name_is_refused_with_a_page(settings: Settings) -> None:
    with served(settings) as client:
        refused = client.get("/", headers={**PERSON, "Host": "evil.example"})
    assert refused.status_code == 421
    assert "answers to localhost only" in assert_inert(refused.text).text


# In a browser


@pytest.mark.browser
def test_in_a_browser_nothing_runs_nothing_leaves_and_nothing_is_blocked(
    evil: Settings, browser: Any
) -> None:
    seen: list[str] = []
    origins: set[str] = set()
    with Server(evil) as server, browser.new_context(viewport={"width": 390, "height": 800}) as tab:
        page = tab.new_page()
        page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda line: seen.append(line.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("request", lambda request: origins.add(re.match(r"\w+://[^/]+", request.url)[0]))
        page.goto(f"{server.url}/", wait_until="networkidle")
        pictures = page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        panel = page.locator(".card").first.evaluate("one => getComputedStyle(one).borderRadius")
    assert seen == []
    assert origins == {server.url}
    assert len(pictures) == 1 + len(EVIL) and min(pictures) > 0
    assert wide == 0, "the page is wider than a phone"
    assert panel == "14px", "the policy blocks the page's own style"
