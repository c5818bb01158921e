"""Entries that were put on a list → taken, one event each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data_label_factory.identify.server.answers import reference_url
from data_label_factory.identify.server.events.hub import Events
from data_label_factory.lists.adding import Added, NewEntry


def tell_taken(
    events: Events,
    list_id: int,
    new: Sequence[NewEntry],
    added: Added,
) -> None:
    """Tell what was added just now; `added` is what came of `new`,
    in the same order. What was known already is not told again.
    """
    if added.known == len(new):
        return  # no step of its own: that of its entries may be the newest
    told: set[str] = set()
    for one, entry in zip(new, added.entries, strict=True):
        if entry.version != added.step or one.key in told:
            continue
        if one.key:
            told.add(one.key)
        content = one.content
        data: dict[str, Any] = {
            "list": list_id,
            "entry": entry.id,
            "name": content.name,
            "set_code": content.set_code,
            "rarity": content.rarity,
            "quantity": content.quantity,
            "state": content.state,
            "session": content.session,
            "price": None,
        }
        if content.item:
            data["ref_filename"] = content.item
            data["ref_url"] = reference_url(content.item)
        if content.price is not None:
            data["price"] = {
                "median": content.price,
                "currency": content.currency,
            }
        events.publish("taken", data)
