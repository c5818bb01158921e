"""The demo's result as one picture: each view with outlines and names, the references it was told by below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.output.annotate import UNSURE, draw_marks, font, mark
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.verify.report import Report

_PAGE, _PANEL, _INK, _SOFT = "#12161d", "#1c232d", "#eef2f7", "#9aa6b6"
_GAP, _HEAD_HEIGHT, _STRIP_HEIGHT, _THUMB_HEIGHT = 28, 120, 250, 214


@dataclass(frozen=True)
class Scene:
    """A webcam-like `frame` (H, W, 3) uint8, the names of what it truly shows, and what was recognised in it."""

    frame: RGB
    truth: list[str]
    detections: list[Detection]


def draw_result(
    scenes: Sequence[Scene], refs: Path, report: Report, references: int
) -> Image.Image:
    """An RGB picture, all scenes side by side. Only confident detections are shown."""
    height, width = scenes[0].frame.shape[:2]
    size = (_GAP + len(scenes) * (width + _GAP), _HEAD_HEIGHT + height + _STRIP_HEIGHT + 2 * _GAP)
    page = Image.new("RGB", size, _PAGE)
    draw = ImageDraw.Draw(page)
    draw.text((_GAP, 26), "Which of my things is this?", _INK, font(40))
    summary = (
        f"{references} references, one picture each · no training · self-identification {report.self_id_rate:.0%} · "
        f"median margin {report.as_json()['median_margin']:.2f}: {report.verdict}"
    )
    draw.text((_GAP, 78), summary, _SOFT, font(22))
    for number, scene in enumerate(scenes):
        left = _GAP + number * (width + _GAP)
        page.paste(
            draw_marks(scene.frame, [mark(detection) for detection in _sure(scene)]),
            (left, _HEAD_HEIGHT),
        )
        _draw_strip(page, scene, refs, (left, _HEAD_HEIGHT + height + _GAP // 2), width)
    return page


def _draw_strip(
    page: Image.Image, scene: Scene, refs: Path, at: tuple[int, int], width: int
) -> None:
    draw = ImageDraw.Draw(page)
    left, top = at
    draw.rounded_rectangle((left, top, left + width, top + _STRIP_HEIGHT), 14, _PANEL)
    sure = _sure(scene)
    room = width // max(len(sure), 1)
    for place, detection in enumerate(sure):
        thumb = Image.fromarray(decode(refs / detection.reference, min_side=_THUMB_HEIGHT))
        thumb.thumbnail((room * 2 // 5, _THUMB_HEIGHT))
        x = left + place * room + 14
        page.paste(thumb, (x, top + 18))
        _draw_facts(draw, detection, (x + thumb.width + 10, top + 16), room - thumb.width - 28)
    if not sure:
        draw.text((left + 20, top + 100), "nothing it is sure of", UNSURE, font(24))


def _draw_facts(
    draw: ImageDraw.ImageDraw, detection: Detection, at: tuple[int, int], room: int
) -> None:
    label, (x, y) = detection.label, at
    lines = _wrapped(draw, label.name, room)
    for line in lines:
        draw.text((x, y), line, _INK, font(18))
        y += 23
    for fact in (
        label.rarity,
        label.set_code,
        f"similarity {detection.score:.2f}",
        f"margin {detection.margin:.2f}",
    ):
        if fact:
            draw.text((x, y + 6), fact, _SOFT, font(14))
            y += 21


def _wrapped(draw: ImageDraw.ImageDraw, text: str, room: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font(18)) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines[:4]


def _sure(scene: Scene) -> list[Detection]:
    return sorted((d for d in scene.detections if d.confident), key=lambda d: d.box[0])
