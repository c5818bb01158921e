"""Lines → the records of a CSV, each with the line where it begins.

Unlike `csv.reader` alone, a record that is broken costs none of the
others.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

_SEP_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[\s,;|]*', re.IGNORECASE)
_LINE_BREAK = re.compile(r"\s*[\r\n]+\s*")


@dataclass(frozen=True)
class Record:
    """What was read from some lines: the first one (from 1), the
    index of the line after the last one, and the cells or why there
    are none.
    """

    line: int
    end: int
    cells: list[str] = field(default_factory=list)
    problem: str = ""


def read_sep_line(lines: Sequence[str]) -> tuple[int, str]:
    """The line after a spreadsheet's `sep=;`, and the delimiter that it gives."""
    match = _SEP_LINE.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    return (1, match[1]) if match else (0, "")


def read_records(lines: Sequence[str], start: int, delimiter: str) -> Iterator[Record]:
    """The records from the line with the index `start` on."""
    while start < len(lines):
        rest = (lines[number] for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, skipinitialspace=True, strict=True)
        begin = start
        try:
            for cells in reader:
                end = start + reader.line_num
                yield Record(begin + 1, end, _clean(cells))
                begin = end
            return
        except csv.Error:
            yield _read_alone(lines[begin], begin, delimiter)
            start = begin + 1


def _read_alone(line: str, index: int, delimiter: str) -> Record:
    """A line whose quotes are not a spreadsheet's: `"Weird Al" Yankovic,5`."""
    squeezed = re.sub(rf'" +(?={re.escape(delimiter)}|[\r\n]|$)', '"', line)
    with suppress(csv.Error):
        (cells,) = csv.reader([squeezed], delimiter=delimiter, skipinitialspace=True, strict=True)
        return Record(index + 1, index + 1, _clean(cells))

    if len(line) > csv.field_size_limit():
        return Record(index + 1, index + 1, problem="a cell is far too long")
    cells = _clean(line.split(delimiter))
    if any(cell.count('"') % 2 for cell in cells):
        return Record(index + 1, index + 1, problem='a "quote" is opened and not closed')
    return Record(index + 1, index + 1, [re.sub(r'^"([^"]*)"$', r"\1", cell) for cell in cells])


def _clean(cells: Sequence[str]) -> list[str]:
    return [_LINE_BREAK.sub(" ", cell.strip()) for cell in cells]
