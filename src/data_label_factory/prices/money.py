"""Money is Decimal; it becomes a JSON number, rounded half to even to cents, only on output."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

_CENT = Decimal("0.01")
# A price beyond this is a mistake, and would lose digits as a JSON number.
_LARGEST = Decimal(10) ** 12
_NUMBER = re.compile(r"\d[\d.,'\s]*")


def as_number(amount: Decimal | None) -> int | float | None:
    """`amount` to the cent, as JSON takes it: whole amounts as int. None stays None."""
    if amount is None:
        return None
    rounded = amount.quantize(_CENT, ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def from_number(value: Any) -> Decimal | None:
    """A price from a JSON document, as number or text; None if it is invalid or not
    positive.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < _LARGEST else None


def from_text(text: str) -> Decimal | None:
    """A price as people write it: `1,980 円`, `¥１，９８０`, `$12.50`, `1.234,50 €`.

    The last separator is a decimal point if one or two digits follow it; otherwise it
    groups thousands. None if there is no number.
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
