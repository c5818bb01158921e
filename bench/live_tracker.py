"""Measure what the live tracker's page itself costs.

    python bench/live_tracker.py [--seconds 60] [--answers-per-second 5]

A server that only answers, at a fixed rate, stands in for recognition. Chromium shows the page
without a graphics card. Prints the page's time per frame (camera → sent, answer → drawn state),
overlay frames per second, and the page's memory after garbage collection, at the start, halfway
and at the end.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import decode
from data_label_factory.samples import draw_collection
from data_label_factory.web.proxy import WebServer
from data_label_factory.web.target import Target

_COUNT_FRAMES = """() => {
    window.drawn = 0
    const count = () => { window.drawn++; requestAnimationFrame(count) }
    count()
}"""


def make_handler(pause_seconds: float) -> type[BaseHTTPRequestHandler]:
    """A stand-in for recognition that takes `pause_seconds` per answer."""

    class Falcon(BaseHTTPRequestHandler):
        """Answers with two confident cards that move, and now and then with new ones."""

        protocol_version = "HTTP/1.1"
        answers = 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(pause_seconds)
            Falcon.answers += 1

            shift = 0.1 * abs(Falcon.answers % 40 - 20) / 20
            first = Falcon.answers // 25
            masks = [_mask(f"Card {first + i}", 0.1 + 0.4 * i + shift) for i in range(2)]
            self._send({"masks": masks})

        def do_GET(self) -> None:
            self._send({})

        def _send(self, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Falcon


def _mask(name: str, left: float) -> dict[str, Any]:
    return {
        "bbox_norm": {"x1": left, "y1": 0.2, "x2": left + 0.3, "y2": 0.8},
        "name": name,
        "score": 0.8,
        "margin": 0.3,
        "confident": True,
        "price": {
            "usd_median": 1.5,
            "median": 225,
            "currency": "JPY",
            "scraped_at": "2026-11-01",
        },
    }


def write_clip(path: Path) -> None:
    cards = draw_collection(path.parent / "cards", count=2)
    rng = np.random.default_rng(4)
    view = render_view([decode(card) for card in cards], rng, width=1280, height=720).image
    with path.open("wb") as file:
        for frame in range(30):
            Image.fromarray(np.roll(view, frame, axis=1)).save(file, "JPEG", quality=90)


def measure(url: str, clip: Path, seconds: float) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    options = [
        "--no-sandbox",
        "--disable-gpu",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    ]
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")

        page.goto(url)
        page.locator("[data-source=camera]:visible").first.click()
        page.wait_for_selector(".track", timeout=60_000)
        page.wait_for_timeout(3000)

        heap = [_measure_heap(session)]
        page.evaluate(_COUNT_FRAMES)
        start = time.monotonic()
        for _ in range(2):
            page.wait_for_timeout(seconds * 500)
            heap.append(_measure_heap(session))
        rate = page.evaluate("window.drawn") / (time.monotonic() - start)

        rows = page.locator("#stats > div").evaluate_all(
            "rows => rows.map(r => [r.firstChild.textContent, r.lastChild.textContent])"
        )
        browser.close()
    return {**dict(rows), "Overlay frames per second": round(rate, 1), "Heap, MB": heap}


def _measure_heap(session: Any) -> float:
    session.send("HeapProfiler.collectGarbage")
    rows = session.send("Performance.getMetrics")["metrics"]
    metrics = {row["name"]: row["value"] for row in rows}
    return round(float(metrics["JSHeapUsedSize"]) / 2**20, 2)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--answers-per-second", type=float, default=5)
    args = parser.parse_args(argv)

    handler = make_handler(1 / args.answers_per_second)
    falcon = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    web = WebServer("127.0.0.1", 0, Target.parse(f"http://127.0.0.1:{falcon.server_address[1]}"))
    for server in (falcon, web):
        threading.Thread(target=server.serve_forever, daemon=True).start()

    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "camera.mjpeg"
        write_clip(clip)
        for name, value in measure(web.url, clip, args.seconds).items():
            print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
