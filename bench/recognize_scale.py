"""Does a frame cost more with more references?

Compares a set's own references with the same plus drawn ones; frames alternate between the two.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import hashlib
import pstats
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import psutil
from PIL import Image
from recognize_sets import find_photos, format_table

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import (
    Embedder,
    Encoder,
    open_encoder,
    unit_rows,
)
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.feature_store import feature_store_path
from data_label_factory.samples import draw_card, sample_cards
from data_label_factory.walk import walk_folder

Function = tuple[str, int, str]  # file, line and name

_PICTURE_PX = (300, 420)  # width, height
_DRAWN_CARDS = 60
_PROFILED_FRAMES = 20
_LISTED = 12  # functions
_HEAD = (
    "references",
    "features",
    "build s",
    "start s",
    "file MiB",
    "memory MiB",
    "ms p50",
    "CPU ms p50",
)


def scale(options: argparse.Namespace, scratch: Path) -> None:
    refs = scratch / "refs"
    _copy(options.data / options.set / "refs", refs)
    frames = _read_frames(options.data / options.set, options.frames)
    encoder = open_encoder()
    small, large = _make_indexes(options, refs, scratch / "small.npz", encoder)

    rows: list[list[str]] = []
    recognizers = []
    for index, name in ((small, "small.npz"), (large, "large.npz")):
        cache = feature_store_path(scratch / name)
        recognizer, row = _open_recognizer(index, encoder, refs, cache)
        recognizers.append(recognizer)
        rows.append([str(len(index)), *row])

    wall, cpu, same = _time_alternately(recognizers, frames)
    for row, wall_ms, cpu_ms in zip(rows, wall, cpu, strict=True):
        row += [f"{np.median(wall_ms):.0f}", f"{np.median(cpu_ms):.0f}"]
    print(format_table(_HEAD, rows))

    ratios = []
    for name, ms in (("wall", wall), ("CPU", cpu)):
        ratios.append(f"{np.median(ms[1]) / np.median(ms[0]):.2f} ({name})")
    print(f"\n{len(frames)} frames; ratio of the medians {', '.join(ratios)}.")
    print(f"The same confident answers in {same} frames.")
    print("Embeddings of the drawn references are random unit rows; the calibration is the prior.")
    if options.profile:
        print(_list_growth(recognizers, frames[:_PROFILED_FRAMES]), flush=True)


def _read_frames(pictures: Path, count: int) -> list[RGB]:
    return [decode(path) for path in _pick_evenly(find_photos(pictures), count)]


def _make_indexes(
    options: argparse.Namespace, refs: Path, out: Path, encoder: Encoder
) -> tuple[Index, Index]:
    """Index the set, and the set with drawn references added to `refs`.

    Raises FactoryError if --references asks for no more than the set has.
    """
    small = build_index(refs, out, Embedder(encoder), quiet=True).index
    more = options.references - len(small)
    if more <= 0:
        raise FactoryError(
            f"{options.set} has {len(small)} references itself", "Ask for more with --references"
        )
    return small, _add_unknowns(small, refs, more)


def draw_unknowns(folder: Path, count: int) -> Iterator[tuple[str, str]]:
    """Write `count` drawn pictures, no two alike; yield the name and SHA-256 of each file.

    A picture joins two warped pieces of drawn cards, in other colors, along the levels of a cloud.
    """
    cards = [np.asarray(draw_card(card)) for card in sample_cards(_DRAWN_CARDS)]
    folder.mkdir()

    def draw(number: int) -> tuple[str, str]:
        path = folder / f"unknown_{number:06}.jpg"
        picture = _mix_cards(cards, np.random.default_rng(number))
        Image.fromarray(picture).save(path, quality=90)
        return path.name, hashlib.sha256(path.read_bytes()).hexdigest()

    with ThreadPoolExecutor(cpu_count()) as pool:
        yield from pool.map(draw, range(count))


def _mix_cards(cards: list[RGB], rng: np.random.Generator) -> RGB:
    width, height = _PICTURE_PX
    first, second = (_cut_piece(cards[n], rng) for n in rng.choice(len(cards), 2, replace=False))

    # Steps instead of a smooth cloud: their edges are new details.
    cloud = np.sum([_make_cloud(rng, cells) / cells for cells in (3, 6, 12, 24, 48)], axis=0)
    levels = np.round(3 * (cloud - cloud.min()) / np.ptp(cloud)) / 3
    mixed = first * levels[..., None] + second * (1 - levels[..., None])

    bent = cv2.remap(mixed, *_displace(rng), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    assert bent.shape == (height, width, 3)
    return np.asarray(bent.clip(0, 255), np.uint8)


def _cut_piece(card: RGB, rng: np.random.Generator) -> np.ndarray:
    """Cut a quarter to a half of a card, seen askew, and shuffle its channels.

    Returns (H, W, 3) float32.
    """
    width, height = _PICTURE_PX
    size = np.array(card.shape[1::-1])
    side = size * rng.uniform(0.5, 0.7)
    corner = rng.uniform(0, 1, 2) * (size - side)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + rng.uniform(-0.15, 0.15, (4, 2))

    source = np.roll(corner + square * side, int(rng.integers(4)), axis=0)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target)
    piece = cv2.warpPerspective(card, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(piece[..., rng.permutation(3)], np.float32)


def _make_cloud(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Return (H, W) float32 noise with `cells` cells across."""
    noise = rng.standard_normal((cells, cells), np.float32)
    return np.asarray(cv2.resize(noise, _PICTURE_PX, interpolation=cv2.INTER_CUBIC))


def _displace(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and rows that each pixel is taken from, for `cv2.remap`."""
    width, height = _PICTURE_PX
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x + 6 * _make_cloud(rng, 8), y + 6 * _make_cloud(rng, 8)


def _add_unknowns(index: Index, refs: Path, count: int) -> Index:
    """Return the index with `count` drawn references, which are written below `refs`."""
    drawn = list(draw_unknowns(refs / "unknown", count))
    names = np.array([Path(name).stem for name, _ in drawn])
    references = [f"unknown/{name}" for name, _ in drawn]
    digests = [digest for _, digest in drawn]
    blank = np.full(count, "", "<U1")
    rows = unit_rows(np.random.default_rng(0).standard_normal((count, index.dim), np.float32))

    return Index(
        embeddings=np.concatenate([index.embeddings, rows]),
        names=np.concatenate([index.names, names]),
        references=np.concatenate([index.references, references]),
        set_codes=np.concatenate([index.set_codes, blank]),
        rarities=np.concatenate([index.rarities, blank]),
        sha256=np.concatenate([index.sha256, digests]),
        meta=index.meta,
    )


def _open_recognizer(
    index: Index, encoder: Encoder, refs: Path, cache: Path
) -> tuple[Recognizer, list[str]]:
    """Return a recognizer started from its feature cache, and cells of the table.

    The cells: features, seconds to build and to start, MiB of the file and in memory. Raises
    FactoryError if references cannot be read.
    """

    def start() -> tuple[Recognizer, float]:
        begin = time.perf_counter()
        recognizer = Recognizer(index, Embedder(encoder), refs=refs, cache=cache)
        return recognizer, time.perf_counter() - begin

    _, build_s = start()
    gc.collect()
    before = psutil.Process().memory_info().rss
    recognizer, start_s = start()
    memory = psutil.Process().memory_info().rss - before

    references = recognizer._references
    if references is None or recognizer.unreadable:
        raise FactoryError(
            f"{len(recognizer.unreadable)} references cannot be read",
            "Check that the disk is not full",
        )
    sizes = [f"{size / 2**20:.0f}" for size in (cache.stat().st_size, memory)]
    features = str(len(references.local.descriptors))
    return recognizer, [features, f"{build_s:.1f}", f"{start_s:.2f}", *sizes]


def _time_alternately(
    recognizers: list[Recognizer], frames: list[RGB]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Time two recognizers on each frame; who goes first alternates.

    Returns wall and CPU milliseconds, (2, frames) each, and the number of frames in which both
    give the same confident answers.
    """
    wall, cpu = np.zeros((2, len(recognizers), len(frames)))
    for recognizer in recognizers:
        recognizer.recognize(frames[0])

    same = 0
    for number, frame in enumerate(frames):
        answers = {}
        for which in (0, 1) if number % 2 else (1, 0):
            cpu_start = time.process_time()
            start = time.perf_counter()
            detections = recognizers[which].recognize(frame)
            wall[which, number] = (time.perf_counter() - start) * 1000
            cpu[which, number] = (time.process_time() - cpu_start) * 1000
            answers[which] = sorted(one.reference for one in detections if one.confident)
        same += answers[0] == answers[1]
    return wall, cpu, same


def _list_growth(recognizers: list[Recognizer], frames: list[RGB]) -> str:
    """Return a table of the functions that take most more with the larger index.

    Their own time, in ms per frame.
    """
    small, large = (_profile(recognizer, frames) for recognizer in recognizers)
    by_growth = sorted(large, key=lambda function: small.get(function, 0.0) - large[function])

    rows = []
    for function in by_growth[:_LISTED]:
        file, line, name = function
        times = [f"{small.get(function, 0.0):.1f}", f"{large[function]:.1f}"]
        rows.append([f"{Path(file).name}:{line} {name}", *times])
    return "\n" + format_table(("function", "own ms, small", "own ms, large"), rows)


def _profile(recognizer: Recognizer, frames: list[RGB]) -> dict[Function, float]:
    """Return the own time of each function, in ms per frame."""
    with cProfile.Profile() as profile:
        for frame in frames:
            recognizer.recognize(frame)
    entries = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return {function: entry[2] * 1000 / len(frames) for function, entry in entries.items()}


def _copy(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise FactoryError(
            f"There is no {source}", "Name with --data the folder that holds NAME/refs"
        )
    shutil.copytree(source, target)


def _pick_evenly(folder: Path, count: int) -> list[Path]:
    names = walk_folder(folder).pictures
    rows = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).astype(int))
    return [folder / names[row] for row in rows]
