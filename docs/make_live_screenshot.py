"""Draw docs/images/live-tracker.jpg: the page in Chromium before a server of our own, both on the sample collection.

python docs/make_live_screenshot.py
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
from playwright.sync_api import sync_playwright  # noqa: E402
from serving import Server, reindex  # noqa: E402

from data_label_factory.identify.server.settings import Settings  # noqa: E402
from data_label_factory.labels import parse_label  # noqa: E402
from data_label_factory.samples import draw_collection  # noqa: E402

SHOWN = (0, 16, 24)
WARM_UP_MS = 4000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)  # the fake camera is called by the path of its clip
        settings = Settings(Path("my.npz"), Path("refs"), encoder="sscd")
        cards = draw_collection(Path("refs"), count=40)
        reindex(settings)
        codes = [code for card in cards if (code := parse_label(card.name).set_code)]
        prices = write_prices(
            Path("prices.json"), {code: 480 + 7919 * i % 9700 for i, code in enumerate(codes)}
        )
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
            page.locator("[data-source=camera]:visible").first.click()
            page.wait_for_selector(
                f".track[data-sure=true] >> nth={len(SHOWN) - 1}", timeout=60_000
            )
            page.wait_for_timeout(WARM_UP_MS)
            for add in page.locator(".track .add").all():
                add.click()
            page.locator(".track .add").first.click()
            page.wait_for_timeout(1500)
            page.evaluate("document.activeElement.blur()")
            page.screenshot(path=PICTURE, type="jpeg", quality=86)


if __name__ == "__main__":
    main()
