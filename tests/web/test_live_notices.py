"""What the live tracker says of itself: a server that is silent, a picture of nothing, the help."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened, until
from conftest import save_picture
from scripted import Script, mask, scripted, wait_for_rows

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
BANNER = "document.querySelector('#banner')"
STATUS = "document.querySelector('#status-text').textContent"
IS_IN_SIGHT = """element => {
    const {top, bottom} = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""
TAB_STOPS = """() => [...document.querySelectorAll('button, a[href], input, select, summary')]
    .filter((element) => element.checkVisibility() && element.tabIndex >= 0)
    .map((element) => element.textContent.trim())"""
TOP_PRICE = {"code": "AB-1", "name": "Owl", "median": 3, "currency": "USD", "usd_median": 3}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine, launch(engine, None) as browser:
        yield browser


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    return [str(save_picture(tmp_path / f"{number}.png", number)) for number in (1, 2)]


def test_a_server_that_says_nothing_is_reported_before_it_is_given_up(
    browser: Any, pictures: list[str]
) -> None:
    script = Script([mask("Owl", 0.1)], work_seconds=4.5)
    with scripted(script) as url, opened(browser, url, quiet=False, height=500) as page:
        page.set_input_files("#image-files", pictures[0])
        until(
            page, f"{BANNER}.textContent.startsWith('The server has not answered for some seconds')"
        )
        assert page.locator(".track").count() == 0
        assert page.locator("#status-text").inner_text() == "Waiting for the server"

        page.evaluate("document.body.style.minHeight = '3000px'")
        page.evaluate("scrollTo(0, 1000)")
        assert page.locator("#banner").evaluate(IS_IN_SIGHT)
        wait_for_rows(page, "Owl")
        assert page.locator("#banner").is_hidden()


def test_a_server_that_is_gone_is_said_once(browser: Any, pictures: list[str]) -> None:
    with scripted(Script()) as url, opened(browser, url, quiet=False) as page:
        page.route("**/api/falcon", lambda route: route.abort())
        page.set_input_files("#image-files", pictures[0])
        until(page, f"{BANNER}.textContent === 'The server does not answer. Trying again …'")
        assert page.locator("#status-text").inner_text() == "No answer"
        page.unroute_all(behavior="wait")


def test_a_picture_with_nothing_known_says_so_on_itself(browser: Any, pictures: list[str]) -> None:
    script = Script([])
    with scripted(script) as url, opened(browser, url, quiet=False, width=390) as page:
        page.set_input_files("#image-files", pictures)
        until(page, f"{STATUS} === 'Nothing of yours here.'")
        said = page.locator("#nothing")
        assert said.inner_text() == "Nothing of yours here."
        assert said.evaluate(IS_IN_SIGHT)

        script.masks = [mask("Owl", 0.1)]
        page.keyboard.press("ArrowRight")
        wait_for_rows(page, "Owl")
        assert said.is_hidden()
        assert page.locator("#status-text").inner_text() == "Named"
        page.keyboard.press("ArrowRight")
        assert page.locator("#page-number").inner_text() == "2 of 2"


def test_help_is_a_key_away_and_lists_the_keys(browser: Any) -> None:
    with scripted(Script()) as url, opened(browser, url, quiet=False) as page:
        page.locator("#settings-panel summary").click()
        page.locator("[name=word]").press("?")
        assert page.locator("#help-dialog").is_hidden(), "somebody types"

        page.locator("#stage").click()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        keys = page.locator("#help-keys dt").all_inner_texts()
        assert {"?", "Esc", "1–4"} <= set(keys)
        until(page, "!document.querySelector('#help-server').hidden")
        page.keyboard.press("Escape")

        page.set_viewport_size({"width": 390, "height": 500})
        page.keyboard.press("?")
        assert page.locator("#help-dialog").evaluate("dialog => dialog.scrollTop") == 0
        box = page.locator("#help-close").bounding_box()
        assert box["y"] + box["height"] <= 500
        page.locator("#help-close").click()

        page.route("**/docs", lambda route: route.fulfill(status=404))
        page.locator("#help").click()
        until(page, "document.querySelector('#help-server').hidden")
        link = page.locator("#help-docs")
        assert link.evaluate("element => element.href") == f"{url}/docs"


def test_a_renamed_list_renames_what_speaks_of_it(browser: Any) -> None:
    with scripted(Script()) as url, opened(browser, url, quiet=False) as page:
        page.route(
            "**/api/top-prices?*", lambda route: route.fulfill(json={"top": [TOP_PRICE], "fx": {}})
        )
        page.reload()
        until(page, "!document.querySelector('#top-panel').hidden")
        assert page.locator("#top-title").inner_text() == "Top Valuable Cards"
        page.locator("#settings-panel summary").click()
        page.locator("[name=word]").fill("Plants")
        assert page.locator("#top-title").inner_text() == "Top Valuable Plants"
        assert "Plants" in page.locator("#deck-title").inner_text()


def test_each_source_is_one_stop_of_the_tab_key(browser: Any) -> None:
    with scripted(Script()) as url, opened(browser, url, quiet=False) as page:
        stops = page.evaluate(TAB_STOPS)
        for source in ("Use Webcam", "Upload Video", "Upload Image(s)"):
            assert stops.count(source) == 1
