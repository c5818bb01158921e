"""What the server answers with: index, recognizer and prices as one
whole, replaced by a single assignment.

The only module of the server that knows how a collection is made
and changed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from data_label_factory.identify.collection import Collection
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.maker import open_maker
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.calibrate import calibrate, is_out_of_date
from data_label_factory.identify.server.logs import note
from data_label_factory.identify.server.pricing import Prices
from data_label_factory.identify.server.reference_files import newest_first
from data_label_factory.identify.server.settings import Settings
from data_label_factory.prices.book import PriceBook

T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot:
    """A recognizer with its index. A request uses one from its beginning to its end."""

    recognizer: Recognizer
    refs: Path | None

    @property
    def index(self) -> Index:
        return self.recognizer.index

    @cached_property
    def searchable(self) -> list[str]:
        """The text that a search of the items looks through, row by row."""
        columns = (self.index.names, self.index.set_codes, self.index.references)
        return ["\n".join(map(str, row)).casefold() for row in zip(*columns, strict=True)]

    @cached_property
    def newest(self) -> list[tuple[str, float]]:
        """The references whose pictures can be read, with the times of
        their last changes, latest first.
        """
        unreadable = self.recognizer.unreadable
        readable = [name for name in map(str, self.index.references) if name not in unreadable]
        return newest_first(self.refs, readable) if self.refs else []


class Engine:
    """Making one does the cheap checks, `load` the slow part.

    Everything else is safe to call from any thread.
    """

    def __init__(
        self, settings: Settings, make_recognizer: Callable[..., Recognizer] = Recognizer
    ) -> None:
        """Raises FactoryError when index, head, encoder or prices cannot be used."""
        self.settings = settings
        index = Index.load(settings.index)
        self.embedder = open_maker(
            index, settings.encoder, settings.projection, device=settings.device
        )
        self.collection = Collection(
            index,
            settings.index,
            self.embedder,
            settings.refs,
            detector=settings.detector,
            strictness=settings.strictness,
            sim_threshold=settings.sim_threshold,
            margin_threshold=settings.margin_threshold,
            read=settings.read,
            read_ms=settings.read_ms,
            make_recognizer=make_recognizer,
        )
        self.snapshot: Snapshot | None = None
        self.prices: PriceBook | None = None
        # What could not be taken over: "refs", "index", "prices" → why.
        self.problems: dict[str, str] = {}
        self.changing = threading.RLock()  # held by whoever changes the index, on disk or here
        self.calibrating = False
        self._prices = Prices(settings)
        self._noting = threading.Lock()

    @property
    def device(self) -> str:
        return str(getattr(self.embedder.encoder, "device", "cpu"))

    def load(self) -> None:
        """Read the references and warm up. Raises FactoryError."""
        start = time.perf_counter()
        snapshot = Snapshot(self.collection.recognizer, self.settings.refs)

        probe = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        self.embedder.encode([probe])  # one picture and several take different paths
        self.embedder.encode([probe, probe])
        snapshot.recognizer.recognize(probe)

        self.snapshot = snapshot
        index = snapshot.index
        note(
            "ready",
            references=len(index),
            items=index.item_count,
            seconds=round(time.perf_counter() - start, 2),
        )
        for name, reason in snapshot.recognizer.unreadable.items():
            note("unreadable", logging.WARNING, file=name, reason=reason)

    def change(self, make: Callable[[Collection], T], *, because: str) -> tuple[T, Index]:
        """Change the collection, and answer by it from the next
        request on.

        Raises as `make`.
        """
        with self.changing:
            start = time.perf_counter()
            try:
                result = make(self.collection)
            finally:  # what failed halfway may have changed the collection already
                self._publish(because, start)
            index = self.collection.index
        self.recalibrate_in_background()
        return result, index

    def adopt(self, index: Index, *, because: str) -> bool:
        """Answer by `index` from the next request on.

        False when it is what is served already. Raises EncoderError.
        """
        with self.changing:
            if self.snapshot is not None and _is_same(self.snapshot.index, index):
                return False
            start = time.perf_counter()
            self.collection.adopt(index)
            self._publish(because, start)
            return True

    def recalibrate_in_background(self) -> None:
        """Calibrate again, if the index has grown or shrunk by a
        quarter since; frames go on being answered.
        """
        with self.changing:
            if self.calibrating or not self.needs_calibration:
                return
            self.calibrating = True
        threading.Thread(target=self._recalibrate, name="recalibrate", daemon=True).start()

    @property
    def needs_calibration(self) -> bool:
        """Whether an index that was calibrated has changed too much
        since.

        One that never was is left as it is.
        """
        snapshot = self.snapshot
        return (
            snapshot is not None
            and self.settings.refs is not None
            and snapshot.recognizer.calibration.unknowns > 0
            and is_out_of_date(snapshot.index)
        )

    def adopt_prices(self) -> None:
        """Read the price file; the first time, ask the network for
        rates.

        Raises FactoryError, and keeps the old ones.
        """
        self.prices = self._prices.load()
        if self.prices:
            note("prices", fx=self.prices.fx_info())

    def problem(self, source: str, error: Exception | None) -> None:
        """Keep for /health why `source` could not be taken over, or that it now could."""
        with self._noting:
            others = {name: text for name, text in self.problems.items() if name != source}
            if error is None:
                self.problems = others
            elif self.problems.get(source) != str(error):
                self.problems = {**others, source: str(error)}
                note("not taken over", logging.ERROR, source=source, reason=error)

    def _publish(self, because: str, start: float) -> None:
        """Answer by the collection as it is now.

        Before `load` is done, that does the same.
        """
        if self.snapshot is None or self.snapshot.recognizer is self.collection.recognizer:
            return
        self.snapshot = Snapshot(self.collection.recognizer, self.settings.refs)
        seconds = round(time.perf_counter() - start, 2)
        note("updated", because=because, references=len(self.collection.index), seconds=seconds)

    def _recalibrate(self) -> None:
        error: Exception | None = None
        while self._goes_on_calibrating(error):
            try:
                self._calibrate_once()
            except Exception as exc:  # the old calibration goes on being used, and /health says so
                error = exc
        self.problem("calibration", error)

    def _goes_on_calibrating(self, error: Exception | None) -> bool:
        """Whether to calibrate (again): the collection may have changed much meanwhile."""
        with self.changing:
            self.calibrating = error is None and self.needs_calibration
            return self.calibrating

    def _calibrate_once(self) -> None:
        snapshot = self.snapshot
        assert snapshot is not None
        start = time.perf_counter()
        note("calibrating", items=snapshot.index.item_count)
        refs = self.settings.refs or Path()
        recognizer = snapshot.recognizer
        if recognizer.is_outgrown:
            recognizer = recognizer.updated(snapshot.index, refs, anew=True)
        # On one core: the others answer frames.
        learned = calibrate(recognizer, refs, threads=1, quiet=True)

        with self.changing:
            index = self.collection.read_index().with_calibration(learned.as_dict())
            index.save(self.settings.index)
            self.collection.adopt(index, recognizer)
            self._publish("calibrated again", start)


def _is_same(a: Index, b: Index) -> bool:
    return a.meta == b.meta and a.same_rows(b) and np.array_equal(a.embeddings, b.embeddings)
