"""Record what the live tracker's page shows, frame by frame of its camera.

The camera plays a film whose frames carry their numbers; a script in the page
reads the number of the frame that is on the screen, the rows of the list and
the outlines that were drawn over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from live_drawing import HEIGHT, STRIP_BITS, STRIP_PX, WIDTH, number_bits
from live_places import Moment, Shown
from live_scenes import Frame, Thing

from data_label_factory.identify.quad import Quad, as_points

# The film loops; a recording begins where it does. It may have begun before the page
# showed its first frame: these are seen as its beginning, too.
_BEGINNING = 15  # frames

# Runs after the overlay's own callback of each animation frame, which was registered
# before. An outline is four points, stroked; the caption that follows begins with its id.
RECORD = """([bits, height]) => {
    const samples = [];
    window.record = samples;
    let path = [], last = null, outlines = [];
    const wrap = (name, see) => {
        const original = CanvasRenderingContext2D.prototype[name];
        CanvasRenderingContext2D.prototype[name] = function (...given) {
            if (this.canvas.id === "overlay") see(this, given);
            return original.apply(this, given);
        };
    };
    const add = (context, [x, y]) => {
        const point = context.getTransform().transformPoint({x, y});
        path.push([point.x, point.y]);
    };
    wrap("clearRect", () => { outlines = []; last = null; });
    wrap("beginPath", () => { path = []; });
    wrap("moveTo", add);
    wrap("lineTo", add);
    wrap("stroke", () => { if (path.length === 4) last = path; });
    wrap("fillText", (context, [text]) => {
        const id = /^#([0-9]+)/.exec(text);
        if (id && last) outlines.push({id: id[1], quad: last});
        last = null;
    });

    const strip = document.createElement("canvas");
    strip.height = height;
    const context = strip.getContext("2d", {willReadFrequently: true});
    const look = () => {
        requestAnimationFrame(look);
        const video = document.querySelector("#video");
        const width = video.videoWidth;
        if (!width) return;
        if (strip.width !== width) strip.width = width;
        context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
        const pixels = context.getImageData(0, height / 2, width, 1).data;
        const blocks = [];
        for (let bit = 0; bit < bits; bit++)
            blocks.push(pixels[4 * Math.round((bit + 0.5) * width / bits) + 1] > 128 ? 1 : 0);

        const rows = [...document.querySelectorAll(".track")].map((row) => ({
            id: row.dataset.id,
            name: row.querySelector("h3").textContent,
            sure: row.dataset.sure === "true",
            missed: row.hasAttribute("data-missed"),
            addable: row.querySelector(".add")?.disabled === false,
        }));
        const counts = [...document.querySelectorAll("#stats > div")];
        const count = counts.find((row) => row.firstChild.textContent === "Frames answered");
        const answers = Number(count?.lastChild.textContent ?? 0);
        const overlay = document.querySelector("#overlay");
        const size = [overlay.width, overlay.height];
        samples.push({at: performance.now(), blocks, rows, outlines: [...outlines], size, answers});
    };
    requestAnimationFrame(look);
}"""


def write_film(path: Path, frames: Iterable[Frame]) -> list[list[Thing]]:
    """Write frames that are numbered from 0 as Motion JPEG; returns the things in each."""
    things = []
    with path.open("wb") as file:
        for frame in frames:
            file.write(frame.jpeg)
            things.append(frame.things)
    return things


def start_recording(page: Any) -> None:
    """Begin to record on a page that has loaded, before its camera starts."""
    page.evaluate(RECORD, [STRIP_BITS, STRIP_PX])


def collect(page: Any) -> list[dict[str, Any]]:
    """What was recorded since the last call."""
    return list(page.evaluate("window.record.splice(0)"))


def read_number(blocks: Sequence[int]) -> int | None:
    """A frame's number; None if the blocks do not show one."""
    number = sum(bit << place for place, bit in enumerate(blocks[:15]))
    return number if number_bits(number) == list(blocks) else None


def has_ended(samples: Sequence[dict[str, Any]], frames: int) -> bool:
    """Whether the recording holds the film's first run, of so many frames, whole."""
    run = first_run(samples)
    return bool(run) and (run[-1][0] >= frames - 1 or run[-1][1] is not last_read(samples))


def first_run(samples: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The samples of the film's first run from its beginning, with their frames' numbers."""
    run: list[tuple[int, dict[str, Any]]] = []
    for sample in samples:
        number = read_number(sample["blocks"])
        if number is None:
            continue
        if run and number < run[-1][0]:
            break
        if run or number <= _BEGINNING:
            run.append((number, sample))
    return run


def last_read(samples: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest sample whose number can be read."""
    readable = (s for s in reversed(samples) if read_number(s["blocks"]) is not None)
    return next(readable, None)


def read_moments(
    samples: Sequence[dict[str, Any]], things: Sequence[Sequence[Thing]]
) -> list[Moment]:
    """The film's first run as moments, in s since its first frame was seen."""
    run = first_run(samples)
    begin = run[0][1]["at"] if run else 0
    moments = []
    for number, sample in run:
        outlines = {o["id"]: _in_video(o["quad"], sample["size"]) for o in sample["outlines"]}
        tracks = [
            Shown(
                name=row["name"],
                sure=row["sure"],
                quad=outlines.get(row["id"]),
                id=int(row["id"]),
                addable=row["addable"] and row["sure"],
            )
            for row in sample["rows"]
        ]
        moments.append(Moment((sample["at"] - begin) / 1000, things[number], tracks))
    return moments


def read_answers(samples: Sequence[dict[str, Any]]) -> list[float]:
    """When the page counted another answer, in s since the film's first frame was seen."""
    run = first_run(samples)
    begin = run[0][1]["at"] if run else 0
    return [
        (after["at"] - begin) / 1000
        for (_, before), (_, after) in pairwise(run)
        if after["answers"] != before["answers"]
    ]


def _in_video(quad: Any, size: Sequence[float]) -> Quad:
    """Canvas px → px of the video, which is as large as fits into the canvas, in its middle."""
    video = np.array([WIDTH, HEIGHT])
    canvas = np.array(size)
    scale = (canvas / video).min()
    return as_points((np.array(quad) - (canvas - video * scale) / 2) / scale)
