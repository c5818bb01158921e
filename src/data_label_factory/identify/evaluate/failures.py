"""What went wrong in a judged photo, one miss at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_label_factory.identify.evaluate.ground_truth import Query, TrueItem
from data_label_factory.identify.evaluate.matching import Verdict, names
from data_label_factory.identify.recognize import Detection
from data_label_factory.labels import item_key, parse_label

# Kinds of misses, the gravest first, and what each means.
KINDS = {
    "stranger accepted": "A sure name where nothing in the index is to be seen.",
    "named as another": "In place of the right name that of another item.",
    "named twice": "A second sure answer for an item that has one already.",
    "unsure": "The right name, but not sure of it.",
    "not found": "No name in the item's place.",
    "not judged": "A further sure name. Without outlines nothing says whether that item is in the photo too.",
}


@dataclass(frozen=True)
class Miss:
    """One thing that went wrong, of a kind in KINDS: with the item that the photo shows, what was seen, or both."""

    query: Query
    kind: str
    item: TrueItem | None
    seen: Detection | None

    def __str__(self) -> str:
        if self.seen is None:
            return "Nothing was seen in its place."
        how = f"cosine {self.seen.score:.2f}, margin {self.seen.margin:.2f}"
        sure = "surely" if self.seen.confident else "not surely"
        if self.kind in ("unsure", "not found"):
            return f"Named rightly, but {'in a place that is taken' if self.seen.confident else 'not surely'} ({how})."
        variant = ", a variant of the same item" if self.item and _is_variant(self.item, self.seen) else ""
        return f"Named {sure} as {self.seen.label}{variant} ({how})."

    def as_json(self) -> dict[str, Any]:
        return {
            "photo": self.query.name,
            "kind": self.kind,
            "ref": self.item.filename if self.item else None,
            "named": self.seen.filename if self.seen else None,
            "confident": self.seen.confident if self.seen else None,
            "score": round(self.seen.score, 4) if self.seen else None,
        }


def find_misses(query: Query, verdict: Verdict) -> list[Miss]:
    """Every item of the photo without a sure right name, and every sure name that is wrong or cannot be judged."""
    misses = [Miss(query, _kind(one.item, one.seen), one.item, one.seen) for one in verdict.items if not one.right]
    told = [miss.seen for miss in misses]
    for detection in verdict.wrong:
        if not any(detection is seen for seen in told):
            item = next((item for item in query.items if names(item, detection)), None)
            misses.append(Miss(query, "named twice" if item else "stranger accepted", item, detection))
    return misses + [Miss(query, "not judged", None, d) for d in verdict.extra if not any(d is s for s in told)]


def _kind(item: TrueItem, seen: Detection | None) -> str:
    if seen is None or (names(item, seen) and seen.confident):  # sure, yet it is another item's answer
        return "not found"
    return "unsure" if names(item, seen) else "named as another"


def _is_variant(item: TrueItem, seen: Detection) -> bool:
    return not names(item, seen) and seen.label.item == item_key(parse_label(item.filename).name)
