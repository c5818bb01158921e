"""The live tracker as people use it: in Chromium, with a real server; its scripts under Node."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened, start_camera, track, until, write_clip, write_prices
from serving import Server, make_collection
from website import running

from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label
from data_label_factory.web.proxy import WebServer
from data_label_factory.web.target import Target

ROOT = Path(__file__).parents[2]
TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
PRETTIER = ROOT / "node_modules" / "prettier" / "bin" / "prettier.cjs"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
YEN = (2000, 3100)
USD_CENTS = (1340, 2077)  # at 0.0067

# Every frame of the animations, so that no check depends on its moment.
RECORD_ANIMATION = """() => {
    const button = document.querySelector('.track .add');
    const deck = document.querySelector('#deck-panel');
    const seen = {largest: 1, greens: new Set(), border: new Set(), shadow: new Set()};
    window.seen = seen;
    const look = () => {
        if (button.classList.contains('added')) {
            const style = getComputedStyle(button);
            seen.largest = Math.max(seen.largest, new DOMMatrix(style.transform).a);
            seen.greens.add(style.backgroundColor);
        }
        if (deck.classList.contains('pulse')) {
            seen.border.add(getComputedStyle(deck).borderTopColor);
            seen.shadow.add(getComputedStyle(deck).boxShadow);
        }
        requestAnimationFrame(look);
    };
    look();
}"""
FILL_STORAGE = """() => {
    for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2)) {
        try {
            for (let i = 0; ; i++) localStorage.setItem(`x${size}.${i}`, 'x'.repeat(size));
        } catch {}
    }
}"""
READ_ROWS = """rows => rows.map(row => [
    row.dataset.sure,
    row.querySelector('.chip').textContent,
    row.querySelector('.add').disabled,
])"""
NO_MASKS = {
    "image_size": [640, 480],
    "count": 0,
    "masks": [],
    "query": "",
    "elapsed_seconds": 0,
}

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="no node here")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no chromium here")


@needs_node
def test_the_pure_parts() -> None:
    files = sorted(str(file) for file in (ROOT / "tests" / "web").glob("*.test.js"))
    done = subprocess.run(["node", "--test", *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


@needs_node
@pytest.mark.skipif(not TSC.is_file(), reason="no TypeScript here: npm install")
def test_the_scripts_type_check() -> None:
    done = subprocess.run(
        ["node", str(TSC), "-p", str(ROOT)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout


@needs_node
@pytest.mark.skipif(not PRETTIER.is_file(), reason="no Prettier here: npm install")
def test_the_scripts_are_formatted() -> None:
    patterns = ["src/data_label_factory/web/js/*.js", "tests/web/*.js"]
    line = ["node", str(PRETTIER), "--check", *patterns]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("tracked"), count=8)


@pytest.fixture(scope="module")
def cards(settings: Settings) -> list[Path]:
    """The two that the camera sees; they have prices."""
    assert settings.refs
    return [file for file in sorted(settings.refs.iterdir()) if parse_label(file.name).set_code][:2]


@pytest.fixture(scope="module")
def names(cards: list[Path]) -> list[str]:
    return [parse_label(file.name).name for file in cards]


@pytest.fixture(scope="module")
def options(settings: Settings, cards: list[Path]) -> list[str]:
    codes = [parse_label(file.name).set_code for file in cards]
    prices = write_prices(
        settings.index.with_name("prices.json"), dict(zip(codes, YEN, strict=True))
    )
    return ["--prices", str(prices), "--fx-rate", "JPY=0.0067", "--workers", "1"]


@pytest.fixture(scope="module")
def server(settings: Settings, options: list[str]) -> Iterator[Server]:
    with Server(settings, *options, "--allow-enroll") as server:
        yield server


@pytest.fixture(scope="module")
def clip(settings: Settings, cards: list[Path]) -> Path:
    return write_clip(settings.index.with_name("clip.mjpeg"), cards)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        yield engine


@pytest.fixture(scope="module")
def browser(engine: Any, clip: Path) -> Iterator[Any]:
    with launch(engine, clip) as browser:
        yield browser


def check_add_animation(page: Any) -> None:
    """Press the first "Add": the button grows in green, and the deck's border lights up."""
    page.evaluate(RECORD_ANIMATION)
    page.locator(".track .add").first.click()
    until(page, "window.seen.largest > 1.01 && window.seen.border.size && window.seen.shadow.size")

    for color in page.evaluate("[...window.seen.greens]"):
        red, green, blue = (int(float(part)) for part in re.findall(r"[\d.]+", color)[:3])
        assert green > red
        assert green > blue
    borders = set(page.evaluate("[...window.seen.border]"))
    assert borders & {"rgb(52, 211, 153)", "rgb(16, 185, 129)"}
    until(page, "!document.querySelector('.added, .pulse')")


def ids(page: Any) -> dict[str, str]:
    rows = page.locator(".track").evaluate_all(
        "all => all.map(e => [e.querySelector('h3').textContent, e.dataset.id])"
    )
    return dict(rows)


@pytest.mark.browser
@needs_chromium
def test_it_names_prices_adds_up_and_remembers(
    browser: Any, server: Server, names: list[str]
) -> None:
    with opened(browser, server.url) as page:
        start_camera(page)
        for name, yen, cents in zip(names, YEN, USD_CENTS, strict=True):
            text = track(page, name).inner_text()
            assert f"${cents / 100:.2f}" in text
            assert f"¥{yen:,}" in text
            assert "1 Nov 2026" in text
            assert "sure" in text.split()
        assert names[1] in page.locator("#top li").first.inner_text()
        assert "$20.77" in page.locator("#top li").first.inner_text()
        until(page, "document.querySelector('#live').textContent.startsWith('Recognized')")

        first = page.locator(".track").first.locator("h3").inner_text()
        check_add_animation(page)
        other = next(name for name in names if name != first)
        track(page, other).locator(".add").click()
        track(page, other).locator(".add").click()
        total = USD_CENTS[names.index(first)] + 2 * USD_CENTS[names.index(other)]
        assert page.locator("#deck-total").inner_text() == f"${total / 100:.2f}"
        assert page.locator("#deck-count").inner_text() == "3"

        page.reload()
        assert page.locator("#deck-total").inner_text() == f"${total / 100:.2f}"
        page.get_by_role("button", name="Clear all").click()
        assert page.locator("#deck-total").inner_text() == "$0.00"
        page.get_by_role("button", name="Undo").click()
        assert page.locator("#deck-count").inner_text() == "3"
        page.get_by_role("button", name=f"Remove {first}", exact=True).click()
        assert page.locator("#deck li").count() == 1


def answer_without_session(route: Any) -> None:
    """As a server answers that knows no sessions: the page then tracks by itself."""
    answer = route.fetch().json()
    answer.pop("session", None)
    for mask in answer.get("masks", []):
        mask.pop("track_id")
        mask.pop("lost_seconds")
    route.fulfill(json=answer)


@pytest.mark.browser
@needs_chromium
def test_two_cards_out_of_sight_are_soon_not_sure_and_keep_their_ids(
    browser: Any, server: Server, names: list[str]
) -> None:
    with opened(browser, server.url) as page:
        page.route("**/api/falcon", answer_without_session)
        start_camera(page)
        before = ids(page)
        assert sorted(before) == sorted(names)
        assert len(set(before.values())) == 2
        page.route("**/api/falcon", lambda route: route.fulfill(json=NO_MASKS))
        page.wait_for_selector(".track[data-missed]")
        missed = page.locator(".track[data-missed]").evaluate_all(READ_ROWS)
        page.route("**/api/falcon", answer_without_session)
        assert {tuple(row) for row in missed} == {("false", "just seen", True)}
        until(page, "!document.querySelector('.track[data-missed]')")
        until(page, "document.querySelectorAll('.track[data-sure=true] .add:enabled').length === 2")
        assert ids(page) == before
        page.unroute_all(behavior="wait")  # an answer may be under way


@pytest.mark.browser
@needs_chromium
def test_a_server_that_dies_is_reported_and_found_again(
    browser: Any, settings: Settings, options: list[str]
) -> None:
    server = Server(settings, *options)
    try:
        with opened(browser, server.url, quiet=False) as page:
            start_camera(page)
            server.process.kill()
            server.stop()
            until(page, "document.querySelector('#banner').textContent.includes('does not answer')")
            assert page.locator("#status").get_attribute("data-state") == "gone"
            server = Server(settings, *options, "--port", str(server.port))
            until(page, "document.querySelector('#banner').hidden")
            until(page, "document.querySelector('#status').dataset.state === 'live'")
            page.wait_for_selector(".track:not([data-missed])")
    finally:
        server.stop()


def camera_problem(browser: Any, url: str) -> str:
    with opened(browser, url) as page:
        page.locator("[data-source=camera]:visible").first.click()
        page.wait_for_selector("#banner:not([hidden])")
        return str(page.locator("#banner").inner_text())


@pytest.mark.browser
@needs_chromium
def test_no_camera_a_refused_one_and_an_insecure_page_are_told_apart(
    engine: Any, server: Server, clip: Path
) -> None:
    with launch(engine, clip, allowed=False) as browser:
        assert "not allowed to use the camera" in camera_problem(browser, server.url)
    elsewhere = ["--host-resolver-rules=MAP tracker.test 127.0.0.1"]
    with (
        launch(engine, None, options=elsewhere) as browser,
        running(WebServer("0.0.0.0", 0, Target.parse(server.url))) as web,
    ):
        assert "no such camera" in camera_problem(browser, web)
        assert "only to https://" in camera_problem(
            browser, web.replace("127.0.0.1", "tracker.test")
        )


@pytest.mark.browser
@needs_chromium
@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core here: npm install")
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1440, "dark")])
def test_it_fits_and_everyone_can_use_it(
    browser: Any, server: Server, width: int, scheme: str
) -> None:
    with opened(browser, server.url, width=width) as page:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        start_camera(page)
        page.locator(".track .add").first.click()
        until(page, "!document.querySelector('.added, .pulse')")
        page.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # Through the debugger, because the page's policy allows no foreign script.
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [f for f in found if f["impact"] in ("serious", "critical")]
        assert not serious, json.dumps(serious, indent=1)[:3000]


@pytest.mark.browser
@needs_chromium
def test_a_picture_by_file_with_the_keyboard_alone(
    browser: Any, server: Server, cards: list[Path], names: list[str]
) -> None:
    with opened(browser, server.url) as page:
        page.set_input_files("#image-files", [str(card) for card in cards])
        page.wait_for_selector(".track")
        assert page.locator(".track h3").all_inner_texts() == [names[0]]
        page.locator("#next").focus()
        page.keyboard.press("Enter")
        until(page, f"document.querySelector('.track h3')?.textContent === {json.dumps(names[1])}")
        page.locator(".track .add").focus()
        page.keyboard.press("Enter")
        assert page.locator("#deck-count").inner_text() == "1"
        page.get_by_role("button", name="Add as a new item…").click()
        page.locator("#new-name").fill("Paper Lantern")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#toast-text').textContent.includes('Paper Lantern')")


class OnlyFinds(BaseHTTPRequestHandler):
    """A recognition server of another kind: it sends boxes without names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        box = {"x1": 0.2, "y1": 0.2, "x2": 0.6, "y2": 0.8}
        self._send(200, {"count": 1, "masks": [{"bbox_norm": box, "area_fraction": 0.24}]})

    def do_GET(self) -> None:
        self._send(404, {"detail": "no"})

    def _send(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.browser
@needs_chromium
def test_with_a_server_that_sends_only_boxes_the_query_is_the_label(browser: Any) -> None:
    with (
        running(ThreadingHTTPServer(("127.0.0.1", 0), OnlyFinds)) as falcon,
        running(WebServer("127.0.0.1", 0, Target.parse(f"{falcon}/api/falcon"))) as url,
        opened(browser, url, quiet=False) as page,  # Chromium itself logs the 404s
    ):
        page.locator("#settings-panel summary").click()
        page.locator("[name=query]").fill("blue mug")
        page.locator("[name=word]").fill("Shelf")
        page.locator("[data-source=camera]:visible").first.click()
        page.wait_for_selector(".track")
        assert page.locator(".track h3").inner_text() == "blue mug"
        page.get_by_role("button", name="Add blue mug to Shelf").click()
        assert "no price" in page.locator("#deck li").inner_text()
        assert page.locator("#top-panel").is_hidden()


@pytest.mark.browser
@needs_chromium
def test_damaged_or_full_storage_does_not_stop_the_page(browser: Any, server: Server) -> None:
    with opened(browser, server.url) as page:
        page.evaluate("localStorage.setItem('data_label_factory.deck', '{\"version\": 1, \"entr')")
        page.evaluate("localStorage.setItem('data_label_factory.settings', '[3]')")
        page.reload()
        assert "cannot be read" in page.locator("#toast-text").inner_text()
        assert page.evaluate("localStorage.getItem('data_label_factory.deck.damaged')").startswith(
            '{"version"'
        )

        page.evaluate(FILL_STORAGE)
        start_camera(page, 1)
        page.locator(".track .add").first.click()
        assert page.locator("#deck-count").inner_text() == "1"
        assert "storage is full" in page.locator("#deck-note").inner_text()


def import_file(page: Any, name: str, data: str) -> str:
    """Import `data` into the deck, and return what the page says about it."""
    file = {"name": name, "mimeType": "text/csv", "buffer": data.encode()}
    page.set_input_files("#deck-file", [file])
    until(page, f"document.querySelector('#import-told').textContent.startsWith('{name}')")
    return str(page.locator("#import-told").inner_text())


@pytest.mark.browser
@needs_chromium
def test_an_import_says_what_it_left_out_for_as_long_as_one_wants_to_read_it(browser: Any) -> None:
    with (
        running(ThreadingHTTPServer(("127.0.0.1", 0), OnlyFinds)) as falcon,
        running(WebServer("127.0.0.1", 0, Target.parse(f"{falcon}/api/falcon"))) as url,
        opened(browser, url, quiet=False, width=320) as page,
    ):
        rows = "Qty;Card Name;USD\n2x;Owl;12,50\nmany;Fox;1\n1;Elk;about 5\n;Bat;\n"
        told = import_file(page, "a.csv", rows)
        assert told.startswith("a.csv: 3 taken in, 2 rows left out, 1 cell left out (line ")
        assert page.locator("#deck-total").inner_text() == "$25.00"

        page.locator("#import-told").click()
        left_out = page.locator("#import-left-out").inner_text()
        assert "line 3: count ‘many’ is not a whole number" in left_out
        assert "line 4: price ‘about 5’ is not a number" in left_out
        assert "line 5: no count" in left_out
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

        assert import_file(page, "b.txt", "4x Owl\n1 Fox (DOM) 60\n") == "b.txt: 5 taken in"
        assert page.locator("#deck li").count() == 3
        told = import_file(page, "c.csv", "no,table\n1,2\n")
        assert told.startswith("c.csv: nothing taken in. This file has no columns")
        assert page.locator("#deck-count").inner_text() == "8"
