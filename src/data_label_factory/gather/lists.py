"""Lists of one's own, as `urls` and `folder` read them: CSV with or without a header, or bare lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import label_of
from data_label_factory.labels import RARITIES, SET_CODE, Label

_MAX_BYTES = 64 * 2**20
_COLUMNS = ("set_code", "rarity", "licence", "author", "page")


def row_label(row: dict[str, str], table: str, line: int) -> Label:
    """The label that a row gives. Raises ProjectError with the line of what is no set code or rarity."""
    code, rarity = row["set_code"].upper(), row["rarity"]
    if code and not SET_CODE.fullmatch(code):
        raise ProjectError(
            f"{table}, line {line}: {code!r} is not a set code", "It looks like LOCH-JP001"
        )
    if rarity and rarity.lower() not in RARITIES:
        raise ProjectError(
            f"{table}, line {line}: unknown rarity {rarity!r}",
            f"Known: {', '.join(RARITIES.values())}",
        )
    return label_of(row["name"], code, rarity)


def rows(path: Path, first: tuple[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV as (line number, values by column); without a header the columns are `first`.

    Empty lines and those that begin with # are passed over. Raises ProjectError.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ProjectError(
                f"{path} is too large for a list", f"It may have {_MAX_BYTES >> 20} MiB"
            )
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as exc:
        raise ProjectError(
            f"Cannot read the list {path}: {exc.strerror}", "Paths start at the project file"
        ) from exc
    except UnicodeDecodeError as exc:
        raise ProjectError(f"{path} is not UTF-8 text", "Save it as UTF-8 CSV") from exc
    columns: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
        except csv.Error as exc:
            raise ProjectError(f"{path}, line {number}: {exc}") from exc
        if not columns:
            header = [cell.lower() for cell in cells]
            columns = header if set(first) <= set(header) else list(first)
            if columns is header:
                if unknown := set(header) - {*first, *_COLUMNS}:
                    known = ", ".join([*first, *_COLUMNS])
                    raise ProjectError(
                        f"{path}, line {number}: unknown column {sorted(unknown)[0]!r}",
                        f"Known: {known}",
                    )
                continue
        if len(cells) > len(columns):
            raise ProjectError(
                f"{path}, line {number}: more cells than columns", 'Put "quotes" around a comma'
            )
        yield (
            number,
            dict.fromkeys([*first, *_COLUMNS], "") | dict(zip(columns, cells, strict=False)),
        )
