"""Text: comparing it, finding where it differs, keeping it, and the reader itself."""

import json
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import GridEncoder, save_picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from data_label_factory.errors import MissingExtraError
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import frame_quad
from data_label_factory.identify.reading import Line, Reader, TextLine, open_reader, reader
from data_label_factory.identify.reading.cutting import cut_line, cut_reference, cut_region
from data_label_factory.identify.reading.differences import find_differences
from data_label_factory.identify.reading.edits import edits_within, fold_text
from data_label_factory.identify.reading.letters import fit_letters
from data_label_factory.identify.reading.texts import (
    PlacedText,
    load_texts,
    read_texts,
    text_cache_path,
)

LETTERS = st.text("abc", max_size=5)


def edits_by_hand(read: str, text: str) -> int:
    """The edits to the nearest of all parts of `text`, by the definition."""

    @cache
    def between(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(
            between(a[1:], b) + 1,
            between(a, b[1:]) + 1,
            between(a[1:], b[1:]) + (a[0] != b[0]),
        )

    ends = range(len(text) + 1)
    return min(between(read, text[start:end]) for start in ends for end in ends if start <= end)


@given(read=LETTERS, text=LETTERS)
def test_edits_are_those_to_the_nearest_part(read: str, text: str) -> None:
    assert edits_within(read, text) == edits_by_hand(read, text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("EMBR-EN01O", "embr - en010"), ("PL5-I2", "pl5-12"), ("Ａ１２", "a12"), ("83★", "83 ★")],
)
def test_what_small_print_cannot_show_does_not_differ(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize("other", ["EMBR-EN015", "EMBR-JP014", "LN07-EN014", "EMBR-EN014★"])
def test_another_number_language_or_set_does(other: str) -> None:
    assert fold_text("EMBR-EN014") != fold_text(other)


def line(text: str, left: float, top: float, confidence: float = 0.99) -> PlacedText:
    return PlacedText(text, confidence, (left, top, left + 0.3, top + 0.03))


def test_a_difference_is_where_the_texts_differ() -> None:
    first = [line("Tide Warden", 0.2, 0.1), line("EMBR-EN014", 0.6, 0.9)]
    second = [line("Tide Warden", 0.2, 0.1), line("EMBR-JP014", 0.6, 0.905)]
    (found,) = find_differences([first, second])
    assert found.texts == ("EMBR-EN014", "EMBR-JP014")
    assert found.is_readable
    assert found.region == pytest.approx((0.6, 0.9, 0.9, 0.935))


def test_words_of_one_line_are_read_from_left_to_right() -> None:
    first = [line("UR", 0.75, 0.9), line("EMBR-EN014", 0.5, 0.9)]
    second = [PlacedText("EMBR-EN015 UR", 0.99, (0.5, 0.9, 1.0, 0.93))]
    (found,) = find_differences([first, second])
    assert found.texts == ("EMBR-EN014 UR", "EMBR-EN015 UR")


def test_lines_one_below_the_other_are_two() -> None:
    first = [line("EN014", 0.6, 0.90), line("Mina", 0.6, 0.93)]
    second = [line("EN015", 0.6, 0.90), line("Otto", 0.6, 0.93)]
    assert {one.texts for one in find_differences([first, second])} == {
        ("EN014", "EN015"),
        ("Mina", "Otto"),
    }


@pytest.mark.parametrize("second", [[], [line("EMBR-JP014", 0.6, 0.9, confidence=0.5)]])
def test_where_a_reference_was_hardly_read_texts_do_not_decide(second: list[PlacedText]) -> None:
    (found,) = find_differences([[line("EMBR-EN014", 0.6, 0.9)], second])
    assert not found.is_readable


def test_equal_texts_do_not_differ() -> None:
    lines = [line("Tide Warden", 0.2, 0.1), line("EMBR-EN014", 0.6, 0.9)]
    assert find_differences([lines, lines, lines]) == []


class CountingReader:
    """A TextReader that finds one line, and counts the pictures it was asked about."""

    def __init__(self) -> None:
        self.pictures = 0

    def read(self, crop: RGB) -> list[TextLine]:
        self.pictures += 1
        box = np.array([[16, 32], [48, 32], [48, 48], [16, 48]], np.float32)
        return [TextLine(f"read {self.pictures}", box, 0.9)]

    def read_line(self, crop: RGB) -> Line:
        return Line("", 0.0)


@pytest.fixture
def embedder() -> Embedder:
    return Embedder(GridEncoder())


@pytest.fixture
def index(refs: Path, embedder: Embedder) -> Index:
    return build_index(refs, refs.parent / "i.npz", embedder, quiet=True).index


def test_texts_lie_in_fractions_of_the_picture(index: Index, refs: Path) -> None:
    texts = read_texts(index, refs, [2], CountingReader())
    assert texts == {str(index.contents[2]): [PlacedText("read 1", 0.9, (0.25, 0.5, 0.75, 0.75))]}


def test_only_what_is_new_is_read_again(index: Index, refs: Path, embedder: Embedder) -> None:
    cache_file = text_cache_path(refs.parent / "i.npz")
    first = CountingReader()
    before = read_texts(index, refs, [0, 1], first, cache=cache_file)
    assert first.pictures == 2

    save_picture(refs / "card_1.png", 77)
    (refs / "card_0.png").rename(refs / "renamed.png")
    newer = build_index(refs, refs.parent / "i.npz", embedder, quiet=True).index
    rows = [newer.row_of["renamed.png"], newer.row_of["card_1.png"]]
    second = CountingReader()
    after = read_texts(newer, refs, rows, second, cache=cache_file)
    assert second.pictures == 1
    kept = str(index.contents[0])
    assert after[kept] == before[kept]
    assert load_texts(cache_file) == after


def test_a_picture_that_is_gone_has_no_text(index: Index, refs: Path) -> None:
    (refs / "card_3.png").unlink()
    texts = read_texts(index, refs, [3, 4], CountingReader())
    assert list(texts) == [str(index.contents[4])]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"version": "texts 0", "texts": {}}',
        '{"version": "texts 1", "texts": {"ab": [["text", 0.9, [0, 1]]]}}',
        '{"version": "texts 1", "texts": {"ab": 7}}',
    ],
)
def test_a_damaged_or_older_file_counts_for_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "i.texts.json"
    file.write_text(content)
    assert load_texts(file) == {}
    assert load_texts(tmp_path / "missing.json") == {}


def test_the_file_is_plain_json(index: Index, refs: Path, tmp_path: Path) -> None:
    file = tmp_path / "i.texts.json"
    read_texts(index, refs, [0], CountingReader(), cache=file)
    content = str(index.contents[0])
    assert json.loads(file.read_text())["texts"][content] == [
        ["read 1", 0.9, [0.25, 0.5, 0.75, 0.75]]
    ]


def printed(text: str, width: int = 360, height: int = 120) -> RGB:
    """White print of 19 px on dark, in the middle."""
    picture = Image.new("RGB", (width, height), (40, 30, 60))
    font = ImageFont.load_default(19)
    ImageDraw.Draw(picture).text((width / 2, height / 2), text, "white", font, anchor="mm")
    return np.asarray(picture)


CODES = ("EMBR-EN014", "EMBR-EN015", "EMBR-JP014", "LN07-EN203")
MIDDLE = (0.3, 0.35, 0.7, 0.65)


def filmed(picture: RGB, rng: np.random.Generator) -> RGB:
    """At half the size and off by a pixel, darker, blurred and noisy."""
    small = Image.fromarray(picture).resize((180, 60), Image.Resampling.BOX)
    frame = np.roll(np.asarray(small, np.float64), (1, -1), (0, 1)) * 0.7 + 20
    return np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shown", range(4))
def test_letters_fit_their_own_print_best(shown: int) -> None:
    references = [printed(code) for code in CODES]
    frame = filmed(references[shown], np.random.default_rng(shown))
    found = fit_letters(frame, frame_quad(180, 60), MIDDLE, references)
    assert found is not None
    second, best = np.sort(found.log_likelihoods)[-2:]
    assert found.log_likelihoods.argmax() == shown
    assert best - second > 5
    assert found.fit > 0.8


def test_what_is_covered_does_not_fit() -> None:
    references = [printed(code) for code in CODES]
    frame = filmed(references[0], np.random.default_rng(0))
    frame[10:50, 70:] = (200, 150, 120)
    found = fit_letters(frame, frame_quad(180, 60), MIDDLE, references)
    assert found is not None
    assert found.fit < 0.5


def test_too_few_pixels_say_nothing() -> None:
    references = [printed(code) for code in CODES]
    assert fit_letters(references[0], frame_quad(16, 5), MIDDLE, references) is None


def test_a_region_is_cut_from_where_it_lies() -> None:
    picture = np.zeros((80, 100, 3), np.uint8)
    picture[40:60, 50:75] = 200
    cut = cut_region(picture, frame_quad(100, 80), (0.5, 0.5, 0.75, 0.75), (25, 20))
    assert cut.shape == (20, 25, 3)
    assert (cut == 200).all()
    small = cut_reference(picture, (0.25, 0.25, 1.0, 1.0), (15, 12))
    assert small.shape == (12, 15, 3)
    assert small[6, 7, 0] == 200


def test_a_column_of_text_is_laid_on_its_side() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:50] = 255
    cut = cut_line(picture, frame_quad(100, 100), (0.4, 0.1, 0.6, 0.9))
    assert cut.shape[0] == 48
    assert cut.shape[1] > 100
    # Turned by a quarter to the left, what was above is now on the left.
    assert cut[24, 20, 0] == 255
    assert cut[24, -20, 0] == 0


def test_without_the_extra_nothing_is_read_and_always_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    assert open_reader("auto") is None
    assert open_reader("never") is None
    with pytest.raises(MissingExtraError, match=r"data_label_factory\[ocr\]"):
        open_reader("always")


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="needs the extra ocr")
def test_the_reader_reads() -> None:
    engine = Reader()
    (found,) = engine.read(printed("EMBR-EN014"))
    assert fold_text(found.text) == fold_text("EMBR-EN014")
    assert found.confidence > 0.8
    assert found.box.shape == (4, 2)
    left, right = found.box[:, 0].min(), found.box[:, 0].max()
    assert 100 < left < 150 and 210 < right < 260

    alone = engine.read_line(printed("LN07-EN203", 140, 30))
    assert fold_text(alone.text) == fold_text("LN07-EN203")
    assert engine.read(np.full((60, 60, 3), 128, np.uint8)) == []
