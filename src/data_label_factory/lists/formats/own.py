"""Our own formats: all that an entry says."""

from __future__ import annotations

from data_label_factory.lists.formats.shape import Column, Format

# Other titles are those of spreadsheets, and of the CSV that the page writes.
_COLUMNS = (
    Column("quantity", "quantity", also=("count", "qty", "copies", "owned", "amount", "anzahl")),
    Column("name", "name", also=("card name", "title", "card", "product name", "item name")),
    Column("set_code", "set_code", also=("set", "edition", "edition code", "card code")),
    Column("rarity", "rarity"),
    Column("finish", "finish", also=("foil", "printing")),
    Column("condition", "condition"),
    Column("language", "language"),
    Column("price", "price", also=("price_each", "purchase price", "unit price", "usd_each")),
    Column("currency", "currency", also=("purchase price currency",)),
    Column("note", "note", also=("notes", "comment", "comments")),
    Column("page", "page"),
    Column("row", "row"),
    Column("column", "column"),
    Column("state", "state"),
    Column("item", "item", also=("ref_filename", "filename")),
    Column("taken_at", "time", also=("date", "date added", "price_date")),
    Column("session", "session"),
    Column("device", "device"),
    Column("extra", "extra"),
    Column("collector_number", "only number", also=("collector number", "card number")),
)

CSV = Format(
    id="csv",
    title="CSV",
    about="a table with all fields, for spreadsheets",
    suffix=".csv",
    media_type="text/csv; charset=utf-8",
    kind="csv",
    columns=_COLUMNS[:-1],
    source="docs/lists.md",
)

# Read with one more column, which joins the set code.
READ_COLUMNS = _COLUMNS

XLSX = Format(
    id="xlsx",
    title="Excel",
    about="a workbook with all fields (needs the extra xlsx)",
    suffix=".xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    kind="xlsx",
    columns=_COLUMNS[:-1],
    source="docs/lists.md",
)

JSON = Format(
    id="json",
    title="JSON",
    about="everything, to be read again",
    suffix=".json",
    media_type="application/json",
    kind="json",
    source="docs/lists.md",
)

DECK = Format(
    id="deck",
    title="Deck of the page",
    about="the JSON that the live page keeps and writes",
    suffix=".json",
    media_type="application/json",
    kind="deck",
    source="web/js/deckfile.js",
)

OWN_FORMATS = (CSV, XLSX, JSON, DECK)
