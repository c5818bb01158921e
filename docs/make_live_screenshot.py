"""Draw docs/images/live-tracker.jpg: python docs/make_live_screenshot.py

Chromium shows the page, with a server that it starts; both use the sample collection.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "live-tracker.jpg"
sys.path.insert(0, str(ROOT / "tests"))

from browsing import launch, write_clip, write_prices  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from serving import Server, reindex  # noqa: E402

from data_label_factory.identify.server.settings import Settings  # noqa: E402
from data_label_factory.labels import parse_label  # noqa: E402
from data_label_factory.samples import draw_collection  # noqa: E402

SHOWN = (1, 3, 14)
WARM_UP_MS = 4000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)  # Chromium takes the clip of the fake camera by a relative path
        settings = Settings(Path("my.npz"), Path("refs"), encoder="sscd")
        cards = draw_collection(Path("refs"), count=40)
        reindex(settings)
        prices = write_sample_prices(cards)
        clip = write_clip(
            Path("Webcam.mjpeg"),
            [cards[i] for i in SHOWN],
            width=960,
            height=720,
            seed=22,
            sway_px=1,
        )

        with (
            Server(settings, "--prices", str(prices), "--fx-rate", "JPY=0.0067") as server,
            sync_playwright() as engine,
            launch(engine, clip) as browser,
        ):
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
            page.goto(f"{server.url}/canvas/live")
            take_screenshot(page)


def write_sample_prices(cards: list[Path]) -> Path:
    codes = [code for card in cards if (code := parse_label(card.name).set_code)]
    prices = {code: 480 + 7919 * i % 9700 for i, code in enumerate(codes)}
    return write_prices(Path("prices.json"), prices)


def take_screenshot(page: Page) -> None:
    """Wait for all cards, fill the collection, and write the picture."""
    page.locator("[data-source=camera]:visible").first.click()
    last = f".track[data-sure=true] >> nth={len(SHOWN) - 1}"
    page.wait_for_selector(last, timeout=60_000)
    page.wait_for_timeout(WARM_UP_MS)

    for add in page.locator(".track .add").all():
        add.click()
    page.locator(".track .add").first.click()
    page.wait_for_timeout(1500)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.screenshot(path=PICTURE, type="jpeg", quality=86)


if __name__ == "__main__":
    main()
