"""A list → a file for another tool, and such a file → entries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from data_label_factory.errors import ListError
from data_label_factory.lists.content import Content
from data_label_factory.lists.formats import cards, documents, lines, media, own, workbook
from data_label_factory.lists.formats.csv_text import read_csv, write_csv
from data_label_factory.lists.formats.rows import (
    Losses,
    Skipped,
    choose,
    find_currency,
    read_row,
    write_row,
)
from data_label_factory.lists.formats.shape import Column, Format

FORMATS: dict[str, Format] = {
    one.id: one for one in (*cards.CARD_FORMATS, *media.MEDIA_FORMATS, *own.OWN_FORMATS)
}
AUTO = "auto"
MOST_ROWS = 20_000  # of one file; a list of twice the size still opens at once
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TAKEN_OVER_MANY = 8  # titles that are named one by one


@dataclass(frozen=True)
class Exported:
    """A file. `warnings` say what it cannot carry."""

    format: Format
    data: bytes
    rows: int
    warnings: list[str]

    def filename(self, name: str) -> str:
        """A name for the file that every system takes."""
        plain = re.sub(r"[^\w .-]+", "_", name).strip(" ._") or "list"
        return f"{plain[:80]}{self.format.suffix}"


@dataclass(frozen=True)
class Imported:
    """Entries, the lines that gave none, and what else to say."""

    format: Format
    entries: list[Content]
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_format(format_id: str) -> Format:
    """Raises ListError for a format that does not exist."""
    if format_id not in FORMATS:
        raise ListError(f"There is no format {format_id!r}", f"There are: {', '.join(FORMATS)}")
    return FORMATS[format_id]


def export(contents: Sequence[Content], format_id: str) -> Exported:
    """Write entries in a format.

    Raises ListError for an unknown format, MissingExtraError if it
    needs a package that is not installed.
    """
    format_ = find_format(format_id)
    losses = Losses()
    if format_ in own.OWN_FORMATS:
        _count_pictures(format_, contents, losses)
    if format_.kind == "json":
        data, count = documents.write_json(contents), len(contents)
        return Exported(format_, data, count, losses.describe(format_.title))

    chosen = choose(format_, contents, losses)
    if format_.kind == "deck":
        data, count = documents.write_deck(format_, chosen, losses), len(chosen)
    elif format_.kind == "lines":
        data, count = lines.write_lines(format_, chosen, losses), len(chosen)
    else:
        rows = _write_rows(format_, chosen, losses)
        write = workbook.write_workbook if format_.kind == "xlsx" else write_csv
        data, count = write(format_, rows), len(rows)
    return Exported(format_, data, count, losses.describe(format_.title))


def read(data: bytes, format_id: str = AUTO) -> Imported:
    """Read a file of a format, by default of the one that it looks like.

    Raises ListError if it is none, or has too many rows.
    """
    wanted = None if format_id == AUTO else find_format(format_id)
    is_workbook = wanted.kind == "xlsx" if wanted else data.startswith(b"PK\x03\x04")
    if is_workbook:
        return _read_table(workbook.read_workbook(data, MOST_ROWS), own.XLSX)

    text = _decode(data)
    is_json = wanted.kind in ("json", "deck") if wanted else text.lstrip()[:1] in ("{", "[")
    if is_json:
        kind = own.DECK if documents.is_deck(text) else own.JSON
        return _bounded(Imported(kind, *documents.read_json(text)))
    if wanted and wanted.kind == "lines":
        return _bounded(Imported(wanted, *lines.read_lines(wanted, text)))

    if wanted is None and not _has_header(text):
        guess = cards.MASS_ENTRY if re.search(r"[\[(*]", text) else cards.POKEMON
        return _bounded(Imported(guess, *lines.read_lines(guess, text)))
    return _read_table(read_csv(text), wanted)


def _write_rows(
    format_: Format, contents: Sequence[Content], losses: Losses
) -> list[dict[str, str]]:
    currency = find_currency(format_, contents)
    rows = []
    for content in contents:
        row = write_row(format_, content, currency, losses)
        rows += [row] * (content.quantity if format_.repeats else 1)
    return rows


def _count_pictures(format_: Format, contents: Sequence[Content], losses: Losses) -> None:
    """Of other tools nobody expects that they take a picture."""
    if pictures := sum(bool(one.crop) for one in contents):
        losses.lost["a picture"] = pictures
    candidates = sum(bool(one.candidates) for one in contents)
    if candidates and format_.columns:
        losses.lost["candidates"] = candidates


def _read_table(rows: Iterable[tuple[int, list[str]]], wanted: Format | None) -> Imported:
    numbered = iter(rows)
    _, titles = next(numbered, (1, []))
    format_ = wanted or _recognize(titles)
    columns = _match(format_, titles)
    if "name" not in {column.field for column in columns.values()}:
        name = next((c.title for c in format_.columns if c.field == "name"), "name")
        raise ListError(f"This is no file for {format_.title}", f"It needs a column {name!r}")

    entries, skipped = [], []
    for line, cells in numbered:
        try:
            row = dict(zip(titles, cells, strict=False))
            entries.append(read_row(columns, row, format_.currency))
        except ListError as exc:
            skipped.append(Skipped(line, str(exc)))
        if len(entries) > MOST_ROWS:
            break
    return _bounded(Imported(format_, entries, skipped, _tell_ignored(titles, columns)))


def _recognize(titles: Sequence[str]) -> Format:
    """The format that knows most of the titles; our own if none does."""
    found = [
        one
        for one in FORMATS.values()
        if one.known_by
        and len(_match(one, titles)) > 2
        and set(map(_fold, one.known_by)) <= set(map(_fold, titles))
    ]
    return max(found, key=lambda one: len(_match(one, titles)), default=own.CSV)


def _match(format_: Format, titles: Sequence[str]) -> dict[str, Column]:
    """The columns that the titles of a file mean."""
    known: dict[str, Column] = {}
    columns = own.READ_COLUMNS if format_ in own.OWN_FORMATS else format_.columns
    for column in reversed(columns):
        known |= {_fold(title): column for title in (*column.also, column.title)}
    for column in columns:  # a column's own title is stronger than another's other one
        known[_fold(column.title)] = column
    return {title: known[_fold(title)] for title in titles if _fold(title) in known}


def _tell_ignored(titles: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    ignored = [title for title in titles if title.strip() and title not in columns]
    if not ignored:
        return []
    more = " …" if len(ignored) > _TAKEN_OVER_MANY else ""
    return [f"columns passed over: {', '.join(ignored[:_TAKEN_OVER_MANY])}{more}"]


def _has_header(text: str) -> bool:
    try:
        _, titles = next(iter(read_csv(text)), (1, []))
    except ListError:
        return False
    found = {column.field for column in _match(_recognize(titles), titles).values()}
    return "name" in found


def _bounded(imported: Imported) -> Imported:
    if len(imported.entries) > MOST_ROWS:
        raise ListError(f"The file has over {MOST_ROWS} entries", "Split it")
    return imported


def _decode(data: bytes) -> str:
    """Raises ListError if it is no text."""
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # what older spreadsheets write
    if "\0" in text:
        raise ListError("This is no text file", "Save it as CSV UTF-8")
    return text


def _fold(title: str) -> str:
    return re.sub(r"[\W_]", "", title.casefold()) + ("#" if "#" in title else "")
