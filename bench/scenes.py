"""Draw photos of whole walls, shelves, binder pages and rows of spines.

    python bench/scenes.py --refs DIR --out DIR [--kind KIND] [--count 8] [--seed 0]

Writes PNG files, truth.json in the form that `identify evaluate` reads, with the quad
of every item, and the folder `refs` of what is to be indexed. Every fifth picture of
--refs is kept out of `refs`: its item is in the photos, but unknown ("known": false), unless
it is nearly the same as a known one.
Spines are strips that are cut out of the pictures, one part wide and ten parts high.

A photo has 10 to 60 items, 40 to 200 px on the short side, in 2 to 12 megapixels.
Items stand in rows, some as several copies side by side, some partly hidden by a
neighbor; the whole is seen at an angle, unevenly lit, with shadows below each board
and glare on plastic; then blurred, noisy and compressed as by a phone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scene_stock import Stock, as_png, read_stock, write_refs

from data_label_factory.errors import FactoryError
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points, frame_quad

KINDS = ("wall", "shelf", "binder", "spines")
_ITEMS = (10, 60)
_SHORT_SIDE_PX = (40.0, 200.0)
_MEGAPIXELS = (2.0, 12.0)

# All of these are set by hand, after photos of shelves and binders.
_COPIES = 0.2  # how often an item stands there several times
_MOST_COPIES = 3
_GAP = {"wall": 0.12, "shelf": 0.02, "binder": 0.08, "spines": 0.01}  # of the short side
_TURN_DEGREES = {"wall": 1.0, "shelf": 0.7, "binder": 1.5, "spines": 0.4}
_HIDDEN = {"wall": 0.0, "shelf": 0.08, "binder": 0.0, "spines": 0.0}  # of the width, by a neighbor
_TILT = 0.07  # of the photo's side, that a corner moves
_RIM = 0.06  # of the photo, without items

Floats = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Thing:
    """An item in a scene; `ref` is None for what is in no index."""

    ref: str | None
    quad: Quad

    @property
    def short_side_px(self) -> float:
        edges = np.linalg.norm(self.quad - np.roll(self.quad, -1, axis=0), axis=1)
        return float(min(edges[0] + edges[2], edges[1] + edges[3]) / 2)


@dataclass(frozen=True)
class Scene:
    image: RGB
    things: list[Thing]


def draw_scene(stock: Stock, kind: str, rng: Rng) -> Scene:
    """One photo of 10 to 60 of the items."""
    aspect = float(np.median([p.shape[1] / p.shape[0] for p in stock.known.values()]))
    short = float(np.exp(rng.uniform(*np.log(_SHORT_SIDE_PX))))
    height = short / min(aspect, 1.0)
    count = int(rng.integers(*_ITEMS, endpoint=True))
    count = max(_ITEMS[0], min(count, int(0.5 * _MEGAPIXELS[1] * 1e6 / (height**2 * aspect))))

    names = _choose(stock, count, rng)
    rows = max(1, round(float(np.sqrt(count * aspect / rng.uniform(1.0, 1.8)))))
    per_row = -(-count // rows)
    placed = _stand(stock, names, kind, (rows, per_row), height, rng)
    size = _size_of(placed, rng)
    return _photograph(stock, placed, kind, size, rng)


def _choose(stock: Stock, count: int, rng: Rng) -> list[str]:
    """Names in the order that they stand in; some several times in a row."""
    everything = [*stock.known, *stock.unknown]
    order = [everything[i] for i in rng.permutation(len(everything))]
    names: list[str] = []
    while len(names) < count:
        copies = int(rng.integers(2, _MOST_COPIES + 1)) if rng.random() < _COPIES else 1
        names += [order[len(set(names)) % len(order)]] * copies
    return names[:count]


def _stand(
    stock: Stock,
    names: Sequence[str],
    kind: str,
    grid: tuple[int, int],
    height: float,
    rng: Rng,
) -> list[tuple[str, Quad]]:
    """Each item's quad on a flat wall, from (0, 0) on, row by row."""
    placed = []
    rows, per_row = grid
    gap = _GAP[kind] * height
    top = 0.0
    for row in range(rows):
        left, tallest = 0.0, 0.0
        for name in names[row * per_row : (row + 1) * per_row]:
            picture = stock.known[name] if name in stock.known else stock.unknown[name]
            high = height * (rng.uniform(0.85, 1.0) if kind in ("shelf", "spines") else 1.0)
            wide = high * picture.shape[1] / picture.shape[0]
            corners = frame_quad(wide, high) + np.array([left, top + height - high])
            placed.append((name, _turn(corners, rng.normal(0, _TURN_DEGREES[kind]))))
            left += wide * (1 - rng.uniform(0, _HIDDEN[kind] + 1e-9)) + gap * rng.uniform(0.5, 1.5)
            tallest = max(tallest, high)
        top += height * (1.15 if kind in ("shelf", "spines") else 1.0) + gap
    return placed


def _turn(corners: Floats, degrees: float) -> Quad:
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    center = corners.mean(axis=0)
    return as_points((corners - center) @ matrix + center)


def _size_of(placed: list[tuple[str, Quad]], rng: Rng) -> tuple[int, int]:
    """(width, height) px of a photo that holds them, with a rim, within 2 to 12 megapixels."""
    every = np.concatenate([quad for _, quad in placed])
    extent = every.max(axis=0) - every.min(axis=0)
    size = extent * (1 + 2 * _RIM + rng.uniform(0, 0.3, 2))
    grown = max(1.0, float(np.sqrt(_MEGAPIXELS[0] * 1e6 / size.prod())))
    width, height = (int(side) for side in size * grown)
    return width, height


def _photograph(
    stock: Stock, placed: list[tuple[str, Quad]], kind: str, size: tuple[int, int], rng: Rng
) -> Scene:
    width, height = size
    every = np.concatenate([quad for _, quad in placed])
    shift = np.array(size) / 2 - (every.max(axis=0) + every.min(axis=0)) / 2
    flat = frame_quad(width, height)
    reach = min(size) * _TILT
    to_photo = cv2.getPerspectiveTransform(
        flat, as_points(flat + rng.uniform(-reach, reach, (4, 2)))
    )

    canvas = _draw_wall(width, height, rng)
    things: list[Thing] = []
    for name, corners in placed:
        quad = as_points(cv2.perspectiveTransform(as_points(corners + shift)[None], to_photo)[0])
        picture = stock.known[name] if name in stock.known else stock.unknown[name]
        _paste(canvas, picture, quad, rng)
        known = as_png(name) if name in stock.known else None
        things.append(Thing(known, quad))

    if kind == "binder":
        _draw_plastic(canvas, rng)
    return Scene(_expose(canvas, rng), [one for one in things if _is_inside(one.quad, size)])


def _is_inside(quad: Quad, size: tuple[int, int]) -> bool:
    """Whether the camera sees at least three of its corners."""
    return int(((quad >= 0) & (quad < np.array(size))).all(axis=1).sum()) >= 3


def _draw_wall(width: int, height: int, rng: Rng) -> Floats:
    """Boards or plaster, (H, W, 3) in 0 … 255."""
    color = rng.uniform(60, 200) + rng.normal(0, 15, 3)
    grain = rng.normal(0, 1, (height // 6 + 1, width // 6 + 1)).astype(np.float32)
    if rng.random() < 0.5:
        grain = 4 * np.asarray(cv2.GaussianBlur(grain, (0, 0), sigmaX=14, sigmaY=0.7), np.float32)
    grain = np.asarray(
        cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
    )
    return np.asarray(np.clip(color + grain[..., None] * rng.uniform(3, 12), 0, 255), np.float32)


def _paste(canvas: Floats, picture: RGB, quad: Quad, rng: Rng) -> None:
    """Draw a picture at a quad, in place, with a shadow to its lower right."""
    longest = max(float(np.linalg.norm(quad[i] - quad[i - 1])) for i in range(4))
    item = _shrink(picture, longest / max(picture.shape[:2]))
    reach = max(2, round(0.03 * longest))
    left, top = np.floor(quad.min(axis=0) - 3 * reach).astype(int).clip(0)
    right, bottom = np.ceil(quad.max(axis=0) + 3 * reach).astype(int)
    part = canvas[top:bottom, left:right]
    if not part.size:
        return

    local = as_points(quad - (left, top))
    size = part.shape[1], part.shape[0]
    matrix = cv2.getPerspectiveTransform(frame_quad(item.shape[1], item.shape[0]), local)
    lit = item.astype(np.float32) * rng.uniform(0.8, 1.15)
    warped = cv2.warpPerspective(lit, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(part.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, np.round(local * 16).astype(np.int32), 1.0, cv2.LINE_AA, shift=4)
    shadow = cv2.GaussianBlur(np.roll(mask, (reach, reach), (0, 1)), (0, 0), reach)

    part *= 1 - 0.5 * shadow[..., None]
    part += (warped - part) * mask[..., None]


def _shrink(picture: RGB, factor: float) -> RGB:
    """Smaller, where it would alias."""
    if factor >= 1:
        return picture
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _draw_plastic(canvas: Floats, rng: Rng) -> None:
    """Streaks of glare on the foil of a binder page, in place."""
    height, width = canvas.shape[:2]
    small = np.zeros((height // 8 + 1, width // 8 + 1), np.float32)
    for _ in range(int(rng.integers(2, 7))):
        start = rng.uniform(0, 1, 2) * small.shape[::-1]
        end = start + rng.normal(0, 0.25, 2) * small.shape[::-1]
        ends = [tuple(int(v) for v in point) for point in (start, end)]
        thickness = max(1, int(0.01 * small.shape[1]))
        cv2.line(small, ends[0], ends[1], float(rng.uniform(0.3, 0.9)), thickness, cv2.LINE_AA)
    glare = cv2.GaussianBlur(small, (0, 0), 0.008 * small.shape[1] + 1)
    canvas += (255 - canvas) * cv2.resize(glare, (width, height))[..., None]


def _expose(canvas: Floats, rng: Rng) -> RGB:
    """Uneven light, blur, noise and JPEG of a phone."""
    height, width = canvas.shape[:2]
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.5)
    light = 1 + (np.cos(angle) * x + np.sin(angle) * y) * np.float32(slope)
    exposed = (
        canvas * light[..., None] * np.float32(rng.uniform(0.8, 1.15) * rng.uniform(0.95, 1.05, 3))
    )

    exposed = np.asarray(cv2.GaussianBlur(exposed, (0, 0), rng.uniform(0.3, 0.9)), np.float32)
    exposed += rng.standard_normal(exposed.shape, np.float32) * np.float32(rng.uniform(1, 5))
    image = np.clip(exposed, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(75, 94))]
    jpeg = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
    decoded = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--refs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=KINDS, default="wall")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    try:
        stock = read_stock(options.refs, options.kind)
    except FactoryError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2

    write_refs(stock, options.out / "refs")
    rng = np.random.default_rng(options.seed)
    truth = []
    for number in range(options.count):
        scene = draw_scene(stock, options.kind, rng)
        file = f"{options.kind}_{number:03}.png"
        Image.fromarray(scene.image).save(options.out / file)
        items = [
            {"ref": one.ref or "unknown", "known": one.ref is not None, "quad": one.quad.tolist()}
            for one in scene.things
        ]
        truth.append({"file": file, "items": items})
    (options.out / "truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
