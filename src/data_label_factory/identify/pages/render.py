"""What a page shows → the page, by a template of the folder beside this
module.

Every value is escaped, so the name of a file or the text of an error is
never markup. A page holds its own style, has no script, and requests
nothing but the pictures that it is told to show.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from data_label_factory import __version__
from data_label_factory.web import assets

_STYLESHEET = "pages.css"
_COLORS = "colors.css"  # those of the live tracker
# The bytes of a file name that are not UTF-8, as Python reads them (PEP 383).
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


def render(template: str, **view: object) -> str:
    """The page as text. Raises jinja2.UndefinedError if `view`
    lacks what the template shows.

    What UTF-8 cannot encode, as in some file names, is written as
    \\xNN.
    """
    text = _environment().get_template(template).render(view)
    text = _ESCAPED_BYTE.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@cache
def content_security_policy() -> str:
    """The header for pages that a server sends: their own style,
    pictures of the same server, and nothing else.
    """
    digest = hashlib.sha256(_stylesheet().encode()).digest()
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{base64.b64encode(digest).decode()}'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("data_label_factory.identify.pages")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    colors = (assets.FOLDER / _COLORS).read_text("utf-8")
    environment.globals |= {
        "stylesheet": colors + loader.get_source(environment, _STYLESHEET)[0],
        "version": __version__,
    }
    return environment


def _stylesheet() -> str:
    return str(_environment().globals["stylesheet"])
