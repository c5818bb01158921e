"""The user's own prices: a CSV, by set code, file name or name. For things that no shop lists."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import ClassVar

from data_label_factory.errors import PriceError
from data_label_factory.prices.money import from_text
from data_label_factory.prices.sites.base import PriceSite
from data_label_factory.prices.store import Listing

_COLUMNS = ("code", "price", "name", "name_jp", "rarity", "stock")


class OwnCsv(PriceSite):
    name: ClassVar = "csv"
    about: ClassVar = (
        f"one's own table (--csv FILE --currency CUR): {', '.join(_COLUMNS)}; code may be a name"
    )
    currencies: ClassVar = ()
    by_prefix: ClassVar = False

    def listings(self, prefix: str) -> Iterator[Listing]:
        assert not prefix, "a table is read at once"
        if self.file is None:
            raise PriceError("The site csv needs a table", "Name it with --csv FILE")
        if len(self.currency) != 3:
            raise PriceError(
                "The table does not say which currency its prices are in",
                "Add --currency USD (or other)",
            )
        try:
            with self.file.open(encoding="utf-8-sig", newline="") as lines:
                yield from self._rows(csv.DictReader(lines, skipinitialspace=True))
        except OSError as exc:
            raise PriceError(f"Cannot read {self.file}: {exc.strerror}") from exc
        except (UnicodeDecodeError, csv.Error) as exc:
            raise PriceError(f"{self.file} is not a CSV in UTF-8: {exc}") from exc

    def _rows(self, reader: csv.DictReader[str]) -> Iterator[Listing]:
        columns = [column.strip().lower() for column in reader.fieldnames or ()]
        unknown = sorted(set(columns) - set(_COLUMNS))
        if unknown or "price" not in columns or not {"code", "name"} & set(columns):
            raise PriceError(
                f"{self.file}: the first line must name the columns"
                + (f", not {unknown[0]!r}" if unknown else ""),
                f"price, code or name, and any of: {', '.join(_COLUMNS)}",
            )
        reader.fieldnames = columns
        for row in reader:
            values = {
                key: (value or "").strip() for key, value in row.items() if isinstance(key, str)
            }
            code, price = values.get("code") or values.get("name", ""), from_text(values["price"])
            if not code or price is None:
                raise PriceError(
                    f"{self.file}, line {reader.line_num}: there must be a code or name, and a price"
                )
            yield Listing(
                code,
                price,
                values.get("rarity", ""),
                values.get("name", ""),
                values.get("name_jp", ""),
                in_stock=values.get("stock", "") not in ("0", "no"),
            )
