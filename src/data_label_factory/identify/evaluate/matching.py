"""What was recognised in one photo against what it shows: the rules behind every figure of `evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_label_factory.identify.evaluate.ground_truth import Query, TrueItem
from data_label_factory.identify.recognize import Detection
from data_label_factory.labels import stem_of

Box = tuple[float, float, float, float]  # left, top, right, bottom in px

_SAME_PLACE_IOU = 0.3
_LOCALIZED_IOU = 0.5
_TOP = 5


@dataclass(frozen=True)
class ItemVerdict:
    """One true item. `top1` and `top5`: named by the detection at its place, surely or not, or among its five nearest;
    `right`: named by an accepted one; `outlined`: by one that overlaps it by half (None without a true outline).
    `seen` is the detection that says most about it: the accepted right one, an unsure right one, or what is in its
    place (without outlines: one, sure if possible, that names nothing in the photo)."""

    item: TrueItem
    top1: bool
    top5: bool
    right: bool
    localized: bool | None
    detection: Detection | None


@dataclass(frozen=True)
class Verdict:
    """One photo. `wrong` are accepted detections that name another item or lie where none is (all accepted ones, when
    it shows none); `extra` those that cannot be judged, since without outlines other known items may be in view."""

    items: tuple[ItemVerdict, ...]
    wrong: tuple[Detection, ...]
    extra: tuple[Detection, ...] = ()


def match_photo(query: Query, detections: Sequence[Detection], accepted: Sequence[bool]) -> Verdict:
    """Judge `detections`, of which those with `accepted` count as answers.

    With outlines, a detection belongs to an item when their boxes' IoU is at least 0.3, the best-overlapping one
    decides top-1, and each accepted detection is right for one item or else wrong. Without, the n highest-scored
    detections stand for the n items, and of the accepted ones only the highest-scored can be wrong.
    """
    sure = [d for d, ok in zip(detections, accepted, strict=True) if ok]
    if not query.items:
        return Verdict((), tuple(sure))
    by_score = sorted(detections, key=lambda d: -d.score)
    used: list[Detection] = []
    verdicts = []
    for item in query.items:
        if item.quad is None:
            verdict, hits = _unplaced(item, by_score, sure, query.items)
        else:
            verdict, hits = _placed(item, detections, [d for d in sure if not _is_in(d, used)])
        used += hits
        verdicts.append(verdict)
    if query.items[0].quad is not None:
        return Verdict(tuple(verdicts), tuple(d for d in sure if not _is_in(d, used)))
    known = frozenset().union(*(item.stems for item in query.items))
    sure.sort(key=lambda d: -d.score)
    others = [stem_of(d.reference) not in known for d in sure]
    extra = tuple(d for d, other in zip(sure[1:], others[1:], strict=True) if other)
    return Verdict(tuple(verdicts), tuple(sure[:1]) if others[:1] == [True] else (), extra)


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes; 0 when both are empty."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (a, b)]
    return width * height / max(sum(areas) - width * height, 1e-9)


def names(item: TrueItem, detection: Detection) -> bool:
    """Whether the detection names the item rightly."""
    return stem_of(detection.reference) in item.stems


def _unplaced(
    item: TrueItem, by_score: list[Detection], sure: list[Detection], shown: Sequence[TrueItem]
) -> tuple[ItemVerdict, list[Detection]]:
    first = by_score[: len(shown)]
    hits = [d for d in sure if names(item, d)]
    by_confidence = [*(d for d in by_score if _is_in(d, sure)), *by_score]
    others = [d for d in by_confidence if not any(names(one, d) for one in shown)]
    detection = next(
        (d for d in [*hits, *by_score] if names(item, d)), others[0] if others else None
    )
    top1, top5 = any(names(item, d) for d in first), any(_in_top(item, d) for d in first)
    return ItemVerdict(item, top1, top5, bool(hits), None, detection), hits


def _placed(
    item: TrueItem, detections: Sequence[Detection], free: list[Detection]
) -> tuple[ItemVerdict, list[Detection]]:
    assert item.quad is not None
    (left, top), (right, bottom) = item.quad.min(axis=0).tolist(), item.quad.max(axis=0).tolist()
    overlaps = {id(d): box_iou(d.box, (left, top, right, bottom)) for d in detections}
    best = max(detections, key=lambda d: overlaps[id(d)], default=None)
    if best is not None and overlaps[id(best)] < _SAME_PLACE_IOU:
        best = None
    named = [d for d in detections if names(item, d) and overlaps[id(d)] >= _SAME_PLACE_IOU]
    hits = [d for d in named if _is_in(d, free)][:1]
    top1, top5 = best is not None and names(item, best), best is not None and _in_top(item, best)
    localized = any(overlaps[id(d)] >= _LOCALIZED_IOU for d in named)
    detection = next(iter([*hits, *named]), best)
    return ItemVerdict(item, top1, top5, bool(hits), localized, detection), hits


def _in_top(item: TrueItem, detection: Detection) -> bool:
    nearest = [name for name, _ in detection.top_k if name != detection.reference]
    return any(stem_of(name) in item.stems for name in [detection.reference, *nearest][:_TOP])


def _is_in(detection: Detection, among: Sequence[Detection]) -> bool:
    return any(
        detection is other for other in among
    )  # by identity: comparing outlines gives arrays, not truths
