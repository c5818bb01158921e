"""Pictures, folders and videos → frames, a COCO file and drawn copies, and `identify`."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import pixels, save_picture
from detections import detection, index_of, square
from drawn import draw_collection
from PIL import Image
from processes import started

from data_label_factory.cli import main
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.batch import (
    RecognizedFrame,
    Source,
    Unreadable,
    find_sources,
    recognize_files,
    walk_paths,
)
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.output.annotate import CONFIDENT, UNSURE, Mark, draw_marks, mark
from data_label_factory.identify.output.annotated import Copies
from data_label_factory.identify.output.coco import CocoWriter, clip
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.labels import parse_label

Frames = list[RecognizedFrame | Unreadable]


def find_nothing(frame: RGB) -> list[Detection]:
    return []


def write_video(path: Path, shades: list[int], size: tuple[int, int] = (64, 48)) -> Path:
    """A video with one shade per frame, without red, so that swapped channels are noticed."""
    code = {".avi": "MJPG", ".mp4": "mp4v"}[path.suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 10, size)
    for shade in shades:
        writer.write(np.full((size[1], size[0], 3), (shade, shade // 2, 0), np.uint8))
    writer.release()
    return path


def frame_of(
    name: str, *, number: int | None = None, size: tuple[int, int] = (64, 64)
) -> RecognizedFrame:
    return RecognizedFrame(Source(Path(name), Path(name).name), number, pixels(1, *size), [])


def test_folders_are_walked_and_named_files_taken_as_they_are(tmp_path: Path) -> None:
    for name in ("in/b.png", "in/a/c.jpg", "in/.hidden.png"):
        save_picture(tmp_path / name, 1)
    (tmp_path / "in" / "d.MP4").touch()
    (tmp_path / "in" / "notes.txt").touch()
    sources, walks = walk_paths([tmp_path / "in", tmp_path / "x.dat", tmp_path / "in" / "b.png"])
    assert [walk.others for walk in walks] == [["notes.txt"]]
    assert [source.inside for source in sources] == ["a/c.jpg", "b.png", "d.MP4", "x.dat", "b.png"]
    assert [source.is_video for source in sources] == [False, False, True, False, False]


def test_wildcards_that_the_shell_left_are_expanded(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "[x].png"):
        save_picture(tmp_path / name, 1)
    sources = find_sources([f"{tmp_path}/?.png", f"{tmp_path}/[x].png"])
    assert [source.inside for source in sources] == ["a.png", "b.png", "[x].png"]

    with pytest.raises(ImageError, match=r"No file matches .*\*\.gif.* Check the folder"):
        find_sources([f"{tmp_path}/*.gif"])
    sources = find_sources([f"{tmp_path}/a.png", f"{tmp_path}/*.gif"])
    good, bad = recognize_files(find_nothing, sources, quiet=True)
    assert isinstance(good, RecognizedFrame)
    assert isinstance(bad, Unreadable)
    assert bad.reason.startswith("No file matches")


def test_a_named_file_is_found_though_its_name_is_spelled_a_little_differently(
    tmp_path: Path,
) -> None:
    save_picture(tmp_path / "Beyonce\u0301.PNG", 1)
    sources = find_sources([tmp_path / "beyonc\u00e9.png"])
    assert sources[0].path == tmp_path / "Beyonce\u0301.PNG"


def test_bad_files_are_reported_with_their_reason_and_stop_nothing(tmp_path: Path) -> None:
    good = save_picture(tmp_path / "good.png", 1)
    bad = {"empty.png": b"", "text.mp4": b"no video", "cut.jpg": b"\xff\xd8\xff\xe0"}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.avi").mkdir()
    names = [*bad, "gone.mp4", "gone.png"]
    sources = [Source(tmp_path / name, name) for name in (*names, "folder.avi")]
    sources.append(Source(good, "good.png"))

    frames: Frames = list(recognize_files(find_nothing, sources, quiet=True))
    reasons = {file.source.inside: file.reason for file in frames if isinstance(file, Unreadable)}
    assert list(reasons) == [*names, "folder.avi"]
    assert "Not a video" in reasons["text.mp4"]
    assert "no such file" in reasons["gone.mp4"]
    assert "no such file" in reasons["gone.png"]
    assert isinstance(frames[-1], RecognizedFrame)


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_every_nth_frame_of_a_video_is_given_in_rgb(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"clip{suffix}", [20 * i for i in range(8)])
    frames = list(recognize_files(find_nothing, find_sources([path]), every=3, quiet=True))
    assert [frame.number for frame in frames if isinstance(frame, RecognizedFrame)] == [0, 3, 6]
    for frame in frames:
        assert isinstance(frame, RecognizedFrame)
        assert frame.image.shape == (48, 64, 3)
        red, green, blue = frame.image.mean(axis=(0, 1))
        assert blue == pytest.approx(20 * (frame.number or 0), abs=8)
        assert green == pytest.approx(blue / 2, abs=8)
        assert red == pytest.approx(0, abs=8)
    assert frames[1].name == f"{path}#3"  # type: ignore[union-attr]


def test_a_truncated_video_gives_its_frames_and_then_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", list(range(0, 200, 10)), (640, 480))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *frames, last = recognize_files(find_nothing, find_sources([path]), quiet=True)
    assert len(frames) >= 5
    assert isinstance(last, Unreadable)
    assert "of 20 frames" in last.reason


def test_frames_are_read_only_as_they_are_requested(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "a.png", 1)
    read = []

    def record(image: RGB) -> list[Detection]:
        read.append(image)
        return []

    frames = recognize_files(record, [Source(path, "a.png")] * 1000, quiet=True)
    next(frames)
    next(frames)
    assert len(read) == 2


FILES = ("a_elf.png", "b_orc_ur.png", "b_orc.png")


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("ascii"))


def test_the_coco_file_holds_boxes_quads_and_one_category_per_item(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    partly_outside = detection("b_orc.png", -4, 60, side=10, score=0.75)
    with CocoWriter(out, index_of(*FILES)) as coco:
        coco.add(frame_of("x/one.jpg"), [detection("b_orc_ur.png", 5, 6), partly_outside])
        coco.add(frame_of("clip.mp4", number=30, size=(32, 16)), [])
    data = load(out)
    assert data["categories"] == [
        {"id": 1, "name": "A Elf", "supercategory": "item"},
        {"id": 2, "name": "B Orc", "supercategory": "item"},
    ]
    assert data["images"] == [
        {"id": 1, "file_name": "x/one.jpg", "width": 64, "height": 64},
        {
            "id": 2,
            "file_name": "clip.mp4#30",
            "width": 32,
            "height": 16,
            "video": "clip.mp4",
            "frame_number": 30,
        },
    ]
    first, second = data["annotations"]
    [polygon] = first.pop("segmentation")
    assert first == {
        "id": 1,
        "image_id": 1,
        "category_id": 2,
        "bbox": [5, 6, 10, 10],
        "area": 100,
        "iscrowd": 0,
        "score": 0.5,
        "confident": True,
        "reference": "b_orc_ur.png",
    }
    corners = zip(polygon[0::2], polygon[1::2], strict=True)
    assert sorted(corners) == [(5, 6), (5, 16), (15, 6), (15, 16)]
    assert second["bbox"] == [0, 60, 6, 4]
    assert (second["area"], second["score"]) == (24, 0.75)


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError, FactoryError])
def test_the_coco_file_of_what_was_done_is_kept_when_the_rest_fails(
    tmp_path: Path, error: type[Exception]
) -> None:
    with pytest.raises(error), CocoWriter(tmp_path / "out.json", index_of(*FILES)) as coco:
        coco.add(frame_of("one.jpg"), [detection("a_elf.png")])
        raise error("now")
    assert [len(load(tmp_path / "out.json")[key]) for key in ("images", "annotations")] == [1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_coco_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "out.json", tmp_path):
        with pytest.raises(FactoryError, match="Cannot write"), CocoWriter(path, index_of(*FILES)):
            raise AssertionError("it began")
    with CocoWriter(tmp_path / "empty.json", index_of(*FILES)):
        pass
    assert load(tmp_path / "empty.json")["images"] == []


def test_quads_are_clipped_to_the_frame_like_a_mask(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 4))
        circle = np.stack([np.cos(angles), np.sin(angles)], 1)
        quad = as_points(circle * 40 + rng.uniform(0, 60, 2))

        # The mask has ten cells per px. A cell is inside if it is on one side of all edges.
        ys, xs = np.mgrid[0:600, 0:600] / 10 + 0.05
        edges = (np.roll(quad, -1, axis=0) - quad)[:, None, None]
        arms = np.stack([xs, ys], -1)[None] - quad[:, None, None]
        inside = (edges[..., 0] * arms[..., 1] >= edges[..., 1] * arms[..., 0]).all(axis=0)

        polygon = clip(quad, (60, 60))
        assert polygon.min() >= -1e-3
        assert polygon.max() <= 60 + 1e-3
        if inside.any():
            assert cv2.contourArea(polygon) == pytest.approx(inside.sum() / 100, abs=3)
    assert clip(as_points(square(70, 70)), (60, 60)).max() == 60


def test_confident_and_other_detections_are_outlined_in_their_colors() -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    confident = detection("a_elf.png", 100, 200, side=150)
    unsure = detection("b_orc.png", 400, 200, side=150, rate=1.0)
    marks = [mark(confident), mark(unsure)]
    assert [one.color for one in marks] == [CONFIDENT, UNSURE]
    assert [one.text for one in marks] == ["A Elf  0.50", "B Orc?  0.50"]

    drawn = np.asarray(draw_marks(frame, marks))
    assert drawn.shape == frame.shape
    assert not frame.any()
    for x, color in ((100, (61, 220, 132)), (400, (242, 184, 75))):
        assert drawn[280, x] == pytest.approx(color, abs=40)
        assert not drawn[280, x + 75].any()

    half = draw_marks(frame, [Mark(confident.quad, "", CONFIDENT)], longest_px=320)
    assert half.size == (320, 240)
    assert np.asarray(half)[140, 50] == pytest.approx((61, 220, 132), abs=60)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (500, 1), (3000, 2000)])
def test_frames_of_any_size_can_be_drawn_on(size: tuple[int, int]) -> None:
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    assert draw_marks(frame, [mark(detection("a_elf.png", 3, 4))]).size == size


def test_copies_keep_subfolders_and_never_replace_a_source_or_each_other(tmp_path: Path) -> None:
    for name in ("in/a/x.png", "in/y.webp", "other/a.jpg", "more/a.jpg"):
        save_picture(tmp_path / name, 1)
    named = [tmp_path / "in", tmp_path / "other" / "a.jpg", tmp_path / "more" / "a.jpg"]
    sources = find_sources(named)
    frames = []
    for frame in recognize_files(find_nothing, sources, quiet=True):
        assert isinstance(frame, RecognizedFrame)
        frames.append(frame)

    out = tmp_path / "out"
    copies = Copies(out, sources)
    written = [copies.write(frame, []).relative_to(out).as_posix() for frame in frames]
    assert written == ["a/x.png", "y.webp.jpg", "a.jpg", "a-2.jpg"]
    assert (out / "a" / "x.png").read_bytes().startswith(b"\x89PNG")

    video = RecognizedFrame(Source(tmp_path / "c.mp4", "c.mp4"), 12, frames[0].image, [])
    assert copies.write(video, []).name == "c.mp4.000012.jpg"

    before = (tmp_path / "more" / "a.jpg").read_bytes()
    with pytest.raises(FactoryError, match="would replace"):
        Copies(tmp_path / "more", sources).write(frames[2], [])
    assert (tmp_path / "more" / "a.jpg").read_bytes() == before
    (tmp_path / "file").touch()
    with pytest.raises(FactoryError, match="Cannot make the folder"):
        Copies(tmp_path / "file", sources).write(frames[0], [])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six sample cards in refs/, their index i.npz, and two photos in photos/.

    One photo shows two of the cards, the other is empty.
    """
    folder = tmp_path_factory.mktemp("made")
    cards = sorted(draw_collection(folder / "refs", count=6))
    build_index(folder / "refs", folder / "i.npz", Embedder(open_encoder("sscd-small")), quiet=True)
    (folder / "photos").mkdir()
    view = render_view([decode(card) for card in cards[1:3]], np.random.default_rng(4))
    Image.fromarray(view.image).save(folder / "photos" / "two.jpg")
    Image.new("RGB", (640, 480), "gray").save(folder / "photos" / "none.png")
    return folder


@pytest.fixture
def no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recognizer, "_guess", lambda *_: [])


def options(made: Path) -> list[str]:
    return ["--index", str(made / "i.npz"), "--refs", str(made / "refs")]


def names(made: Path) -> set[str]:
    """The references of the cards that two.jpg shows."""
    return {path.name for path in sorted((made / "refs").iterdir())[1:3]}


@pytest.mark.usefixtures("no_guess")
def test_the_command_prints_json_lines_and_writes_everything(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jpg").touch()
    files = [str(made / "photos"), str(tmp_path / "bad.jpg")]
    more = ["--json", "--coco", str(tmp_path / "o.json"), "--draw", str(tmp_path / "drawn")]
    assert main(["identify", "identify", *files, *options(made), *more]) == 1
    printed = capsys.readouterr()
    none, two, bad = map(json.loads, printed.out.splitlines())
    assert (none["items"], bad["file"], bad["error"][:17]) == ([], files[1], "The file is empty")
    assert {item["reference"] for item in two["items"]} == names(made)
    assert (two["width"], two["height"], two["frame"], two["unsure"]) == (640, 480, None, 0)
    for item in two["items"]:
        assert item["confident"] is True
        assert np.shape(item["quad"]) == (4, 2)
        assert item["outline"] == item["quad"]
    assert len(load(tmp_path / "o.json")["annotations"]) == 2
    drawn = tmp_path / "drawn"
    assert sorted(path.name for path in drawn.iterdir()) == ["none.png", "two.jpg"]
    assert np.any(decode(drawn / "two.jpg") != decode(made / "photos" / "two.jpg"))
    assert "frames: 2, items named: 2, unsure: 0, not readable: 1" in printed.err


def test_the_second_identify_is_optional(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = str(made / "photos" / "two.jpg")
    for line in ([photo, *options(made)], [*options(made), photo]):
        assert main(["identify", *line]) == 0
        out = capsys.readouterr().out
        assert out.count(photo) == 2
        assert "cosine" in out
    assert main(["identify", "gone.jpg", *options(made)]) == 1
    assert "not readable: 'gone.jpg': There is no such file" in capsys.readouterr().err
    assert main(["identify", "x" * 5000]) == 2
    assert main(["identify", ""]) == 2


@pytest.mark.usefixtures("no_guess")
def test_unsure_detections_are_counted_and_listed_only_on_request(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["identify", str(made / "photos" / "none.png"), "--index", str(made / "i.npz")]
    assert main(line) == 0
    printed = capsys.readouterr()
    assert "– (1 unsure)" in printed.out
    assert "unsure: 1 (--all lists them)" in printed.err
    assert main([*line, "--all"]) == 0
    assert "? " in capsys.readouterr().out


def test_guesses_are_said_counted_and_in_no_other_file(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [path.name for path in sorted((made / "refs").iterdir())]
    near = tuple((file, 0.5 - at / 10) for at, file in enumerate([*files[:2], *files]))
    guess = detection(files[0], 20, 20, side=90, guess=True, top_k=near)
    monkeypatch.setattr(Recognizer, "_guess", lambda *_: [guess])
    more = ["--coco", str(tmp_path / "o.json"), "--draw", str(tmp_path / "drawn")]
    line = ["identify", str(made / "photos"), *options(made)]

    assert main([*line, *more]) == 0
    printed = capsys.readouterr()
    none, *two = printed.out.splitlines()
    said = ", ".join(dict.fromkeys(parse_label(file).name for file in files))
    assert none.endswith("perhaps: " + ", ".join(said.split(", ")[:3]))
    assert len(two) == 2 and "perhaps" not in "".join(two)
    assert "items named: 2, unsure: 0, guessed: 1" in printed.err
    assert len(load(tmp_path / "o.json")["annotations"]) == 2
    drawn = decode(tmp_path / "drawn" / "none.png")
    assert np.array_equal(drawn, decode(made / "photos" / "none.png"))

    assert main([*line, "--all", "--json"]) == 0
    none, two = map(json.loads, capsys.readouterr().out.splitlines())
    assert (none["items"], none["unsure"], two["guesses"]) == ([], 0, [])
    (only,) = none["guesses"]
    assert (only["guess"], only["confident"], only["reference"]) == (True, False, files[0])
    assert not any(item["guess"] for item in two["items"])


def test_only_pictures_are_guessed_at_and_not_the_frames_of_a_video(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", 0)
    write_video(tmp_path / "b.avi", [10, 20, 30])
    asked: list[str] = []

    def still(_: RGB) -> list[Detection]:
        asked.append("still")
        return [detection("x.png", guess=True)]

    frames = recognize_files(
        find_nothing, find_sources([tmp_path]), recognize_still=still, quiet=True
    )
    guesses = [len(frame.guesses) for frame in frames if isinstance(frame, RecognizedFrame)]
    assert guesses == [1, 0, 0, 0]
    assert asked == ["still"]


@pytest.mark.parametrize(
    ("more", "still", "video"),
    [
        ([], "auto", "fast"),  # of a video, the next frame shows it better
        (["--effort", "fast"], "fast", "fast"),
        (["--effort", "thorough"], "thorough", "thorough"),
    ],
)
def test_effort_is_what_is_asked_for(
    made: Path, more: list[str], still: str, video: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def recognize(self: Recognizer, picture: RGB, **wanted: Any) -> list[Detection]:
        asked.append((wanted.get("guess", False), wanted["effort"]))
        return []

    monkeypatch.setattr(Recognizer, "recognize", recognize)
    write_video(made / "photos" / "film.avi", [10])
    files = [str(made / "photos" / name) for name in ("none.png", "film.avi")]
    try:
        assert main(["identify", "identify", *files, *options(made), *more]) == 0
    finally:
        (made / "photos" / "film.avi").unlink()
    assert asked == [(True, still), (False, video)]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--every", "0"], "0 is not in the range x>=1"),
        (["--sim-threshold", "2"], "not in the range -1<=x<=1"),
        (["--coco", "none/x.json"], "Cannot write none/x.json"),
        (["--refs", "none"], "none is not a folder"),
        (["--refs", "photos"], "None of the references can be read in photos"),
    ],
)
def test_wrong_use_is_2(
    made: Path,
    more: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(made)
    line = ["identify", "identify", "photos/none.png", *options(made), *more]
    assert main(line) == 2
    assert says in capsys.readouterr().err


def test_an_empty_folder_is_wrong_use(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", str(tmp_path), *options(made)]) == 2
    assert "no picture or video" in capsys.readouterr().err


def identify(options: list[str]) -> "AbstractContextManager[subprocess.Popen[str]]":
    """The command in another process."""
    line = [sys.executable, "-m", "data_label_factory", "identify", *options]
    return started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_keeps_the_coco_file_of_what_was_done(made: Path, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(300):
        shutil.copy(made / "photos" / "two.jpg", tmp_path / "many" / f"{number:03}.jpg")
    line = [str(tmp_path / "many"), *options(made), "--json", "--coco", str(tmp_path / "o.json")]
    with identify(line) as process:
        assert process.stdout and process.stderr
        first = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()
        error = process.stderr.read()

    assert process.returncode == 130
    assert "interrupted; what was finished is kept" in error
    assert "Traceback" not in error
    kept = load(tmp_path / "o.json")
    assert len(first) <= len(kept["images"]) <= len(first) + len(rest) + 1 < 300
    image_ids = {image["id"] for image in kept["images"]}
    assert {annotation["image_id"] for annotation in kept["annotations"]} == image_ids


def test_a_closed_pipe_ends_it_quietly_and_keeps_the_coco_file(made: Path, tmp_path: Path) -> None:
    photos = [str(made / "photos")] * 20
    with identify([*photos, *options(made), "--coco", str(tmp_path / "o.json")]) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert process.returncode == 0
    assert "error" not in error
    assert 1 <= len(load(tmp_path / "o.json")["images"]) < 40
