"""Changes on disk → a changed collection: the refs folder, the
index file and the price file.

The disk is polled: network drives and container mounts send no change
notifications, and a look at 300 files costs 3 ms. A change counts once
two looks in a row find the same state, so a file that is still being
copied is left alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from data_label_factory.errors import FactoryError
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.index.journal import journal_path
from data_label_factory.identify.server.engine import Engine
from data_label_factory.walk import walk_folder

_INTERVAL_SECONDS = 0.4
# Of the time is spent looking; ten thousand files are polled less often.
_MAX_TIME_FRACTION = 0.05
_STOP_SECONDS = 5

Signature = tuple[int, int, int]


class Watcher:
    """Polls refs, index and prices in a thread, from `start` to `stop`."""

    def __init__(self, engine: Engine, *, interval_seconds: float = _INTERVAL_SECONDS) -> None:
        self._engine = engine
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        watched = self._list_watched()
        pause = self._interval_seconds
        while not self._stopping.wait(pause):
            if self._engine.snapshot is None:  # still loading
                continue

            start = time.thread_time()  # not of the wall: a busy machine would slow the looks
            changed = [one for one in watched if one.has_changed()]
            seconds = time.thread_time() - start
            pause = max(self._interval_seconds, seconds / _MAX_TIME_FRACTION)

            for one in changed:
                self._adopt(one)

    def _list_watched(self) -> list[_Watched]:
        settings = self._engine.settings
        refs = settings.refs
        assert refs is not None  # Settings.check
        watched = [
            # The folder may have changed while no server ran.
            _Watched("refs", lambda: _sign_folder(refs), self._adopt_refs, adopt_first=True),
            _Watched("index", lambda: _sign_index(settings.index), self._adopt_index),
        ]
        prices = settings.prices
        if prices is not None:
            watched.append(_Watched("prices", lambda: sign_file(prices), self._engine.adopt_prices))
        return watched

    def _adopt(self, watched: _Watched) -> None:
        """Adopt a change. If that fails, what is served now stays, and /health says why."""
        problem: Exception | None = None
        try:
            watched.adopt()
        except _ChangedError:
            watched.look_again()
            return
        except (FactoryError, OSError) as exc:
            problem = exc
        except Exception as exc:
            problem = FactoryError(f"{type(exc).__name__}: {exc}")

        watched.note(problem)
        self._engine.problem(watched.name, problem)

    def _adopt_refs(self) -> None:
        """Index what is new.

        Raises _ChangedError if the folder changed meanwhile, and FactoryError, after
        that, if pictures cannot be indexed.
        """
        engine = self._engine
        settings = engine.settings
        assert settings.refs is not None

        # Built elsewhere: if the folder changes or disappears meanwhile, nothing is
        # adopted, and the next look finds the change.
        with engine.changing, TemporaryDirectory() as scratch:
            before = _sign_folder(settings.refs)
            out = Path(scratch) / "index.npz"
            built = build_index(
                settings.refs, out, engine.embedder, base=settings.index, quiet=True
            )
            if _sign_folder(settings.refs) != before:
                raise _ChangedError

            engine.adopt(built.index, because="the refs folder changed")
            if built.written:
                built.index.save(settings.index)

        engine.recalibrate_in_background()
        if built.unreadable:
            name, reason = next(iter(built.unreadable.items()))
            raise FactoryError(
                f"{len(built.unreadable)} pictures are not indexed; the first: {name}: {reason}"
            )

    def _adopt_index(self) -> None:
        with self._engine.changing:
            index = Index.load(self._engine.settings.index)
            self._engine.adopt(index, because="the index file was replaced")
        self._engine.recalibrate_in_background()


class _ChangedError(Exception):
    """It changed while it was adopted."""


class _Watched:
    """Something on disk, and how to adopt a change of it. `sign` must not raise."""

    def __init__(
        self,
        name: str,
        sign: Callable[[], object],
        adopt: Callable[[], None],
        *,
        adopt_first: bool = False,
    ) -> None:
        self.name = name
        self.adopt = adopt
        self._sign = sign
        self._last = sign()
        self._adopted = None if adopt_first else self._last
        self._failed: object = None

    def has_changed(self) -> bool:
        """Whether there is a state to adopt: at rest since the last
        look, and not adopted yet.
        """
        before = self._last
        self._last = self._sign()
        is_at_rest = self._last == before
        if not is_at_rest or self._last == self._adopted:
            return False

        self._adopted = self._last
        return True

    def look_again(self) -> None:
        """Adopt the next state at rest, even if it looks as it did."""
        self._adopted = None

    def note(self, problem: Exception | None) -> None:
        """What fails is tried twice: a folder moved away and back while it
        was read looks as it did before.
        """
        if problem and self._failed != self._adopted:
            self._failed = self._adopted
            self.look_again()
        elif not problem:
            self._failed = None


def sign_file(path: Path) -> Signature:
    """Tells one version of a file from the next without reading it;
    zeros if there is no file.
    """
    try:
        info = path.stat()
    except OSError:
        return (0, 0, 0)
    return (info.st_mtime_ns, info.st_size, info.st_ino)


def _sign_index(path: Path) -> object:
    """Of an index file with the journal beside it."""
    return sign_file(path), sign_file(journal_path(path))


def _sign_folder(refs: Path) -> object:
    """Every picture below `refs` with its signature, or why a folder cannot be read."""
    try:
        walk = walk_folder(refs)
        return walk.locked, {name: sign_file(refs / name) for name in walk.pictures}
    except (FactoryError, OSError) as exc:
        return str(exc)
