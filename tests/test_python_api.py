"""The Python API: what is exported, what a collection does, and the recipes of docs/python.md."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import calibrate_quickly
from drawn import draw_collection
from fastapi.testclient import TestClient
from PIL import Image

import data_label_factory as dlf
from data_label_factory.errors import ConflictError, ImageError, LabelError, UnknownItemError
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import as_rgb, decode
from data_label_factory.identify.recognize.confidence import Calibration

RECIPES = Path(__file__).parent.parent / "docs" / "python.md"
COUNT = 6


@pytest.fixture(scope="module")
def small() -> dlf.Embedder:
    return dlf.Embedder.open("sscd-small")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, small: dlf.Embedder) -> Path:
    """A folder `my-collection` of drawn cards beside its calibrated index, `my-collection.npz`."""
    folder = tmp_path_factory.mktemp("api")
    draw_collection(folder / "my-collection", count=COUNT)
    with pytest.MonkeyPatch.context() as patch:
        calibrate_quickly(patch)
        dlf.Collection.open(folder / "my-collection", embedder=small)
    return folder


@pytest.fixture
def folder(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_calibration: None
) -> Path:
    """A copy of it, with what the recipes read, as the working directory."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    (tmp_path / "my.npz").write_bytes((built / "my-collection.npz").read_bytes())

    references = sorted((tmp_path / "my-collection").glob("*.jpg"))
    for name in ("photos", "labeled", "negatives"):
        (tmp_path / name).mkdir()
    for reference in references[:2]:
        photo = Image.fromarray(photograph(reference))
        photo.save(tmp_path / "photos" / reference.name)
        photo.save(tmp_path / "labeled" / reference.name)
    Image.fromarray(photograph(references[0])).save(tmp_path / "photo.jpg")
    Image.new("RGB", (640, 480), "gray").save(tmp_path / "negatives" / "nothing.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photograph(reference: Path, seed: int = 1) -> np.ndarray:
    return render_view([decode(reference)], np.random.default_rng(seed)).image


def recipes() -> dict[str, str]:
    """The code blocks of the page by the heading above each."""
    text = RECIPES.read_text("utf-8")
    found = re.findall(r"^#+ ([^\n]+)\n(?:(?!^#).)*?```python\n(.*?)```", text, re.S | re.M)
    return dict(found)


def test_the_exported_names_are_these_and_all_of_them_are_there() -> None:
    assert dlf.__all__ == [
        "Collection",
        "Detection",
        "Embedder",
        "FactoryError",
        "Index",
        "Label",
        "Recognizer",
        "Session",
        "TrackedDetection",
    ]
    assert all(getattr(dlf, name).__name__ == name for name in dlf.__all__)
    assert set(dlf.__all__) <= set(dir(dlf))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = dlf.Nothing


def test_importing_the_package_imports_no_numpy() -> None:
    code = "import data_label_factory, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_page_has_the_recipes_that_it_promises() -> None:
    assert list(recipes()) == [
        "Python API",
        "Identify a folder",
        "Watch a webcam",
        "Use your own encoder",
        "Evaluate",
        "Use it in a FastAPI app",
        "Export COCO",
        "Keep a list",
        "Change a collection",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("title", list(recipes()))
def test_every_recipe_runs(
    title: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = as_rgb(folder / "photo.jpg")
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: OneFrame(photo[..., ::-1]))
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(recipes()[title], title, "exec"), names)

    printed = capsys.readouterr().out
    expected = str(dlf.Index.load("my.npz").label(0).name)
    if title == "Use it in a FastAPI app":
        client = TestClient(names["app"])
        answer = client.post("/identify", files={"image": Path("photo.jpg").read_bytes()})
        assert answer.json()[0]["name"] == expected
        assert client.post("/identify", files={"image": b"?"}).status_code == 400
    elif title == "Keep a list":
        assert printed.count("photos") == 2
        assert len(Path("binder.csv").read_text("utf-8").splitlines()) == 2
    elif title == "Export COCO":
        assert '"score"' in Path("found.json").read_text("utf-8")
    elif title == "Evaluate":
        assert "top-1 100.0%, false accepts 0 of 1" in printed
    elif title == "Use your own encoder":
        assert printed.strip() in ("ship it", "consider training", "train")
    elif title == "Change a collection":
        assert f"{COUNT + 1} references" in printed
        assert len(dlf.Index.load("my-collection.npz")) == COUNT
    else:
        assert expected in printed


class OneFrame:
    """A camera that shows one picture and is then unplugged."""

    def __init__(self, frame: np.ndarray) -> None:
        self.frames: Iterator[np.ndarray] = iter([frame])

    def read(self) -> tuple[bool, np.ndarray | None]:
        frame = next(self.frames, None)
        return frame is not None, frame

    def release(self) -> None:
        pass


def test_every_kind_of_picture_gives_the_same_answer(folder: Path) -> None:
    collection = dlf.Collection.load("my-collection.npz", "my-collection")
    array = as_rgb("photo.jpg")
    opaque = np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])
    pictures = [
        "photo.jpg",
        Path("photo.jpg"),
        Path("photo.jpg").read_bytes(),
        Image.open("photo.jpg"),
        array,
        opaque,
    ]
    answers = [collection.recognize(picture) for picture in pictures]
    assert len(answers[0]) == 1
    assert all(answer == answers[0] for answer in answers)
    assert {hash(answer[0]) for answer in answers} == {hash(answers[0][0])}


def test_gray_arrays_are_pictures_and_turned_images_are_turned() -> None:
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert as_rgb(gray).tolist() == as_rgb(gray[..., None]).tolist()
    assert as_rgb(gray)[1, 2].tolist() == [6, 6, 6]
    glass = np.zeros((2, 2, 4), np.uint8)
    assert as_rgb(glass).tolist() == np.full((2, 2, 3), 255).tolist()

    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    file = io.BytesIO()
    Image.new("RGB", (40, 20)).save(file, "JPEG", exif=exif)
    assert as_rgb(Image.open(file)).shape == (40, 20, 3)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), bool),
    ],
)
def test_any_other_array_is_an_error_that_names_shape_and_dtype(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{array.shape} of {array.dtype}")):
        as_rgb(array)


def test_detections_compare_by_value_and_tell_what_they_are(folder: Path) -> None:
    (item,) = dlf.Collection.load("my-collection.npz", "my-collection").recognize("photo.jpg")
    assert item == replace(item, quad=item.quad.copy())
    assert item != replace(item, quad=item.quad + 1)
    assert item != replace(item, score=item.score / 2)
    assert item != item.name
    assert len({item, replace(item)}) == 1

    values = item.to_dict()
    assert values["name"] == item.name == item.label.name
    assert values["quad"] == values["outline"]
    assert values["variants"] == [item.reference, *item.ambiguous_with]
    left, top, right, bottom = item.box
    assert left <= item.quad[:, 0].min() and bottom >= item.quad[:, 1].max() and top < bottom < 480
    assert right <= 640


def test_objects_say_briefly_what_they_are(folder: Path) -> None:
    collection = dlf.Collection.load("my-collection.npz", "my-collection")
    assert f"{COUNT} references of" in repr(collection.index)
    assert "my-collection" in repr(collection) and len(repr(collection)) < 250


def test_opening_again_encodes_nothing_and_keeps_the_encoder_of_the_index(folder: Path) -> None:
    before = Path("my-collection.npz").stat().st_mtime_ns
    collection = dlf.Collection.open("my-collection")
    assert Path("my-collection.npz").stat().st_mtime_ns == before
    assert collection.embedder.encoder.identity.id == "sscd-small"
    assert collection.recognizer.calibration.unknowns > 0


def test_what_is_added_is_recognized_at_once_and_what_is_removed_no_more(folder: Path) -> None:
    collection = dlf.Collection.load("my-collection.npz", "my-collection")
    new = draw_collection(folder / "new", count=1, seed=99)[0]
    frame = photograph(new)
    assert not any(item.confident for item in collection.recognize(frame))

    reference = collection.add(new)
    (item,) = collection.recognize(frame)
    assert item.reference == reference == new.name
    assert dlf.Collection.load("my-collection.npz", "my-collection").index.row_of[reference] >= 0

    with pytest.raises(ConflictError, match="already"):
        collection.add(new)
    view = collection.add_view(photograph(new, seed=5), reference)
    assert view == reference.replace(".", "__2.") and len(collection.index) == COUNT + 2
    more = {"set_code": item.label.set_code, "rarity": item.label.rarity, "as_view": True}
    third = collection.add(photograph(new, seed=6), item.name, **more)
    assert third == reference.replace(".", "__3.")
    collection.remove(third)

    collection.remove(view)
    assert collection.remove(reference).name == item.name
    assert not any(item.confident for item in collection.recognize(frame))
    assert len(list(Path("my-collection/.removed").iterdir())) == 3
    with pytest.raises(UnknownItemError):
        collection.remove(reference)


def test_what_cannot_be_added_changes_nothing(folder: Path) -> None:
    collection = dlf.Collection.load("my-collection.npz", "my-collection")
    before = sorted(Path("my-collection").rglob("*"))
    with pytest.raises(ImageError, match="at least 48 px"):
        collection.add(np.zeros((20, 200, 3), np.uint8), name="Too Thin")
    with pytest.raises(LabelError):
        collection.add(np.zeros((200, 200, 3), np.uint8))
    with pytest.raises(ImageError):
        collection.add(b"no picture", name="X")
    assert sorted(Path("my-collection").rglob("*")) == before
    assert len(dlf.Index.load("my-collection.npz")) == COUNT


@pytest.mark.slow
def test_refresh_takes_over_the_folder_and_calibrates_when_it_has_grown(folder: Path) -> None:
    collection = dlf.Collection.load("my-collection.npz", "my-collection")
    known = replace(Calibration(), unknowns=50, items=1)
    collection.index.with_calibration(known.as_dict()).save("my-collection.npz")
    (folder / "my-collection" / "broken.jpg").write_bytes(b"")

    result = collection.refresh()
    assert (result.encoded, list(result.unreadable)) == (0, ["broken.jpg"])
    assert collection.unreadable.keys() == {"broken.jpg"}
    assert collection.recognizer.calibration.items == collection.index.item_count


def test_a_collection_without_its_folder_only_answers(folder: Path) -> None:
    collection = dlf.Collection.load("my-collection.npz")
    with pytest.raises(dlf.FactoryError, match="refs="):
        collection.add("photo.jpg", name="X")
    collection.save("copy.npz")
    assert dlf.Index.load("copy.npz").same_rows(collection.index)


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(dlf.FactoryError, match="nowhere"):
        dlf.Collection.load("my-collection.npz", "nowhere")
    with pytest.raises(dlf.FactoryError, match="nowhere"):
        dlf.Collection.open("nowhere")


def test_references_that_are_all_gone_are_named_and_never_decided_without(folder: Path) -> None:
    (folder / "empty").mkdir()
    collection = dlf.Collection.load("my-collection.npz", "empty")
    with pytest.raises(dlf.FactoryError, match="None of the references can be read in empty"):
        collection.recognize("photo.jpg")
