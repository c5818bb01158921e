"""What a row of the table of formats says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MOST_ROWS = 20_000  # of one file; a list of twice the size still opens at once
MOST_COLUMNS = 256  # ten times what the largest of the sites has

Kind = Literal["csv", "lines", "json", "deck", "xlsx"]


@dataclass(frozen=True)
class Column:
    """A column of a site's file.

    `field` is what of an entry fills it (see `fields.take_apart`), ""
    for what an entry does not have; `scale` names the site's words for
    it. `default` stands where there is nothing. `also` are other titles
    that are read.
    """

    title: str
    field: str = ""
    scale: str = ""
    default: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One format.

    `source` says where its columns are documented. `currency` is the
    only one that the site's prices have, "" if it is that of the
    account or a column. With `repeats`, each copy has a row of its own.
    `lines` are how a line is written, the first one that the entry can
    fill.
    """

    id: str
    title: str
    about: str
    suffix: str
    media_type: str
    kind: Kind
    columns: tuple[Column, ...] = ()
    source: str = ""
    delimiter: str = ","
    preamble: str = ""
    currency: str = ""
    repeats: bool = False
    quotes_all: bool = False
    lines: tuple[str, ...] = ()
    known_by: tuple[str, ...] = field(default=())

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(column.field for column in self.columns if column.field)
