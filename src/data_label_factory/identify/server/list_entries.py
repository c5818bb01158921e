"""What a client sends of an entry → what the list keeps: the item's
label, its price, the picture.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from data_label_factory.errors import ListError, UnknownItemError
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.list_schemas import EntryToAdd, EntryValues
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.content import Content, now
from data_label_factory.lists.crops import bound_crop


def read_new(context: Context, sent: EntryToAdd) -> NewEntry:
    """What is to be added. Raises FactoryError if it cannot be."""
    values = sent.model_dump(exclude={"key", "crop"})
    if sent.item and not sent.name:
        values |= _follow_item(context, sent)
    values["taken_at"] = values["taken_at"] or now()
    return NewEntry(Content.read(values), sent.key, _read_crop(sent.crop))


def read_changes(context: Context, sent: EntryValues) -> dict[str, Any]:
    """The fields that an edit sets. Raises FactoryError if one cannot be."""
    values = sent.model_dump(exclude_unset=True)
    if sent.item and "name" not in values:
        values |= _follow_item(context, sent)
    return values


def _follow_item(context: Context, sent: EntryValues) -> dict[str, Any]:
    """The label and the price of an item, but for what was sent itself.

    Raises UnknownItemError if the index has no such item.
    """
    snapshot = context.require_snapshot()
    index = snapshot.index
    reference = index.find(sent.item)
    if reference is None:
        raise UnknownItemError(f"The index has no item {sent.item!r}", "GET /api/items lists them")

    row = index.first_views[index.row_of[reference]]  # any view of it is the same thing
    first = str(index.references[row])
    label = index.label(int(row))
    followed: dict[str, Any] = {
        "item": first,
        "name": label.name,
        "set_code": label.set_code,
        "rarity": label.rarity,
    }

    prices = context.engine.prices
    found = prices.price_of(label, first, index.meta.labels) if prices else None
    if found:
        followed |= {"price": found["median"], "currency": found["currency"]}
    elif prices:
        followed |= {"price": None, "currency": ""}
    kept = sent.model_fields_set - {"item", "name"}
    if "price" in kept:
        kept |= {"currency"}
    return {name: value for name, value in followed.items() if name not in kept}


def _read_crop(text: str) -> bytes:
    if not text:
        return b""
    try:
        return bound_crop(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise ListError("crop is not base64", "Send the JPEG's bytes in base64") from exc
