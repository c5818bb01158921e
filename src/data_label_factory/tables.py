"""One reader for the tables that people bring: prices, lists of
pictures, ground truth.

They come out of spreadsheets and shops, so the delimiter, the case
of the header and its words differ. A row that cannot be read is
named and left out; the others go on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data_label_factory.errors import FactoryError
from data_label_factory.table_records import Record, read_records, read_sep_line

_MAX_BYTES = 64 * 2**20
_DELIMITERS = ",;\t|"
_PROBED_LINES = 50  # of a table without a header
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_COMMENT = re.compile(r"\s*#(\s|$)")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class TableError(FactoryError):
    """A table that cannot be read at all."""


@dataclass(frozen=True)
class Row:
    """`cells` has a text for each column, "" where the row has
    none; `line` counts from 1.
    """

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Problem:
    """A row that was left out, and why; `cells` are those that could be
    told apart.
    """

    line: int
    reason: str
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Table:
    """The rows of a table.

    `titles` are the columns' names as the header has them, empty
    without a header; `ignored` are the titles of columns that mean
    nothing here.
    """

    path: Path
    delimiter: str
    titles: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def leave_out(self, line: int, reason: str) -> None:
        """Note that a row says nothing after all."""
        self.problems.append(Problem(line, reason))

    def describe_problems(self) -> list[str]:
        """One line of text for each row left out, in their order."""
        ordered = sorted(self.problems, key=lambda problem: problem.line)
        return [f"{self.path}, line {one.line}: {one.reason}" for one in ordered]

    def describe_ignored(self) -> list[str]:
        """A line of text for the columns that mean nothing, if there are any."""
        names = ", ".join(map(repr, self.ignored))
        return [f"{self.path}: columns passed over: {names}"] if names else []


def read_table(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    *,
    headerless: Sequence[str] = (),
    needs: str = "",
) -> Table:
    """Read a table with a delimiter of `, ; tab |`.

    `columns` are the columns that mean something, with their other
    names; case, spaces and punctuation do not matter. Without a
    header, the columns are `headerless`, if there are any. `# `
    begins a comment, above the first row only. `needs` says in
    words what the header must have.

    Raises TableError if the file cannot be read, or has no header
    that names the columns `required`.
    """
    text = _read_text(path)
    lines = _LINE.findall(text)
    at, delimiter = read_sep_line(lines)
    at = _skip_comments(lines, at)
    table = Table(path, delimiter or _sniff(lines[at:], columns, headerless))

    titles: list[str | None] = []
    for record in read_records(lines, at, table.delimiter):
        if record.problem:
            table.leave_out(record.line, record.problem)
        if not any(record.cells):
            continue  # the padding of a spreadsheet
        if not titles:
            titles = _read_header(table, record.cells, columns, required, headerless, needs)
            if table.titles:
                continue
        _take_row(table, record, titles)

    if not titles and not headerless:
        raise TableError(f"{path}: the first line must name the columns", needs)
    return table


def fold_title(title: str) -> str:
    """`Set_Code`, `set code` and `SET CODE:` are one; `Price (EUR)` is `price`."""
    words = re.sub(r"\(.*?\)|\[.*?\]", "", unicodedata.normalize("NFKC", title).casefold())
    return re.sub(r"[\W_]", "", words)


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise TableError(
                f"{path} is too large for a list", f"It may have {_MAX_BYTES >> 20} MiB"
            )
        data = path.read_bytes()
    except FileNotFoundError as exc:
        raise TableError(f"Cannot read the list {path}: There is no such file") from exc
    except OSError as exc:
        raise TableError(f"Cannot read the list {path}: {exc.strerror}") from exc

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        kind = "UTF-16" if data.startswith(_UTF16) else f"byte {exc.start} is of another encoding"
        raise TableError(f"{path} is not UTF-8 text ({kind})", "Save it as CSV UTF-8") from exc
    if "\0" in text:
        raise TableError(f"{path} is not a text file", "Save it as CSV UTF-8")
    return text


def _skip_comments(lines: Sequence[str], at: int) -> int:
    """Where the first row is, from the line with the index `at` on."""
    while at < len(lines) and (not lines[at].strip() or _COMMENT.match(lines[at])):
        at += 1
    return at


def _sniff(
    lines: Sequence[str], columns: Mapping[str, Sequence[str]], headerless: Sequence[str]
) -> str:
    """The delimiter that shows most known titles, else the most
    rows of the right length.
    """
    known = _known_titles(columns)

    def count(delimiter: str) -> tuple[int, int, int]:
        records = list(read_records(lines[:_PROBED_LINES], 0, delimiter)) or [Record(1, 0)]
        first = records[0].cells
        titles = len({known.get(fold_title(cell)) for cell in first} - {None})
        fitting = sum(len(record.cells) == len(headerless) for record in records)
        return titles, fitting, len(first)

    return max(_DELIMITERS, key=count)


def _read_header(
    table: Table,
    cells: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    headerless: Sequence[str],
    needs: str,
) -> list[str | None]:
    """The column of each cell of a row, "" for those that mean
    nothing, None for those without a title.

    Fills in the titles if `cells` is a header.
    """
    known = _known_titles(columns)
    found = [known.get(fold_title(cell), "") for cell in cells]
    if headerless and not _is_header(cells, found):
        return list(headerless)

    missing = [column for column in required if column not in found]
    if missing:
        strange = next((cell for cell in cells if fold_title(cell) not in known), "")
        wrong = f", not {strange!r}" if strange else ""
        raise TableError(f"{table.path}: the first line must name the columns{wrong}", needs)

    folded = [fold_title(cell) for cell in cells]
    doubled = [cell for cell in cells if folded.count(fold_title(cell)) > 1 and cell]
    if doubled:
        raise TableError(f"{table.path}: two columns are called {doubled[0]!r}", "Rename one")

    # Of two titles for one column, the column's own name counts, else the first.
    place: dict[str, int] = {}
    for at, column in enumerate(found):
        if column and (column not in place or folded[at] == fold_title(column)):
            place[column] = at
    table.titles = {column: cells[at] for column, at in place.items()}
    unused = [at for at in range(len(cells)) if at not in place.values()]
    table.ignored = [cells[at] for at in unused if cells[at]]
    return [
        column if at not in unused else "" if cells[at] else None for at, column in enumerate(found)
    ]


def _is_header(cells: Sequence[str], found: Sequence[str]) -> bool:
    """Whether a first row names columns, and no file or address."""
    others = [cell for cell, column in zip(cells, found, strict=True) if not column]
    return any(found) and not any(mark in cell for cell in others for mark in "./:")


def _known_titles(columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    known = {fold_title(other): column for column in columns for other in columns[column]}
    return known | {fold_title(column): column for column in columns}


def _take_row(table: Table, record: Record, titles: Sequence[str | None]) -> None:
    cells = record.cells

    # The end of `Bolt,1,50` can also lie below a title that is empty.
    values = {title: "" for title in titles if title}
    values |= {title: cell for title, cell in zip(titles, cells, strict=False) if title}
    surplus = [at for at in range(len(cells)) if at >= len(titles) or titles[at] is None]
    if any(cells[at] for at in surplus):
        hint = f'put "quotes" around a cell with a {_spell(table.delimiter)}'
        problem = Problem(record.line, f"more cells than columns; {hint}", values)
        table.problems.append(problem)
        return

    table.rows.append(Row(record.line, values))


def _spell(delimiter: str) -> str:
    return {",": "comma", ";": "semicolon", "\t": "tab"}.get(delimiter, delimiter)
