"""The key of a server: in a header, in the cookie of a browser, or
once in the address, where it does not stay.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

PARAMETER = "key"
_MAX_AGE_SECONDS = 400 * 24 * 3600  # the most that browsers allow
_NAME_DIGITS = 8


class Key:
    """What clients have to know. An empty `secret` is no key, and
    then nothing here may be asked.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        # Cookies go to every server of a host, whatever its port. So
        # it is not the key itself, and servers do not share a name.
        self._token = self._derive("cookie")
        self._name = f"dlf-{self._derive('name')[:_NAME_DIGITS]}"

    def is_in(self, headers: Headers) -> bool:
        """Whether a request has the key."""
        cookies = cookie_parser(headers.get("cookie", ""))
        for name in (self._name, f"__Host-{self._name}"):
            if _is_same(cookies.get(name, ""), self._token):
                return True
        return _is_same(_read_headers(headers), self._secret)

    def admit(self, scope: Scope) -> dict[str, str] | None:
        """The header fields that send a browser with the key in its
        address to the same place without it, with a cookie; None
        for any other request.
        """
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        query = parse_qsl(
            scope["query_string"].decode("latin-1"),
            keep_blank_values=True,
        )
        given = dict(query).get(PARAMETER, "")
        if not given or not _is_same(given, self._secret):
            return None

        rest = [pair for pair in query if pair[0] != PARAMETER]
        return {
            "Location": _relative(scope, urlencode(rest)),
            "Set-Cookie": self._cookie(scope["scheme"] == "https"),
            "Cache-Control": "no-store",
        }

    def _cookie(self, is_secure: bool) -> str:
        name = f"__Host-{self._name}" if is_secure else self._name
        parts = [
            f"{name}={self._token}",
            "Path=/",
            "HttpOnly",
            # A link from elsewhere opens the page; no request of a
            # foreign page has the cookie.
            "SameSite=Lax",
            f"Max-Age={_MAX_AGE_SECONDS}",
        ]
        return "; ".join([*parts, "Secure"] if is_secure else parts)

    def _derive(self, purpose: str) -> str:
        text = f"data_label_factory {purpose}".encode()
        return hmac.new(self._secret.encode(), text, "sha256").hexdigest()


def _read_headers(headers: Headers) -> str:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        # What browsers send, even for pictures, once they have asked
        # the user for the key.
        with suppress(binascii.Error, UnicodeDecodeError):
            return base64.b64decode(credentials).decode().partition(":")[2]
    return headers.get("x-api-key", "")


def _is_same(given: str, expected: str) -> bool:
    # Hashes have one length, so that the time of the comparison
    # tells nothing about the key.
    digests = (
        hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()
        for text in (given, expected)
    )
    return hmac.compare_digest(*digests)


def _relative(scope: Scope, query: str) -> str:
    """The place of a request as seen from itself: a proxy may have
    put it below a prefix.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    last = raw.decode("latin-1").rpartition("/")[2]
    return f"./{last}?{query}" if query else f"./{last}"
