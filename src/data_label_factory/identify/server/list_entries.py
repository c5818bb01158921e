"""What a client sends of an entry → what the list keeps: the item's
label, its price, the picture.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from data_label_factory.errors import ListError, UnknownItemError
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.list_schemas import EntryToAdd, EntryValues
from data_label_factory.labels import Label, item_key
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


def find_items(context: Context, contents: Sequence[Content]) -> list[Content]:
    """With the item of the index that each means, where that is one.

    Other tools know no reference pictures: name, set code and rarity,
    as far as they say them, have to fit one item alone.
    """
    snapshot = context.engine.snapshot
    if snapshot is None or all(content.item for content in contents):
        return list(contents)

    index = snapshot.index
    wanted = {item_key(content.name) for content in contents}
    named: dict[str, list[tuple[str, Label]]] = {}
    for row in sorted(set(index.first_views.tolist())):
        label = index.label(row)
        if label.item in wanted:
            named.setdefault(label.item, []).append((str(index.references[row]), label))
    return [_with_item(one, named.get(item_key(one.name), ())) for one in contents]


def _with_item(content: Content, items: Sequence[tuple[str, Label]]) -> Content:
    fitting = [
        reference
        for reference, label in items
        if content.set_code.casefold() in ("", label.set_code.casefold())
        and content.rarity.casefold() in ("", label.rarity.casefold())
    ]
    if content.item or len(fitting) != 1:
        return content
    return replace(content, item=fitting[0])


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
    kept = sent.model_fields_set - {"item", "name", "currency"}
    if "price" in kept:  # a currency alone would make another price of it
        kept |= {"currency"}
    return {name: value for name, value in followed.items() if name not in kept}


def _read_crop(text: str) -> bytes:
    if not text:
        return b""
    try:
        return bound_crop(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise ListError("crop is not base64", "Send the JPEG's bytes in base64") from exc
