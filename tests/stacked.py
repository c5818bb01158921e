"""A stack of cards in front of the camera, and a server that knows some of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scripted import Mask, Script

UNKNOWN = ""  # the name of a card that is in no collection
_SIDE = (640, 480)
_LEFT, _TOP, _WIDTH, _HEIGHT = 200, 90, 240, 330  # px, of a card
_STRIP, _BITS = 24, 7  # px; the number of what is shown, in bits along the top
_EMPTY = 2**_BITS - 1
_UNSURE_FRAMES = 1  # of a card that is sure afterwards
_FORGOTTEN_FRAMES = 20  # a thing that comes back before has its number still


# Stands in for the camera and for the page's clock. `step` shows a picture for some ms of
# that clock and resolves once a frame was answered and nothing is under way, so no step
# depends on the machine.
STEPPED = """async (pictures) => {
    const images = [];
    for (const picture of pictures) {
        const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
        images.push(await createImageBitmap(new Blob([bytes], {type: "image/jpeg"})));
    }
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [images[0].width, images[0].height];
    const context = canvas.getContext("2d");
    const stream = canvas.captureStream(0);
    navigator.mediaDevices.getUserMedia = async () => stream;
    let now = performance.now();
    performance.now = () => now;
    const count = () => {
        const rows = [...document.querySelectorAll("#stats > div")];
        const row = rows.find((one) => one.firstChild.textContent === "Frames answered");
        return Number(row?.lastChild.textContent ?? 0);
    };
    let pending = 0;
    for (const name of ["fetch", "createImageBitmap"]) {
        const original = window[name];
        window[name] = (...given) => {
            pending += 1;
            return original.apply(window, given).finally(() => { pending -= 1; });
        };
    }
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let steps = 0;
    window.step = async (number, ms) => {
        const before = count();
        now += ms;
        steps += 1;
        for (let tries = 0; count() === before; tries++) {
            if (tries % 40 === 0) {
                context.drawImage(images[number], steps % 2, 0);
                stream.getVideoTracks()[0].requestFrame();
            }
            await wait(5);
        }
        for (let idle = 0; idle < 2; idle = pending ? 0 : idle + 1) await wait(2);
    };
    window.show = async (numbers, steps, ms) => {
        for (const number of numbers) for (let i = 0; i < steps; i++) await window.step(number, ms);
    };
}"""


def draw_stack(names: Sequence[str]) -> list[bytes]:
    """A JPEG of each card on the table, by its number, and one of the empty table."""
    random = np.random.default_rng(8)
    table = cv2.resize(random.uniform(80, 110, (6, 8, 3)).astype(np.uint8), _SIDE)
    pictures: dict[str, Any] = {}
    frames = []
    for number, name in enumerate(names):
        key = name or f"unknown {number}"
        if key not in pictures:
            tiles = random.uniform(0, 255, (11, 8, 3)).astype(np.uint8)
            pictures[key] = cv2.resize(tiles, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
        view = table.copy()
        view[_TOP : _TOP + _HEIGHT, _LEFT : _LEFT + _WIDTH] = pictures[key]
        frames.append(_encode(view, number))
    return [*frames, _encode(table, _EMPTY)]


def write_stack(path: Path, names: Sequence[str], frames: int, *, gap: int) -> Path:
    """A clip of so many frames of each card, before every second so many of the empty table."""
    *cards, empty = draw_stack(names)
    clip = bytearray()
    for number, card in enumerate(cards):
        bare = gap if number % 2 else 0
        clip += empty * bare + card * (frames - bare)
    path.write_bytes(clip + empty * 150)
    return path


def _encode(view: Any, number: int) -> bytes:
    view = view.copy()
    for bit in range(_BITS):
        view[:_STRIP, _STRIP * bit : _STRIP * (bit + 1)] = 255 * (number >> bit & 1)
    return bytes(cv2.imencode(".jpg", view)[1].tobytes())


@dataclass
class StackServer(Script):
    """Names the cards of a stack, at first unsurely.

    Of every second unknown card it says nothing in a session, as a server does that has
    seen it too seldom; a single picture of any shows something unsure.
    """

    names: Sequence[str] = ()
    sessions: bool = True
    _frames: int = 0
    _seen: Counter[int] = field(default_factory=Counter)  # number of a card → frames of it
    _ids: dict[str, tuple[int, int]] = field(default_factory=dict)  # name → its id, last frame

    def answer(self, session: str, frame: int, picture: bytes) -> dict[str, Any]:
        self.masks = self._find(bool(session), picture)
        return super().answer(session, frame, picture)

    def _find(self, in_session: bool, picture: bytes) -> list[Mask]:
        view = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert view is not None
        at = [_STRIP * bit + _STRIP // 2 for bit in range(_BITS)]
        number = sum(1 << bit for bit in range(_BITS) if view[_STRIP // 2, at[bit]] > 127)
        if number >= len(self.names):
            return []
        self._frames += 1
        self._seen[number] += 1
        name = self.names[number]
        if name:
            return [_mask(name, self._seen[number] > _UNSURE_FRAMES, self._id_of(name))]
        if in_session and number % 4 == 1:
            return []
        known = sorted(set(self.names) - {UNKNOWN})
        first = number % len(known)
        guesses = [*known[first:], *known[:first]]
        return [_mask(guesses[0], False, 1000 + number, guesses[1:5])]

    def _id_of(self, name: str) -> int:
        known, seen = self._ids.get(name, (0, -_FORGOTTEN_FRAMES))
        fresh = 1 + max((one for one, _ in self._ids.values()), default=0)
        is_known = self._frames - seen < _FORGOTTEN_FRAMES
        self._ids[name] = (known if is_known else fresh, self._frames)
        return self._ids[name][0]


def _mask(name: str, sure: bool, track_id: int, others: Sequence[str] = ()) -> Mask:
    xs, ys = (_LEFT / 640, (_LEFT + _WIDTH) / 640), (_TOP / 480, (_TOP + _HEIGHT) / 480)
    top_k = [{"name": one, "filename": f"{one}.jpg", "score": 0.5} for one in (name, *others)]
    return {
        "bbox_norm": {"x1": xs[0], "y1": ys[0], "x2": xs[1], "y2": ys[1]},
        "quad_norm": [[xs[0], ys[0]], [xs[1], ys[0]], [xs[1], ys[1]], [xs[0], ys[1]]],
        "area_fraction": 0.25,
        "confident": sure,
        "name": name,
        "label": name,
        "ref_filename": f"{name}.jpg",
        "score": 0.8,
        "top_k": top_k,
        "track_id": track_id,
        "lost_seconds": 0,
        "price": {"usd_median": 1.25, "median": 1.25, "currency": "USD"},
    }
