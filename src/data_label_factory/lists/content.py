"""What one entry of a list says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from data_label_factory.errors import ListError
from data_label_factory.labels import item_key

SURE, REVIEW = "sure", "review"
MOST_COPIES = 9999  # of one entry, as in the page's deck
MOST_CANDIDATES = 10
MOST_EXTRA = 24
MOST_PRICE = 100_000_000
# A whole number of JSON may be too large for a float; a cosine is at most 1.
_MOST_SCORE = 1e9

# The longest text of a field, in characters. A reference may lie in subfolders.
LONGEST = {
    "name": 500,
    "item": 1000,
    "set_code": 80,
    "rarity": 200,
    "finish": 40,
    "condition": 40,
    "language": 40,
    "note": 1000,
    "page": 300,
    "session": 64,
    "device": 64,
    "taken_at": 40,
    "crop": 64,
}
LONGEST_EXTRA = 1000
_EXTRA_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Neither XLSX nor a line of text can carry them. A tab and a line feed stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# What makes two entries one thing: everything but when and by whom
# it was taken, how many, and what it was worth.
_IDENTITY = (
    "item",
    "set_code",
    "rarity",
    "finish",
    "condition",
    "language",
    "note",
    "page",
    "row",
    "column",
)


@dataclass(frozen=True)
class Content:
    """One thing on a list.

    `item` is the reference it was recognized by, "" if none. `price`
    is that of one copy in `currency` when it was taken. `row` and
    `column` count from 1. `crop` is the digest of its picture.
    """

    name: str
    item: str = ""
    set_code: str = ""
    rarity: str = ""
    finish: str = ""
    condition: str = ""
    language: str = ""
    quantity: int = 1
    price: float | None = None
    currency: str = ""
    note: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    state: str = SURE
    page: str = ""
    row: int | None = None
    column: int | None = None
    taken_at: str = ""
    session: str = ""
    device: str = ""
    candidates: tuple[dict[str, Any], ...] = ()
    crop: str = ""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Content:
        """Check and tidy values that came from outside.

        Raises ListError that names the field.
        """
        unknown = sorted(set(values) - {one.name for one in fields(cls)})
        if unknown:
            raise ListError(f"An entry has no field {unknown[0]!r}")

        texts = {name: _read_text(name, values.get(name)) for name in LONGEST}
        state = values.get("state") or SURE
        if state not in (SURE, REVIEW):
            raise ListError(f"state is {SURE} or {REVIEW}")
        candidates = _read_candidates(values.get("candidates") or ())
        if not texts["name"]:
            raise ListError("An entry needs a name")

        price, currency = _read_price(values.get("price"), values.get("currency"))
        return cls(
            **texts,
            quantity=_read_whole("quantity", values.get("quantity", 1), MOST_COPIES),
            price=price,
            currency=currency,
            extra=_read_extra(values.get("extra") or {}),
            state=state,
            row=_read_number("row", values.get("row")),
            column=_read_number("column", values.get("column")),
            candidates=candidates,
        )

    @classmethod
    def load(cls, text: str) -> Content:
        """What `dump` wrote."""
        values = json.loads(text)
        values["candidates"] = tuple(values.get("candidates", ()))
        return cls(**values)

    def dump(self) -> str:
        """As JSON, without what is as it always is."""
        values = {name: value for name, value in vars(self).items() if value != _USUAL[name]}
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    def changed(self, values: Mapping[str, Any]) -> Content:
        """The same with other `values`, checked. Raises ListError."""
        return self.read({**asdict(self), **values})

    @property
    def equal_key(self) -> str:
        """The same for entries that may become one; "" if it may not."""
        if self.state != SURE:
            return ""
        values = [vars(self)[name] for name in _IDENTITY]
        whole = [item_key(self.name), *values, sorted(self.extra.items())]
        return hashlib.blake2b(json.dumps(whole).encode(), digest_size=16).hexdigest()

    @property
    def folded(self) -> str:
        """What a search looks through."""
        parts = (self.name, self.set_code, self.rarity, self.note, self.page, self.item)
        return "\n".join([*parts, *self.extra.values()]).casefold()

    @property
    def cents(self) -> int | None:
        """The price in hundredths, so that sums have no rounding errors."""
        return None if self.price is None else round(self.price * 100)

    def joined(self, other: Content) -> Content:
        """With the copies of an `other` that came later, and its
        price if it has one.
        """
        total = replace(self, quantity=self.quantity + other.quantity)
        if other.price is not None:
            total = replace(total, price=other.price, currency=other.currency)
        return total if total.crop else replace(total, crop=other.crop)


_USUAL = {**vars(Content("")), "name": None}


def clean(text: str) -> str:
    """Without control characters and outer blanks; line ends are one kind."""
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ListError(f"{name} must be a text")
    text = clean(value)
    if len(text) > LONGEST[name]:
        raise ListError(f"{name} has over {LONGEST[name]} characters")
    return text


def _read_whole(name: str, value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ListError(f"{name} must be a whole number from 1 to {most}")
    return value


def _read_number(name: str, value: Any) -> int | None:
    return None if value is None else _read_whole(name, value, 1_000_000)


def _read_price(price: Any, currency: Any) -> tuple[float | None, str]:
    if price is None:
        return None, ""
    is_number = isinstance(price, int | float) and not isinstance(price, bool)
    if not is_number or not 0 <= price <= MOST_PRICE:
        raise ListError(f"price must be a number from 0 to {MOST_PRICE}")

    code = str(currency or "").strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise ListError("A price needs a currency of three letters, such as EUR")
    return round(float(price), 2), code


def _read_extra(values: Any) -> dict[str, str]:
    if not isinstance(values, Mapping) or len(values) > MOST_EXTRA:
        raise ListError(f"extra must be up to {MOST_EXTRA} texts by name")

    extra = {}
    for name, value in values.items():
        if not isinstance(name, str) or not _EXTRA_NAME.fullmatch(name):
            raise ListError("A name in extra has up to 40 small letters, digits and _")
        if not isinstance(value, str) or len(value) > LONGEST_EXTRA:
            raise ListError(f"extra.{name} must be a text of up to {LONGEST_EXTRA} characters")
        if text := clean(value):
            extra[name] = text
    return dict(sorted(extra.items()))


def _read_candidates(values: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ListError("candidates must be a list")
    return tuple(_read_candidate(value) for value in values[:MOST_CANDIDATES])


def _read_candidate(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ListError("A candidate has item, name, set_code, rarity and score")
    names = ("item", "name", "set_code", "rarity")
    texts = {name: _read_text(name, value.get(name)) for name in names}

    score = value.get("score") or 0
    if not isinstance(score, int | float) or not abs(score) <= _MOST_SCORE:
        raise ListError("The score of a candidate must be a number")
    return {**texts, "score": round(float(score), 4)}
