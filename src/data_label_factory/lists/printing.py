"""Lists and entries as lines of text and of JSON, for the commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from data_label_factory.lists.content import REVIEW, Content
from data_label_factory.lists.history import PastStep
from data_label_factory.lists.listing import ListInfo
from data_label_factory.lists.steps import Entry

_NAME_WIDTH_MAX = 40


def lists_as_json(infos: Sequence[ListInfo]) -> str:
    return json.dumps([asdict(info) for info in infos], ensure_ascii=False)


def entry_as_json(entry: Entry) -> str:
    values = asdict(entry.content)
    return json.dumps({"id": entry.id, "version": entry.version, **values}, ensure_ascii=False)


def print_lists(infos: Sequence[ListInfo]) -> None:
    """A line for each list."""
    width = min(max((len(info.name) for info in infos), default=0), _NAME_WIDTH_MAX)
    for info in infos:
        print(f"{info.name:{width}}  {describe(info)}")
    if not infos:
        print("no list", file=sys.stderr)


def print_sum(info: ListInfo) -> None:
    print(describe(info), file=sys.stderr)


def describe(info: ListInfo) -> str:
    """How many, worth what."""
    parts = [f"entries: {info.entries}", f"copies: {info.copies}"]
    if info.review:
        parts.append(f"to review: {info.review}")
    parts += [f"{total.amount:,.2f} {total.currency}" for total in info.totals]
    return ", ".join(parts)


def print_entry(entry: Entry) -> None:
    """A line such as `2 × Blade  [NEO-12]  Rare, foil  1.50 EUR  page 3, row 1, column 2`."""
    content = entry.content
    words = [content.rarity, content.finish, content.condition, content.language]
    said = [
        f"{content.quantity} × {_one_line(content.name)}{'?' * (content.state == REVIEW)}",
        f"[{content.set_code}]" if content.set_code else "",
        ", ".join(word for word in words if word),
        "" if content.price is None else f"{content.price:.2f} {content.currency}",
        _describe_place(content),
        _one_line(content.note),
    ]
    print("  ".join(part for part in said if part))


def print_step(step: PastStep) -> None:
    """A line such as `17  2026-11-27T05:00:00Z  edit, 1 entry (phone)`."""
    changed = "1 entry" if step.changed == 1 else f"{step.changed} entries"
    device = f" ({_one_line(step.device)})" if step.device else ""
    undone = f", undone by {step.undone_by}" if step.undone_by else ""
    undoes = f" of step {step.undoes}" if step.undoes else ""
    print(f"{step.id}  {step.at}  {step.kind}{undoes}, {changed}{undone}{device}")


def _describe_place(content: Content) -> str:
    parts = [content.page]
    if content.row is not None:
        parts.append(f"row {content.row}")
    if content.column is not None:
        parts.append(f"column {content.column}")
    return ", ".join(part for part in parts if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())
