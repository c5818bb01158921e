"""A progress line: rewritten in place on a terminal, a plain line
now and then in a log.

Hand-written, because gathering shows it too and the base install has no
such library.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

_TERMINAL_INTERVAL_SECONDS = 0.1
_LOG_INTERVAL_SECONDS = 10.0
_CLEAR_TO_END_OF_LINE = "\033[K"


class Progress:
    """Count steps toward `total`; show count, rate and time left on `stream` (stderr)."""

    def __init__(
        self,
        label: str,
        total: int,
        *,
        stream: TextIO | None = None,
        enabled: bool = True,
    ) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._stream = stream if stream is not None else sys.stderr
        self._enabled = enabled and total > 0
        self._terminal = self._stream.isatty()
        self._interval = _TERMINAL_INTERVAL_SECONDS if self._terminal else _LOG_INTERVAL_SECONDS
        self._start = time.monotonic()
        self._last_shown = self._start

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._show(last=True)

    def step(self, count: int = 1) -> None:
        self.done += count
        if time.monotonic() - self._last_shown >= self._interval:
            self._show()

    def _show(self, last: bool = False) -> None:
        if not self._enabled:
            return

        self._last_shown = time.monotonic()
        line = self._format_line(self._last_shown - self._start, last)

        if self._terminal:
            end = "\n" if last else ""
            self._stream.write(f"\r{line}{_CLEAR_TO_END_OF_LINE}{end}")
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def _format_line(self, elapsed: float, last: bool) -> str:
        seconds = max(elapsed, 1e-9)
        rate = self.done / seconds
        if last:
            tail = f"in {seconds:.1f} s"
        else:
            tail = f"{(self.total - self.done) / max(rate, 1e-9):.0f} s left"
        return f"{self.label} {self.done}/{self.total} · {rate:.1f}/s · {tail}"
