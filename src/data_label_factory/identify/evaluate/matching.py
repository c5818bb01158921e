"""One photo's detections against its ground truth: the rules
behind every figure of `evaluate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_label_factory.identify.evaluate.ground_truth import Query, TrueItem
from data_label_factory.identify.quad import Box, Quad, box_of
from data_label_factory.identify.recognize import Detection
from data_label_factory.labels import stem_of

_SAME_PLACE_IOU = 0.3
_LOCALIZED_IOU = 0.5
_TOP = 5


@dataclass(frozen=True)
class ItemMatch:
    """How the detections match one true item.

    `top1`: the detection at its place names it, confidently or
    not; a guess stands for it where there is no other. `top5`:
    that detection names it, or has it among its five nearest
    references. `correct`: an accepted detection names it.
    `localized`: a detection that names it overlaps it by half;
    None without a true quad. `detection`: the most telling one.
    That is the accepted detection with the right name, else any
    with the right name, else what lies at its place (without
    quads: one that names nothing in the photo, preferably an
    accepted one).
    """

    item: TrueItem
    top1: bool
    top5: bool
    correct: bool
    localized: bool | None
    detection: Detection | None


@dataclass(frozen=True)
class PhotoMatch:
    """How the detections match one photo.

    `wrong` are the accepted detections that name another item or
    lie where there is none; all of them if the photo shows no
    item. `extra` are those that cannot be scored because, without
    quads, other known items may be in view.
    """

    items: tuple[ItemMatch, ...]
    wrong: tuple[Detection, ...]
    extra: tuple[Detection, ...] = ()


def match_photo(
    query: Query, detections: Sequence[Detection], accepted: Sequence[bool]
) -> PhotoMatch:
    """Match `detections` against the ground truth; those with
    `accepted` count as answers.

    With quads, a detection belongs to an item if the IoU of their
    boxes is at least 0.3. The detection that overlaps best
    decides top-1. Each accepted detection is correct for one
    item, or else wrong.

    Without quads, the n detections with the highest scores stand
    for the n items. Of the accepted ones, only that with the
    highest score can be wrong. Guesses come after all others.
    """
    answers = [d for d, is_accepted in zip(detections, accepted, strict=True) if is_accepted]
    if not query.items:
        return PhotoMatch((), wrong=tuple(answers))

    by_score = sorted(detections, key=_rank)
    used: list[Detection] = []
    matches = []
    for item in query.items:
        if item.quad is None:
            match, hits = _match_by_name(item, by_score, answers, query.items)
        else:
            unused = [d for d in answers if not contains(used, d)]
            match, hits = _match_by_place(item, item.quad, detections, unused)
        used += hits
        matches.append(match)

    if query.items[0].quad is not None:
        wrong = [d for d in answers if not contains(used, d)]
        return PhotoMatch(tuple(matches), tuple(wrong))

    answers.sort(key=_rank)
    wrong = [d for d in answers[:1] if not _is_shown(d, query.items)]
    extra = [d for d in answers[1:] if not _is_shown(d, query.items)]
    return PhotoMatch(tuple(matches), tuple(wrong), tuple(extra))


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes; 0 if both are empty."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    intersection = width * height

    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (a, b)]
    return intersection / max(sum(areas) - intersection, 1e-9)


def is_named_by(item: TrueItem, detection: Detection) -> bool:
    """Whether the detection has the right name for the item."""
    return stem_of(detection.reference) in item.stems


def contains(detections: Sequence[Detection], detection: Detection) -> bool:
    """Whether `detection` itself, not merely an equal one, is
    among `detections`.
    """
    return any(detection is other for other in detections)


def _match_by_name(
    item: TrueItem,
    by_score: list[Detection],
    answers: list[Detection],
    shown: Sequence[TrueItem],
) -> tuple[ItemMatch, list[Detection]]:
    """Match an item without a quad. Returns the match and the
    answers it uses.
    """
    hits = [d for d in answers if is_named_by(item, d)]

    named = [*hits, *(d for d in by_score if is_named_by(item, d))]
    accepted_first = [*(d for d in by_score if contains(answers, d)), *by_score]
    unrelated = [d for d in accepted_first if not _is_shown(d, shown)]
    detection = next(iter([*named, *unrelated]), None)

    candidates = by_score[: len(shown)]
    match = ItemMatch(
        item,
        top1=any(is_named_by(item, d) for d in candidates),
        top5=any(_is_in_top(item, d) for d in candidates),
        correct=bool(hits),
        localized=None,
        detection=detection,
    )
    return match, hits


def _match_by_place(
    item: TrueItem,
    quad: Quad,
    detections: Sequence[Detection],
    unused: list[Detection],
) -> tuple[ItemMatch, list[Detection]]:
    """Match an item with a quad. Returns the match and the answer
    it uses, if any.
    """
    true_box = box_of(quad)
    ious = [box_iou(d.box, true_box) for d in detections]
    there = [at for at, iou in enumerate(ious) if iou >= _SAME_PLACE_IOU]
    nearest = min(there, key=lambda at: (detections[at].is_guess, -ious[at]), default=None)
    best = None if nearest is None else detections[nearest]

    named = []
    localized = False
    for detection, iou in zip(detections, ious, strict=True):
        if iou >= _SAME_PLACE_IOU and is_named_by(item, detection):
            named.append(detection)
            localized |= iou >= _LOCALIZED_IOU
    hits = [d for d in named if contains(unused, d)][:1]

    match = ItemMatch(
        item,
        top1=best is not None and is_named_by(item, best),
        top5=best is not None and _is_in_top(item, best),
        correct=bool(hits),
        localized=localized,
        detection=next(iter([*hits, *named]), best),
    )
    return match, hits


def _is_shown(detection: Detection, items: Sequence[TrueItem]) -> bool:
    return any(is_named_by(item, detection) for item in items)


def _is_in_top(item: TrueItem, detection: Detection) -> bool:
    """Whether the item is the detection's own reference or among
    its nearest, five in all.
    """
    nearest = [reference for reference, _ in detection.top_k if reference != detection.reference]
    return any(
        stem_of(reference) in item.stems for reference in [detection.reference, *nearest][:_TOP]
    )


def _rank(detection: Detection) -> tuple[bool, float]:
    """Highest score first, guesses last."""
    return detection.is_guess, -detection.score
