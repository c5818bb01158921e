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
class Failure:
    """One thing that went wrong, of a kind in KINDS: with the item that the photo shows, what was seen, or both."""

    query: Query
    kind: str
    item: TrueItem | None
    detection: Detection | None

    def __str__(self) -> str:
        if self.detection is None:
            return "Nothing was seen in its place."
        how = f"cosine {self.detection.score:.2f}, margin {self.detection.margin:.2f}"
        sure = "surely" if self.detection.confident else "not surely"
        if self.kind in ("unsure", "not found"):
            return f"Named rightly, but {'in a place that is taken' if self.detection.confident else 'not surely'} ({how})."
        variant = (
            ", a variant of the same item"
            if self.item and _is_variant(self.item, self.detection)
            else ""
        )
        return f"Named {sure} as {self.detection.label}{variant} ({how})."

    def as_json(self) -> dict[str, Any]:
        return {
            "photo": self.query.name,
            "kind": self.kind,
            "ref": self.item.reference if self.item else None,
            "named": self.detection.reference if self.detection else None,
            "confident": self.detection.confident if self.detection else None,
            "score": round(self.detection.score, 4) if self.detection else None,
        }


def find_failures(query: Query, verdict: Verdict) -> list[Failure]:
    """Every item of the photo without a sure right name, and every sure name that is wrong or cannot be judged."""
    failures = [
        Failure(query, _kind(one.item, one.detection), one.item, one.detection)
        for one in verdict.items
        if not one.right
    ]
    told = [failure.detection for failure in failures]
    for detection in verdict.wrong:
        if not any(detection is detection for detection in told):
            item = next((item for item in query.items if names(item, detection)), None)
            failures.append(
                Failure(query, "named twice" if item else "stranger accepted", item, detection)
            )
    return failures + [
        Failure(query, "not judged", None, d)
        for d in verdict.extra
        if not any(d is s for s in told)
    ]


def _kind(item: TrueItem, detection: Detection | None) -> str:
    if detection is None or (
        names(item, detection) and detection.confident
    ):  # sure, yet it is another item's answer
        return "not found"
    return "unsure" if names(item, detection) else "named as another"


def _is_variant(item: TrueItem, detection: Detection) -> bool:
    return not names(item, detection) and detection.label.item == item_key(
        parse_label(item.reference).name
    )
