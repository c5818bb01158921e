"""Log events → lines of `name=value` on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time

logger = logging.getLogger("data_label_factory.server")

_UNSAFE_UNQUOTED = frozenset(' ="\\')


def note(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log an event as one line.

    Text from a client can neither break the line nor start another.
    """
    logger.log(level, event, extra={"fields": fields})


def log_to_stderr(level: str) -> None:
    """Send our lines, and uvicorn's warnings, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())

    levels = {"data_label_factory": level.upper(), "uvicorn": "WARNING"}
    for name, lowest in levels.items():
        log = logging.getLogger(name)
        log.handlers = [handler]
        log.propagate = False
        log.setLevel(lowest)


class LineFormatter(logging.Formatter):
    """`time=… level=… event=… name=value …`; anything but one plain word is a JSON string."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {
            "time": f"{seconds}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)

        return " ".join(f"{name}={_quote(value)}" for name, value in fields.items())


def _quote(value: object) -> str:
    text = str(value)
    is_plain = text and text.isascii() and text.isprintable() and _UNSAFE_UNQUOTED.isdisjoint(text)
    return text if is_plain else json.dumps(text)
