"""What a page consists of: its elements and attributes, its text, and what it may load."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

EVIL = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "{{7*7}}{% raw %}",
    "</title></style><svg onload=alert(1)>",
)


class Page(HTMLParser):
    """`elements` has each start tag with the names of its attributes, in order; `text` all
    that is not markup.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def values_of(self, attribute: str) -> list[str]:
        return [value for name, value in self.values if name == attribute]


def assert_inert(html: str) -> Page:
    """The page has no script, no handler, no form and no frame, and loads nothing that it
    does not hold.
    """
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    names = {name for name, _ in page.values}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base"}, tags
    assert not {name for name in names if name.startswith("on") or name == "style"}, names
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"@import|url\(", style)
    return page
