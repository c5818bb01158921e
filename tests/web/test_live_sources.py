"""The live tracker's other sources: a video, pictures dropped or pasted; and its corrections."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browsing import CHROMIUM, launch, opened, start_camera, track, until, write_clip
from serving import Server, get, make_collection, wait_until

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import decode
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
VIDEO_FRAMES = 20
HAND_OVER = """([kind, name, type, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, {type}));
    const event = kind === "drop"
        ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
        : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
    document.body.dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("tracked"), count=6)


@pytest.fixture(scope="module")
def cards(settings: Settings) -> list[Path]:
    assert settings.refs
    return sorted(settings.refs.iterdir())[:2]


@pytest.fixture(scope="module")
def names(cards: list[Path]) -> list[str]:
    return [parse_label(card.name).name for card in cards]


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    with Server(settings, "--allow-enroll", "--workers", "1") as server:
        yield server


@pytest.fixture(scope="module")
def browser(cards: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    clip = write_clip(tmp_path_factory.mktemp("clip") / "clip.mjpeg", cards)
    with sync_playwright() as engine, launch(engine, clip) as browser:
        yield browser


def hand_over(page: Any, kind: str, file: Path, media_type: str) -> None:
    page.evaluate(
        HAND_OVER, [kind, file.name, media_type, base64.b64encode(file.read_bytes()).decode()]
    )


def wait_for_name(page: Any, name: str) -> None:
    until(
        page,
        f"document.querySelector('.track[data-sure=true] h3')?.textContent === {json.dumps(name)}",
    )


def write_video(path: Path, picture: Path) -> Path:
    view = render_view([decode(picture)], np.random.default_rng(1)).image
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), 10, view.shape[1::-1])
    assert video.isOpened()
    for _ in range(VIDEO_FRAMES):
        video.write(view[..., ::-1])
    video.release()
    return path


def test_a_video_is_played_named_paused_and_stopped(
    browser: Any, server: Server, cards: list[Path], names: list[str], tmp_path: Path
) -> None:
    with opened(browser, server.url) as page:
        page.set_input_files("#video-file", write_video(tmp_path / "clip.webm", cards[1]))
        wait_for_name(page, names[1])
        assert page.locator("#device-label").is_hidden()
        page.locator("#play").click()
        until(page, "document.querySelector('#play').textContent === 'Play'")
        assert page.evaluate("document.querySelector('#video').paused")
        page.locator("#stop").click()
        until(page, "document.querySelector('#stage').hasAttribute('data-empty')")
        assert page.locator("#controls").is_hidden()


def test_a_file_that_is_not_a_video_is_refused(
    browser: Any, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"not a video" * 99)
    with opened(browser, server.url, quiet=False) as page:
        page.set_input_files("#video-file", tmp_path / "broken.mp4")
        until(
            page, "document.querySelector('#banner').textContent.includes('cannot play broken.mp4')"
        )


def test_a_picture_dropped_then_one_pasted_then_something_else(
    browser: Any, server: Server, cards: list[Path], names: list[str], tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text("not a picture")
    with opened(browser, server.url) as page:
        hand_over(page, "drop", cards[0], "image/jpeg")
        wait_for_name(page, names[0])
        hand_over(page, "paste", cards[1], "image/jpeg")
        wait_for_name(page, names[1])
        hand_over(page, "drop", tmp_path / "list.txt", "text/plain")
        banner = "document.querySelector('#banner').textContent"
        until(page, f"{banner}.includes('neither a picture nor a video')")
        assert page.locator(".track h3").all_inner_texts() == [names[1]]


def test_the_camera_is_chosen_mirrored_and_heard(browser: Any, server: Server) -> None:
    with opened(browser, server.url) as page:
        page.evaluate("""() => {
            window.beeps = 0;
            const original = AudioContext.prototype.createOscillator;
            AudioContext.prototype.createOscillator = function () {
                window.beeps++;
                return original.call(this);
            };
        }""")
        page.locator("#settings-panel summary").click()
        page.locator("[name=sound]").check()
        start_camera(page)
        assert page.evaluate("window.beeps") >= 1
        until(page, "document.querySelectorAll('#device option').length > 0")
        device = page.locator("#device")
        assert device.input_value()
        assert device.locator("option").first.inner_text()
        page.evaluate("window.before = document.querySelector('#video').srcObject")
        device.dispatch_event("change")
        until(page, "![null, window.before].includes(document.querySelector('#video').srcObject)")
        until(page, "document.querySelectorAll('.track[data-sure=true]').length >= 2")

        page.locator("#mirror").click()
        assert page.locator("#mirror").get_attribute("aria-pressed") == "true"
        assert (
            page.evaluate(
                "new DOMMatrix(getComputedStyle(document.querySelector('#video')).transform).a"
            )
            == -1
        )
        page.reload()
        start_camera(page)
        assert page.locator("#mirror").get_attribute("aria-pressed") == "true"


def test_a_correction_adds_a_further_picture(
    browser: Any, server: Server, cards: list[Path], names: list[str]
) -> None:
    def list_references() -> list[str]:
        _, answer = get(f"{server.url}/api/items?limit=100")
        return [item["filename"] for item in answer["items"] if item["name"] == names[1]]

    before = list_references()
    with opened(browser, server.url) as page:
        hand_over(page, "drop", cards[0], "image/jpeg")
        wait_for_name(page, names[0])
        track(page, names[0]).get_by_role("button", name="That’s wrong").click()
        page.locator("#correct-search").fill("no such thing")
        problem = "document.querySelector('#correct-dialog .problem').textContent"
        until(page, f"{problem}.includes('No item matches')")
        page.locator("#correct-search").fill(names[1])
        page.locator("#correct-items button", has_text=names[1]).first.click()
        until(
            page,
            f"document.querySelector('#toast-text').textContent.includes({json.dumps(names[1])})",
        )
        assert page.locator("#correct-dialog").is_hidden()
    wait_until(lambda: len(list_references()) == len(before) + 1)
