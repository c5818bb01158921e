"""What the live tracker can be taught, and how that is taken back."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened, track, until
from conftest import save_picture
from drawn import encoded, photo_like
from PIL import Image
from scripted import Script, mask, scripted, wait_for_rows
from serving import Server, form, get, make_collection, wait_until

from data_label_factory.identify.server.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
FACTS = {"version": "1", "strictness": 0.01, "index_size": 4, "can_enroll": True}
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TOAST = "document.querySelector('#toast-text').textContent"
WARNING = "document.querySelector('#new-warning')"
TILTED = [[0.4, 0.3], [0.7, 0.4], [0.6, 0.8], [0.3, 0.7]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine, launch(engine, None) as browser:
        yield browser


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return str(save_picture(tmp_path / "picture.png", 1))


def listed(name: str, rarity: str = "", set_code: str = "") -> dict[str, str]:
    filename = f"{name}{rarity and '_'}{rarity}.jpg"
    label = f"{name} ({rarity})" if rarity else name
    facts = {"rarity": rarity, "set_code": set_code, "filename": filename}
    return {"label": label, "name": name, "ref_url": f"/refs/{filename}", **facts}


class Collection:
    """What a page asks of a collection that can be changed; it changes nothing."""

    def __init__(self, *items: dict[str, str]) -> None:
        self.items = items
        self.learned: list[dict[str, str]] = []
        self.removed: list[str] = []

    def attach(self, page: Any) -> None:
        page.route("**/api/info", lambda route: route.fulfill(json=FACTS))
        page.route("**/api/items**", self._answer)
        page.route("**/api/items/**", self._answer)
        page.route("**/api/feedback", self._answer)
        page.reload()
        until(page, "!document.querySelector('#items-open').hidden")

    def _answer(self, route: Any) -> None:
        request = route.request
        if request.method == "DELETE":
            self.removed.append(request.url.rpartition("/")[2])
            route.fulfill(json={"filename": "", "label": "", "index_size": 3})
        elif request.method == "POST":
            text = (request.post_data_buffer or b"").decode("latin-1")
            fields = re.findall(r'name="(\w+)"\r\n\r\n(.*?)\r\n', text, re.DOTALL)
            self.learned.append(dict(fields))
            told = {"filename": "learned__2.jpg", "label": "What was learned", "index_size": 5}
            route.fulfill(status=201, json=told)
        else:
            items = list(self.items)
            route.fulfill(json={"items": items, "count": len(items), "total": len(items)})


def thing(name: str, quad: list[list[float]], **more: Any) -> dict[str, Any]:
    (x1, x2), (y1, y2) = ((min(p[i] for p in quad), max(p[i] for p in quad)) for i in (0, 1))
    box = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return mask(name, 0) | {"bbox_norm": box, "quad_norm": quad, **more}


def at(page: Any, x: float, y: float) -> tuple[float, float]:
    box = page.locator("#crop").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_new_item_begins_at_the_unsure_outline_and_its_corners_can_be_moved(
    browser: Any, picture: str
) -> None:
    known = thing("Owl", [[0.05, 0.1], [0.25, 0.1], [0.25, 0.5], [0.05, 0.5]])
    unsure = thing("Fox", TILTED, confident=False)
    collection = Collection()
    with scripted(Script([known, unsure])) as url, opened(browser, url, quiet=False) as page:
        collection.attach(page)
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl", "Fox")
        page.locator("#teach").click()
        page.locator("#new-name").fill("Blue Teapot")
        assert page.evaluate(f"{WARNING}.hidden")

        page.mouse.move(*at(page, 0.4, 0.3))
        page.mouse.down()
        page.mouse.move(*at(page, 0.45, 0.2), steps=4)
        page.mouse.up()
        page.locator("#crop").focus()
        page.keyboard.press("3")
        page.keyboard.press("ArrowRight")
        page.locator("#new-dialog [type=submit]").click()
        until(page, f"{TOAST} === 'Added: What was learned'")

        (fields,) = collection.learned
        assert fields["name"] == "Blue Teapot"
        corners = json.loads(fields["quad_norm"])
        expected = [[0.45, 0.2], TILTED[1], [0.62, 0.8], TILTED[3]]
        assert [pytest.approx(corner, abs=0.01) for corner in expected] == corners

        page.get_by_role("button", name="Undo").click()
        until(page, f"{TOAST} === 'Taken back: What was learned'")
        assert collection.removed == ["learned__2.jpg"]


def test_a_part_that_shows_a_known_item_is_not_added_without_a_word(
    browser: Any, picture: str
) -> None:
    known = thing("Owl", [[0.3, 0.2], [0.6, 0.2], [0.6, 0.8], [0.3, 0.8]], rarity="UR")
    with scripted(Script([known])) as url, opened(browser, url, quiet=False) as page:
        Collection().attach(page)
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        page.locator("#teach").click()
        until(page, f"{WARNING}.textContent.startsWith('This part shows Owl (UR)')")
        assert page.locator("#new-warning").is_visible()

        page.mouse.move(*at(page, 0.8, 0.05))
        page.mouse.down()
        page.mouse.move(*at(page, 0.98, 0.2), steps=4)
        page.mouse.up()
        assert page.evaluate(f"{WARNING}.hidden")


def similar() -> tuple[Script, Collection]:
    near = [("Owl", "UR"), ("Fox", ""), ("Owl", "SR")]
    items = [listed("Ape"), listed("Fox"), listed("Owl", "SR", "AB-2"), listed("Owl", "UR", "AB-1")]
    top = [
        {"name": name, "filename": listed(name, rarity)["filename"], "score": 0.8}
        for name, rarity in near
    ]
    best = thing("Owl", TILTED, rarity="UR", set_code="AB-1", top_k=top, ref_filename="Owl_UR.jpg")
    best |= {"variants": ["Owl_UR.jpg", "Owl_SR.jpg"], "ref_url": "/refs/Owl_UR.jpg"}
    return Script([best]), Collection(*items)


def test_near_duplicates_have_names_and_corrections_begin_at_the_runners_up(
    browser: Any, picture: str
) -> None:
    script, collection = similar()
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        collection.attach(page)
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        card = track(page, "Owl")
        notes = "document.querySelector('.track').textContent"
        until(page, f"{notes}.includes('Looks the same: SR · AB-2')")

        card.get_by_role("button", name="That’s wrong").click()
        until(page, "document.querySelectorAll('#correct-items button').length === 4")
        rows = page.locator("#correct-items li").all_inner_texts()
        assert [row.strip("?\n ") for row in rows] == [
            "Perhaps one of these",
            "Owl (SR) · AB-2",
            "Fox",
            "All items",
            "Ape",
            "Owl (UR) · AB-1",
        ]
        page.locator("#correct-items button").nth(1).click()
        until(page, f"{TOAST} === 'Learned: a further picture of What was learned'")
        assert collection.learned[-1]["filename"] == "Fox.jpg"

        card.get_by_role("button", name="That’s wrong").click()
        page.get_by_role("button", name="It is a new item …").click()
        assert page.locator("#correct-dialog").is_hidden()
        page.locator("#new-name").fill("Kite")
        page.locator("#new-dialog [type=submit]").click()
        until(page, f"{TOAST}.startsWith('Added:')")
        corners = json.loads(collection.learned[-1]["quad_norm"])
        assert [pytest.approx(corner, abs=0.001) for corner in TILTED] == corners


def test_a_runner_up_is_chosen_with_one_press_and_taken_back_with_another(
    browser: Any, picture: str
) -> None:
    script, collection = similar()
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        collection.attach(page)
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        page.get_by_role("button", name="Runners-up").click()
        page.get_by_role("button", name="It is Owl · SR · AB-2: learn it").click()
        until(page, f"{TOAST} === 'Learned: a further picture of What was learned'")
        assert collection.learned[0]["filename"] == "Owl_SR.jpg"
        assert page.locator("#deck-count").inner_text() == "0"
        page.get_by_role("button", name="Undo").click()
        wait_until(lambda: collection.removed == ["learned__2.jpg"])


def test_where_nothing_can_be_taught_a_runner_up_goes_to_the_deck(
    browser: Any, picture: str
) -> None:
    script, _ = similar()
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        page.get_by_role("button", name="Runners-up").click()
        page.get_by_role("button", name="It is Fox: add to Deck").click()
        assert page.locator("#deck .name").all_inner_texts() == ["Fox"]


def test_the_reference_stays_in_its_place_when_a_further_picture_matches(
    browser: Any, picture: str
) -> None:
    seen = mask("Owl", 0.3, ref_filename="Owl__2.jpg", first_view="Owl.jpg")
    with scripted(Script([seen])) as url, opened(browser, url, quiet=False) as page:
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        assert "Matched by a further picture of it" in page.locator(".track").inner_text()
        assert any("/refs/Owl.jpg?" in one for one in requested)
        assert not any("Owl__2" in one for one in requested)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("own"), count=4)


def teach_view(server: Server, filename: str) -> None:
    picture = encoded(Image.fromarray(photo_like(300, 200)), "JPEG")
    body, content_type = form(picture, filename=filename)
    request = urllib.request.Request(
        f"{server.url}/api/feedback", body, {"Content-Type": content_type}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201


def test_pictures_and_items_are_removed_after_a_question(browser: Any, settings: Settings) -> None:
    """With a real server."""
    assert settings.refs
    files = sorted(file.name for file in settings.refs.iterdir())
    with (
        Server(settings, "--workers", "1", "--allow-enroll") as server,
        opened(browser, server.url) as page,
    ):

        def count() -> int:
            return int(get(f"{server.url}/health")[1]["index_size"])

        until(page, "!document.querySelector('#items-open').hidden")
        page.locator("#settings-panel summary").click()
        page.locator("#items-open").click()
        rows = page.locator("#items-list button")
        until(page, "document.querySelectorAll('#items-list button').length === 4")
        rows.first.click()
        until(page, "document.querySelector('#items-list .view')")
        assert files[0] in page.locator("#items-list").inner_text()
        assert page.locator("#items-list button:visible").count() == 0, "its only picture"

        remove = page.locator("#items-remove")
        remove.click()
        assert remove.inner_text() == "Really remove it?"
        assert count() == 4
        remove.click()
        until(page, f"{TOAST}.startsWith('Removed: ')")
        assert count() == 3
        assert not (settings.refs / files[0]).exists()
        assert len(list((settings.refs / ".removed").iterdir())) == 1
        until(page, "document.querySelectorAll('#items-list button').length === 3")

        teach_view(server, files[1])
        rows.first.click()
        until(page, "document.querySelectorAll('#items-list .view').length === 2")
        view = page.locator("#items-list .view").nth(1)
        assert "Further picture 2" in view.inner_text()
        assert (
            "The first picture is the one that is shown" in page.locator("#items-note").inner_text()
        )
        view.get_by_role("button").click()
        assert count() == 4
        view.get_by_role("button", name="Really?").click()
        until(page, "document.querySelectorAll('#items-list .view').length === 1")
        assert count() == 3
        assert (settings.refs / files[1]).exists()


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core here: npm install")
def test_everyone_can_use_the_dialogs(browser: Any, picture: str) -> None:
    script, collection = similar()
    with scripted(script) as url, opened(browser, url, quiet=False, width=390) as page:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        collection.attach(page)
        page.set_input_files("#image-files", picture)
        wait_for_rows(page, "Owl")
        page.locator(".track .details").click()
        page.evaluate(AXE.read_text("utf-8"))
        for opener in ("Help", "Add as a new item…", "That’s wrong …", "Pictures"):
            page.get_by_role("button", name=opener, exact=True).click()
            dialog = page.locator("dialog[open]")
            dialog.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            serious = [f for f in found if f["impact"] in ("serious", "critical")]
            assert not serious, json.dumps(serious, indent=1)[:3000]
            page.keyboard.press("Escape")
            assert dialog.count() == 0
