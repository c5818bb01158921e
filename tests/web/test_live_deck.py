"""The list of what was collected: in sight, searched, sorted, added up, renamed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened, until
from conftest import save_picture
from scripted import Script, mask, scripted, wait_for_rows

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
EMPTY_BELOW = """() => {
    const panels = [...document.querySelectorAll('main .panel, .stage')];
    const end = Math.max(...panels.map((panel) => panel.getBoundingClientRect().bottom));
    return document.documentElement.scrollHeight - scrollY - Math.max(end, innerHeight);
}"""
MOST_EMPTY_PX = 60  # of the page's own edge


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine, launch(engine, None) as browser:
        yield browser


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return str(save_picture(tmp_path / "picture.png", 1))


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"key": f"{name}.jpg", "name": name, "count": 1, "rarity": "", "setCode": "", **more}


def keep_deck(page: Any, entries: list[dict[str, Any]]) -> None:
    """Store a deck as the page does, and load the page with it."""
    text = json.dumps({"format": "data_label_factory deck", "version": 1, "entries": entries})
    page.evaluate("text => localStorage.setItem('data_label_factory.deck', text)", text)
    page.reload()
    until(page, "document.querySelector('#deck li')")


def shown_names(page: Any) -> list[str]:
    names: list[str] = page.locator("#deck .name").all_inner_texts()
    return names


@pytest.mark.parametrize("count", [12, 450])
def test_a_long_deck_does_not_make_the_page_long(browser: Any, count: int) -> None:
    with scripted(Script()) as url, opened(browser, url, quiet=False) as page:
        keep_deck(page, [entry(f"Card {number:03}") for number in range(count)])
        assert page.evaluate(EMPTY_BELOW) <= MOST_EMPTY_PX

        assert page.locator("#deck li").count() == min(count, 200)
        assert page.locator("#deck-more").is_visible() == (count > 200)
        if count > 200:
            page.locator("#deck-more").click()
            assert page.locator("#deck li").count() == 400
            assert page.locator("#deck-more").inner_text() == "Show more (50 hidden)"


def test_the_newest_entry_is_in_sight_and_others_are_found(browser: Any, picture: str) -> None:
    with scripted(Script([mask("Owl", 0.1)])) as url, opened(browser, url, quiet=False) as page:
        keep_deck(page, [entry(f"Card {number:03}", cents=number) for number in range(40)])
        assert shown_names(page)[0] == "Card 039"

        page.locator("#deck-search").fill("012 card")
        assert shown_names(page) == ["Card 012"]
        page.locator("#deck-search").fill("no such")
        assert "Nothing here matches" in page.locator("#deck-note").inner_text()

        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        page.get_by_role("button", name="Add Owl to Deck").click()
        assert shown_names(page)[0] == "Owl"
        first = page.locator("#deck li").first.bounding_box()
        deck = page.locator("#deck").bounding_box()
        assert deck["y"] <= first["y"] < deck["y"] + deck["height"]

        page.locator("#deck-order").select_option("name")
        assert shown_names(page)[0] == "Card 000"
        page.reload()
        until(page, "document.querySelector('#deck li')")
        assert shown_names(page)[0] == "Card 000", "it is remembered"


def test_without_a_rate_the_total_is_in_the_prices_own_currency(browser: Any) -> None:
    with scripted(Script()) as url, opened(browser, url, quiet=False) as page:
        euros = {"cents": None, "currency": "EUR", "amount": 2.5}
        keep_deck(page, [entry("Owl", count=2, **euros), entry("Fox", **euros)])
        assert page.locator("#deck-total").inner_text() == "€7.50"
        assert page.locator("#deck-note").is_hidden()

        keep_deck(page, [entry("Owl", **euros), entry("Fox", cents=100), entry("Elk")])
        assert page.locator("#deck-total").inner_text() == "$1.00 + €2.50"
        assert page.locator("#deck-note").inner_text() == "1 without a price, not in the total."
