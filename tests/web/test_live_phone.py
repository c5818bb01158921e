"""The live tracker in a hand: three things at once, outlines to press, targets for a thumb."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened, until
from conftest import save_picture
from scripted import Script, mask, scripted, wait_for_rows

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
WIDTH, HEIGHT = 390, 844
LEAST_PX = 44  # Apple's and WCAG 2.5.5's least size of a target
SMALL_TARGETS = """(least) => [...document.querySelectorAll('button, input, select, summary')]
    .filter((element) => element.checkVisibility() && element.type !== 'file')
    .map((element) => [element, element.closest('label.check') ?? element])
    .map(([element, target]) => [element, target.getBoundingClientRect()])
    .filter(([, box]) => box.height < least || box.width < least)
    .map(([element, box]) => `${element.outerHTML.slice(0, 60)} ${box.width} × ${box.height}`)"""
NAMES = ["Owl of the Northern Woods", "Fox", "Elk"]
PRICE = {"usd_median": 3.5, "median": 3.5, "currency": "USD", "scraped_at": "2026-11-01"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine, launch(engine, None) as browser:
        yield browser


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return str(save_picture(tmp_path / "picture.png", 1))


def three() -> Script:
    near = [{"name": "Elk", "filename": "Elk.jpg", "score": 0.9}]
    near += [{"name": "Bat", "filename": "Bat.jpg", "score": 0.4}]
    return Script(
        [
            mask(name, 0.05 + 0.3 * place, price=PRICE, margin=0.3, top_k=near)
            for place, name in enumerate(NAMES)
        ]
    )


def test_three_things_can_be_added_without_scrolling(browser: Any, picture: str) -> None:
    with (
        scripted(three()) as url,
        opened(browser, url, quiet=False, width=WIDTH, height=HEIGHT) as page,
    ):
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, *NAMES)
        assert page.evaluate("scrollY") == 0
        for name in NAMES:
            button = page.get_by_role("button", name=f"Add {name} to Deck")
            box = button.bounding_box()
            assert box["y"] + box["height"] <= HEIGHT
            button.click()
        assert page.evaluate("scrollY") == 0
        assert page.locator("#deck-count").inner_text() == "3"
        assert page.locator(".track .add").first.inner_text() == "+ Add (1)"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [WIDTH, 1440])
def test_a_press_on_an_outline_goes_to_its_card(browser: Any, picture: str, width: int) -> None:
    with (
        scripted(three()) as url,
        opened(browser, url, quiet=False, width=width, height=HEIGHT) as page,
    ):
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, *NAMES)
        page.wait_for_timeout(300)  # the outlines fade in
        picture_box = page.evaluate("""() => {
            const still = document.querySelector('#still');
            const {left, top, width, height} = still.getBoundingClientRect();
            const {naturalWidth, naturalHeight} = still;
            const scale = Math.min(width / naturalWidth, height / naturalHeight);
            const [w, h] = [naturalWidth * scale, naturalHeight * scale];
            return [left + (width - w) / 2, top + (height - h) / 2, w, h];
        }""")
        left, top, across, down = picture_box
        page.mouse.click(left + 0.75 * across, top + 0.3 * down)
        focused = "document.activeElement.getAttribute('aria-label')"
        until(page, f"{focused} === {json.dumps('Add Elk to Deck')}")
        card = page.locator(".track", has=page.get_by_role("heading", name="Elk", exact=True))
        assert card.get_by_role("button", name="Runners-up").is_visible()
        assert page.locator("#deck-count").inner_text() == "0", (
            "a press on the picture adds nothing"
        )

        page.mouse.click(left + 0.29 * across, top + 0.9 * down)
        assert page.evaluate(focused) != "Add Fox to Deck"


def test_every_target_is_large_enough_for_a_thumb(browser: Any, picture: str) -> None:
    with (
        scripted(three()) as url,
        opened(browser, url, quiet=False, width=WIDTH, height=HEIGHT) as page,
    ):
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, *NAMES)
        for number, name in enumerate(NAMES):
            page.get_by_role("button", name=f"Add {name} to Deck").click()
            page.locator(".track .details").nth(number).click()
        page.get_by_role("button", name="Runners-up").first.click()
        page.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
        assert page.evaluate(SMALL_TARGETS, LEAST_PX) == []


def test_a_picture_is_answered_while_scanning_too(browser: Any, picture: str) -> None:
    with (
        scripted(three()) as url,
        opened(browser, url, quiet=False, width=WIDTH, height=HEIGHT) as page,
    ):
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, *NAMES)
        page.locator("#scan-toggle").click()
        for name in NAMES:
            assert page.get_by_role("button", name=f"Add {name} to Deck").is_visible()
        tracks, album = (
            page.locator(which).bounding_box()["y"] for which in ("#tracks-panel", "#album-panel")
        )
        assert tracks < album
