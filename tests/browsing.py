"""A real Chromium and a real server; the camera plays a clip rendered from the samples."""

import io
import json
import math
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from serving import wait_until

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import decode

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PATIENCE_MS = 60_000  # for what takes a second on an idle machine
_FRAMES = 40
_PRICE_DEFAULTS = {"count": 1, "name": "", "name_jp": "", "rarities": {}}


def write_clip(
    path: Path,
    pictures: Sequence[Path],
    *,
    width: int = 640,
    height: int = 480,
    seed: int = 4,
    sway_px: int = 12,
) -> Path:
    """A Motion JPEG of `pictures` as a hand-held camera sees them; it loops without a jump."""
    view = render_view(
        [decode(file) for file in pictures],
        np.random.default_rng(seed),
        width=width + 2 * sway_px,
        height=height + 2 * sway_px,
    )
    picture = Image.fromarray(view.image)

    clip = io.BytesIO()
    for frame in range(_FRAMES):
        turn = 2 * math.pi * frame / _FRAMES
        x, y = (round(sway_px * (1 + motion)) for motion in (math.sin(turn), math.cos(turn)))
        picture.crop((x, y, x + width, y + height)).save(clip, "JPEG", quality=90)
    path.write_bytes(clip.getvalue())
    return path


def write_prices(path: Path, yen: dict[str, int]) -> Path:
    """A price file in JPY: set code → median."""
    prices = {
        code: {"median": amount, "min": amount, "max": amount, **_PRICE_DEFAULTS}
        for code, amount in yen.items()
    }
    whole = {
        "scraped_at": "2026-11-01T00:00:00+00:00",
        "site": "csv",
        "currency": "JPY",
        "prices": prices,
    }
    path.write_text(json.dumps(whole), "utf-8")
    return path


def launch(
    engine: Any, clip: Path | None, *, allowed: bool = True, options: Sequence[str] = ()
) -> Any:
    """A Browser of a Playwright `engine`.

    Its camera plays `clip`; None: there is no camera. Pages may use it at once if `allowed`.
    """
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *options]
    if clip:
        arguments += [
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={clip}",
        ]
    arguments += ["--use-fake-ui-for-media-stream"] if allowed else ["--deny-permission-prompts"]
    return engine.chromium.launch(executable_path=CHROMIUM, args=arguments)


@contextmanager
def opened(
    browser: Any, url: str, *, width: int = 1440, height: int = 900, quiet: bool = True
) -> Iterator[Any]:
    """The page at `url`.

    It must request no other origin, throw nothing and, if `quiet`, log no error.
    """
    logged: list[str] = []
    origins: set[str] = set()

    def on_console(line: Any) -> None:
        if quiet and line.type in ("error", "warning"):
            logged.append(line.text)

    def on_request(request: Any) -> None:
        origin = re.match(r"[a-z]+:(//[^/]+)?", request.url)
        assert origin
        origins.add(origin[0])

    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: logged.append(f"thrown: {error}"))
        page.on("console", on_console)
        page.on("request", on_request)
        page.goto(f"{url}/canvas/live")
        yield page

    assert not logged
    assert origins - {"blob:", "data:"} <= {url, f"blob:{url}"}


def until(page: Any, condition: str) -> None:
    """Wait until an expression is true.

    Playwright's own waiting needs eval, which the page's policy forbids.
    """
    wait_until(lambda: page.evaluate(condition), PATIENCE_MS / 1000)


def start_camera(page: Any, tracks: int = 2) -> None:
    page.locator("[data-source=camera]:visible").first.click()
    until(page, f"document.querySelectorAll('.track[data-sure=true]').length >= {tracks}")


def track(page: Any, name: str) -> Any:
    return page.locator(".track", has=page.get_by_role("heading", name=name, exact=True))
