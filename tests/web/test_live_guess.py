"""What the live tracker says of a still picture in which nothing is sure."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened, until
from conftest import save_picture
from drawn import photo_like
from PIL import Image
from scripted import Mask, Script, mask, scripted, start, wait_for_rows
from serving import Server, make_collection, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]

NAMES = "[...document.querySelectorAll('#guess b')].map(e => e.textContent).join()"
IS_GUESSING = "!document.querySelector('#guess').hidden"
HINT = "document.querySelector('#no-tracks').textContent"
COUNT_DRAWN = """() => {
    const canvas = document.querySelector('#overlay');
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value) => sum + value, 0);
}"""
NEAREST = ["Teddy", "teddy", "Duck Toy", "Owl", "Fox"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from browsing import write_clip
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("clip")
    clip = write_clip(folder / "clip.mjpeg", [save_picture(folder / "a.png", 1)])
    with sync_playwright() as engine, launch(engine, clip) as browser:
        yield browser


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return str(save_picture(tmp_path / "picture.png", 1))


def guess(*names: str) -> Mask:
    """Of items that have set codes; each name twice is two references of one item."""
    near = [
        {
            "name": name,
            "filename": f"{name} {number}.jpg",
            "score": 0.5,
            "set_code": f"NEO-{number}",
            "rarity": "UR",
        }
        for number, name in enumerate(names)
    ]
    box = mask(names[0], 0.1, confident=False)["bbox_norm"]
    (left, top), (right, bottom) = (box["x1"], box["y1"]), (box["x2"], box["y2"])
    quad = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return mask(names[0], 0.1, confident=False, guess=True, top_k=near, quad_norm=quad)


def test_a_guess_is_muted_and_counts_nowhere_until_a_name_is_pressed(
    browser: Any, picture: str
) -> None:
    script = Script([guess(*NEAREST)])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        page.set_input_files("#image-files", picture)
        until(page, IS_GUESSING)
        assert script.posted[0]["guess"] == "1"
        assert "session" not in script.posted[0]
        assert page.evaluate(NAMES) == "Teddy,Duck Toy,Owl"
        assert page.locator("#guess small").all_inner_texts() == [
            "UR · NEO-0",
            "UR · NEO-2",
            "UR · NEO-3",
        ]
        assert page.locator(".track").count() == 0
        assert page.locator("#track-count").inner_text() == "0"
        assert page.locator("#deck-count").inner_text() == "0"
        assert not page.locator("#no-tracks").is_visible()
        assert not page.locator("#guess-teach").is_visible()
        assert "perhaps Teddy · Duck Toy · Owl" in page.locator("#live").inner_text()
        page.wait_for_timeout(300)
        assert page.evaluate(COUNT_DRAWN) == 0

        page.get_by_role("button", name="It is Duck Toy: add to Deck").click()
        assert page.locator("#deck-count").inner_text() == "1"
        assert page.locator("#deck-total").inner_text() == "$0.00"
        deck = page.locator("#deck")
        assert "Duck Toy" in deck.inner_text()
        stored = page.evaluate("Object.values(localStorage).find(text => text.includes('Duck'))")
        (entry,) = json.loads(stored)["entries"]
        assert (entry["key"], entry["setCode"], entry["cents"]) == ("Duck Toy 2.jpg", "NEO-2", None)

        page.locator("#settings-panel summary").click()
        page.locator("[name=sureOnly]").check()
        assert not page.locator("#guess").is_visible()
        assert page.evaluate(HINT) == "Nothing sure here."


def test_an_unsure_name_is_listed_beside_the_guess(browser: Any, picture: str) -> None:
    script = Script([mask("Elk", 0.5, confident=False, label="Elk?"), guess(*NEAREST)])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Elk")
        until(page, IS_GUESSING)
        assert page.locator("#track-count").inner_text() == "1"


def test_an_empty_answer_about_a_picture_is_said(browser: Any, picture: str) -> None:
    script = Script([])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        assert "listed here" in page.evaluate(HINT)
        page.set_input_files("#image-files", picture)
        until(page, f"{HINT} === 'Nothing of yours here.'")
        assert page.locator("#no-tracks").is_visible()
        assert page.locator("#live").inner_text() == "Nothing of yours here."
        assert not page.locator("#guess").is_visible()

        page.locator("#stop").click()
        assert "listed here" in page.evaluate(HINT)


def test_a_camera_asks_for_no_guess_and_shows_none(browser: Any) -> None:
    script = Script([mask("Fox", 0.5), guess(*NEAREST)])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_for_rows(page, "Fox")
        wait_until(lambda: len(script.posted) > 4)
        assert not any("guess" in fields for fields in script.posted)
        assert not page.locator("#guess").is_visible()


def test_views_of_one_thing_are_one_row_and_one_entry_of_the_deck(
    browser: Any, picture: str
) -> None:
    second = mask("Owl", 0.3, ref_filename="Owl__2.jpg", first_view="Owl.jpg")
    script = Script([second | {"variants": ["Owl__2.jpg"]}])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_for_rows(page, "Owl")
        page.get_by_role("button", name="Add Owl to Deck").click()
        script.masks = [mask("Owl", 0.3, variants=["Owl.jpg"])]
        posted = len(script.posted)
        wait_until(lambda: len(script.posted) > posted + 4)
        assert page.locator(".track").get_attribute("data-id") == "1"
        page.get_by_role("button", name="Add Owl to Deck").click()
        assert page.locator("#deck li").count() == 1
        assert page.locator("#deck-count").inner_text() == "2"


def test_a_picture_is_kept_as_a_further_view_of_what_was_guessed(
    browser: Any, tmp_path: Path
) -> None:
    """With a real server; what the guess is, is its own affair."""
    settings = make_collection(tmp_path / "own", count=3)
    assert settings.refs
    files = sorted(file.name for file in settings.refs.iterdir())
    with (
        Server(settings, "--workers", "1", "--allow-enroll") as server,
        opened(browser, server.url) as page,
    ):

        def answer(route: Any) -> None:
            near = [{"name": "Any", "filename": files[0], "score": 0.4}]
            told = guess("Any") | {"top_k": near, "quad_norm": [[0, 0], [1, 0], [1, 1], [0, 1]]}
            body = {"masks": [told], "count": 1, "query": ""}
            route.fulfill(status=200, json=body)

        page.route("**/api/falcon", answer)
        Image.fromarray(photo_like(300, 200)).save(tmp_path / "seen.png")
        page.set_input_files("#image-files", str(tmp_path / "seen.png"))
        until(page, IS_GUESSING)
        page.get_by_role("button", name="Keep this picture as a further view …").click()
        until(page, "document.querySelectorAll('#correct-items button').length === 3")
        page.locator("#correct-items button").first.click()
        until(page, "!document.querySelector('#toast').hidden")
        told = page.locator("#toast-text").inner_text()
        assert "It has 2 pictures now. One from another side may help." in told
        assert (settings.refs / files[0].replace(".", "__2.")).is_file()

        page.get_by_role("button", name="Keep this picture as a further view …").click()
        until(page, "document.querySelectorAll('#correct-items button').length === 3")
        assert "Enough" not in told
