"""The user's own prices: a CSV, by set code, file name or name.

For items that no shop lists.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import ClassVar

from data_label_factory.errors import PriceError
from data_label_factory.prices.money import from_text
from data_label_factory.prices.sites.base import PriceSite
from data_label_factory.prices.store import Listing

_COLUMNS = ("code", "price", "name", "name_jp", "rarity", "stock")


class OwnCsv(PriceSite):
    name: ClassVar = "csv"
    about: ClassVar = (
        f"your own table (--csv FILE --currency CUR): {', '.join(_COLUMNS)}; code may be a name"
    )
    currencies: ClassVar = ()
    by_prefix: ClassVar = False

    def listings(self, prefix: str) -> Iterator[Listing]:
        assert not prefix, "a table is read as a whole"
        if self.file is None:
            raise PriceError("The site csv needs a table", "Name it with --csv FILE")
        if len(self.currency) != 3:
            raise PriceError(
                "The table does not say which currency its prices are in",
                "Add --currency USD (or another)",
            )

        try:
            with self.file.open(encoding="utf-8-sig", newline="") as lines:
                yield from self._read_rows(csv.DictReader(lines, skipinitialspace=True))
        except OSError as exc:
            raise PriceError(f"Cannot read {self.file}: {exc.strerror}") from exc
        except (UnicodeDecodeError, csv.Error) as exc:
            raise PriceError(f"{self.file} is not a CSV in UTF-8: {exc}") from exc

    def _read_rows(self, reader: csv.DictReader[str]) -> Iterator[Listing]:
        reader.fieldnames = self._check_columns(reader.fieldnames or ())
        for row in reader:
            # A row that is too long has a key None, one that is too short has values
            # None.
            values = {
                key: (value or "").strip() for key, value in row.items() if isinstance(key, str)
            }

            code = values.get("code") or values.get("name", "")
            price = from_text(values["price"])
            if not code or price is None:
                line = f"{self.file}, line {reader.line_num}"
                raise PriceError(f"{line}: there must be a code or name, and a price")

            yield Listing(
                code,
                price,
                values.get("rarity", ""),
                values.get("name", ""),
                values.get("name_jp", ""),
                in_stock=values.get("stock", "") not in ("0", "no"),
            )

    def _check_columns(self, names: Sequence[str]) -> list[str]:
        """The normalized names of the columns.

        Raises PriceError if they are not those needed.
        """
        columns = [name.strip().lower() for name in names]
        unknown = sorted(set(columns) - set(_COLUMNS))
        if unknown or "price" not in columns or not {"code", "name"} & set(columns):
            wrong = f", not {unknown[0]!r}" if unknown else ""
            raise PriceError(
                f"{self.file}: the first line must name the columns{wrong}",
                f"price, code or name, and any of: {', '.join(_COLUMNS)}",
            )
        return columns
