"""What a source is: a query in, pictures with their labels and provenance out. One small class a file."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data_label_factory.errors import ProjectError
from data_label_factory.http.fetch import Fetcher
from data_label_factory.labels import SET_CODE, Label, titled
from data_label_factory.rarities import rarity_code

MAX_PAGES = (
    400  # of one search; a server that always promises a next page must not keep us for ever
)


@dataclass(frozen=True)
class Found:
    """A picture that a source knows of: at `url`, or for one's own photos the file `path`."""

    label: Label
    url: str = ""
    page: str = ""
    license: str = ""
    author: str = ""
    path: Path | None = None

    def __post_init__(self) -> None:
        """A site may send null or a number where a text belongs. Raises TypeError."""
        for value in (self.url, self.page, self.license, self.author):
            if not isinstance(value, str):
                raise TypeError(f"a text was expected, not {value!r}")


class Api:
    """A JSON API at one host, asked at its own pace."""

    host: ClassVar[str] = ""  # where it lives; --base-url replaces it
    interval: ClassVar[float] = 0.0  # seconds between two calls, as the site asks for

    def __init__(self, fetcher: Fetcher, base_url: str = "") -> None:
        self.fetcher = fetcher
        self.base_url = (base_url or self.host).rstrip("/")

    def json(self, path: str, params: Mapping[str, str | int] | None = None, **options: Any) -> Any:
        """GET `path`, or a whole address such as that of a next page. Raises FetchError."""
        url = path if "://" in path else self.base_url + path
        return self.fetcher.json(url, params=params, interval=self.interval, **options)


class Source(Api):
    """Base of all sources. A subclass fills in the table below and writes `find`."""

    name: ClassVar[str]
    about: ClassVar[str]  # one line for --list-sources
    license: ClassVar[str] = ""  # of the pictures, where it is the same for all
    image_interval: ClassVar[float] = 0.0  # seconds between two pictures from one host
    options: ClassVar[Mapping[str, str]] = {}  # what `options:` of a bucket may hold → what it does
    choices: ClassVar[
        Mapping[str, tuple[str, ...]]
    ] = {}  # what an option may be, where that is a closed list
    tries_next: ClassVar[bool] = (
        False  # when a picture cannot be had, is the next one of the search as good?
    )
    takes_all: ClassVar[bool] = (
        False  # a query is a list of the user's own: --max-per-query does not cut it
    )

    def __init__(
        self,
        fetcher: Fetcher,
        base_url: str = "",
        options: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        limit: int = 1,
    ) -> None:
        """`folder` is where relative paths in queries start: the project file's. `limit` is how many pictures of a
        query will be wanted. Raises ProjectError for options that this source does not have.
        """
        super().__init__(fetcher, base_url)
        self.limit = limit
        self.option = dict(options or {})
        self.folder = folder or Path()
        if unknown := sorted(self.option.keys() - self.options.keys() - {"max"}):
            known = ", ".join([*self.options, "max"])
            raise ProjectError(
                f"The source {self.name} has no option {unknown[0]!r}", f"It has: {known}"
            )
        for key, allowed in self.choices.items():
            if self.option.get(key, allowed[0]) not in allowed:
                raise ProjectError(
                    f"The option {key} of {self.name} cannot be {self.option[key]!r}",
                    f"Choose: {', '.join(allowed)}",
                )

    def check(self) -> None:
        """Raise FactoryError when something is missing without which no query can succeed: a key, a package."""

    def find(self, query: str) -> Iterator[Found]:
        """Pictures for `query`, best first, lazily: no more are taken than are wanted.

        Raises FetchError, and LabelError or KeyError, TypeError, … for answers in no documented shape.
        """
        raise NotImplementedError


def label_of(name: str, set_code: str = "", rarity: str = "") -> Label:
    """A label from a site's or the user's words, in title case when they have no capitals.

    A set code or rarity that file names cannot carry is left out.
    """
    code = set_code.upper()
    return Label(
        titled(" ".join(unicodedata.normalize("NFC", name).split())),
        code if SET_CODE.fullmatch(code) else "",
        rarity_code(rarity),
    )


def plain_text(markup: str) -> str:
    """The text of a little HTML, such as an author's name in a link."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
