"""Money is Decimal; it becomes a JSON number, rounded half to even to cents, only on output."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from data_label_factory.errors import PriceError
from data_label_factory.prices.currencies import WITHOUT_CENTS, currencies_of

_CENT = Decimal("0.01")
# A price beyond this is a mistake, and would lose digits as a JSON number.
_LARGEST = Decimal(10) ** 12
_NUMBER = re.compile(r"\d[\d.,'\s]*")

# A cell of a table, see `MoneyColumn`. A point right after a letter is the currency's: Rs.500
_CELL = re.compile(
    r"(?P<before>[^0-9]*?)\s*"
    r"(?P<number>(?:(?<![^\W\d_]|[.,])[.,])?[0-9]+(?:[.,' ][0-9]+)*)"
    r"(?P<no_cents>[.,]-{1,2})?"
    r"\s*(?P<after>[^0-9]*)"
)
_LONGEST_CELL = 60  # characters
_OTHER_MARK = {",": ".", ".": ","}
# Full-width characters, apostrophes and dashes → their plain ones.
_PLAIN = str.maketrans(
    {
        **{chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F)},
        **dict.fromkeys("’‘‛ʼʹ`´′", "'"),
        **dict.fromkeys("‐‑‒–—―−﹘﹣", "-"),
        "￥": "¥",
        "￡": "£",
        "￦": "₩",
    }
)


def as_number(amount: Decimal | None) -> int | float | None:
    """`amount` to the cent, as JSON takes it: whole amounts as int. None stays None."""
    if amount is None:
        return None
    rounded = amount.quantize(_CENT, ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def from_number(value: Any) -> Decimal | None:
    """A price from a JSON document, as number or text; None if it is
    invalid or not positive.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < _LARGEST else None


def from_text(text: str) -> Decimal | None:
    """A price as shop pages show it: `1,980 円`, `¥１，９８０`, `$12.50`,
    `1.234,50 €`.

    The last separator is a decimal point if one or two digits
    follow it; otherwise it groups thousands. None if there is no
    number.
    """
    match = _NUMBER.search(unicodedata.normalize("NFKC", text))
    if match is None:
        return None

    digits = re.sub(r"['\s]", "", match[0]).rstrip(".,")
    parts = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", digits)
    assert parts, "the pattern matches any text"
    whole, point, cents = parts.groups()
    return from_number(re.sub(r"[.,]", "", whole) + (f".{cents}" if point else ""))


def median(amounts: Iterable[Decimal]) -> Decimal:
    """The middle amount, or the mean of the two in the middle. Raises ValueError if empty."""
    ordered = sorted(amounts)
    if not ordered:
        raise ValueError("no amounts")
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


class MoneyColumn:
    """The prices in a column of the user's own table: each cell is one
    number, with or without a currency, or it is no price.

    What decides between `.` and `,` is in docs/prices.md, "Money in a
    table".
    """

    def __init__(
        self, cells: Iterable[str], currency: str, *, has_decimal_commas: bool = False
    ) -> None:
        """`cells` are those of the whole column: the clear ones
        among them decide about the others.

        `has_decimal_commas` says that the table's columns are
        separated by `;`.
        """
        self._currency = currency
        self._has_decimal_commas = has_decimal_commas
        self._marks = {mark for cell in cells if (mark := _find_decimal_mark(cell))}

    def read(self, cell: str) -> Decimal | None:
        """The amount in a cell; None if it says that there is no price.

        Raises PriceError if the cell is no price, is ambiguous, or
        names another currency.
        """
        text = _to_plain(cell)
        if text in ("", "-", "--"):
            return None

        match = _match_cell(text)
        if match is None:
            raise _not_a_price(cell)
        self._check_currency(cell, match["before"], match["after"])

        number = _number_of(match)
        if _is_ambiguous(number):
            number = self._decide(cell, number)
        else:
            number = _split_number(number)[0] or ""
        if not number:
            raise _not_a_price(cell)

        amount = Decimal(number)
        if amount >= _LARGEST:
            raise PriceError(f"{cell!r} is too large for a price")
        return amount or None

    def _check_currency(self, cell: str, before: str, after: str) -> None:
        for text in filter(None, (before.strip(), after.strip())):
            if text.upper() == self._currency:
                continue
            meant = currencies_of(text)
            if not meant:
                raise _not_a_price(cell)
            if self._currency not in meant:
                raise PriceError(
                    f"{cell!r} is not in {self._currency}",
                    "A table has one currency; prices in another go into another table",
                )

    def _decide(self, cell: str, number: str) -> str:
        """The number that an ambiguous one means: `1,980` → `1980` or `1.980`."""
        whole, mark, decimals = re.split(r"([.,])", number)
        grouped = whole + decimals
        decimal = f"{whole}.{decimals}"
        if len(self._marks) == 1:
            return decimal if mark in self._marks else grouped
        if not self._marks:
            if self._currency in WITHOUT_CENTS:
                return grouped
            if self._has_decimal_commas:
                return decimal if mark == "," else grouped

        # Shown as it would be read: three decimals would be ambiguous again.
        shown = decimal.rstrip("0").rstrip(".")
        shown += "0" if shown[-4:-3] == "." else ""
        raise PriceError(
            f"{cell!r} may mean {grouped} or {decimal}",
            f"Write {grouped} or {shown}",
        )


def _to_plain(cell: str) -> str:
    """A cell without characters that show nothing, in plain
    characters, and with single spaces.
    """
    shown = "".join(c for c in cell if unicodedata.category(c) != "Cf")
    return " ".join(shown.translate(_PLAIN).split())


def _match_cell(text: str) -> re.Match[str] | None:
    return _CELL.fullmatch(text) if len(text) <= _LONGEST_CELL else None


def _number_of(match: re.Match[str]) -> str:
    """`5,-` → `5,00`."""
    no_cents = match["no_cents"]
    return str(match["number"] + (f"{no_cents[0]}00" if no_cents else ""))


def _is_ambiguous(number: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", number) is not None


def _find_decimal_mark(cell: str) -> str:
    """The decimal mark that a cell shows beyond doubt, or ""."""
    match = _match_cell(_to_plain(cell))
    number = _number_of(match) if match else ""
    return "" if _is_ambiguous(number) else _split_number(number)[1]


def _split_number(number: str) -> tuple[str | None, str]:
    """A number that is not ambiguous → its digits with a point, and the
    decimal mark that it shows ("" if it shows none).

    The digits are None if its groups are wrong.
    """
    marks = re.findall(r"[.,' ]", number)
    if not marks:
        return number, ""

    last = marks[-1]
    if len(set(marks)) == 1 and (last not in _OTHER_MARK or len(marks) > 1):
        whole = _join_groups(number, last)
        return whole, _OTHER_MARK.get(last, "") if whole else ""

    before, _, decimals = number.rpartition(last)
    is_decimal = last in _OTHER_MARK and marks.count(last) == 1 and len(set(marks)) <= 2
    whole = _join_groups(before, marks[0]) if len(marks) > 1 else before or "0"
    return (f"{whole}.{decimals}", last) if is_decimal and whole else (None, "")


def _join_groups(whole: str, mark: str) -> str | None:
    """`1,234,567` → `1234567`; None if the groups are neither thousands nor Indian."""
    first, *middle, last = map(len, whole.split(mark))
    is_western = 1 <= first <= 3 and {*middle, last} == {3}
    is_indian = mark == "," and 1 <= first <= 2 and set(middle) == {2} and last == 3
    if whole.startswith("0") or not (is_western or is_indian):
        return None
    return whole.replace(mark, "")


def _not_a_price(cell: str) -> PriceError:
    return PriceError(
        f"{cell!r} is not a price", "A price is one number, with or without a currency: 12.50 €"
    )
