"""A process of its own for a command that a test stops with Ctrl-C."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def started(line: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Run `line`, which hears Ctrl-C however the tests were started, while the block runs.

    A job that a script runs in the background ignores SIGINT, and so do its children. They do not
    if this process catches it: what is caught is reset when another program is executed.
    A block that fails leaves no process behind.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(line, **options)
    finally:
        signal.signal(signal.SIGINT, before)

    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
