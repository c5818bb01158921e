"""Printings of one card that differ in their set code only, told by a reader that is told what
to read: what the letters show, what the text says, and silence where neither is clear.
"""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from data_label_factory.errors import MissingExtraError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.reading import Line, TextLine
from data_label_factory.identify.reading.texts import text_cache_path
from data_label_factory.identify.recognize import Detection, Recognizer, printings
from data_label_factory.identify.recognize.printings import PrintReader, open_print_reader
from data_label_factory.samples import draw_card, sample_cards

CODES = ("EMBR-EN014", "EMBR-EN087", "EMBR-JP014", "EMBR-DE203")
SILENT = Line("", 0.0)
# Where `draw_card` prints them, in px.
CODE_BOX = as_points([[190, 465], [246, 465], [246, 478], [190, 478]])
NAME_BOX = as_points([[90, 288], [270, 288], [270, 316], [90, 316]])


class ScriptedReader:
    """Knows each reference's texts, and says `says` of every line in a frame."""

    def __init__(self, texts: dict[bytes, str]) -> None:
        self.texts = texts
        self.says = SILENT
        self.references_read = 0
        self.lines_read = 0

    def read(self, crop: RGB) -> list[TextLine]:
        self.references_read += 1
        code = self.texts[crop.tobytes()]
        return [TextLine("Midnight Heartstone", NAME_BOX, 0.99), TextLine(code, CODE_BOX, 0.99)]

    def read_line(self, crop: RGB) -> Line:
        self.lines_read += 1
        return self.says


@pytest.fixture(scope="module")
def refs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four printings of one card, and eight cards more."""
    folder = tmp_path_factory.mktemp("printings") / "refs"
    folder.mkdir()
    first, *others = sample_cards(10)
    cards = [replace(first, set_code=code) for code in CODES] + others[:6]
    for card in cards:
        draw_card(card).save(folder / card.filename, quality=92, subsampling=0)
    return folder


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.open("sscd-small")


@pytest.fixture(scope="module")
def index(refs: Path, embedder: Embedder) -> Index:
    return build_index(refs, refs.parent / "i.npz", embedder, quiet=True).index


@pytest.fixture(scope="module")
def texts(refs: Path) -> dict[bytes, str]:
    files = [file for file in refs.iterdir() if file.name.startswith(CODES)]
    return {decode(file).tobytes(): file.name.split("_")[0] for file in files}


@pytest.fixture(scope="module")
def shared_reader(texts: dict[bytes, str]) -> ScriptedReader:
    return ScriptedReader(texts)


@pytest.fixture
def reader(shared_reader: ScriptedReader) -> ScriptedReader:
    shared_reader.says = SILENT
    return shared_reader


@pytest.fixture(scope="module")
def recognizer(
    shared_reader: ScriptedReader, index: Index, embedder: Embedder, refs: Path
) -> Recognizer:
    return Recognizer(index, embedder, refs=refs, reader=PrintReader(shared_reader, 60_000))


Look = Callable[[RGB], Detection]


@pytest.fixture
def look(reader: ScriptedReader, recognizer: Recognizer) -> Look:
    """Recognize a frame that shows one card; `reader` has been told nothing yet."""
    return lambda frame: recognizer.recognize(frame)[0]


def file_of(refs: Path, code: str) -> Path:
    return next(refs.glob(f"{code}_*"))


def filmed(refs: Path, code: str, height: float = 420, blur: float = 0.0) -> tuple[RGB, Quad]:
    """A frame of 640 × 480 with the card turned a little, and where it lies."""
    picture = decode(file_of(refs, code))
    tall, wide = picture.shape[:2]
    width = height * wide / tall
    corners = np.array([[0, 0], [width, 8], [width - 6, height], [-5, height - 6]])
    quad = as_points(corners + np.array([320 - width / 2, 240 - height / 2]))
    source = as_points([[0, 0], [wide, 0], [wide, tall], [0, tall]])
    matrix = cv2.getPerspectiveTransform(source, quad)
    sharp = cv2.GaussianBlur(picture, (0, 0), 0.4 * tall / height)
    frame = cv2.warpPerspective(sharp, matrix, (640, 480), borderValue=(90, 100, 110))
    if blur:
        frame = cv2.GaussianBlur(frame, (0, 0), blur)
    noise = np.random.default_rng(3).normal(0, 2, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8), quad


def cover(frame: RGB, quad: Quad, left: float, right: float) -> None:
    """Lay a thumb over the foot of the card, from `left` to `right` of its width, in place."""
    unit = as_points([[0, 0], [1, 0], [1, 1], [0, 1]])
    matrix = cv2.getPerspectiveTransform(unit, quad)
    box = as_points([[left, 0.9], [right, 0.9], [right, 1.1], [left, 1.1]])
    corners = cv2.perspectiveTransform(box[None], matrix)[0]
    cv2.fillConvexPoly(frame, corners.astype(np.int32), (210, 150, 120))


@pytest.mark.parametrize("code", CODES)
def test_letters_alone_tell_printings_apart(look: Look, refs: Path, code: str) -> None:
    frame, _ = filmed(refs, code)
    found = look(frame)
    assert found.reference == file_of(refs, code).name
    assert found.label.set_code == code
    assert found.ambiguous_with == ()
    assert found.confident
    assert found.read == code
    assert found.to_dict()["read"] == code


@pytest.mark.parametrize("code", CODES)
def test_print_that_cannot_be_seen_leaves_all_printings(look: Look, refs: Path, code: str) -> None:
    frame, quad = filmed(refs, code)
    cover(frame, quad, 0.4, 0.8)
    found = look(frame)
    assert {found.reference, *found.ambiguous_with} == {file_of(refs, c).name for c in CODES}
    assert found.label.set_code == ""
    assert found.read == ""


@pytest.mark.parametrize("code", CODES)
def test_text_decides_where_letters_do_not_fit(
    look: Look, reader: ScriptedReader, refs: Path, code: str
) -> None:
    frame, quad = filmed(refs, code)
    cover(frame, quad, 0.4, 0.8)
    reader.says = Line(code[2:], 0.97)  # a part is hidden
    found = look(frame)
    assert found.reference == file_of(refs, code).name
    assert found.ambiguous_with == ()
    assert found.read == code


@pytest.mark.parametrize(
    "says",
    [
        Line("EMBR-EN087", 0.6),  # hardly read
        Line("087", 0.99),  # too short
        Line("QRST-XY99", 0.9),  # near none of them
    ],
)
def test_doubtful_text_decides_nothing(
    look: Look, reader: ScriptedReader, refs: Path, says: Line
) -> None:
    frame, quad = filmed(refs, "EMBR-EN087")
    cover(frame, quad, 0.4, 0.8)
    reader.says = says
    assert len(look(frame).ambiguous_with) == 3


def test_text_that_two_printings_share_leaves_both(
    look: Look, reader: ScriptedReader, refs: Path
) -> None:
    frame, quad = filmed(refs, "EMBR-EN087")
    cover(frame, quad, 0.4, 0.8)
    reader.says = Line("EMBR-EN", 0.97)
    found = look(frame)
    left = {Path(name).name.split("_")[0] for name in (found.reference, *found.ambiguous_with)}
    assert left == {"EMBR-EN014", "EMBR-EN087"}
    assert found.read == ""
    assert found.label.set_code == ""


def test_text_against_letters_decides_nothing(
    look: Look, reader: ScriptedReader, refs: Path
) -> None:
    frame, _ = filmed(refs, "EMBR-EN087")
    reader.says = Line("EMBR-JP014", 0.9)
    found = look(frame)
    assert len(found.ambiguous_with) == 3
    assert found.read == ""


def test_a_printing_that_no_reference_has_is_none_of_them(
    look: Look, reader: ScriptedReader, refs: Path
) -> None:
    frame, _ = filmed(refs, "EMBR-EN087")
    reader.says = Line("EMBR-EN081", 0.99)
    assert len(look(frame).ambiguous_with) == 3


def test_only_references_that_look_alike_are_read_and_only_once(
    texts: dict[bytes, str], index: Index, embedder: Embedder, refs: Path, tmp_path: Path
) -> None:
    reader = ScriptedReader(texts)
    cache = text_cache_path(tmp_path / "i.npz")
    Recognizer(index, embedder, refs=refs, reader=PrintReader(reader, 150, cache))
    assert reader.references_read == len(CODES)
    again = Recognizer(index, embedder, refs=refs, reader=PrintReader(reader, 150, cache))
    again.updated(index, refs)
    assert reader.references_read == len(CODES)


def test_frames_of_other_cards_are_not_read(look: Look, reader: ScriptedReader, refs: Path) -> None:
    before = reader.lines_read
    other = next(file for file in refs.iterdir() if not file.name.startswith(CODES))
    frame, _ = filmed(refs, other.name.split("_")[0])
    found = look(frame)
    assert found.reference == other.name
    assert reader.lines_read == before


def test_without_time_nothing_is_read(
    reader: ScriptedReader, index: Index, embedder: Embedder, refs: Path
) -> None:
    recognizer = Recognizer(index, embedder, refs=refs, reader=PrintReader(reader, budget_ms=0))
    before = reader.lines_read
    frame, _ = filmed(refs, "EMBR-EN087")
    (found,) = recognizer.recognize(frame)
    assert reader.lines_read == before
    assert len(found.ambiguous_with) == 3


def test_hidden_rows_are_not_named(
    reader: ScriptedReader, recognizer: Recognizer, index: Index, refs: Path
) -> None:
    frame, _ = filmed(refs, "EMBR-EN087")
    reader.says = Line("EMBR-EN087", 0.99)
    hidden = index.row_of[file_of(refs, "EMBR-EN087").name]
    for one in recognizer.assess(frame, [hidden]):
        assert hidden not in (one.row, *one.near_duplicates)


def test_a_collection_reads_when_it_can(
    refs: Path, index: Index, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printings, "open_reader", lambda mode: None)
    assert open_print_reader("auto", "i.npz") is None

    def missing(mode: str) -> None:
        raise MissingExtraError("not installed")

    monkeypatch.setattr(printings, "open_reader", missing)
    with pytest.raises(MissingExtraError):
        Collection(index, refs.parent / "i.npz", embedder, refs, read="always")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("rapidocr") is None, reason="needs the extra ocr")
def test_the_real_reader_tells_printings_apart(
    refs: Path, embedder: Embedder, index: Index, tmp_path: Path
) -> None:
    reader = open_print_reader("always", tmp_path / "i.npz", 60_000)
    recognizer = Recognizer(index, embedder, refs=refs, reader=reader)
    for code in CODES:
        frame, _ = filmed(refs, code)
        found = recognizer.recognize(frame)[0]
        assert (found.label.set_code, found.ambiguous_with) == (code, ())
        assert code in found.read
