"""What a source is: a query → candidate pictures with labels and
provenance.

One class per file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data_label_factory.errors import ProjectError
from data_label_factory.gather.query import Reading, list_readings
from data_label_factory.http.fetch import Fetcher
from data_label_factory.labels import Label, LabelScheme
from data_label_factory.rarities import rarity_code
from data_label_factory.set_codes import read_set_code
from data_label_factory.spelling import normalize, titled
from data_label_factory.tables import Table

# Pages of one search: a server may promise a next page forever.
MAX_PAGES = 400


@dataclass(frozen=True)
class Candidate:
    """A picture that a source offers: at `url`, or in the user's own file `path`."""

    label: Label
    url: str = ""
    page: str = ""
    license: str = ""
    author: str = ""
    path: Path | None = None
    line: int = 0  # of the user's list, from 1
    more_faces: bool = False  # the next candidate is another face of the same card
    note: str = ""  # what is to be said of it, such as a set code that is none

    def __post_init__(self) -> None:
        """Raise TypeError if a site sent null or a number instead of text."""
        for value in (self.url, self.page, self.license, self.author):
            if not isinstance(value, str):
                raise TypeError(f"expected text, not {value!r}")

    @property
    def location(self) -> str:
        """The address, or the path of a local file."""
        return self.url or str(self.path)


class Api:
    """A JSON API on one host, called at the pace that its site asks for."""

    host: ClassVar[str] = ""  # --base-url replaces it
    interval: ClassVar[float] = 0.0  # seconds between two calls

    def __init__(self, fetcher: Fetcher, base_url: str = "") -> None:
        self.fetcher = fetcher
        self.base_url = (base_url or self.host).rstrip("/")

    def json(self, path: str, params: Mapping[str, str | int] | None = None, **options: Any) -> Any:
        """GET `path`, or a full address such as that of the next page. Raises FetchError."""
        url = path if "://" in path else self.base_url + path
        return self.fetcher.json(url, params=params, interval=self.interval, **options)


class Source(Api):
    """Base of all sources. A subclass sets the class variables and writes `find`."""

    name: ClassVar[str]
    about: ClassVar[str]  # one line for --list-sources
    license: ClassVar[str] = ""  # of the pictures, if it is the same for all
    image_interval: ClassVar[float] = 0.0  # seconds between two pictures from one host

    # What a bucket's `options:` may hold: the option → what it does.
    options: ClassVar[Mapping[str, str]] = {}

    # The option → its allowed values, the default first; only for closed lists.
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    # If a picture cannot be downloaded, is the next result of the search as good?
    tries_next: ClassVar[bool] = False

    # The query is a list of the user's: --max-per-query does not cut it short.
    takes_all: ClassVar[bool] = False

    def __init__(
        self,
        fetcher: Fetcher,
        base_url: str = "",
        options: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        limit: int = 1,
        labels: LabelScheme = "cards",
    ) -> None:
        """Configure the source for one bucket.

        `folder` is where relative paths in queries start: the
        project file's folder. `limit` is the number of pictures
        wanted per query, and `labels` what file names say. Raises
        ProjectError for an option that this source does not have,
        and for an invalid value.
        """
        super().__init__(fetcher, base_url)
        self.limit = limit
        self.labels = labels
        self.option = dict(options or {})
        self.folder = folder or Path()
        self.tables: dict[str, Table] = {}  # query → the list that it names, once read
        self.passed_over: dict[str, list[str]] = {}  # query → what has no picture yet
        self._check_options()

    def check(self) -> None:
        """Raise FactoryError if no query can succeed, because a key
        or a package is missing.
        """

    def find(self, query: str) -> Iterator[Candidate]:
        """Yield pictures for `query`, best first; the caller takes only
        as many as it wants.

        Raises FetchError, and LabelError, KeyError, TypeError, … if the
        response has an undocumented shape.
        """
        raise NotImplementedError

    def pass_over(self, query: str, what: str, why: str = "no picture yet") -> None:
        """Remember that a result of `query` cannot be used, so that it is said."""
        said = self.passed_over.setdefault(query, [])
        note = f"{what}: {why}"
        if note not in said:
            said.append(note)

    def _check_options(self) -> None:
        if unknown := sorted(self.option.keys() - self.options.keys() - {"max"}):
            known = ", ".join([*self.options, "max"])
            raise ProjectError(
                f"The source {self.name} has no option {unknown[0]!r}",
                f"It has: {known}",
            )

        for key, allowed in self.choices.items():
            if self.option.get(key, allowed[0]) not in allowed:
                raise ProjectError(
                    f"The option {key} of {self.name} cannot be {self.option[key]!r}",
                    f"Choose: {', '.join(allowed)}",
                )


class CardSource(Source):
    """A source of cards: a query may be a line of a deck list."""

    def find(self, query: str) -> Iterator[Candidate]:
        """Yield what the first way to read the query finds that finds anything."""
        wanted: Reading | None = None  # a print that the query names and that is not there
        for reading in list_readings(query):
            found = False
            for candidate in self.find_card(reading):
                if not found and wanted and (not reading.set_code or not reading.number):
                    self.pass_over(query, str(wanted), "there is no such print")
                found = True
                yield candidate

            known = query in self.passed_over
            if found or (known and not reading.set_code):
                return
            if reading.number or (reading.set_code and not wanted):
                wanted = reading

    def find_card(self, reading: Reading) -> Iterator[Candidate]:
        """Yield the pictures of the card that has exactly this name.

        Raises as `find`.
        """
        raise NotImplementedError


def take_cards(candidates: Iterable[Candidate], limit: int | None) -> Iterator[Candidate]:
    """Yield the candidates of up to `limit` cards, each with all of its
    faces.
    """
    taken = 0
    for candidate in candidates:
        yield candidate
        taken += not candidate.more_faces
        if taken == limit:
            return


def make_label(name: str, set_code: str = "", rarity: str = "") -> Label:
    """Return a label from a site's or the user's words, in title
    case if they have no capitals.

    Leaves out what is no set code.
    """
    return Label(titled(normalize(name)), read_set_code(set_code), rarity_code(rarity))


def strip_markup(markup: str) -> str:
    """Return the text of a little HTML, such as an author's name in a link."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
