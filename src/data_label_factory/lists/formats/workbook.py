"""Excel workbooks, through openpyxl."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data_label_factory.errors import FactoryError, ListError
from data_label_factory.extras import need
from data_label_factory.lists.formats.rows import check_columns
from data_label_factory.lists.formats.shape import MOST_COLUMNS, Format

_NUMBERS = frozenset({"quantity", "price", "row", "column"})
_MOST_BYTES = 64 * 2**20  # unpacked: a small file can claim a huge one
# What XML unpacks once more, a hundredfold; no workbook has it. The second
# is UTF-16, cut so that it fits either order of the bytes.
_ENTITIES = (b"<!ENTITY", "<!ENTITY".encode("utf-16-le")[:-1])
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
        _check_parts(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # A sheet may claim any size, and is filled up with empty cells.
        rows = sheet.iter_rows(
            max_row=most_rows + 2,
            max_col=MOST_COLUMNS + 1,
            values_only=True,
        )
        for number, row in enumerate(rows, 1):
            cells = [_as_text(value) for value in row]
            check_columns(cells)
            if any(cells):
                yield number, cells
    except FactoryError:
        raise
    except Exception as exc:  # what openpyxl meets in a damaged file has no common kind
        raise ListError(_NO_WORKBOOK) from exc


def _check_parts(data: bytes) -> None:
    """Raises ListError for a file whose reading takes too much memory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
            raise ListError("This workbook is too large", "Save the sheet as CSV")
        for info in archive.infolist():
            part = archive.read(info)
            if any(mark in part for mark in _ENTITIES):
                raise ListError(_NO_WORKBOOK)


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
