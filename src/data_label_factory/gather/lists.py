"""The tables that `urls` and `folder` read, with or without a header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import Candidate, Source, make_label
from data_label_factory.labels import Label
from data_label_factory.set_codes import join_set_code
from data_label_factory.tables import Row, TableError, read_table

_COLUMNS = {
    "name": ("card name", "title", "item", "label", "product"),
    "file": ("file name", "photo", "image", "picture", "path"),
    "url": ("address", "link", "image url", "picture url", "image"),
    "set_code": ("set code", "code", "edition code", "edition", "set"),
    "number": ("card number", "collector number"),
    "rarity": (),
    "licence": ("license",),
    "author": ("artist", "credit", "photographer"),
    "page": ("source", "website"),
}
_LABELS = ("set_code", "number", "rarity", "licence", "author", "page")


def make_candidate(
    row: Row, label: Label, *, url: str = "", path: Path | None = None, note: str = ""
) -> Candidate:
    """Return the picture of a row, at an address or in a file."""
    return Candidate(
        label,
        url,
        path=path,
        page=row["page"],
        license=row["licence"],
        author=row["author"],
        line=row.line,
        note=note,
    )


def make_label_of(row: Row, table: str) -> tuple[Label, str]:
    """Return the label of a row, and what is to be said of it ("" for nothing)."""
    code = join_set_code(row["set_code"], row["number"])
    label = make_label(row["name"], code, row["rarity"])
    if label.set_code or not row["set_code"]:
        return label, ""
    return label, f"{table}, line {row.line}: {row['set_code']!r} is not a set code, and left out"


def read_candidates(
    source: Source,
    query: str,
    columns: tuple[str, str],
    required: str,
    make: Callable[[Row], Candidate],
) -> Iterator[Candidate]:
    """Yield what `make` makes of each row of the table that `query`
    names.

    Without a header, the columns are `columns`. The table goes into
    `source.tables`, with the rows for which `make` raises
    ValueError among its problems. Raises ProjectError if the file
    cannot be read, or its header does not name the column
    `required`.
    """
    path = source.folder / Path(query).expanduser()
    known = {name: others for name, others in _COLUMNS.items() if name in (*columns, *_LABELS)}
    needs = f"Known: {', '.join(known)}"
    try:
        table = read_table(path, known, [required], headerless=columns, needs=needs)
    except TableError as exc:
        raise ProjectError(exc.message, exc.hint or "Paths start at the project file") from exc

    candidates = []
    for row in table.rows:
        try:
            candidates.append(make(row))
        except ValueError as exc:
            table.leave_out(row.line, str(exc))

    source.tables[query] = table
    yield from candidates
