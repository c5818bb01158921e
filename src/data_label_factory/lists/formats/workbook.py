"""Excel workbooks, through openpyxl."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data_label_factory.errors import ListError
from data_label_factory.extras import need
from data_label_factory.lists.formats.shape import Format

_NUMBERS = frozenset({"quantity", "price", "row", "column"})
_MOST_BYTES = 200 * 2**20  # unpacked: a small file can claim a huge one
_NO_WORKBOOK = "This is no Excel workbook, or it is damaged"


def write_workbook(format_: Format, rows: Sequence[Mapping[str, str]]) -> bytes:
    """One sheet. Texts are texts, also those that look like formulas.

    Raises MissingExtraError without openpyxl.
    """
    openpyxl = need("openpyxl", extra="xlsx")
    cells = need("openpyxl.cell", extra="xlsx")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Entries")
    sheet.freeze_panes = "A2"
    titles = [column.title for column in format_.columns]

    sheet.append(titles)
    for row in rows:
        sheet.append([_make_cell(cells, sheet, title, row[title]) for title in titles])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read_workbook(data: bytes, most_rows: int) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that are not empty, with their numbers.

    Raises ListError for another file, MissingExtraError without openpyxl.
    """
    openpyxl = need("openpyxl", extra="xlsx")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise ListError("This workbook is too large", "Save the sheet as CSV")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_row=most_rows + 2, values_only=True)
        for number, row in enumerate(rows, 1):
            cells = [_as_text(value) for value in row]
            if any(cells):
                yield number, cells
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError, SyntaxError) as exc:
        raise ListError(_NO_WORKBOOK) from exc


def _make_cell(cells: Any, sheet: Any, title: str, text: str) -> Any:
    if not text:
        return None
    if title in _NUMBERS:
        return float(text)
    if text[0] not in "=#":
        return text
    # It would be taken for a formula or an error.
    cell = cells.WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
