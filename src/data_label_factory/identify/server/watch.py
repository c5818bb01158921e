"""Follow the disk: what is dropped into the refs folder, changed or deleted there, or replaced beside it.

By looking, not by the system's notifications: those do not come from network drives and container mounts, and a look
at 300 files costs 3 ms. A file counts once two looks find it the same, so one that is still being copied is left alone.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from data_label_factory.errors import FactoryError
from data_label_factory.identify.images import find_images
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.server.engine import Engine

_INTERVAL_SECONDS = 0.4
_SHARE_OF_TIME = 0.05  # spent looking, at most; ten thousand files are looked at less often

Signature = tuple[int, int, int]


class _Source:
    """Something on disk, and what to do when it has changed and come to rest. `sign` must not raise FactoryError."""

    def __init__(
        self, name: str, sign: Callable[[], object], take: Callable[[], None], *, at_once: bool
    ) -> None:
        self.name, self.take = name, take
        self._sign = sign
        self._seen = sign()
        self._taken = None if at_once else self._seen

    def has_news(self) -> bool:
        before, self._seen = self._seen, self._sign()
        if before != self._seen or self._seen == self._taken:
            return False
        self._taken = self._seen
        return True


class Watcher:
    """Looks after refs, index and prices in a thread of its own, from `start` to `stop`."""

    def __init__(self, engine: Engine, *, interval_seconds: float = _INTERVAL_SECONDS) -> None:
        self._engine, self._interval = engine, interval_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        settings = self._engine.settings
        assert settings.refs is not None  # Settings.check
        refs, prices = settings.refs, settings.prices
        # The folder at once: it may have changed while no server ran.
        sources = [_Source("refs", lambda: _folder_signature(refs), self._take_refs, at_once=True)]
        sources += [
            _Source("index", lambda: signature(settings.index), self._take_index, at_once=False)
        ]
        if prices is not None:
            sources += [
                _Source(
                    "prices", lambda: signature(prices), self._engine.adopt_prices, at_once=False
                )
            ]
        pause = self._interval
        while not self._stopping.wait(pause):
            if self._engine.snapshot is None:  # still being read
                continue
            start = time.perf_counter()
            changed = [source for source in sources if source.has_news()]
            pause = max(self._interval, (time.perf_counter() - start) / _SHARE_OF_TIME)
            for source in changed:
                self._take(source)

    def _take(self, source: _Source) -> None:
        try:
            source.take()
        except (FactoryError, OSError) as exc:
            self._engine.problem(source.name, exc)
        except (
            Exception
        ) as exc:  # whatever it is, what is served now goes on being served, and /health says so
            self._engine.problem(source.name, FactoryError(f"{type(exc).__name__}: {exc}"))
        else:
            self._engine.problem(source.name, None)

    def _take_refs(self) -> None:
        """Index what is new. Raises FactoryError, once that is done, for pictures that cannot be.

        Built beside the index: of a folder that goes or changes meanwhile nothing is taken over; the next look is.
        """
        engine, settings = self._engine, self._engine.settings
        assert settings.refs is not None
        with engine.changing, TemporaryDirectory() as scratch:
            before, out = _folder_signature(settings.refs), Path(scratch) / "index.npz"
            with suppress(FileNotFoundError):
                shutil.copyfile(settings.index, out)
            built = build_index(settings.refs, out, engine.embedder, quiet=True)
            if _folder_signature(settings.refs) != before:
                return
            engine.adopt(built.index, because="the refs folder changed")
            if built.written:
                built.index.save(settings.index)
        engine.recalibrate_in_background()
        if built.unreadable:
            name, reason = next(iter(built.unreadable.items()))
            raise FactoryError(
                f"{len(built.unreadable)} pictures are not indexed; the first: {name}: {reason}"
            )

    def _take_index(self) -> None:
        with self._engine.changing:
            index = Index.load(self._engine.settings.index)
            self._engine.adopt(index, because="the index file was replaced")


def _folder_signature(refs: Path) -> object:
    """Every picture below `refs` with its signature; or, when the folder cannot be read, why."""
    try:
        return {name: signature(refs / name) for name in find_images(refs)}
    except (FactoryError, OSError) as exc:
        return str(exc)


def signature(path: Path) -> Signature:
    """What tells one version of a file from the next without reading it; zeros when there is none."""
    try:
        info = path.stat()
    except OSError:
        return (0, 0, 0)
    return (info.st_mtime_ns, info.st_size, info.st_ino)
