"""`/overlay`: a transparent page for streaming programs, which shows
the newest thing large. Its address says how it looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from data_label_factory.identify.server.pages import send_asset
from data_label_factory.identify.server.schemas import SESSION_NAME
from data_label_factory.web import assets

router = APIRouter(include_in_schema=False)

_PAGE = "show.html"
_CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right", "center")
_KINDS = ("seen", "taken", "seen,taken")
# RGB or RGBA, each with one or two digits.
_COLOR = re.compile(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", re.IGNORECASE)
_PX = (120, 1200)
_SECONDS = (1, 120)

# Returns what a value must be, "" if it is so.
Check = Callable[[str], str]


def _one_of(allowed: tuple[str, ...]) -> Check:
    def check(text: str) -> str:
        return "" if text in allowed else f"one of {', '.join(allowed)}"

    return check


def _between(least: int, most: int) -> Check:
    def check(text: str) -> str:
        is_whole = text.isascii() and text.isdecimal() and len(text) < 6
        is_fine = is_whole and least <= int(text) <= most
        return "" if is_fine else f"a whole number from {least} to {most}"

    return check


def _color(text: str) -> str:
    is_fine = bool(_COLOR.fullmatch(text))
    return "" if is_fine else "a color such as ffffff or 0b1220e6, without #"


def _session(text: str) -> str:
    is_fine = bool(re.fullmatch(SESSION_NAME, text))
    return "" if is_fine else "the name of a session"


# The names and their meanings are those of js/show.js.
_SETTINGS: dict[str, Check] = {
    "corner": _one_of(_CORNERS),
    "size": _between(*_PX),
    "seconds": _between(*_SECONDS),
    "color": _color,
    "back": _color,
    "accent": _color,
    "kinds": _one_of(_KINDS),
    "price": _one_of(("0", "1")),
    "session": _session,
}


@router.get(assets.OVERLAY)
def overlay(request: Request) -> Response:
    """The page. What its address asks for is checked here, so that
    a typing error shows before a broadcast.
    """
    for name, text in request.query_params.multi_items():
        if name not in _SETTINGS:
            known = ", ".join(_SETTINGS)
            raise HTTPException(422, f"The overlay has no setting {name!r}. It has {known}")
        if wanted := _SETTINGS[name](text):
            raise HTTPException(422, f"{name} must be {wanted}")
    return send_asset(request, _PAGE)
