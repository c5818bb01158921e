"""What a query says: a name, a line of a deck list, or the search
syntax of a site.

A name is never read as syntax. It becomes syntax only by a key that
the site knows, right before a colon and without a space after it:
`set:neo`, but not `Type: Null`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_KEY = re.compile(r"(?:^|[\s(])[-!]?([A-Za-z][\w.]*):(?=\S)")

# Up to 999: a year ("1996 World Champion") is no count.
_SIDEBOARD = re.compile(r"^(?:SB|CMDR|Sideboard):\s*", re.IGNORECASE)
_COUNT = re.compile(r"^(?:\d{1,3}\s?[x×]\s+|[x×]\s?\d{1,3}\s+|\d{1,3}\s+)(?=\S)", re.IGNORECASE)
_COUNT_AFTER = re.compile(r"(?<=[^)\]\s])\s+(?:[x×]\s?\d{1,3}|\d{1,3}\s?[x×])$", re.IGNORECASE)

# What deck builders write behind a name: *F* (foil), #!Tag, ^Have,#37d67a^,
# <showcase>, [Maybeboard{noDeck}].
_DECORATION = re.compile(
    r"\s+(?:\*[^*\s]{1,8}\*|#(?!\d)\S.*|\^[^^]*\^|<[^<>]*>|\[[^\[\]]*[{,][^\[\]]*\])$"
)
_TAG = re.compile(r"\s+#\S.*$")
_SET = r"[A-Za-z0-9]{2,8}"
_NUMBER = r"[A-Za-z]{0,4}-?\d+[A-Za-z]{0,2}[★†]?|[★†]\d+"

# `(FEM) 1`, `[FEM] 1`, `(FEM:1)`, `[FEM-1]`, `[LOCH-JP001]`; and `SVI 12` without
# brackets, as Pokémon's game exports it.
_PRINT = re.compile(
    rf"\s+[(\[](?P<set>{_SET})(?:[-:#]\s?(?P<inner>{_NUMBER}))?[)\]]"
    r"(?:\s+#?(?P<number>[A-Za-z0-9★†-]*\d[A-Za-z0-9★†]*))?$"
)
_BARE_PRINT = re.compile(
    rf"\s+(?P<set>(?-i:[A-Z][A-Z0-9]{{1,5}}|\d[A-Z]+))\s+(?P<number>{_NUMBER})$"
)
_RARITY = re.compile(r"\s+\([A-Za-z]{1,4}\)$")  # `Owl (UR) [AB-001]`, as the tracker page copies

_TITLE_DASH = re.compile(r"\s+[-‐‑‒–—―−]\s+")

# In a full-text search these join, exclude and quote words; in a name
# they mean nothing.
_SEARCH_MARKS = re.compile(r'["“”„~*?\\|!:+<>^(){}\[\]]')
_SEARCH_WORDS = frozenset({"AND", "OR", "NOT", "NEAR", "TO"})


@dataclass(frozen=True)
class Reading:
    """One way to read a query for a card: a name, and maybe the print
    that is wanted.
    """

    query: str
    name: str
    set_code: str = ""
    number: str = ""

    def __str__(self) -> str:
        place = f"{self.set_code} {self.number}".strip()
        return f"{self.name} ({place})" if place else self.name


def list_readings(query: str) -> Iterator[Reading]:
    """Yield the ways to read a query for a card, in the order to
    try them.

    The whole query as a name comes first, so that names that begin
    with a number or end in brackets are found; then a line of a
    deck list, with set and number, with the set, and by its name
    alone.
    """
    whole = " ".join(query.split())
    yield Reading(query, whole)

    seen = {Reading(query, whole)}
    for reading in _read_deck_line(query, whole):
        if reading.name and reading not in seen:
            seen.add(reading)
            yield reading


def has_syntax(query: str, keys: str) -> bool:
    """Return whether one of `keys` stands before a colon, without a
    space after it.

    `keys` are words in lower case. Of `set.id:` the part before the dot
    counts, and what stands between quotes does not.
    """
    known = keys.split()
    unquoted = re.sub(r'(?<!:)"[^"]*"', " ", query)
    return any(key.lower().split(".")[0] in known for key in _KEY.findall(unquoted))


def plain_words(text: str) -> str:
    """Return the words of a name for a full-text search, without what
    steers the search.
    """
    words = []
    for word in _SEARCH_MARKS.sub(" ", text).split():
        word = word.lstrip("-")
        if word:
            words.append(word.lower() if word in _SEARCH_WORDS else word)
    return " ".join(words) or text


def list_titles(query: str) -> Iterator[tuple[str, str]]:
    """Yield (artist, title) for every dash with spaces around it.

    At last comes ("", query).
    """
    for dash in _TITLE_DASH.finditer(query):
        yield query[: dash.start()].strip(), query[dash.end() :].strip()
    yield "", query.strip()


def _read_deck_line(query: str, whole: str) -> Iterator[Reading]:
    line = _SIDEBOARD.sub("", whole)
    uncounted = _COUNT.sub("", line, count=1)
    if uncounted != line and line[0].isdigit() and line.split()[0].isdecimal():
        kept = _read_print(query, _strip_decorations(line), may_be_bare=False)
        yield from islice(kept, 1)

    name = _strip_decorations(uncounted)
    yield from _read_print(query, name, may_be_bare=uncounted != whole)
    yield Reading(query, _TAG.sub("", name))


def _read_print(query: str, line: str, *, may_be_bare: bool) -> Iterator[Reading]:
    """Yield the readings of a line that ends in set and number, if it
    does.
    """
    found = _PRINT.search(line)
    if found is None and may_be_bare:
        found = _BARE_PRINT.search(line)
        yield Reading(query, line)
    if found is None:
        return

    values = found.groupdict()
    name = _RARITY.sub("", _strip_decorations(line[: found.start()]))
    number = values["number"] or values.get("inner") or ""
    yield Reading(query, name, values["set"], number)
    yield Reading(query, name, values["set"])

    # What stood in the last brackets was maybe no set: `Plains (FEM) 1 [Land]`.
    yield from _read_print(query, name, may_be_bare=False)
    yield Reading(query, name)


def _strip_decorations(line: str) -> str:
    """Cut *F*, tags and a count off the end."""
    before = ""
    while line != before:
        before = line
        line = _COUNT_AFTER.sub("", _DECORATION.sub("", line))
    return line
