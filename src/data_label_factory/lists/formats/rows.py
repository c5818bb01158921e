"""Entries → the rows of a site's table, with what gets lost; and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data_label_factory.errors import ListError
from data_label_factory.lists.content import REVIEW, Content
from data_label_factory.lists.formats.fields import put_together, take_apart
from data_label_factory.lists.formats.shape import MOST_COLUMNS, MOST_ROWS, Column, Format
from data_label_factory.lists.formats.words import find_vocabulary

# What of an entry is worth a word if a format has no place for it.
_LOSABLE = (
    ("set_code", "a set code"),
    ("rarity", "a rarity"),
    ("finish", "a finish"),
    ("condition", "a condition"),
    ("language", "a language"),
    ("price", "a price"),
    ("note", "a note"),
    ("page", "a place"),
)
_EXCEL_TEXT = re.compile(r'="(.*)"')


@dataclass
class Losses:
    """What a file says less than the list, counted by entries."""

    lost: Counter[str] = field(default_factory=Counter)
    rounded: Counter[str] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)
    misread: int = 0
    review: int = 0

    def describe(self, title: str) -> list[str]:
        """A sentence for each kind of loss."""
        told = []
        if self.review:
            told.append(f"{_count(self.review)} in review left out: settle them first")
        for what, count in self.lost.items():
            verb = "has" if count == 1 else "have"
            told.append(f"{_count(count)} {verb} {what}, which {title} cannot carry")
        for what, count in self.rounded.items():
            told.append(f"{_count(count)}: {what} rounded down to the nearest that {title} has")
        for currency, count in self.unnamed.items():
            told.append(f"{_count(count)}: price without its currency ({currency})")
        if self.misread:
            told.append(f"{_count(self.misread)}: {title} may read the name differently")
        return told


@dataclass(frozen=True)
class Skipped:
    """A line that gave no entry, and why."""

    line: int
    reason: str


def check_rows(count: int) -> None:
    """Raises ListError for more rows than a file may have."""
    if count > MOST_ROWS:
        raise ListError(f"The file has over {MOST_ROWS} rows", "Split it")


def check_columns(cells: Sequence[str]) -> None:
    """Raises ListError for a row with more columns than a table may have."""
    if any(cells[MOST_COLUMNS:]):
        raise ListError(f"The file has over {MOST_COLUMNS} columns", "Leave out some")


def choose(format_: Format, contents: Sequence[Content], losses: Losses) -> list[Content]:
    """The entries to write: other tools learn nothing that is not sure."""
    if "state" in format_.fields:
        return list(contents)
    sure = [one for one in contents if one.state != REVIEW]
    losses.review = len(contents) - len(sure)
    return sure


def find_currency(format_: Format, contents: Sequence[Content]) -> str | None:
    """The one currency that a file's prices have, None if any."""
    if "currency" in format_.fields or "price" not in format_.fields:
        return None
    if format_.currency:
        return format_.currency
    counts = Counter(one.currency for one in contents if one.currency)
    return counts.most_common(1)[0][0] if counts else None


def write_row(
    format_: Format, content: Content, currency: str | None, losses: Losses
) -> dict[str, str]:
    """The cells of one entry by title."""
    parts = take_apart(content)
    if content.price is not None and currency not in (None, content.currency):
        parts["price"] = ""
        losses.lost[f"a price in {content.currency}"] += 1
    elif content.price is not None and currency and not format_.currency:
        losses.unnamed[currency] += 1

    cells = {}
    told: dict[str, str] = {}
    for column in format_.columns:
        cell, told_of = _write_cell(column, parts)
        cells[column.title] = cell
        told[column.field] = told_of
    _count_losses(format_.fields, parts, told, losses)
    return cells


def read_row(
    columns: Mapping[str, Column], cells: Mapping[str, str], currency: str = ""
) -> Content:
    """The entry that a row means. Raises ListError."""
    parts: dict[str, str] = {}
    for title, column in columns.items():
        cell = cells.get(title, "")
        if column.scale == "isbn" and (match := _EXCEL_TEXT.fullmatch(cell)):
            cell = match[1]
        words = find_vocabulary(column.field, column.scale)
        value = words.read(cell) if words else cell
        if column.field and value and not parts.get(column.field):
            parts[column.field] = value
    if not parts.get("name", "").strip():
        raise ListError("there is no name")
    return put_together(parts, currency)


def _write_cell(column: Column, parts: Mapping[str, str]) -> tuple[str, str]:
    value = parts.get(column.field, "") if column.field else ""
    words = find_vocabulary(column.field, column.scale)
    cell, told = words.write(value) if words else (value, "")
    return cell or column.default, told


def _count_losses(
    fields: frozenset[str], parts: Mapping[str, str], told: Mapping[str, str], losses: Losses
) -> None:
    carried = set(fields)
    if {"set", "number"} <= fields:
        carried.add("set_code")
    for name, what in _LOSABLE:
        if parts.get(name) and (name not in carried or told.get(name) == "lost"):
            losses.lost[what] += 1
        if told.get(name) == "rounded":
            losses.rounded[name] += 1
    if "extra" not in carried:
        for name in parts:
            if name.startswith("extra:") and name not in carried:
                losses.lost[name.removeprefix("extra:").replace("_", " ")] += 1


def _count(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
