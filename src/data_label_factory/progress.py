"""A progress line: rewritten in place on a terminal, a plain line now and then in a log.

Our own forty lines rather than a library because the base install, which also gathers, has none.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

_TERMINAL_INTERVAL_SECONDS = 0.1
_LOG_INTERVAL_SECONDS = 10.0


class Progress:
    """Counts steps towards `total` and shows count, rate and time left on `stream` (standard error)."""

    def __init__(
        self, label: str, total: int, *, stream: TextIO | None = None, enabled: bool = True
    ) -> None:
        self.label, self.total, self.done = label, total, 0
        self._stream = stream if stream is not None else sys.stderr
        self._enabled = enabled and total > 0
        self._terminal = self._stream.isatty()
        self._interval = _TERMINAL_INTERVAL_SECONDS if self._terminal else _LOG_INTERVAL_SECONDS
        self._start = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._show(last=True)

    def step(self, count: int = 1) -> None:
        self.done += count
        if time.monotonic() - self._shown >= self._interval:
            self._show()

    def _show(self, last: bool = False) -> None:
        if not self._enabled:
            return
        self._shown = time.monotonic()
        seconds = max(self._shown - self._start, 1e-9)
        rate = self.done / seconds
        tail = (
            f"in {seconds:.1f} s"
            if last
            else f"{(self.total - self.done) / max(rate, 1e-9):.0f} s left"
        )
        line = f"{self.label} {self.done}/{self.total} · {rate:.1f}/s · {tail}"
        if self._terminal:
            self._stream.write(f"\r{line}\033[K" + ("\n" if last else ""))
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
