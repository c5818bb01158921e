"""Money is Decimal all the way; it becomes a JSON number, rounded half to even to cents, only when it leaves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

_CENT = Decimal("0.01")
_LARGEST = (
    Decimal(10) ** 12
)  # a price beyond it is a mistake, and would not survive as a JSON number
_NUMBER = re.compile(r"\d[\d.,'\s]*")


def as_number(amount: Decimal | None) -> int | float | None:
    """`amount` in cents precision as JSON takes it: whole amounts as int. None stays None."""
    if amount is None:
        return None
    rounded = amount.quantize(_CENT, ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def from_number(value: Any) -> Decimal | None:
    """A price out of a JSON document, given as number or text; None when it is none, or not positive."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < _LARGEST else None


def from_text(text: str) -> Decimal | None:
    """A price as people write it: `1,980 円`, `¥１，９８０`, `$12.50`, `1.234,50 €`. None when there is no number.

    The last separator is a decimal point when one or two digits follow it, otherwise it groups thousands.
    """
    found = _NUMBER.search(unicodedata.normalize("NFKC", text))
    if found is None:
        return None
    digits = re.sub(r"['\s]", "", found[0]).rstrip(".,")
    whole, point, cents = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", digits).groups()  # type: ignore[union-attr]
    return from_number(re.sub(r"[.,]", "", whole) + (f".{cents}" if point else ""))


def median(amounts: Iterable[Decimal]) -> Decimal:
    """The middle one, or the mean of the two in the middle. Raises ValueError for none at all."""
    ordered = sorted(amounts)
    if not ordered:
        raise ValueError("no amounts")
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
