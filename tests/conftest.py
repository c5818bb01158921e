"""What several test files share: a fast encoder, small distinct pictures, and the command line."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits
from website import Site, serving

from data_label_factory.identify.encoders import (
    Embeddings,
    EncoderIdentity,
    OnnxEncoder,
    open_encoder,
    unit_rows,
)
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize import calibrate


class GridEncoder:
    """An Encoder that takes a picture's colors on a 4 × 4 grid (48 dimensions) for its embedding.

    `encoded` counts pictures; with `interrupt_after`, Ctrl-C comes once that many are done.
    """

    dim = 48

    def __init__(self, name: str = "grid", *, interrupt_after: int | None = None) -> None:
        self.identity = EncoderIdentity(name, "ab" * 32, {"side": 4})
        self.encoded = 0
        self._interrupt_after = interrupt_after

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        if not images:
            return np.empty((0, self.dim), np.float32)
        if self._interrupt_after is not None and self.encoded >= self._interrupt_after:
            raise KeyboardInterrupt
        self.encoded += len(images)
        small = [Image.fromarray(image).resize((4, 4), Image.Resampling.BOX) for image in images]
        return unit_rows(
            np.stack([np.asarray(image, np.float32).ravel() - 127.5 for image in small])
        )


def pixels(seed: int, width: int = 64, height: int = 64) -> RGB:
    """A picture of random colored tiles: every seed gives another one, none like another."""
    tiles = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(tiles).resize((width, height), Image.Resampling.NEAREST))


def save_picture(path: Path, seed: int, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed)).save(path, **options)
    return path


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """As the server does it: threads slow many small products down."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture
def refs(tmp_path: Path) -> Path:
    """Five distinct pictures: card_0.png … card_4.png."""
    for seed in range(5):
        save_picture(tmp_path / "refs" / f"card_{seed}.png", seed)
    return tmp_path / "refs"


def calibrate_quickly(patch: pytest.MonkeyPatch) -> None:
    """Let calibrations try two frames; the thirty of a real one take twenty seconds and more."""
    patch.setattr(calibrate, "_FRAMES", 1)
    patch.setattr(calibrate, "_DISTRACTOR_FRAMES", 1)


@pytest.fixture
def quick_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    calibrate_quickly(monkeypatch)


@pytest.fixture
def encoder() -> GridEncoder:
    return GridEncoder()


@pytest.fixture(scope="session")
def sscd() -> OnnxEncoder:
    return open_encoder("sscd")


@pytest.fixture
def dlf() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as the user does, in a process of its own."""

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "data_label_factory", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, **options)

    return run


@pytest.fixture
def website() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a camera."""
    from browsing import CHROMIUM, launch  # which takes from here, in turn

    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("needs Chromium")
    with sync_api.sync_playwright() as engine, launch(engine, None) as browser:
        yield browser
