"""What a phone adds: a small first view, a page that opens without its server, light, zoom and
a screen that stays on, and answers within a thumb's reach.
"""

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from browsing import CHROMIUM, launch, opened, start_camera, until, write_clip
from PIL import Image
from serving import Server, make_collection, wait_until
from website import running

from data_label_factory.identify.server.settings import Settings
from data_label_factory.web import assets, proxy
from data_label_factory.web.proxy import WebServer
from data_label_factory.web.target import Target

ROOT = Path(__file__).parents[2]
FIRST_VIEW_BYTES = 150_000
NOWHERE = Target.parse("http://127.0.0.1:9")
browsed = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]

# A camera that has what the fake one lacks.
ABLE_CAMERA = """() => {
    const set = {torch: false, zoom: 1};
    window.applied = [];
    const track = MediaStreamTrack.prototype;
    const settings = track.getSettings;
    track.getCapabilities = () => ({torch: true, zoom: {min: 1, max: 4, step: 0.5}});
    track.getSettings = function () { return {...settings.call(this), ...set}; };
    track.applyConstraints = async ({advanced: [wanted]}) => {
        window.applied.push(wanted);
        if (wanted.zoom === 4) throw new DOMException("no", "OverconstrainedError");
        Object.assign(set, wanted);
    };
    window.locks = 0;
    const lock = () => {
        window.locks++;
        return {released: false, async release() { this.released = true; window.locks--; }};
    };
    Object.defineProperty(navigator, "wakeLock", {value: {request: async () => lock()}});
}"""
# Bytes on the wire of the page and all that it loads, and where they come from.
COUNT_BYTES = """() => {
    const kinds = ["navigation", "resource"];
    const entries = kinds.flatMap((kind) => performance.getEntriesByType(kind));
    return entries.map(({name, transferSize}) => [name, transferSize]);
}"""
LIST_KEPT = """async () => {
    const kept = {};
    for (const name of await caches.keys()) {
        const requests = await (await caches.open(name)).keys();
        kept[name] = requests.map((request) => new URL(request.url).pathname);
    }
    return kept;
}"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("phone"), count=3)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    with Server(settings, "--workers", "1") as server:
        yield server


@pytest.fixture(scope="module")
def camera(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert settings.refs
    cards = sorted(settings.refs.iterdir())[:2]
    clip = write_clip(tmp_path_factory.mktemp("clip") / "clip.mjpeg", cards)
    with sync_playwright() as engine, launch(engine, clip) as browser:
        yield browser


def kept(page: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = page.evaluate(LIST_KEPT)
    return found


def wait_until_kept(page: Any, version: object) -> None:
    """Until the worker of that version is in charge, and no other has anything."""
    until(
        page,
        f"""(async () => JSON.stringify(await caches.keys()) === '["shell-{version}"]'
        && navigator.serviceWorker.controller?.scriptURL.endsWith("v={version}"))()""",
    )


def offers_to_load(page: Any) -> bool:
    """Whether the page knows of a newer one, a minute later."""
    page.clock.fast_forward(61_000)
    return bool(page.locator("#toast-action").text_content() == "Load it")


class TestInABrowser:
    pytestmark = browsed

    def test_the_first_view_is_small_and_from_one_place(self, camera: Any, server: Server) -> None:
        with opened(camera, server.url) as page:
            until(page, "document.readyState === 'complete'")
            until(page, "document.querySelector('#server-facts').childElementCount > 0")
            loaded = dict(page.evaluate(COUNT_BYTES))
        assert all(name.startswith(server.url) for name in loaded)
        assert len(loaded) > 30
        assert all(size > 0 for name, size in loaded.items() if name.endswith(".js"))
        total = sum(loaded.values())
        assert 30_000 < total <= FIRST_VIEW_BYTES, total

    def test_the_page_opens_without_its_server_and_keeps_no_answer(
        self, camera: Any, settings: Settings
    ) -> None:
        shell = assets.describe_shell()
        with Server(settings, "--workers", "1") as server:
            url = server.url
            context = camera.new_context()
            page = context.new_page()
            page.goto(f"{url}/canvas/live")
            wait_until_kept(page, shell["version"])
            page.reload()  # through the worker
            start_camera(page)
            page.evaluate("fetch('/api/items').then((answer) => answer.text())")

        page.goto(f"{url}/canvas/live?key=x")
        until(page, "document.querySelector('#status-text')?.textContent === 'No source yet'")
        until(page, "location.search === ''")
        assert page.locator("h1").inner_text() == "Live tracker"
        assert page.evaluate("fetch('/api/items').then(() => 'answered', () => 'gone')") == "gone"
        (paths,) = kept(page).values()
        files = shell["files"]
        assert isinstance(files, list)
        assert sorted(paths) == sorted(f"/canvas/{name}" for name in files)
        context.close()

    def test_a_new_version_replaces_all_files(
        self, camera: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = shutil.copytree(assets.FOLDER, tmp_path / "web")
        monkeypatch.setattr(proxy, "find_asset", partial(assets.find_asset, folder=folder))
        with running(WebServer("127.0.0.1", 0, NOWHERE)) as url:
            context = camera.new_context()
            page = context.new_page()
            page.goto(f"{url}/canvas/live")
            before = assets.describe_shell(folder)["version"]
            wait_until_kept(page, before)

            style = folder / "phone.css"
            style.write_text(style.read_text() + "\n/* new */\n")
            after = assets.describe_shell(folder)["version"]
            assert after != before
            page.reload()
            wait_until_kept(page, after)
        page.reload()
        text = page.evaluate("fetch('phone.css').then((answer) => answer.text())")
        assert text.endswith("/* new */\n")
        context.close()

    def test_a_page_that_opened_without_its_server_tells_when_it_is_old(
        self, camera: Any, settings: Settings
    ) -> None:
        context = camera.new_context()
        page = context.new_page()
        page.clock.install()
        with Server(settings, "--workers", "1") as server:
            url, port = server.url, server.port
            page.goto(f"{url}/canvas/live")
            wait_until_kept(page, assets.describe_shell()["version"])
            page.evaluate("navigator.serviceWorker.register('sw.js?v=old').then(() => 0)")
            wait_until_kept(page, "old")
        page.goto(f"{url}/canvas/live")
        assert not offers_to_load(page)
        with running(WebServer("127.0.0.1", port, NOWHERE)):
            wait_until(lambda: offers_to_load(page))
        context.close()

    def test_light_zoom_and_a_screen_that_stays_on(self, camera: Any, server: Server) -> None:
        with opened(camera, server.url) as page:
            assert page.locator("#torch").is_hidden()
            page.evaluate(ABLE_CAMERA)
            start_camera(page)
            until(page, "window.locks === 1")
            torch, zoom = page.locator("#torch"), page.locator("#zoom")
            torch.click()
            until(page, "document.querySelector('#torch').ariaPressed === 'true'")
            zoom.fill("2.5")
            until(page, "document.querySelector('.zoom output').textContent === '2.5 ×'")
            zoom.fill("4")  # refused: the slider goes back to what is so
            until(page, "document.querySelector('#zoom').value === '2.5'")
            assert page.evaluate("window.applied") == [
                {"torch": True},
                {"torch": True, "zoom": 2.5},  # a request replaces the one before
                {"torch": True, "zoom": 4},
            ]
            page.locator("#stop").click()
            until(page, "window.locks === 0")
            assert torch.is_hidden()

    def test_a_camera_without_them_shows_neither(self, camera: Any, server: Server) -> None:
        with opened(camera, server.url) as page:
            start_camera(page)
            assert page.locator("#torch").is_hidden()
            assert page.locator("#zoom").is_hidden()

    def test_held_upright_the_camera_is_on_top_and_answers_are_in_reach(
        self, camera: Any, server: Server
    ) -> None:
        with opened(camera, server.url, width=390, height=844) as page:
            start_camera(page)
            stage = page.locator("#stage").bounding_box()
            add = page.locator(".track .add").first.bounding_box()
            assert stage and add
            assert stage["y"] < 844 / 6
            assert stage["width"] == 390
            assert 844 / 2 < add["y"] + add["height"] < 844
            page.mouse.wheel(0, 400)
            until(page, "document.querySelector('#stage').getBoundingClientRect().top === 0")
            assert page.evaluate("document.documentElement.scrollWidth") == 390

    def test_without_lan_the_panel_says_how_a_phone_gets_in(
        self, camera: Any, server: Server
    ) -> None:
        with opened(camera, server.url) as page:
            page.locator("#phone-panel summary").click()
            until(page, "document.querySelector('#phone-code').textContent.includes('--lan')")


def test_the_icons_are_what_their_script_draws() -> None:
    spec = importlib.util.spec_from_file_location("make_icons", ROOT / "docs" / "make_icons.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, options in script.ICONS.items():
        drawn = np.asarray(script.draw(*options).convert("RGBA"), float)
        with Image.open(assets.FOLDER / name) as file:
            stored = np.asarray(file.convert("RGBA"), float)
        assert np.abs(drawn - stored).mean() < 1, "run: python docs/make_icons.py"
        assert (assets.FOLDER / name).stat().st_size < 8_000


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = json.loads((assets.FOLDER / "manifest.webmanifest").read_text())
    shell = assets.describe_shell()["files"]
    assert isinstance(shell, list)
    assert manifest["start_url"] in shell
    for icon in manifest["icons"]:
        assert icon["src"] in shell
        if icon["sizes"] != "any":
            with Image.open(assets.FOLDER / icon["src"]) as file:
                assert f"{file.width}x{file.height}" == icon["sizes"]
    assert any("maskable" in icon.get("purpose", "") for icon in manifest["icons"])


def test_the_shell_is_all_that_the_page_needs_and_no_more() -> None:
    files = assets.describe_shell()["files"]
    assert isinstance(files, list)
    assert {"live", "live.css", "js/main.js", "icon.svg", "manifest.webmanifest"} <= set(files)
    assert not {"sw.js", "index.html", "shell.json", "assets.py"} & set(files)


def test_both_servers_pack_files_and_know_versions(server: Server) -> None:
    with running(WebServer("127.0.0.1", 0, NOWHERE)) as web:
        for url in (web, server.url):
            plain = get(f"{url}/canvas/live.css", "identity")
            packed = get(f"{url}/canvas/live.css", "gzip, br")
            assert packed.headers["Content-Encoding"] == "gzip"
            assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
            assert packed.content == plain.content
            assert packed.headers["ETag"] != plain.headers["ETag"]
            assert "Content-Encoding" not in plain.headers
            assert get(f"{url}/canvas/icon-192.png", "gzip").headers["Content-Type"] == "image/png"

            again = get(f"{url}/canvas/live.css", "gzip", f'W/"x", {packed.headers["ETag"]}')
            assert again.status_code == 304
            assert not again.content
            shell = get(f"{url}/canvas/shell.json", "gzip")
            assert shell.json() == assets.describe_shell()


@pytest.mark.parametrize("file", sorted(assets.FOLDER.rglob("*.js")), ids=lambda file: file.name)
def test_only_comments_are_left_out_of_scripts(file: Path) -> None:
    before = file.read_bytes().splitlines()
    after = assets.without_comments(file.read_bytes()).splitlines()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert old == new or (not new and re.match(rb"\s*(/\*\*|\*)", old))


def test_a_comment_before_code_stays_and_ends_nothing_else() -> None:
    script = b"/** @type {A} */ (a);\nb();\n  /** C.\n * d */  \ne(); /** f */\n/** g */\n"
    left = b"/** @type {A} */ (a);\nb();\n\n\ne(); /** f */\n\n"
    assert assets.without_comments(script) == left


def get(url: str, encoding: str, known: str = "") -> requests.Response:
    headers = {"Accept-Encoding": encoding, "If-None-Match": known}
    return requests.get(url, headers=headers, timeout=30)


@pytest.mark.parametrize("name", ["/etc/x.js", "js/../../x.js", "..", "", "js", "x\0.js"])
def test_nothing_outside_is_an_asset(name: str, tmp_path: Path) -> None:
    (tmp_path / "web" / "js").mkdir(parents=True)
    (tmp_path / "x.js").touch()
    assert assets.find_asset(name, tmp_path / "web") is None
