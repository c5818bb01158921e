"""Lists of the server on the live page, in Chromium."""

import io
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, opened, until
from PIL import Image
from serving import Server, make_collection

from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("listed"), count=4)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    with Server(settings, "--workers", "1") as server:
        yield server


@pytest.fixture(scope="module")
def files(settings: Settings) -> list[str]:
    assert settings.refs
    return sorted(file.name for file in settings.refs.iterdir())


def ask(server: Server, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def entries(server: Server, number: int) -> list[Any]:
    found: list[Any] = ask(server, f"/api/lists/{number}/entries?sort=oldest")["entries"]
    return found


def make_list(server: Server, name: str, *values: dict[str, Any]) -> int:
    number: int = ask(server, "/api/lists", {"name": name})["id"]
    if values:
        ask(server, f"/api/lists/{number}/entries", {"entries": list(values)})
    return number


@contextmanager
def on_list(browser: Any, server: Server, number: int) -> Iterator[Any]:
    with opened(browser, server.url, quiet=False) as page:
        choose(page, number)
        yield page


def choose(page: Any, number: int) -> None:
    until(page, f"document.querySelector('#keep-in option[value=\"{number}\"]')")
    page.locator("#keep-in").select_option(str(number))


def wait_for_entries(page: Any, count: int) -> None:
    until(page, f"document.querySelectorAll('#list > li').length === {count}")


def test_two_tabs_edit_one_list_and_nothing_is_lost(
    browser: Any, server: Server, files: list[str]
) -> None:
    number = make_list(server, "Two tabs", {"item": files[0]}, {"item": files[1]})
    with on_list(browser, server, number) as one, on_list(browser, server, number) as other:
        for page in (one, other):
            wait_for_entries(page, 2)
            page.evaluate("window.setInterval = () => 0")
        first, second = parse_label(files[0]).name, parse_label(files[1]).name
        # Both add to what they saw, before either sees what the other did.
        for page in (one, other, one):
            page.get_by_label(f"One more of {first}").click(no_wait_after=True)
        until(one, "document.querySelector('#list-count').textContent === '5'")
        until(other, "document.querySelector('#list-count').textContent === '5'")

        for page in (one, other):
            page.get_by_label(f"Edit {second}").click()
        one.locator(".list-edit [name=condition]").select_option("played")
        one.locator(".list-edit [name=note]").fill("bent")
        one.locator(".list-edit [type=submit]").click()
        until(one, "!document.querySelector('.list-edit')")
        other.locator(".list-edit [name=language]").select_option("de")
        other.locator(".list-edit [name=note]").fill("signed")
        other.locator(".list-edit [type=submit]").click()
        until(other, "document.querySelector('#toast-text').textContent.includes('note is bent')")

        other.locator(".list-edit [name=note]").fill("bent, signed")
        other.locator(".list-edit [type=submit]").click()
        until(other, "!document.querySelector('.list-edit')")
        until(one, "document.querySelector('#list').textContent.includes('bent, signed')")

    counted, edited = entries(server, number)
    assert counted["quantity"] == 4
    assert (edited["condition"], edited["language"], edited["note"]) == (
        "played",
        "de",
        "bent, signed",
    )


def test_a_press_outlasts_what_another_device_does_to_its_row(
    browser: Any, server: Server, files: list[str]
) -> None:
    number = make_list(server, "Pressed", {"item": files[0]})
    with on_list(browser, server, number) as page:
        wait_for_entries(page, 1)
        page.get_by_label("One more of").hover()
        page.mouse.down()
        with page.expect_response(f"**/api/lists/{number}/entries?*"):
            again = {"entries": [{"item": files[0]}], "merge": True}
            ask(server, f"/api/lists/{number}/entries", again)
        page.wait_for_timeout(200)  # the page has drawn what it was told
        page.mouse.up()
        until(page, "document.querySelector('#list-count').textContent === '3'")
        until(page, "document.querySelector('#list').textContent.includes('3')")
    assert [entry["quantity"] for entry in entries(server, number)] == [3]


def test_the_deck_moves_in_and_what_the_server_misses_waits(
    browser: Any, server: Server, files: list[str]
) -> None:
    number = make_list(server, "Moved in")
    deck = {
        "version": 1,
        "entries": [{"name": "Owl", "count": 3}, {"name": parse_label(files[0]).name, "count": 1}],
    }
    with opened(browser, server.url, quiet=False) as page:
        text = json.dumps(deck).encode()
        chosen = {"name": "deck.json", "mimeType": "application/json", "buffer": text}
        page.locator("#deck-file").set_input_files(chosen)
        until(page, "document.querySelector('#deck-count').textContent === '4'")
        choose(page, number)
        page.locator("#keep-move").click()
        wait_for_entries(page, 2)
        assert page.locator("#deck > li").count() == 0
        assert page.locator("#list-count").text_content() == "4"

        page.get_by_label("Remove Owl").click()
        wait_for_entries(page, 1)
        page.locator("#toast-action").click()
        wait_for_entries(page, 2)
        page.locator("#list-search").fill("owl")
        wait_for_entries(page, 1)

        with page.expect_download() as download:
            page.locator("#list-export").click()
        assert "Owl" in Path(download.value.path()).read_text("utf-8")


def test_what_waits_for_a_server_is_sent_after_a_reload(
    browser: Any, server: Server, files: list[str]
) -> None:
    number = make_list(server, "Waiting")
    take = {"key": "k1", "list": number, "entry": {"item": files[0]}, "merge": True}
    with on_list(browser, server, number) as page:
        kept = json.dumps(json.dumps([take, take | {"key": "k2"}]))
        page.evaluate(f"localStorage.setItem('data_label_factory.outbox', {kept})")
        page.reload()
        until(page, "document.querySelector('#list-count').textContent === '2'")
        page.reload()
        wait_for_entries(page, 1)
        assert page.evaluate("localStorage.getItem('data_label_factory.outbox')") == "[]"
    assert [entry["quantity"] for entry in entries(server, number)] == [2]


def test_a_candidate_settles_what_is_in_review(
    browser: Any, server: Server, files: list[str]
) -> None:
    names = [parse_label(file).name for file in files]
    candidates = [{"item": file, "name": name} for file, name in zip(files, names, strict=True)]
    asked = {"name": names[0], "state": "review", "candidates": candidates}
    number = make_list(server, "Review", asked, {"item": files[1]})
    with on_list(browser, server, number) as page:
        wait_for_entries(page, 2)
        page.locator("#list-state").select_option("review")
        wait_for_entries(page, 1)
        page.get_by_role("button", name=f"It is {names[2]}").first.click()
        wait_for_entries(page, 0)
    assert [entry["name"] for entry in entries(server, number)] == [names[2], names[1]]


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core here: npm install")
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1440, "dark")])
def test_everyone_can_use_a_list(
    browser: Any, server: Server, files: list[str], width: int, scheme: str
) -> None:
    asked = {"name": "Owl", "state": "review", "candidates": [{"item": files[0], "name": "Owl"}]}
    placed = {"item": files[1], "page": "binder.pdf, page 3", "row": 1, "column": 2, "price": 1.5}
    number = make_list(
        server,
        f"Seen by all, {scheme}, under a name that no phone is as wide as",
        asked,
        placed | {"currency": "EUR"},
    )
    with opened(browser, server.url, width=width) as page:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        choose(page, number)
        wait_for_entries(page, 2)
        page.get_by_label(f"Edit {parse_label(files[1]).name}").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        check_with_axe(page)
        page.locator("#list-history").click()
        until(page, "document.querySelectorAll('.history li').length === 2")
        check_with_axe(page)


def check_with_axe(page: Any) -> None:
    # Through the debugger, because the page's policy allows no foreign script.
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [f for f in found if f["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)[:3000]


def lay_out(*rows: list[Path]) -> bytes:
    """A picture of cards in rows, as JPEG."""
    size = max(1000, 40 + 480 * max(map(len, rows))), 60 + 500 * len(rows)
    page = Image.new("RGB", size, (70, 75, 80))
    for row, files in enumerate(rows):
        for column, file in enumerate(files):
            with Image.open(file) as card:
                page.paste(
                    card.convert("RGB").resize((300, 420)), (40 + 480 * column, 40 + 500 * row)
                )
    data = io.BytesIO()
    page.save(data, "JPEG", quality=92)
    return data.getvalue()


# Cards by number: a page of nine pockets, and fifteen sleeves on a wall.
BINDER = [[3, 0, 1], [2, 1, 0], [0, 3, 2]]
WALL = [[0, 1, 2, 3, 1], [2, 2, 0, 3, 0], [1, 3, 3, 0, 2]]


def test_an_album_is_taken_in_reading_order(
    browser: Any, server: Server, settings: Settings, files: list[str], tmp_path: Path
) -> None:
    assert settings.refs
    cards = [settings.refs / file for file in files]
    names = [parse_label(file).name for file in files]
    other = next(
        file
        for file in draw_collection(tmp_path, count=40, seed=10_007)
        if parse_label(file.name).name not in names
    )
    album = {
        "first.jpg": lay_out(*[[cards[at] for at in row] for row in BINDER]),
        "torn.jpg": b"no picture",
        "second.jpg": lay_out(*[[cards[at] for at in row] for row in WALL]),
        "third.jpg": lay_out([other]),
    }
    number = make_list(server, "Album")
    with on_list(browser, server, number) as page:
        chosen = [
            {"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in album.items()
        ]
        page.locator("#image-files").set_input_files(chosen)
        page.locator("#album-start").click()
        until(page, "document.querySelector('#album-told').textContent.startsWith('24 taken')")
        assert "torn.jpg: this browser cannot read it" in page.locator("#album-panel").inner_text()
        wait_for_entries(page, 24)
        assert page.locator("#scan-count").text_content() == "24"
        assert "third.jpg, row 1" in page.locator("#review").inner_text()

    found = [
        (entry["page"], entry["row"], entry["column"], entry["name"])
        for entry in entries(server, number)
    ]
    assert found == [
        (file, row, column, names[card])
        for file, rows in (("first.jpg", BINDER), ("second.jpg", WALL))
        for row, cards_in_row in enumerate(rows, 1)
        for column, card in enumerate(cards_in_row, 1)
    ]
    assert all(entry["crop_url"] for entry in entries(server, number))


def test_other_pictures_end_an_album(browser: Any, server: Server, settings: Settings) -> None:
    assert settings.refs
    picture = next(settings.refs.iterdir())
    with opened(browser, server.url, quiet=False) as page:
        page.locator("#image-files").set_input_files([picture, picture])
        until(page, "!document.querySelector('#album-panel').hidden")
        page.route("**/api/falcon", lambda route: None)  # it is never answered
        page.locator("#album-start").click()
        assert page.locator("#album-panel progress").is_visible()
        page.locator("#image-files").set_input_files(picture)
        until(page, "!document.querySelector('#album-start').hidden")
        assert page.locator("#album-start").inner_text() == "Take all of this picture"
        assert page.locator("#album-panel progress").is_hidden()
        assert page.locator("#album-panel button:visible").count() == 1


def test_lists_that_were_not_told_at_first_are_asked_for_again(
    browser: Any, server: Server
) -> None:
    number = make_list(server, "Told late")
    with opened(browser, server.url, quiet=False) as page:
        page.clock.install()
        page.route("**/api/lists", lambda route: route.fulfill(status=503))
        with page.expect_response("**/api/lists"):
            page.reload()
        assert page.locator("#keep-in").is_hidden()
        page.unroute("**/api/lists")
        page.clock.fast_forward(20_000)
        choose(page, number)
