"""What went wrong in one matched photo, as a list of failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_label_factory.identify.evaluate.ground_truth import Query, TrueItem
from data_label_factory.identify.evaluate.matching import PhotoMatch, contains, is_named_by
from data_label_factory.identify.recognize import Detection

# The kinds of failures, worst first, and what each means. The
# keys are stored in JSON.
KINDS = {
    "stranger accepted": "A confident answer where nothing in the index is visible.",
    "named as another": "The name of another item instead of the right one.",
    "named twice": "A second confident answer for an item that already has one.",
    "unsure": "The right name, but not confident, or only guessed.",
    "not found": "No name at the place of the item, or only a wrong guess.",
    "not judged": (
        "A further confident answer. Without quads, the ground truth cannot tell "
        "whether that item is in the photo too."
    ),
}


@dataclass(frozen=True)
class Failure:
    """One failure of a kind in KINDS, with the true item, the
    detection, or both.
    """

    query: Query
    kind: str
    item: TrueItem | None
    detection: Detection | None

    def __str__(self) -> str:
        if self.detection is None:
            return "Nothing was detected in its place."

        detection = self.detection
        evidence = f"cosine {detection.score:.2f}, margin {detection.margin:.2f}"
        if detection.is_guess:
            how = "correctly" if self.kind == "unsure" else f"as {detection.label}"
            return f"Nothing sure was found; guessed {how} ({evidence})."
        if self.kind in ("unsure", "not found"):
            why = "already the answer for another item" if detection.confident else "not confident"
            return f"Named correctly, but {why} ({evidence})."

        is_variant = self.item is not None and _names_a_variant(self.item, detection)
        variant = ", a variant of the same item" if is_variant else ""
        name = f"{detection.label}{variant}"
        if detection.confident:
            return f"Confidently named as {name} ({evidence})."
        return f"Named as {name}, not confident ({evidence})."

    def as_json(self) -> dict[str, Any]:
        return {
            "photo": self.query.name,
            "kind": self.kind,
            "ref": self.item.reference if self.item else None,
            "named": self.detection.reference if self.detection else None,
            "confident": self.detection.confident if self.detection else None,
            "guess": self.detection.is_guess if self.detection else None,
            "score": round(self.detection.score, 4) if self.detection else None,
        }


def find_failures(query: Query, match: PhotoMatch) -> list[Failure]:
    """The failures in one photo.

    These are the items without a correct confident answer, then
    the confident answers that are wrong, then those that cannot
    be scored. A detection is reported only once.
    """
    failures = [
        Failure(query, _classify_item(one.item, one.detection), one.item, one.detection)
        for one in match.items
        if not one.correct
    ]
    reported = [failure.detection for failure in failures if failure.detection is not None]

    for detection in match.wrong:
        if not contains(reported, detection):
            item = next((item for item in query.items if is_named_by(item, detection)), None)
            kind = "named twice" if item else "stranger accepted"
            failures.append(Failure(query, kind, item, detection))

    unscored = [d for d in match.extra if not contains(reported, d)]
    failures += [Failure(query, "not judged", None, detection) for detection in unscored]
    return failures


def _classify_item(item: TrueItem, detection: Detection | None) -> str:
    """The kind of failure of an item without a correct confident answer."""
    if detection is None:
        return "not found"
    if not is_named_by(item, detection):
        return "not found" if detection.is_guess else "named as another"
    # A confident detection with the right name is here only if it
    # answers for another item.
    return "not found" if detection.confident else "unsure"


def _names_a_variant(item: TrueItem, detection: Detection) -> bool:
    """Whether the detection names another variant of the item
    than the photo shows.
    """
    is_same_item = detection.label.item == item.label.item
    return is_same_item and not is_named_by(item, detection)
