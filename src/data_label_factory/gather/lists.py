"""The lists that `urls` and `folder` read: CSV with or without a header, or bare lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import make_label
from data_label_factory.labels import Label

_MAX_BYTES = 64 * 2**20
_OPTIONAL_COLUMNS = ("set_code", "rarity", "licence", "author", "page")


def parse_row_label(row: dict[str, str], table: str, line: int) -> tuple[Label, str]:
    """Return the label of a row, and what is to be said of it ("" for nothing)."""
    label = make_label(row["name"], row["set_code"], row["rarity"])
    if label.set_code or not row["set_code"]:
        return label, ""
    return label, f"{table}, line {line}: {row['set_code']!r} is not a set code, and left out"


def read_rows(path: Path, required: tuple[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV as (line number, values by column).

    Without a header, the columns are `required`. Skips empty lines and those that begin
    with #. Raises ProjectError if the file cannot be read or a line is invalid.
    """
    every_column = [*required, *_OPTIONAL_COLUMNS]
    columns: list[str] = []
    for number, line in enumerate(_read_lines(path), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue

        where = f"{path}, line {number}"
        cells = _split_line(line, where)

        if not columns:
            header = [cell.lower() for cell in cells]
            if set(required) <= set(header):
                _check_header(header, every_column, where)
                columns = header
                continue
            columns = list(required)

        if len(cells) > len(columns):
            raise ProjectError(f"{where}: more cells than columns", 'Put "quotes" around a comma')
        values = dict(zip(columns, cells, strict=False))
        yield number, dict.fromkeys(every_column, "") | values


def _read_lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ProjectError(
                f"{path} is too large for a list",
                f"It may have {_MAX_BYTES >> 20} MiB",
            )
        return path.read_text("utf-8-sig").splitlines()
    except OSError as exc:
        raise ProjectError(
            f"Cannot read the list {path}: {exc.strerror}",
            "Paths start at the project file",
        ) from exc
    except UnicodeDecodeError as exc:
        raise ProjectError(f"{path} is not UTF-8 text", "Save it as UTF-8 CSV") from exc


def _split_line(line: str, where: str) -> list[str]:
    try:
        cells = next(csv.reader([line], skipinitialspace=True))
    except csv.Error as exc:
        raise ProjectError(f"{where}: {exc}") from exc
    return [cell.strip() for cell in cells]


def _check_header(header: list[str], known: list[str], where: str) -> None:
    if unknown := set(header) - set(known):
        raise ProjectError(
            f"{where}: unknown column {sorted(unknown)[0]!r}",
            f"Known: {', '.join(known)}",
        )
