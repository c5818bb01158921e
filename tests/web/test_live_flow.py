"""The live tracker's outlines move with the things; where nothing moves, little is done."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browsing import CHROMIUM, launch, opened
from scripted import Script, mask, scripted, start, wait_for_rows

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
_SIDE = (640, 480)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        yield engine


# Where the overlay's outline is drawn, and the number of the frame that the video shows then.
RECORD_OUTLINES = """() => {
    window.seen = [];
    const [video, overlay] = [document.querySelector('#video'), document.querySelector('#overlay')];
    const small = document.createElement('canvas');
    [small.width, small.height] = [640, 24];
    const look = small.getContext('2d', {willReadFrequently: true});
    const prototype = CanvasRenderingContext2D.prototype;
    const {beginPath, moveTo, lineTo} = prototype;
    let path = [];
    prototype.beginPath = function () { path = []; beginPath.call(this); };
    prototype.moveTo = function (x, y) { path.push([x, y]); moveTo.call(this, x, y); };
    prototype.lineTo = function (x, y) {
        path.push([x, y]);
        lineTo.call(this, x, y);
        if (this.canvas !== overlay || path.length !== 4) return;
        look.drawImage(video, 0, 0);
        const isSet = i => look.getImageData(24 * i + 12, 12, 1, 1).data[0] > 127;
        const frame = [...Array(7).keys()].reduce((sum, i) => sum + isSet(i) * 2 ** i, 0);
        const scale = Math.min(overlay.width / 640, overlay.height / 480);
        const left = (overlay.width - 640 * scale) / 2;
        window.seen.push([frame, (Math.min(...path.map(([x]) => x)) - left) / scale]);
    };
}"""
_SWING_FRAMES = 80
_CARD = (150, 200)  # px


def swing(frame: int) -> int:
    """The card's left edge in a frame, px."""
    return round(245 + 150 * math.sin(2 * math.pi * frame / _SWING_FRAMES))


def write_swinging_card(path: Path) -> Path:
    """A card that swings from side to side; the number of each frame is at its top, in bits."""
    random = np.random.default_rng(5)
    width, height = _CARD
    grounds = []
    for size in (_SIDE, _CARD):
        coarse = random.uniform(0, 255, (size[1] // 10, size[0] // 10, 3)).astype(np.uint8)
        grounds.append(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC))
    clip = bytearray()
    for frame in range(_SWING_FRAMES):
        view = grounds[0] // 3
        view[140 : 140 + height, swing(frame) : swing(frame) + width] = grounds[1]
        for bit in range(7):
            view[:24, 24 * bit : 24 * bit + 24] = 255 * (frame >> bit & 1)
        clip += cv2.imencode(".jpg", view)[1].tobytes()
    path.write_bytes(clip)
    return path


def find_card(picture: bytes) -> list[dict[str, Any]]:
    view = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert view is not None
    frame = sum(1 << bit for bit in range(7) if view[12, 24 * bit + 12] > 127)
    (left, right), (top, bottom) = (swing(frame), swing(frame) + _CARD[0]), (140, 140 + _CARD[1])
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    quad = [[x / _SIDE[0], y / _SIDE[1]] for x, y in corners]
    box = dict(zip(("x1", "y1", "x2", "y2"), (*quad[0], *quad[2]), strict=True))
    return [mask("Owl", 0, track_id=1) | {"bbox_norm": box, "quad_norm": quad}]


@pytest.mark.parametrize("work_seconds", [0.05, 0.25])
def test_the_outline_is_where_the_thing_is_now_not_where_it_was(
    engine: Any, tmp_path: Path, work_seconds: float
) -> None:
    script = Script(sessions=True, work_seconds=work_seconds, look=find_card)
    clip = write_swinging_card(tmp_path / "clip.mjpeg")
    with (
        launch(engine, clip) as browser,
        scripted(script) as url,
        opened(browser, url, quiet=False) as page,
    ):
        start(page)
        wait_for_rows(page, "Owl")
        page.wait_for_timeout(1000)
        page.evaluate(RECORD_OUTLINES)
        page.wait_for_timeout(4000)
        seen = page.evaluate("window.seen")

    errors = sorted(abs(left - swing(frame)) for frame, left in seen)
    assert len(errors) > 30
    # The card moves by 350 px a second most of the time: 35 px are a tenth of a second.
    assert errors[len(errors) // 2] < 10
    assert errors[int(0.95 * len(errors))] < 35


def write_rest_and_swing(path: Path) -> Path:
    """Four seconds in which only the camera's noise changes, then the card swings for two."""
    random = np.random.default_rng(6)
    clip = bytearray()
    ground = cv2.resize(random.uniform(0, 255, (48, 64, 3)).astype(np.uint8), _SIDE)
    for frame in range(180):
        view = ground.astype(np.float32)
        left = swing(2 * max(0, frame - 120))
        view[140:340, left : left + 150] = 200
        noisy = view + random.normal(0, 4, view.shape)
        clip += cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8))[1].tobytes()
    path.write_bytes(clip)
    return path


def test_where_nothing_moves_few_frames_are_sent(engine: Any, tmp_path: Path) -> None:
    script = Script([mask("Owl", 0.1, track_id=1)], sessions=True, work_seconds=0.05)
    clip = write_rest_and_swing(tmp_path / "clip.mjpeg")
    with (
        launch(engine, clip) as browser,
        scripted(script) as url,
        opened(browser, url, quiet=False) as page,
    ):
        start(page)
        page.wait_for_timeout(15_000)

    times = np.array(script.received)
    starts = np.arange(times[0] + 1, times[-1] - 1.5, 0.1)
    counts = [int(((times >= start) & (times < start + 1.5)).sum()) for start in starts]
    assert 2 <= min(counts) <= 4
    assert max(counts) >= 15
