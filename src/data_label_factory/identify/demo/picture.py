"""The demo's result as one picture: each view with names, and the matching references below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.output.annotate import UNSURE, draw_marks, font, mark
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.verify.report import Report

_PAGE = "#12161d"
_PANEL = "#1c232d"
_INK = "#eef2f7"
_SOFT = "#9aa6b6"

_GAP = 28
_HEAD_HEIGHT = 120
_STRIP_HEIGHT = 250
_THUMB_HEIGHT = 214
_NAME_LINES_MAX = 4


@dataclass(frozen=True)
class Scene:
    """A webcam-like `frame` (H, W, 3) uint8, the names of the items it
    shows, and the detections.

    The names are the ground truth.
    """

    frame: RGB
    truth: list[str]
    detections: list[Detection]


def draw_result(
    scenes: Sequence[Scene], refs: Path, report: Report, references: int
) -> Image.Image:
    """All scenes side by side, with their confident detections, as an RGB picture."""
    height, width = scenes[0].frame.shape[:2]
    page_width = _GAP + len(scenes) * (width + _GAP)
    page_height = _HEAD_HEIGHT + height + _STRIP_HEIGHT + 2 * _GAP
    page = Image.new("RGB", (page_width, page_height), _PAGE)
    _draw_head(ImageDraw.Draw(page), report, references)

    for number, scene in enumerate(scenes):
        left = _GAP + number * (width + _GAP)
        marks = [mark(detection) for detection in _select_confident(scene)]
        page.paste(draw_marks(scene.frame, marks), (left, _HEAD_HEIGHT))
        _draw_strip(page, scene, refs, (left, _HEAD_HEIGHT + height + _GAP // 2), width)
    return page


def _draw_head(draw: ImageDraw.ImageDraw, report: Report, references: int) -> None:
    median_margin = report.as_json()["median_margin"]
    summary = (
        f"{references} references, one picture each · no training · "
        f"self-identification {report.self_id_rate:.0%} · "
        f"median margin {median_margin:.2f}: {report.verdict}"
    )
    draw.text((_GAP, 26), "Which of my things is this?", _INK, font(40))
    draw.text((_GAP, 78), summary, _SOFT, font(22))


def _draw_strip(
    page: Image.Image, scene: Scene, refs: Path, corner: tuple[int, int], width: int
) -> None:
    """The panel below a scene, with the reference and the facts of each
    confident detection.
    """
    left, top = corner
    draw = ImageDraw.Draw(page)
    draw.rounded_rectangle((left, top, left + width, top + _STRIP_HEIGHT), 14, _PANEL)

    detections = _select_confident(scene)
    if not detections:
        draw.text((left + 20, top + 100), "no confident answer", UNSURE, font(24))
        return

    room = width // len(detections)
    for place, detection in enumerate(detections):
        thumb = Image.fromarray(decode(refs / detection.reference, min_side=_THUMB_HEIGHT))
        thumb.thumbnail((room * 2 // 5, _THUMB_HEIGHT))
        x = left + place * room + 14
        page.paste(thumb, (x, top + 18))
        _draw_facts(draw, detection, (x + thumb.width + 10, top + 16), room - thumb.width - 28)


def _draw_facts(
    draw: ImageDraw.ImageDraw, detection: Detection, corner: tuple[int, int], room: int
) -> None:
    """Name, rarity, set code and figures of a detection, at most `room` px wide."""
    x, y = corner
    label = detection.label
    for line in _wrap(draw, label.name, room):
        draw.text((x, y), line, _INK, font(18))
        y += 23

    score = f"similarity {detection.score:.2f}"
    margin = f"margin {detection.margin:.2f}"
    for fact in (label.rarity, label.set_code, score, margin):
        if fact:
            draw.text((x, y + 6), fact, _SOFT, font(14))
            y += 21


def _wrap(draw: ImageDraw.ImageDraw, text: str, room: int) -> list[str]:
    """The first four lines of `text`, each at most `room` px wide if its words allow."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font(18)) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines[:_NAME_LINES_MAX]


def _select_confident(scene: Scene) -> list[Detection]:
    """The confident detections, from left to right."""
    confident = [detection for detection in scene.detections if detection.confident]
    return sorted(confident, key=lambda detection: detection.box[0])
