"""The live tracker with servers that say what a test tells them: sessions, sockets, the list."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browsing import CHROMIUM, launch, opened, until
from scripted import Script, mask, scripted

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
_FRAMES = 30
_SIDE = (640, 480)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Its camera shows a speckled ground that moves all the time."""
    from playwright.sync_api import sync_playwright

    random = np.random.default_rng(3)
    ground = random.uniform(0, 255, (60, 80, 3)).astype(np.uint8)
    ground = cv2.resize(ground, (_SIDE[0] + 2 * _FRAMES, _SIDE[1]), interpolation=cv2.INTER_CUBIC)
    clip = bytearray()
    for shift in [*range(_FRAMES), *range(_FRAMES, 0, -1)]:
        frame = ground[:, 2 * shift : 2 * shift + _SIDE[0]]
        clip += cv2.imencode(".jpg", frame)[1].tobytes()
    path = tmp_path_factory.mktemp("clip") / "clip.mjpeg"
    path.write_bytes(clip)
    with sync_playwright() as engine, launch(engine, path) as browser:
        yield browser


def start(page: Any) -> None:
    page.locator("[data-source=camera]:visible").first.click()


def wait_for_rows(page: Any, *names: str) -> None:
    rows = "[...document.querySelectorAll('.track:not([data-gone]) h3')].map(e => e.textContent)"
    until(
        page, f"JSON.stringify({rows}) === {json.dumps(json.dumps(names, separators=(',', ':')))}"
    )


def test_no_row_moves_under_the_pointer_or_the_focus(browser: Any) -> None:
    script = Script([mask("Owl", 0.1), mask("Fox", 0.6)])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_for_rows(page, "Owl", "Fox")
        button = page.get_by_role("button", name="Add Fox to Deck")
        before = button.bounding_box()

        button.hover()
        script.masks = [mask("Fox", 0.6), mask("Elk", 0.35)]
        wait_for_rows(page, "Fox", "Elk")
        assert button.bounding_box() == before
        gone = page.locator(".track[data-gone]")
        assert gone.locator(".chip").inner_text() == "gone"
        assert gone.locator(".add").is_disabled()
        assert page.locator(".track h3").all_inner_texts() == ["Owl", "Fox", "Elk"]
        page.mouse.down()
        page.mouse.move(5, 5)
        assert gone.count() == 1
        page.mouse.up()
        until(page, "!document.querySelector('.track[data-gone]')")
        assert button.bounding_box()["y"] < before["y"]
        assert page.locator("#deck-count").inner_text() == "0"

        page.locator("#tracks-title").focus()
        page.keyboard.press("Tab")
        assert "Fox" in str(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        script.masks = [mask("Elk", 0.35)]
        wait_for_rows(page, "Elk")
        assert gone.locator("h3").inner_text() == "Fox"
        script.masks = [mask("Fox", 0.6), mask("Elk", 0.35)]
        wait_for_rows(page, "Fox", "Elk")
        page.keyboard.press("Enter")
        assert "Fox" in page.locator("#deck").inner_text()
        page.evaluate("document.activeElement.blur()")
