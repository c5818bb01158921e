"""Files that say what photos show: a table with the columns query and ref, or a JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import GroundTruthError, ImageError
from data_label_factory.identify.images import read_file
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.tables import TableError, read_table

_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_COLUMNS = {
    "query": ("photo", "file", "file name", "image", "picture"),
    "ref": ("reference", "item", "name", "label", "title"),
}
_NEEDS = (
    'Write a CSV with the columns query,ref or a JSON list of {"file": …, "items": [{"ref": …}]}'
)


@dataclass(frozen=True)
class TruthRow:
    """One item in a photo. `ref` is "" if the photo shows none; `where`
    says where in the ground truth it stands.
    """

    file: str
    ref: str
    where: str
    quad: Quad | None = None
    is_whole: bool = True  # if not, the photo shows something that is not known


def read_truth_file(path: Path) -> tuple[list[TruthRow], list[str]]:
    """The rows of a file, JSON by its suffix or a table; and one text for each
    row left out, with the line and the reason.

    Raises GroundTruthError if the file cannot be read or parsed.
    """
    return _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)


def _read_csv(path: Path) -> tuple[list[TruthRow], list[str]]:
    try:
        table = read_table(
            path, _COLUMNS, ["query", "ref"], headerless=("query", "ref"), needs=_NEEDS
        )
    except TableError as exc:
        raise GroundTruthError(exc.message, exc.hint or _NEEDS) from exc

    rows = []
    for row in table.rows:
        if row["query"]:
            rows.append(TruthRow(row["query"], row["ref"], f"line {row.line}"))
        else:
            table.leave_out(row.line, "there is no photo")

    rows += [
        TruthRow(problem.cells["query"], "", f"line {problem.line}", is_whole=False)
        for problem in table.problems
        if problem.cells.get("query")
    ]
    return rows, table.describe_ignored() + table.describe_problems()


def _read_json(path: Path) -> tuple[list[TruthRow], list[str]]:
    """Raises GroundTruthError if the file cannot be read or parsed."""
    try:
        return list(_parse_json(read_file(path).decode("utf-8-sig"))), []
    except ImageError as exc:
        raise GroundTruthError(
            f"{path}: {exc.message}", "Name the file that says what the photos show"
        ) from exc
    except _MALFORMED as exc:
        reason = _describe_fault(exc)
        raise GroundTruthError(f"{path} cannot be read as ground truth ({reason})", _NEEDS) from exc


def _describe_fault(exc: Exception) -> str:
    """A fault of a JSON file without the words of a library."""
    match exc:
        case json.JSONDecodeError():
            return f"no JSON from line {exc.lineno}, column {exc.colno} on"
        case UnicodeDecodeError():
            return "not UTF-8 text"
        case KeyError():
            return f"{exc.args[0]} is missing"
        case ValueError():
            return str(exc)
        case _:
            return "it has another shape"


def _parse_json(text: str) -> Iterator[TruthRow]:
    for number, photo in enumerate(json.loads(text), 1):
        where = f"entry {number}"
        file = _parse_name(photo["file"])
        if not photo["items"]:
            yield TruthRow(file, "", where)
        for item in photo["items"]:
            corners = item.get("quad")
            quad = None if corners is None else _parse_quad(corners)
            yield TruthRow(file, _parse_name(item["ref"]), where, quad)


def _parse_name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a file name")
    return value


def _parse_quad(corners: Any) -> Quad:
    try:
        quad = as_points(corners)
    except (ValueError, TypeError):
        quad = as_points([])
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError(f"{corners!r} is not a quad of four points")
    return quad
