"""CSV: what spreadsheets would evaluate is made harmless, and texts of
any kind come back as they were.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from data_label_factory.errors import ListError
from data_label_factory.lists.formats.rows import check_columns
from data_label_factory.lists.formats.shape import Format

# A spreadsheet takes it for a formula; some, where full-width characters are typed, those too.
# The apostrophe in front of it is what people type there themselves; reading takes it away again.
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r]")
# A sign before plain words and numbers is a name (+2 Mace), or a number: nothing to run.
_SIGNED = re.compile(r"[+-]\d[\w ,.'’-]*")
_GUARDED = re.compile(r"'(?='*[=+\-@＝＋－＠\t\r])")
# Newer versions of Python refuse a quote, a blank or a line end.
_SEP = re.compile(r'"?sep=([^\s"]|\t)"?\s*', re.IGNORECASE)
_DELIMITERS = ",;\t|"


class _AllQuoted(csv.excel):
    quoting = csv.QUOTE_ALL


def write_csv(format_: Format, rows: Sequence[Mapping[str, str]]) -> bytes:
    """The file of a format, as UTF-8."""
    out = io.StringIO()
    if format_.preamble:
        out.write(f"{format_.preamble}\r\n")
    titles = [column.title for column in format_.columns]
    dialect = _AllQuoted if format_.quotes_all else csv.excel
    writer = csv.writer(out, dialect, delimiter=format_.delimiter)

    writer.writerow(titles)
    for row in rows:
        writer.writerow([guard(row[title]) for title in titles])
    return out.getvalue().encode("utf-8")


def read_csv(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line where it begins,
    the header first.

    Raises ListError if it is no table.
    """
    skipped = 0
    delimiter = ""
    first, _, rest = text.partition("\n")
    if match := _SEP.fullmatch(first):
        delimiter, text, skipped = match[1], rest, 1
    delimiter = delimiter or _sniff(text)

    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begin = 1
    try:
        for cells in reader:
            check_columns(cells)
            if any(cell.strip() for cell in cells):
                yield begin + skipped, [unguard(cell) for cell in cells]
            begin = reader.line_num + 1
    except csv.Error as exc:
        raise ListError(f"Line {begin + skipped} is no row of a table: {exc}") from exc


def guard(cell: str) -> str:
    """The cell, with an apostrophe where a spreadsheet would compute."""
    risky = _FORMULA.match(cell) and not _SIGNED.fullmatch(cell)
    return f"'{cell}" if risky else cell


def unguard(cell: str) -> str:
    return _GUARDED.sub("", cell, count=1) if _GUARDED.match(cell) else cell


def _sniff(text: str) -> str:
    """The delimiter that the header has most of."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=header.count)
