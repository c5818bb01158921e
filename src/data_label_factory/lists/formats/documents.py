"""JSON: our own, with all that an entry says, and the deck of the live
page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from data_label_factory.errors import ListError
from data_label_factory.lists.content import Content
from data_label_factory.lists.formats.rows import Losses, Skipped, check_rows, write_row
from data_label_factory.lists.formats.shape import Column, Format

VERSION = 1
# What the page has a place for.
_DECK_PARTS = tuple(
    Column(name, name)
    for name in ("quantity", "name", "set_code", "rarity", "item", "price", "currency", "time")
)
_LIST, _DECK = "data_label_factory list", "data_label_factory deck"


def write_json(contents: Sequence[Content]) -> bytes:
    """Everything but the pictures."""
    entries = [_without_crop(vars(content)) for content in contents]
    return _dump({"format": _LIST, "version": VERSION, "entries": entries})


def write_deck(format_: Format, contents: Sequence[Content], losses: Losses) -> bytes:
    """As `web/js/deckfile.js` reads it."""
    shape = replace(format_, columns=_DECK_PARTS)
    entries = []
    for content in contents:
        write_row(shape, content, None, losses)
        entries.append(
            {
                "key": content.item or f"{content.name}/{content.set_code}/{content.rarity}",
                "name": content.name,
                "rarity": content.rarity,
                "setCode": content.set_code,
                "refUrl": "",
                "refFilename": content.item,
                "count": content.quantity,
                "cents": content.cents if content.currency == "USD" else None,
                "amount": content.price,
                "currency": content.currency,
                "date": content.taken_at,
            }
        )
    return _dump({"format": _DECK, "version": VERSION, "entries": entries})


def is_deck(text: str) -> bool:
    return f'"{_DECK}"' in text[:200]


def read_json(text: str) -> tuple[list[Content], list[Skipped]]:
    """The entries of either. Raises ListError if it is neither."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ListError("This is not JSON, or it is truncated") from exc
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ListError("This JSON is no list: it has no entries")
    version = document.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise ListError("This list was written by a newer version", "Update data_label_factory")

    check_rows(len(entries))

    is_ours = document.get("format") == _LIST
    read, skipped = [], []
    for number, entry in enumerate(entries, 1):
        try:
            if not isinstance(entry, dict):
                raise ListError("not an object")
            read.append(Content.read(_without_crop(entry) if is_ours else _from_deck(entry)))
        except ListError as exc:
            skipped.append(Skipped(number, str(exc)))
    return read, skipped


def _without_crop(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "crop"}


def _from_deck(entry: Mapping[str, Any]) -> dict[str, Any]:
    amount, currency = entry.get("amount"), entry.get("currency") or ""
    if amount is None and isinstance(entry.get("cents"), int | float):
        amount, currency = _from_cents(entry["cents"]), "USD"
    return {
        "name": entry.get("name"),
        "rarity": entry.get("rarity"),
        "set_code": entry.get("setCode"),
        "item": entry.get("refFilename"),
        "quantity": entry.get("count", 1),
        "price": amount if currency else None,
        "currency": currency,
        "taken_at": entry.get("date"),
    }


def _from_cents(cents: float) -> float:
    try:
        return cents / 100
    except OverflowError:  # JSON sets no limit to whole numbers
        return math.inf


def _dump(document: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode()
