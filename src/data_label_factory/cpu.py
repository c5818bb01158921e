"""The cores of this machine."""

from __future__ import annotations

import os

_most: int | None = None


def limit_cores(most: int) -> None:
    """Let this process use no more than so many: others share the machine."""
    global _most
    _most = most


def cpu_count() -> int:
    """The number of cores this process may use."""
    if _most is not None:
        return _most
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
