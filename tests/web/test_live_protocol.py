"""The live tracker with servers that say what a test tells them: sessions, sockets, the list."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browsing import CHROMIUM, launch, opened, until
from scripted import Script, mask, scripted, start, wait_for_rows
from serving import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
_FRAMES = 30
_SIDE = (640, 480)
_ANSWERED = "Frames answered"
READ_ROWS = """rows => rows.map(row => [
    row.dataset.id,
    row.dataset.sure,
    row.querySelector('.chip').textContent,
    row.querySelector('.add').disabled,
])"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        yield engine


@pytest.fixture(scope="module")
def browser(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Its camera shows a speckled ground that moves all the time."""
    random = np.random.default_rng(3)
    ground = random.uniform(0, 255, (60, 80, 3)).astype(np.uint8)
    ground = cv2.resize(ground, (_SIDE[0] + 2 * _FRAMES, _SIDE[1]), interpolation=cv2.INTER_CUBIC)
    clip = bytearray()
    for shift in [*range(_FRAMES), *range(_FRAMES, 0, -1)]:
        frame = ground[:, 2 * shift : 2 * shift + _SIDE[0]]
        clip += cv2.imencode(".jpg", frame)[1].tobytes()
    path = tmp_path_factory.mktemp("clip") / "clip.mjpeg"
    path.write_bytes(clip)
    with launch(engine, path) as browser:
        yield browser


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


def count_answers(page: Any) -> int:
    cells = page.locator("#stats div").evaluate_all("all => all.map(e => e.textContent)")
    return int(next(cell for cell in cells if cell.startswith("Frames")).removeprefix(_ANSWERED))


def test_a_server_with_sessions_gets_frames_over_a_socket_and_keeps_the_tracks(
    browser: Any,
) -> None:
    script = Script([mask("Owl", 0.1, track_id=4)], sessions=True, work_seconds=0.04)
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_for_rows(page, "Owl")
        wait_until(lambda: len(script.received) > 20)
        assert page.locator(".track").get_attribute("data-id") == "4"
        sessions = {fields["session"] for fields in script.posted}
        assert sessions == set(script.opened)
        assert len(script.opened) == 1
        assert re.fullmatch("[A-Za-z0-9_-]{1,64}", script.opened[0])
        assert script.most_waiting <= 2
        assert script.queries == ["card"]

        # The server says what is sure, also of what another name takes the place of.
        script.masks = [
            mask("Owl", 0.1, track_id=4, confident=False, lost_seconds=0.1, label="Owl?"),
            mask("Fox", 0.12, track_id=5),
        ]
        wait_for_rows(page, "Owl", "Fox")
        assert page.locator(".track").evaluate_all(READ_ROWS) == [
            ["4", "false", "just seen", True],
            ["5", "true", "sure", False],
        ]
        page.locator("#settings-panel summary").click()
        page.locator("[name=query]").fill("bird")
        wait_until(lambda: script.queries[-1] == "bird")


def test_a_socket_that_breaks_is_opened_again_for_the_same_session(browser: Any) -> None:
    script = Script([mask("Owl", 0.1, track_id=1)], sessions=True)
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_until(lambda: len(script.received) > 5)
        script.hang_up = True
        wait_until(lambda: len(script.opened) == 2)
        frames = len(script.received)
        wait_until(lambda: len(script.received) > frames + 5)
        assert len(set(script.opened)) == 1
        wait_for_rows(page, "Owl")
        until(page, "document.querySelector('#banner').hidden")

        page.locator("#stop").click()
        start(page)
        wait_until(lambda: len(script.opened) == 3)
        assert len(set(script.opened)) == 2, "another source, another session"


def test_without_a_socket_the_session_goes_on_over_post(browser: Any) -> None:
    script = Script([mask("Owl", 0.1, track_id=1)], sessions=True, has_socket=False)
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        start(page)
        wait_for_rows(page, "Owl")
        wait_until(lambda: len(script.posted) > 20)
        assert len({fields["session"] for fields in script.posted}) == 1
        page.wait_for_timeout(100)
        assert len(sockets) == 1
        assert sockets[0].startswith(f"{url.replace('http', 'ws')}/api/live?session=")
        assert page.locator(".track").get_attribute("data-id") == "1"


def test_a_server_without_sessions_and_a_still_picture_need_neither(
    browser: Any, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), np.full((90, 120, 3), 90, np.uint8))
    script = Script([mask("Owl", 0.1)])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        start(page)
        wait_for_rows(page, "Owl")
        wait_until(lambda: len(script.posted) > 10)

        page.locator("#stop").click()
        script.sessions = True
        script.masks = [mask("Fox", 0.1, track_id=8)]
        posted = len(script.posted)
        page.set_input_files("#image-files", str(picture))
        wait_for_rows(page, "Fox")
        assert "session" not in script.posted[-1]
        page.wait_for_timeout(300)
        assert len(script.posted) <= posted + 3
        assert not sockets


def test_what_the_server_refuses_over_the_socket_is_said_and_tried_again(browser: Any) -> None:
    script = Script([mask("Owl", 0.1, track_id=1)], sessions=True)
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_until(lambda: len(script.received) > 5)
        script.refuse = 413
        until(page, "document.querySelector('#banner').textContent === 'refused'")
        assert len(script.opened) == 1
        script.refuse = 0
        until(page, "document.querySelector('#banner').hidden")
        assert len(script.opened) == 1


@pytest.mark.timed
def test_the_server_hardly_waits_for_frames(browser: Any) -> None:
    script = Script([mask("Owl", 0.1, track_id=1)], sessions=True, work_seconds=0.045)
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_until(lambda: len(script.received) > 30)
        before = count_answers(page)
        script.idle.clear()
        page.wait_for_timeout(3000)
        answers = count_answers(page) - before
        assert answers / 3 >= 15
        assert sum(script.idle) / 3 <= 0.25


# Each state of the list that is drawn, with its time; the same state twice running counts once.
RECORD_ROWS = """() => {
    window.states = [];
    const read = () => {
        const rows = [...document.querySelectorAll('.track')].map(row => {
            const button = row.querySelector('.add');
            const chip = row.querySelector('.chip').textContent;
            return `${row.querySelector('h3').textContent} ${chip}${button.disabled ? '' : ' +'}`;
        });
        const last = window.states.at(-1);
        if (last?.[1] !== rows.join()) window.states.push([performance.now(), rows.join()]);
        requestAnimationFrame(read);
    };
    read();
}"""


@pytest.mark.parametrize("work_seconds", [0.02, 0.15])
def test_the_next_thing_never_has_the_last_ones_name(browser: Any, work_seconds: float) -> None:
    script = Script([mask("Owl", 0.3)], work_seconds=work_seconds)
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_for_rows(page, "Owl")
        page.evaluate(RECORD_ROWS)
        script.masks = [mask("Fox", 0.32)]
        wait_for_rows(page, "Fox")
        states = [state for _, state in page.evaluate("window.states")]
        assert states == ["Owl sure +", "Owl just seen", "Fox sure +"]


def test_what_is_gone_is_soon_not_sure_and_cannot_be_added(browser: Any) -> None:
    script = Script([mask("Owl", 0.3)])
    with scripted(script) as url, opened(browser, url, quiet=False) as page:
        start(page)
        wait_for_rows(page, "Owl")
        page.evaluate(RECORD_ROWS)
        page.evaluate("window.leftAt = performance.now()")
        script.masks = []
        wait_for_rows(page)
        left = page.evaluate("window.leftAt")
        states = page.evaluate("window.states")
        assert [state for _, state in states] == ["Owl sure +", "Owl just seen", ""]
        assert states[1][0] - left <= 700

        script.masks = [mask("Owl", 0.3)]
        wait_for_rows(page, "Owl")
        script.refuse = 500
        until(page, "document.querySelector('.track[data-missed] .add:disabled')")
        script.refuse = 0
        until(page, "document.querySelector('.track[data-sure=true] .add:enabled')")
