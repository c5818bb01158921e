"""What a refused client is told: JSON, or a page for people."""

from __future__ import annotations

import json

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Receive, Send

from data_label_factory.identify.pages import content_security_policy, render

UNEXPECTED = "Unexpected error. See the server's log"
# What a browser shows where a page was refused; "" repeats the reason.
_PAGES = {
    401: (
        "A key is needed",
        "Scan the code again, if you came by one. Or reload this page and give "
        "the key as the password. Any user name will do.",
    ),
    421: ("This address is not served", ""),
}


def make_body(error: HTTPException, headers: Headers) -> tuple[dict[str, str], bytes]:
    """The header fields and the body of a refusal: a page for
    people who open one, else JSON.
    """
    if error.status_code in _PAGES and "text/html" in headers.get("accept", ""):
        title, advice = _PAGES[error.status_code]
        page = render("refused.html", title=title, advice=advice or error.detail)
        media = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": content_security_policy(),
        }
        return media, page.encode()
    return {"content-type": "application/json"}, json.dumps({"detail": error.detail}).encode()


async def refuse_socket(error: HTTPException, receive: Receive, send: Send) -> None:
    """Answer the handshake of a WebSocket as a request would be."""
    await receive()
    body = json.dumps({"detail": error.detail}).encode()
    headers = {"content-type": "application/json", **(error.headers or {})}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    start = {"type": "websocket.http.response.start", "status": error.status_code, "headers": raw}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": body})
