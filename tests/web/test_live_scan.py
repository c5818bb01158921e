"""Scanning: a stack of cards, hands-free, in Chromium."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import CHROMIUM, launch, opened
from scripted import scripted
from stacked import STEPPED, UNKNOWN, StackServer, draw_stack, write_stack

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_NAMES = [f"Card {number:02}" for number in range(24)]


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        yield engine


@pytest.fixture(scope="module")
def browser(engine: Any) -> Iterator[Any]:
    with launch(engine, None) as browser:
        yield browser


def shuffle_stack(count: int) -> list[str]:
    """Known ones, each two or three times, and every sixth unknown; never one on its like."""
    random = np.random.default_rng(19)
    stack: list[str] = []
    for number in range(count):
        left = [name for name in _NAMES if not stack or name != stack[-1]]
        stack.append(UNKNOWN if number % 6 == 5 else str(random.choice(left)))
    return stack


def rows(page: Any) -> list[str]:
    names: list[str] = page.locator("#scan-rows .name").all_text_contents()
    return names[::-1]


@contextmanager
def stepped(browser: Any, stack: list[str], *, width: int = 1440) -> Iterator[Any]:
    """A page that scans, with `show(numbers, steps, ms)` of the stack's cards."""
    server = StackServer(names=stack, work_seconds=0)
    with scripted(server) as url, opened(browser, url, width=width, quiet=False) as page:
        page.evaluate(STEPPED, [b64encode(picture).decode() for picture in draw_stack(stack)])
        page.locator("#scan-toggle").click()
        yield page


def check_rows(page: Any, stack: list[str]) -> None:
    """Every card is one row, in order; what is unknown is asked about."""
    known = [name for name in stack if name]
    assert rows(page) == known
    assert page.locator("#scan-count").text_content() == str(len(known))
    assert page.locator("#review > li").count() == len(stack) - len(known)
    assert page.locator("#deck-count").text_content() == str(len(known))
    assert page.locator("#scan-total").text_content() == f"${1.25 * len(known):.2f}"


def test_a_stack_of_sixty_at_a_second_a_card_is_sixty_rows(browser: Any) -> None:
    stack = shuffle_stack(60)
    known = [name for name in stack if name]
    assert len(known) - len(set(known)) > 20
    assert any(one == other for one, other in zip(stack, stack[2:], strict=False) if one)
    with (
        scripted(StackServer(names=stack, work_seconds=0)) as url,
        opened(browser, url, quiet=False) as page,
    ):
        page.evaluate(STEPPED, [b64encode(picture).decode() for picture in draw_stack(stack)])
        page.locator("#scan-toggle").click()
        for begin in range(0, 60, 10):
            page.evaluate("numbers => window.show(numbers, 7, 143)", list(range(begin, begin + 10)))
        page.evaluate("() => window.show([60], 4, 143)")
        check_rows(page, stack)


@pytest.mark.slow
@pytest.mark.timed
def test_a_stack_of_sixty_in_a_camera(engine: Any, tmp_path: Path) -> None:
    stack = shuffle_stack(60)
    clip = write_stack(tmp_path / "clip.mjpeg", stack, frames=30, gap=5)
    with (
        launch(engine, clip) as browser,
        scripted(StackServer(names=stack)) as url,
        opened(browser, url, quiet=False) as page,
    ):
        page.locator("#scan-toggle").click()
        page.wait_for_timeout(62_500)
        check_rows(page, stack)


def show(page: Any, *numbers: int) -> None:
    page.evaluate("numbers => window.show(numbers, 8, 143)", list(numbers))


def asked(page: Any) -> list[str]:
    names: list[str] = page.locator("#review > li:first-child b").all_text_contents()
    return names


def test_hands_on_the_keys(browser: Any) -> None:
    with stepped(browser, ["Owl", "Fox", UNKNOWN, "Yak", "Zebu"]) as page:
        show(page, 0, 1)
        assert "Taken: Fox. 2 taken, $2.50" in page.locator("#live").text_content()
        assert page.locator("#scan-told b").all_text_contents() == ["Fox", "$1.25"]

        page.keyboard.press("u")
        assert rows(page) == ["Owl"]
        show(page, 1)
        assert rows(page) == ["Owl"]  # what was taken back is not taken again while it lies there
        page.keyboard.press(" ")
        page.keyboard.press(" ")
        assert rows(page) == ["Owl", "Fox", "Fox"]
        assert page.locator("#deck-count").text_content() == "3"

        show(page, 2)
        candidates = asked(page)
        assert candidates == ["Yak", "Zebu", "Fox", "Owl"]
        assert page.locator("#review .crop").get_attribute("src").startswith("data:image/jpeg")
        page.keyboard.press("2")
        assert rows(page) == ["Owl", "Fox", "Fox", candidates[1]]
        page.keyboard.press("U")
        assert asked(page) == candidates
        page.keyboard.press("x")
        assert page.locator("#review-panel").is_hidden()
        page.keyboard.press("u")
        page.reload()
        assert asked(page) == candidates


COUNT_CUES = """() => {
    window.cues = {tones: 0, shakes: []};
    const create = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () {
        window.cues.tones += 1;
        return create.call(this);
    };
    navigator.vibrate = (times) => window.cues.shakes.push(times);
}"""


def test_it_can_be_heard_and_felt_and_muted(browser: Any) -> None:
    with stepped(browser, ["Owl", "Fox", "Elk"]) as page:
        page.evaluate(COUNT_CUES)
        show(page, 0)
        assert page.evaluate("window.cues") == {"tones": 2, "shakes": [[40]]}
        page.locator(".scan-options summary").click()
        page.get_by_label("Sound", exact=True).uncheck()
        show(page, 1)
        assert page.evaluate("window.cues") == {"tones": 2, "shakes": [[40], [40]]}
        page.get_by_label("Vibrate").uncheck()
        page.get_by_label("Showing nothing for two seconds").check()
        show(page, 2)
        assert rows(page) == ["Owl", "Fox", "Elk"]
        page.evaluate("() => window.show([3], 20, 143)")
        assert rows(page) == ["Owl", "Fox"]  # once for one that was taken, however long
        assert page.evaluate("window.cues.shakes.length") == 2


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core here: npm install")
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1440, "dark")])
def test_everyone_can_scan(browser: Any, width: int, scheme: str) -> None:
    with stepped(browser, ["Owl", UNKNOWN, UNKNOWN, "Fox"], width=width) as page:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        show(page, 0, 1, 2)
        assert page.locator("#review > li").count() == 2
        page.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [f for f in found if f["impact"] in ("serious", "critical")]
        assert not serious, json.dumps(serious, indent=1)[:3000]


def test_keys_belong_to_who_types(browser: Any) -> None:
    with stepped(browser, ["Owl", "Fox"]) as page:
        show(page, 0)
        page.locator("#settings-panel summary").click()
        page.locator("input[name=word]").fill("")
        page.keyboard.type("um 1 x")
        page.keyboard.press("Control+u")
        assert rows(page) == ["Owl"]
        page.evaluate("document.querySelector('#new-dialog').showModal()")
        page.locator("#new-dialog [data-close]").focus()
        page.keyboard.press("u")
        assert rows(page) == ["Owl"]
        page.keyboard.press("Escape")

        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("m")
        assert page.locator("#scan-toggle").get_attribute("aria-pressed") == "false"
        show(page, 1)
        assert page.locator("#deck-count").text_content() == "1"
