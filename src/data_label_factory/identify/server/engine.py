"""What the server answers with: index, recogniser and prices as one whole, replaced by a single assignment.

The only module of the server that knows how a Recognizer is made and asked.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data_label_factory.identify.encoders import open_encoder
from data_label_factory.identify.encoders.head import ProjectionHead, check_head_fits
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.feature_cache import features_file
from data_label_factory.identify.server.observe import note
from data_label_factory.identify.server.pricing import Prices
from data_label_factory.identify.server.settings import Settings
from data_label_factory.prices.book import PriceBook


@dataclass(frozen=True)
class Snapshot:
    """An index and the recogniser made for it. A request uses one from its beginning to its end."""

    index: Index
    recognizer: Recognizer

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each reference file."""
        return {str(filename): row for row, filename in enumerate(self.index.filenames)}

    @cached_property
    def searchable(self) -> list[str]:
        """What a search of the items looks through, row by row."""
        columns = (self.index.names, self.index.set_codes, self.index.filenames)
        return ["\n".join(map(str, row)).casefold() for row in zip(*columns, strict=True)]


class Engine:
    """Opening it does the cheap checks, `load` the slow part. Everything else is safe to call from any thread."""

    def __init__(self, settings: Settings) -> None:
        """Raises FactoryError when the index, the head, the encoder or the prices cannot be used."""
        self.settings = settings
        self._first: Index | None = Index.load(settings.index)
        self.head = ProjectionHead.load(settings.projection) if settings.projection else None
        name = settings.encoder or self._first.meta.encoder.id.partition(":")[0]
        self.encoder = open_encoder(name, device=settings.device)
        if self.head:
            check_head_fits(self.head, self.encoder.identity.id, None)
        self._first.require_maker(self.encoder.identity, self.head.sha256 if self.head else "")
        self._prices = Prices(settings)
        self.prices: PriceBook | None = None
        self.snapshot: Snapshot | None = None
        self.problems: dict[str, str] = {}  # what could not be taken over: "refs", "index", "prices" → why
        self.changing = threading.RLock()  # held by whoever changes the index, on disk or here

    @property
    def device(self) -> str:
        return self.encoder.device

    def load(self) -> None:
        """Read the references and warm up. Raises FactoryError."""
        start = time.perf_counter()
        assert self._first is not None
        index, self._first = self._first, None
        snapshot = Snapshot(index, self._recognizer(index))
        probe = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        self.encoder.encode([probe])  # one picture and several take different paths
        self.encoder.encode([probe, probe])
        snapshot.recognizer.recognize(probe)
        self.snapshot = snapshot
        note("ready", references=len(index), items=index.item_count, seconds=round(time.perf_counter() - start, 2))
        for name, reason in snapshot.recognizer.unreadable.items():
            note("unreadable", 30, file=name, reason=reason)

    def adopt(self, index: Index, *, because: str) -> bool:
        """Answer by `index` from the next request on. False when it is what is served already. Raises EncoderError."""
        with self.changing:
            now = self.snapshot
            if now is not None and _same_references(now.index, index):
                return False
            start = time.perf_counter()
            refs = self.settings.refs or Path()
            recognizer = now.recognizer.updated(index, refs) if now else self._recognizer(index)
            self.snapshot = Snapshot(index, recognizer)
            note("updated", because=because, references=len(index), seconds=round(time.perf_counter() - start, 2))
            return True

    def adopt_prices(self) -> None:
        """Read the price file; the first time the network is asked for rates. Raises FactoryError, and the old stay."""
        self.prices = self._prices.load()
        if self.prices:
            note("prices", fx=self.prices.fx_info())

    def problem(self, source: str, error: Exception | None) -> None:
        """Keep for /health why `source` could not be taken over, or that it now could."""
        if error is None:
            self.problems = {name: text for name, text in self.problems.items() if name != source}
        elif self.problems.get(source) != str(error):
            self.problems = {**self.problems, source: str(error)}
            note("not taken over", 40, source=source, reason=error)

    def _recognizer(self, index: Index) -> Recognizer:
        settings = self.settings
        return Recognizer(
            index,
            self.encoder,
            self.head,
            refs=settings.refs,
            detector=settings.detector,
            strictness=settings.strictness,
            sim_threshold=settings.sim_threshold,
            margin_threshold=settings.margin_threshold,
            cache=features_file(settings.index),
        )


def _same_references(a: Index, b: Index) -> bool:
    columns = ("filenames", "sha256", "names", "set_codes", "rarities", "embeddings")
    return len(a) == len(b) and a.meta == b.meta and all(np.array_equal(getattr(a, c), getattr(b, c)) for c in columns)
