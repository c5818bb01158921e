"""Measure live recognition: drawn videos with ground truth, any video, and the page itself.

    python bench/live.py drawn [--minutes 1] [--seed 0] [--references 12]
                               [--realtime | --every-frame]
                               [--one-by-one | --session-only] [--unknown-only]
    python bench/live.py video --video FILE --index FILE --refs DIR
    python bench/live.py page  [--minutes 1] [--seed 0] [--references 12]

`drawn` plays the videos of live_scenes.py to a server, as a camera in real time: the newest
      frame wins, at most two are under way. Beside the session the same frames one by one.
      --every-frame: each frame is answered, however long that takes, and its answer counts for
      it: no figure but the times then depends on the machine. --unknown-only: what is shown has
      no reference, so any sure name is a wrong one
`video` plays a video file, or a folder of numbered frames, without ground truth: who was sure
      when
`page`  the drawn videos as the camera of Chromium: what the page shows, and whether its buttons
      would add it

Prints Markdown tables. The figures are those of live_judge.py.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
from live_client import Link, PostLink, Recording, open_session, play
from live_judge import Figures, align, judge, merge
from live_page import collect, has_ended, read_moments, start_recording, write_film
from live_report import describe, describe_names, name_stretches, print_table
from live_scenes import Frame, draw_video
from live_script import FRAMES_PER_SECOND, Card, draw_unknown, read_cards
from live_video import read_frames
from serve_setup import server

from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.index.build import build_index
from data_label_factory.samples import draw_collection

_REST = 3.0  # s at most that the page may take to show the film's last frames


@contextmanager
def drawn_server(
    scratch: Path, options: argparse.Namespace
) -> Iterator[tuple[int, psutil.Process, list[Card], list[Card]]]:
    """A server on drawn cards: port, process, the cards it knows, and others."""
    refs = scratch / "refs"
    known = read_cards(draw_collection(refs, count=options.references))
    unknown = draw_unknown(scratch / "unknown", known, 24, options.seed)
    index = scratch / "index.npz"
    build_index(refs, index, Embedder(open_encoder()), quiet=True)
    with server(index, refs) as (port, process, _):
        yield port, process, known, unknown


def measure_drawn(options: argparse.Namespace, scratch: Path) -> None:
    with drawn_server(scratch, options) as (port, process, known, unknown):
        shown = unknown if options.unknown_only else known
        scenes = draw_video(shown, unknown, options.seed, options.minutes * 60)
        first = list(next(scenes))
        session, remark = (None, "") if options.one_by_one else open_session(port, first[0].jpeg)
        links: dict[str, Link] = {} if options.session_only else {"one by one": PostLink(port)}
        if session is not None:
            links = {remark: session, **links}
        elif remark:
            print(f"{remark}\n")

        records = {name: Record() for name in links}
        for frames in chain([first], (list(scene) for scene in scenes)):
            for name, link in links.items():
                # A server that others were busy with is as quick as one at rest again.
                time.sleep(1.0)
                records[name].add(link, frames, process, realtime=not options.every_frame)
            done = frames[-1].seconds / 60
            print(f"{done:.1f} of {options.minutes:g} minutes", file=sys.stderr, flush=True)
        print_table({name: record.describe() for name, record in records.items()})


class Record:
    """What one way of asking gave over all scenes."""

    def __init__(self) -> None:
        self._parts: list[Figures] = []
        self._recordings: list[Recording] = []
        self._cpu = 0.0

    def add(
        self, link: Link, frames: list[Frame], process: psutil.Process, *, realtime: bool
    ) -> None:
        recording = Recording()
        before = cpu_seconds(process)
        play(link, frames, recording, realtime=realtime)
        self._cpu += cpu_seconds(process) - before
        self._parts.append(judge(align(frames, recording.shown)))
        self._recordings.append(recording)

    def describe(self) -> dict[str, str]:
        played = sum(recording.played for recording in self._recordings)
        latencies = [value for recording in self._recordings for value in recording.latencies]
        refused = sum(recording.refused for recording in self._recordings)
        rate = len(latencies) / played
        figures = merge(self._parts)
        return describe(figures, rate, latencies) | {
            "frames refused": str(refused),
            "CPU of the server, cores": f"{self._cpu / played:.2f}",
        }


def cpu_seconds(process: psutil.Process, name: str = "") -> float:
    """CPU time so far of a process and of those below it whose names contain `name`, s."""
    total = 0.0
    for part in (process, *process.children(recursive=True)):
        try:
            if name in part.name():
                times = part.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def measure_video(options: argparse.Namespace) -> None:
    frames = list(read_frames(options.video, options.fps, options.seconds))
    with server(options.index, options.refs) as (port, process, _):
        session, remark = open_session(port, frames[0].jpeg)
        columns: dict[str, dict[str, str]] = {}
        tables = {}
        for name, link in ((remark, session), ("one by one", PostLink(port))):
            if link is None:
                print(f"{remark}\n")
                continue
            recording = Recording()
            before = cpu_seconds(process)
            play(link, frames, recording, realtime=not options.every_frame)
            cores = (cpu_seconds(process) - before) / recording.played
            columns[name] = {
                "answers a second": f"{len(recording.latencies) / recording.played:.1f}",
                "CPU of the server, cores": f"{cores:.2f}",
            } | describe_names(recording.shown)
            tables[name] = {
                key: ", ".join(f"{a:.1f}–{b:.1f}" for a, b in rows)
                for key, rows in name_stretches(recording.shown).items()
            }
        print_table(columns)
        print_table(tables, "sure from – to, s")


def measure_page(options: argparse.Namespace, scratch: Path) -> None:
    from playwright.sync_api import sync_playwright

    with drawn_server(scratch, options) as (port, process, known, unknown):
        seconds = options.minutes * 60
        scenes = draw_video(known, unknown, options.seed, seconds, numbered=True)
        film = scratch / "film.mjpeg"
        things = write_film(film, chain.from_iterable(scenes))
        with sync_playwright() as engine:
            samples, rates, cores = watch_page(engine, port, process, film, len(things))

    figures = judge(read_moments(samples, things))
    column = describe(figures, sum(rates) / max(1, len(rates)), [])
    print_table({"page": column | {"CPU of server and browser, cores": f"{cores:.2f}"}})


def watch_page(
    engine: Any, port: int, process: psutil.Process, film: Path, frames: int
) -> tuple[list[dict[str, Any]], list[float], float]:
    """Play the film once; returns samples, answers a second at each second, and the CPU share."""
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    path = shutil.which("chromium") or shutil.which("google-chrome")
    browser = engine.chromium.launch(executable_path=path, args=arguments)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/canvas/live")
    start_recording(page)
    page.locator("[data-source=camera]:visible").first.click()

    # Chromium hangs below this process, by way of Playwright's driver.
    own = psutil.Process()
    before = cpu_seconds(process) + cpu_seconds(own, "chrom")
    start = time.perf_counter()
    samples: list[dict[str, Any]] = []
    rates: list[float] = []
    deadline = start + 2 * frames / FRAMES_PER_SECOND + _REST
    while time.perf_counter() < deadline and not has_ended(samples, frames):
        page.wait_for_timeout(1000)
        samples += collect(page)
        rates += read_rate(page)
    spent = cpu_seconds(process) + cpu_seconds(own, "chrom") - before
    cores = spent / (time.perf_counter() - start)
    browser.close()
    return samples, rates, cores


def read_rate(page: Any) -> list[float]:
    """The answers a second that the page says it gets; nothing before the first ones."""
    rows = page.locator("#stats > div").evaluate_all(
        "rows => rows.map(row => [row.firstChild.textContent, row.lastChild.textContent])"
    )
    return [float(text) for name, text in rows if name == "Answers per second"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    modes = parser.add_subparsers(dest="mode", required=True)
    for name in ("drawn", "page"):
        drawn = modes.add_parser(name)
        drawn.add_argument("--minutes", type=float, default=1)
        drawn.add_argument("--seed", type=int, default=0)
        drawn.add_argument("--references", type=int, default=12)
        if name == "drawn":
            ways = drawn.add_mutually_exclusive_group()
            ways.add_argument("--one-by-one", action="store_true", help="no session")
            ways.add_argument("--session-only", action="store_true", help="not one by one")
            drawn.add_argument("--unknown-only", action="store_true")
    video = modes.add_parser("video")
    video.add_argument("--video", type=Path, required=True, help="a file, or a folder of frames")
    video.add_argument("--index", type=Path, required=True)
    video.add_argument("--refs", type=Path, required=True)
    video.add_argument("--fps", type=float, help="if the video does not say; of a folder 30")
    video.add_argument("--seconds", type=float, default=60, help="of the video that are played")
    for mode in (modes.choices["drawn"], video):
        pace = mode.add_mutually_exclusive_group()
        pace.add_argument("--realtime", action="store_true", help="as a camera does: the default")
        pace.add_argument("--every-frame", action="store_true")

    options = parser.parse_args(argv)
    if options.mode == "video":
        measure_video(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure = measure_drawn if options.mode == "drawn" else measure_page
        measure(options, Path(folder))


if __name__ == "__main__":
    main()
