"""Regions found without knowing any item: outlines of flat things, and what an optional
detector adds.
"""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from drawn import draw_collection

from data_label_factory.errors import EncoderError, MissingExtraError
from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.proposals import find_flat_quads, whole_and_center

QUAD = [[180, 90], [470, 130], [430, 400], [150, 350]]


def frame_with_a_flat_thing() -> np.ndarray:
    frame = np.full((480, 640, 3), 60, np.uint8)
    cv2.fillConvexPoly(frame, np.array(QUAD, np.int32), (220, 210, 190), cv2.LINE_AA)
    return frame


def test_a_flat_thing_gets_a_quad_clockwise_from_the_top_left() -> None:
    (quad, *_) = find_flat_quads(frame_with_a_flat_thing())
    assert quad == pytest.approx(np.array(QUAD), abs=8)


@pytest.mark.parametrize("shape", [(16, 16), (1, 300), (300, 1), (480, 640), (3000, 4000)])
def test_regions_of_frames_of_any_shape_lie_in_them(shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for quad in [*whole_and_center(frame), *find_flat_quads(frame)]:
        assert quad.shape == (4, 2) and quad.dtype == np.float32
        assert (quad >= 0).all() and (quad <= [shape[1], shape[0]]).all()


class FakeYolo:
    """In the shape of ultralytics.YOLOWorld: one box a frame, around the flat thing."""

    classes: tuple[str, ...] = ()

    def __init__(self, weights: str) -> None:
        if not Path(weights).exists():
            raise FileNotFoundError(weights)

    def set_classes(self, classes: list[str]) -> None:
        FakeYolo.classes = tuple(classes)

    def predict(self, image: np.ndarray, **_: object) -> list[SimpleNamespace]:
        assert image.shape == (480, 640, 3)
        box = np.array([[150.0, 90.0, 470.0, 400.0]], np.float32)
        tensor = SimpleNamespace(cpu=lambda: SimpleNamespace(numpy=lambda: box))
        return [SimpleNamespace(boxes=SimpleNamespace(xyxy=tensor))]


def test_yolo_world_proposes_its_boxes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from data_label_factory.identify.recognize.yolo import YoloWorld

    module = ModuleType("ultralytics")
    module.YOLOWorld = FakeYolo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ultralytics", module)
    monkeypatch.setenv("DLF_YOLO_WEIGHTS", str(tmp_path / "gone.pt"))
    with pytest.raises(EncoderError, match="DLF_YOLO_WEIGHTS"):
        YoloWorld()
    (tmp_path / "here.pt").touch()
    monkeypatch.setenv("DLF_YOLO_WEIGHTS", str(tmp_path / "here.pt"))
    quads = YoloWorld()(frame_with_a_flat_thing())
    assert FakeYolo.classes
    assert len(quads) == 3
    assert quads[-1] == pytest.approx(as_points([[150, 90], [470, 90], [470, 400], [150, 400]]))


def test_a_detector_that_is_not_installed_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    draw_collection(tmp_path / "refs", count=1)
    encoder = open_encoder("sscd-small")
    index = build_index(tmp_path / "refs", tmp_path / "i.npz", Embedder(encoder), quiet=True).index
    with pytest.raises(MissingExtraError, match=r"data_label_factory\[yolo\]"):
        Recognizer(index, Embedder(encoder), refs=tmp_path / "refs", detector="yolo-world")
