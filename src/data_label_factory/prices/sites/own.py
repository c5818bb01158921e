"""The user's own prices: a table, by set code, file name or name.

For items that no shop lists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from data_label_factory.errors import PriceError
from data_label_factory.labels import item_key
from data_label_factory.prices.currencies import currencies_of
from data_label_factory.prices.money import MoneyColumn
from data_label_factory.prices.sites.base import PriceSite
from data_label_factory.prices.store import Listing
from data_label_factory.set_codes import join_set_code
from data_label_factory.tables import Row, Table, TableError, read_table

_COLUMNS = {
    "code": ("set code", "card code", "edition code", "sku", "file", "file name"),
    "number": ("card number", "collector number"),
    "price": (
        *("unit price", "price each", "market price", "amount", "value", "preis", "prix"),
        *("price eur", "price usd", "eur price", "usd price", "price gbp", "price jpy"),
    ),
    "name": ("card name", "title", "item", "product", "label"),
    "name_jp": ("japanese name", "name ja"),
    "currency": (),
    "rarity": (),
    "stock": ("in stock", "quantity", "qty", "count", "available", "availability"),
}
_NEEDS = f"It needs price, and code or name; it may have: {', '.join(_COLUMNS)}"
_COUNT = re.compile(r"(\d+(?:[.,]\d+)?) ?(\+|left|in stock|available|pcs?\.?|pieces?|x)?")
_SOLD_OUT = re.compile("no|none|n|false|out|sold|sold ?out|out of stock|unavailable")
_IN_STOCK = re.compile("|yes|y|true|in|in stock|available")


class OwnCsv(PriceSite):
    name: ClassVar = "csv"
    about: ClassVar = (
        f"your own table (--csv FILE --currency CUR): {', '.join(_COLUMNS)}; code may be a name"
    )
    currencies: ClassVar = ()
    by_prefix: ClassVar = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spellings: dict[str, str] = {}  # item key → the code as its first row writes it

    def listings(self, prefix: str) -> Iterator[Listing]:
        assert not prefix, "a table is read as a whole"
        if self.file is None:
            raise PriceError("The site csv needs a table", "Name it with --csv FILE")
        if len(self.currency) != 3:
            raise PriceError(
                "The table does not say which currency its prices are in",
                "Add --currency USD (or another)",
            )

        table = self._read(self.file)
        prices = MoneyColumn(
            (row["price"] for row in table.rows),
            self.currency,
            has_decimal_commas=table.delimiter == ";",
        )
        listings = [self._make_listing(table, row, prices) for row in table.rows]
        found = [listing for listing in listings if listing]

        self.left_out = table.describe_ignored() + table.describe_problems()
        if not found:
            reasons = "; ".join(table.describe_problems()[:3]) or "it has no rows"
            raise PriceError(f"{self.file} has no price: {reasons}")
        yield from found

    def _read(self, file: Path) -> Table:
        """Raises PriceError if the table cannot be read, or is in another currency."""
        try:
            table = read_table(file, _COLUMNS, ["price"], needs=_NEEDS)
        except TableError as exc:
            raise PriceError(exc.message, exc.hint) from exc
        if not {"code", "name"} & table.titles.keys():
            raise PriceError(f"{file}: the first line must name the columns", _NEEDS)

        words = re.findall(r"[^\W\d_]+|[^\w\s()\[\]]+", table.titles["price"])
        stated = [meant for word in words if (meant := currencies_of(word))]
        if stated and self.currency not in stated[0]:
            code = min(stated[0])
            raise PriceError(
                f"{file}: the prices are in {code}, not in {self.currency}",
                f"Add --currency {code}",
            )
        return table

    def _make_listing(self, table: Table, row: Row, prices: MoneyColumn) -> Listing | None:
        """None, and a word why, for a row without a price."""
        code = _find_code(row)
        try:
            price = prices.read(f"{row['price']} {row['currency']}".strip() if row["price"] else "")
            in_stock = read_stock(row["stock"])
        except PriceError as exc:
            table.leave_out(row.line, str(exc))
            return None

        if not code or price is None:
            table.leave_out(row.line, "there must be a code or name, and a price")
            return None

        code = self._spellings.setdefault(item_key(code), code)
        self.lines.setdefault(code, row.line)
        return Listing(code, price, row["rarity"], row["name"], row["name_jp"], in_stock)


def _find_code(row: Row) -> str:
    """What a row is looked up by. A set alone tells no item; its name does."""
    code = row["code"]
    if row["number"]:
        code = join_set_code(code, row["number"])
    elif row["name"] and code.isalpha() and code.isupper():
        code = ""
    return " ".join((code or row["name"]).split())


def read_stock(cell: str) -> bool:
    """Whether a cell says that something is in stock, as an empty
    one does.

    Raises PriceError for words that mean neither.
    """
    text = unicodedata.normalize("NFKC", cell).strip().casefold()
    number = re.fullmatch(
        r"(\d+(?:[.,]\d+)?) ?(\+|left|in stock|available|pcs?\.?|pieces?|x)?", text
    )
    if number:
        return bool(number[1].strip("0.,"))

    words = " ".join(re.findall(r"[^\W_]+", text))
    if _SOLD_OUT.fullmatch(words):
        return False
    if _IN_STOCK.fullmatch(words):
        return True
    raise PriceError(f"{cell!r} says nothing of the stock", "Write a number, yes or no")
