"""Events → POST requests to the addresses that `--webhook` names,
signed, and tried again where they fail.

The form is that of Standard Webhooks (www.standardwebhooks.com),
for whose signatures there are readers in most languages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from data_label_factory import __version__
from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.events.hub import (
    Event,
    Events,
    Listener,
)
from data_label_factory.identify.server.logs import note

# Seconds before each further try: a restart of the receiver takes
# less than all of them together.
_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_TIMEOUT_SECONDS = (5.0, 10.0)  # to connect, between two bytes
_STOP_SECONDS = 2.0
_SECRET_PREFIX = "whsec_"  # then the key in base64

OnProblem = Callable[[str, FactoryError | None], None]


class Webhook:
    """Tells one address, one event after the other, in a thread of
    its own.

    `on_problem` is told the name of this webhook with what is
    wrong, or None once it works again. `number` tells it from
    another one of the same host.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        events: Events,
        on_problem: OnProblem,
        number: int = 1,
    ) -> None:
        self._url = url
        self._key = read_secret(secret)
        self._on_problem = on_problem
        # The whole address may hold a password.
        self._name = f"webhook {urlsplit(url).hostname}"
        if number > 1:
            self._name += f" ({number})"
        self._has_news = threading.Event()
        self._is_stopped = threading.Event()
        self._lost = 0
        self._listener: Listener = events.listen(self._has_news.set)
        self._thread = threading.Thread(
            target=self._run,
            name=self._name,
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Tell what waits, but for two seconds at most."""
        self._is_stopped.set()
        self._has_news.set()
        self._thread.join(_STOP_SECONDS)
        if left := self._listener.waiting + self._lost:
            note("not told", logging.WARNING, to=self._name, events=left)

    def _run(self) -> None:
        with requests.Session() as session:
            while True:
                self._has_news.clear()
                dropped, event = self._listener.take()
                self._lost += dropped
                if event:
                    self._tell(session, event)
                elif self._is_stopped.is_set():
                    return
                else:
                    self._has_news.wait()

    def _tell(self, session: requests.Session, event: Event) -> None:
        body = self._make_body(event)
        reason = ""
        for wait in (*_WAITS, 0.0):
            reason = self._post(session, event, body)
            if not reason:
                self._lost = 0
                self._on_problem(self._name, None)
                return
            if self._is_stopped.wait(wait):
                break

        self._lost += 1
        self._on_problem(
            self._name,
            FactoryError(
                f"{self._lost} events could not be told: {reason}",
                "Start the receiver, or correct --webhook",
            ),
        )

    def _make_body(self, event: Event) -> bytes:
        """The event, and how many before it were lost."""
        if not self._lost:
            return event.text.encode()
        return json.dumps({**json.loads(event.text), "dropped": self._lost}).encode()

    def _post(self, session: requests.Session, event: Event, body: bytes) -> str:
        """Why it failed; "" if it did not."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"data_label_factory/{__version__}",
            **sign(self._key, event.id, int(time.time()), body),
        }
        try:
            # The body of the answer is of no interest, however long.
            with session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            ) as answer:
                is_taken = 200 <= answer.status_code < 300
                return "" if is_taken else f"it answered {answer.status_code}"
        except (requests.RequestException, ValueError) as exc:
            return f"{type(exc).__name__}"


def sign(key: bytes, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The header fields that identify a message and, with a key,
    prove who sent it: an HMAC-SHA256 of `id.timestamp.body`.
    """
    fields = {"webhook-id": event_id, "webhook-timestamp": str(timestamp)}
    if key:
        signed = f"{event_id}.{timestamp}.".encode() + body
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        fields["webhook-signature"] = f"v1,{signature}"
    return fields


def read_secret(secret: str) -> bytes:
    """The key of a secret: what base64 says after `whsec_`, or any
    other text as it is.

    Raises FactoryError.
    """
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode()
    try:
        text = secret.removeprefix(_SECRET_PREFIX)
        key = base64.b64decode(text, validate=True)
        if not key:  # nothing would be signed
            raise ValueError
        return key
    except (binascii.Error, ValueError) as exc:
        raise FactoryError(
            "--webhook-secret is not base64 after whsec_",
            "Copy it again, or give a text that does not begin so",
        ) from exc
