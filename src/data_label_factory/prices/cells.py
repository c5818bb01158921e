"""Prices and stock in the cells of the user's own table. Strict: a cell is
a price as a whole, or it is none.

The rule for separators is in docs/prices.md, "Money in a table"; the deck
import of the live tracker follows it, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from data_label_factory.prices.money import from_number

# ISO 4217: currencies without a smaller unit.
_WITHOUT_CENTS = re.compile(
    "BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF",
)
# What a sign can stand for; three letters stand for themselves.
_SIGNS = {
    "€": "EUR",
    "£": "GBP GIP FKP SHP EGP",
    "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP BBD BSD BZD JMD TTD FJD",
    "US$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "NT$": "TWD",
    "S$": "SGD",
    "R$": "BRL",
    "¥": "JPY CNY",
    "円": "JPY",
    "元": "CNY",
    "₩": "KRW",
    "원": "KRW",
    "₹": "INR",
    "RS": "INR PKR LKR NPR",
    "₽": "RUB",
    "₺": "TRY",
    "₫": "VND",
    "฿": "THB",
    "₪": "ILS",
    "₱": "PHP",
    "₴": "UAH",
    "KR": "SEK NOK DKK ISK",
    "ZŁ": "PLN",
    "KČ": "CZK",
    "FT": "HUF",
    "FR": "CHF",
    "SFR": "CHF",
}
_CELL = re.compile(
    r"(?P<before>(?:[^\d\s.,'+-]+\.?)?)\s*(?P<number>[\d.,'\s]*\d(?:[.,]-)?)\s*(?P<after>\D*)"
)
_WITHOUT_DECIMALS = re.compile(r"[.,]-$")  # as in `5,-`
_NOTHING = re.compile(r"|-|n/?a|none", re.IGNORECASE)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys("’‘`´", "'"))

# Of three digits, or as in India with commas, of two before the last three.
_GROUPED = r"\d{{1,3}}(?:{0}\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}"

_SOLD_OUT = re.compile("no|none|n|false|out|sold|sold ?out|out of stock|unavailable")
_IN_STOCK = re.compile("|yes|y|true|in|in stock|available")


def find_decimal_mark(cells: Iterable[str], delimiter: str) -> str:
    """The decimal mark of a column of prices, "." or ",", or "" if nothing tells.

    It is that of the cells in which it is plain, if they agree; else it is a
    comma in a table with semicolons, which is how spreadsheets write where
    the comma is taken.
    """
    marks = {_plain_mark(_strip(cell)) for cell in cells} - {""}
    if len(marks) == 1:
        return marks.pop()
    return "," if delimiter == ";" and not marks else ""


def read_price(cell: str, currency: str, decimal_mark: str = "") -> Decimal | None:
    """The price that a cell is; None for a cell that says there is none.

    `decimal_mark` is that of the column, see `find_decimal_mark`. Raises
    ValueError, with a reason for people, if the cell is not a price, is of
    another currency, or could be read in two ways.
    """
    text = _strip(cell)
    if _NOTHING.fullmatch(text):
        return None

    match = _CELL.fullmatch(text)
    if not match or (match["before"] and match["after"]):
        raise ValueError(f"{cell!r} is not a price")
    _check_currency(match["before"] or match["after"], cell, currency)

    number = _WITHOUT_DECIMALS.sub("", match["number"])
    amount = Decimal(_as_decimal(number, cell, currency, decimal_mark))
    if number != match["number"] and amount % 1:
        raise ValueError(f"{cell!r} is not a price")
    if amount and from_number(amount) is None:
        raise ValueError(f"{cell!r} is too large for a price")
    return amount or None


def read_stock(cell: str) -> bool:
    """Whether a cell says that something is in stock, as an empty one does.

    Raises ValueError for words that mean neither.
    """
    text = unicodedata.normalize("NFKC", cell).strip().casefold()
    if re.fullmatch(r"\d+([.,]\d+)?", text):
        return bool(text.strip("0.,"))

    words = " ".join(re.findall(r"[^\W_]+", text))
    if _SOLD_OUT.fullmatch(words):
        return False
    if _IN_STOCK.fullmatch(words):
        return True
    raise ValueError(f"stock {cell!r}: write a number, yes or no")


def _strip(cell: str) -> str:
    text = unicodedata.normalize("NFKC", cell).translate(_DASHES)
    return " ".join(text.split())


def _check_currency(sign: str, cell: str, currency: str) -> None:
    word = sign.strip().rstrip(".").upper()
    if not word:
        return
    meant = _SIGNS.get(word, word if re.fullmatch("[A-Z]{3}", word) else "").split()
    if not meant:
        raise ValueError(f"{cell!r} is not a price")
    if currency not in meant:
        raise ValueError(f"{cell!r} is in {meant[0]}, but the table is in {currency}")


def _plain_mark(text: str) -> str:
    """The decimal mark of a cell in which it is plain, else ""."""
    match = _CELL.fullmatch(text)
    number = match["number"] if match else ""
    marks = re.findall("[.,]", _WITHOUT_DECIMALS.sub("", number))
    if len(set(marks)) == 2:
        return str(marks[-1])
    if not marks:
        return ""

    other = "." if marks[0] == "," else ","
    if len(marks) > 1:
        return other
    return "" if _is_ambiguous(number) else str(marks[0])


def _is_ambiguous(number: str) -> bool:
    """Whether the one mark in a number may group thousands or begin decimals."""
    return re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number) is not None


def _as_decimal(number: str, cell: str, currency: str, decimal_mark: str) -> str:
    """The number in Python's spelling. Raises ValueError."""
    mark = _plain_mark(number)
    if _is_ambiguous(number):
        mark = decimal_mark
        if not mark and _WITHOUT_CENTS.fullmatch(currency):
            mark = "." if "," in number else ","
        if not mark:
            raise ValueError(_ask(cell, number))

    has_decimals = bool(mark) and mark in number
    whole, _, decimals = number.rpartition(mark) if has_decimals else (number, "", "0")
    grouping = re.findall(r"[.,'\s]", whole)
    fits = not grouping or re.fullmatch(_GROUPED.format(re.escape(grouping[0])), whole)
    if not fits or not decimals.isdigit():
        raise ValueError(f"{cell!r} is not a price")
    digits = re.sub(r"\D", "", whole)
    return f"{digits or 0}.{decimals}"


def _ask(cell: str, number: str) -> str:
    whole, decimals = re.split("[.,]", number)
    readings = f"{whole}{decimals} or {whole}.{decimals}"
    return f"{cell!r} may be {readings}; write {whole}{decimals}, or {whole}.{decimals}0"
