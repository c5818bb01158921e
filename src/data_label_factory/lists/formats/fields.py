"""An entry as texts by name, as the cells of a file need them, and
back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from data_label_factory.errors import ListError
from data_label_factory.lists.content import MOST_COPIES, Content, clean
from data_label_factory.prices.money import from_text

_TEXTS = (
    "name",
    "set_code",
    "rarity",
    "finish",
    "condition",
    "language",
    "currency",
    "note",
    "state",
    "page",
    "item",
    "session",
    "device",
)
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "円": "JPY"}
_UNNAMED = "USD"  # a price without any currency, as on the page
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def take_apart(content: Content) -> dict[str, str]:
    """What columns can have: the fields, `set` and `number` of the set
    code, `time`, `date`, `slashes` of when, `extra:NAME` of the rest.
    """
    parts = {name: str(getattr(content, name)) for name in _TEXTS}
    parts["quantity"] = str(content.quantity)
    parts["set"], parts["number"] = split_set_code(content.set_code)
    parts["price"] = "" if content.price is None else f"{content.price:.2f}"
    parts["row"], parts["column"] = (str(n or "") for n in (content.row, content.column))

    parts["time"] = content.taken_at
    parts["date"] = content.taken_at[:10] if _DAY.match(content.taken_at) else ""
    parts["slashes"] = parts["date"].replace("-", "/")

    extra = content.extra
    parts["extra"] = json.dumps(extra, ensure_ascii=False) if extra else ""
    return parts | {f"extra:{name}": value for name, value in extra.items()}


def put_together(parts: Mapping[str, str], currency: str = "") -> Content:
    """The entry that texts mean; prices without a currency have `currency`.

    Raises ListError that says what is wrong.
    """
    values: dict[str, Any] = {name: parts.get(name, "") for name in _TEXTS}
    values["quantity"] = _read_count(parts.get("quantity", "1"))
    values["set_code"] = parts.get("set_code") or join_set_code(
        parts.get("set", ""), parts.get("number", "")
    )
    if number := parts.get("only number"):
        values["set_code"] = join_set_code(values["set_code"], number)
    values |= _read_price(parts.get("price", ""), parts.get("currency", ""), currency)
    values |= {name: _read_number(name, parts.get(name, "")) for name in ("row", "column")}

    date = parts.get("date") or parts.get("slashes", "").replace("/", "-")
    values["taken_at"] = _read_day(parts.get("time") or date)
    named = {name[6:]: value for name, value in parts.items() if name.startswith("extra:")}
    values["extra"] = {**_read_extra(parts.get("extra", "")), **named}
    return Content.read(values)


def split_set_code(code: str) -> tuple[str, str]:
    """NEO-12 → NEO, 12; NEO alone has no number."""
    head, dash, number = code.rpartition("-")
    return (head, number) if dash and head and number else (code, "")


def join_set_code(code: str, number: str) -> str:
    """neo, 12 → NEO-12. A code that has the number already stays."""
    if code == code.casefold():
        code = code.upper()
    if not code or not number or code.endswith(f"-{number}"):
        return code or number
    return f"{code}-{number}"


def _read_count(text: str) -> int:
    plain = clean(text) or "1"
    match = re.fullmatch(r"[x×]?\s*(\d{1,9})(?:[.,]0+)?\s*[x×]?", plain, re.IGNORECASE)
    if match is None:
        raise ListError(f"{text!r} is no quantity")
    count = int(match[1])
    if not 1 <= count <= MOST_COPIES:
        raise ListError(f"the quantity is {count}, not 1 to {MOST_COPIES}")
    return count


def _read_price(text: str, given: str, otherwise: str) -> dict[str, Any]:
    text, given = clean(text), clean(given).upper()
    if not text:
        return {"price": None, "currency": ""}
    try:
        amount: Decimal | None = Decimal(text)
    except InvalidOperation:
        amount = from_text(text)
    if amount is None or not amount.is_finite() or amount < 0:
        raise ListError(f"{text!r} is no price")
    named = next((code for symbol, code in _SYMBOLS.items() if symbol in text), "")
    return {"price": float(amount), "currency": given or named or otherwise or _UNNAMED}


def _read_number(name: str, text: str) -> int | None:
    plain = clean(text)
    if not plain:
        return None
    if not re.fullmatch(r"\d{1,7}", plain):
        raise ListError(f"{text!r} is no {name}")
    return int(plain)


def _read_day(text: str) -> str:
    """Spreadsheets rewrite days: 25.11.2026 is 2026-11-25."""
    match = _DOTTED_DAY.fullmatch(text)
    return f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}" if match else text


def _read_extra(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ListError("extra is not a JSON object")
    return values
