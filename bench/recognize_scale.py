"""Does a frame cost more with more references? The set's own against the same plus drawn ones, frames in turn."""

from __future__ import annotations

import argparse
import cProfile
import gc
import hashlib
import pstats
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import psutil
from PIL import Image
from recognize_sets import photos_of, table

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import (
    Embedder,
    Encoder,
    cpu_count,
    open_encoder,
    unit_rows,
)
from data_label_factory.identify.images import RGB, decode, find_images
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.feature_cache import feature_cache_path
from data_label_factory.samples import draw_card, sample_cards

_PICTURE_PX = (300, 420)  # width, height
_DRAWN_CARDS = 60
_PROFILED_FRAMES, _LISTED = 20, 12


def scale(options: argparse.Namespace, scratch: Path) -> None:
    refs, small_file, large_file = (scratch / name for name in ("refs", "small.npz", "large.npz"))
    _copy(options.data / options.set / "refs", refs)
    encoder = open_encoder()
    small_index = build_index(refs, small_file, Embedder(encoder), quiet=True).index
    if options.references <= len(small_index):
        raise FactoryError(
            f"{options.set} has {len(small_index)} references itself",
            "Ask for more with --references",
        )
    large_index = _with_unknowns(small_index, refs, options.references - len(small_index))
    frames = [
        decode(path) for path in _evenly(photos_of(options.data / options.set), options.frames)
    ]

    rows: list[list[str]] = []
    recognizers = []
    for index, file in ((small_index, small_file), (large_index, large_file)):
        recognizer, row = _opened(index, encoder, refs, feature_cache_path(file))
        recognizers.append(recognizer)
        rows.append([str(len(index)), *row])
    times, cpu, same = _in_turn(recognizers, frames)
    for row, wall_ms, cpu_ms in zip(
        rows, np.median(times, axis=1), np.median(cpu, axis=1), strict=True
    ):
        row += [f"{wall_ms:.0f}", f"{cpu_ms:.0f}"]
    head = (
        "references",
        "features",
        "build s",
        "start s",
        "file MiB",
        "memory MiB",
        "ms p50",
        "CPU ms p50",
    )
    print(table(head, rows))
    ratios = [
        f"{np.median(t[1]) / np.median(t[0]):.2f} ({name})"
        for name, t in (("wall", times), ("CPU", cpu))
    ]
    print(
        f"\n{len(frames)} frames; ratio of the medians {', '.join(ratios)}; the same sure answers in {same} frames."
    )
    print(
        "Embeddings of the drawn references are random unit rows; thresholds are the prior's.",
        flush=True,
    )
    if options.profile:
        print(_growth(recognizers, frames[:_PROFILED_FRAMES]), flush=True)


def draw_unknowns(folder: Path, count: int) -> Iterator[tuple[str, str]]:
    """Write `count` drawn pictures, no two alike, and give the name of each and the SHA-256 of its file.

    Two warped cuttings of drawn cards, joined along the levels of a cloud, in other colours.
    """
    cards = [np.asarray(draw_card(card)) for card in sample_cards(_DRAWN_CARDS)]
    folder.mkdir()

    def draw(number: int) -> tuple[str, str]:
        path = folder / f"stranger_{number:06}.jpg"
        Image.fromarray(_mixture(cards, np.random.default_rng(number))).save(path, quality=90)
        return path.name, hashlib.sha256(path.read_bytes()).hexdigest()

    with ThreadPoolExecutor(cpu_count()) as pool:
        yield from pool.map(draw, range(count))


def _mixture(cards: list[RGB], rng: np.random.Generator) -> RGB:
    width, height = _PICTURE_PX
    cuttings = [_cutting(cards[number], rng) for number in rng.choice(len(cards), 2, replace=False)]
    cloud = np.sum([_cloud(rng, cells) / cells for cells in (3, 6, 12, 24, 48)], axis=0)
    share = (
        np.round(3 * (cloud - cloud.min()) / np.ptp(cloud)) / 3
    )  # steps, whose edges are new details
    mixed = cuttings[0] * share[..., None] + cuttings[1] * (1 - share[..., None])
    bent = cv2.remap(mixed, *_displaced(rng), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    assert bent.shape == (height, width, 3)
    return np.asarray(bent.clip(0, 255), np.uint8)


def _cutting(card: RGB, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32: a quarter to a half of a card seen askew, its channels in another order."""
    width, height = _PICTURE_PX
    size = np.array(card.shape[1::-1])
    side = size * rng.uniform(0.5, 0.7)
    corner = rng.uniform(0, 1, 2) * (size - side)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + rng.uniform(-0.15, 0.15, (4, 2))
    source = np.roll(corner + square * side, int(rng.integers(4)), axis=0)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target)
    cut = cv2.warpPerspective(card, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(cut[..., rng.permutation(3)], np.float32)


def _cloud(rng: np.random.Generator, cells: int) -> np.ndarray:
    """(H, W) float32 noise with so many cells across."""
    return np.asarray(
        cv2.resize(
            rng.standard_normal((cells, cells), np.float32),
            _PICTURE_PX,
            interpolation=cv2.INTER_CUBIC,
        )
    )


def _displaced(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    width, height = _PICTURE_PX
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x + 6 * _cloud(rng, 8), y + 6 * _cloud(rng, 8)


def _with_unknowns(index: Index, refs: Path, count: int) -> Index:
    drawn = list(draw_unknowns(refs / "strangers", count))
    names = np.array([Path(name).stem for name, _ in drawn])
    blank = np.full(count, "", "<U1")
    rows = unit_rows(np.random.default_rng(0).standard_normal((count, index.dim), np.float32))
    return Index(
        embeddings=np.concatenate([index.embeddings, rows]),
        names=np.concatenate([index.names, names]),
        references=np.concatenate([index.references, [f"strangers/{name}" for name, _ in drawn]]),
        set_codes=np.concatenate([index.set_codes, blank]),
        rarities=np.concatenate([index.rarities, blank]),
        sha256=np.concatenate([index.sha256, [digest for _, digest in drawn]]),
        meta=index.meta,
    )


def _opened(
    index: Index, encoder: Encoder, refs: Path, cache: Path
) -> tuple[Recognizer, list[str]]:
    """A recogniser started from its features file, and cells: features, seconds to build and to start, sizes."""
    _, build_s = _timed(lambda: Recognizer(index, Embedder(encoder), refs=refs, cache=cache))
    gc.collect()
    before = psutil.Process().memory_info().rss
    recognizer, start_s = _timed(
        lambda: Recognizer(index, Embedder(encoder), refs=refs, cache=cache)
    )
    memory = psutil.Process().memory_info().rss - before
    references = recognizer._references
    if references is None or recognizer.unreadable:
        raise FactoryError(
            f"{len(recognizer.unreadable)} references cannot be read",
            "See that the disk is not full",
        )
    sizes = [f"{size / 2**20:.0f}" for size in (cache.stat().st_size, memory)]
    return recognizer, [
        str(len(references.local.descriptors)),
        f"{build_s:.1f}",
        f"{start_s:.2f}",
        *sizes,
    ]


def _in_turn(
    recognizers: list[Recognizer], frames: list[RGB]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Wall and CPU milliseconds (2, frames) of both on each frame, who goes first changing; and in how many frames
    both give the same sure answers."""
    wall, cpu = np.zeros((2, len(recognizers), len(frames)))
    for recognizer in recognizers:
        recognizer.recognize(frames[0])
    same = 0
    for number, frame in enumerate(frames):
        answers = {}
        for which in (0, 1) if number % 2 else (1, 0):
            cpu_start, start = time.process_time(), time.perf_counter()
            found = recognizers[which].recognize(frame)
            wall[which, number] = (time.perf_counter() - start) * 1000
            cpu[which, number] = (time.process_time() - cpu_start) * 1000
            answers[which] = sorted(one.reference for one in found if one.confident)
        same += answers[0] == answers[1]
    return wall, cpu, same


def _growth(recognizers: list[Recognizer], frames: list[RGB]) -> str:
    """Own time of functions, in ms a frame, where the larger index costs most more."""
    own: list[dict[tuple[str, int, str], float]] = []
    for recognizer in recognizers:
        with cProfile.Profile() as profile:
            for frame in frames:
                recognizer.recognize(frame)
        entries = pstats.Stats(profile).stats  # type: ignore[attr-defined]
        own.append({function: entry[2] * 1000 / len(frames) for function, entry in entries.items()})
    small, large = own
    worst = sorted(large, key=lambda function: small.get(function, 0.0) - large[function])[:_LISTED]
    rows = [
        [f"{Path(f[0]).name}:{f[1]} {f[2]}", f"{small.get(f, 0.0):.1f}", f"{large[f]:.1f}"]
        for f in worst
    ]
    return "\n" + table(("function", "own ms, small", "own ms, large"), rows)


def _timed(work: Callable[[], Recognizer]) -> tuple[Recognizer, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _copy(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise FactoryError(
            f"There is no {source}", "Name with --data the folder that holds NAME/refs"
        )
    shutil.copytree(source, target)


def _evenly(folder: Path, count: int) -> list[Path]:
    names = list(find_images(folder))
    rows = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).astype(int))
    return [folder / names[row] for row in rows]
