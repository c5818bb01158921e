"""A large photo of many small things: each found once, none cut by a seam, in reading order."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn import draw_collection, photo_like

from data_label_factory.identify.choices import Effort
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import Quad, quad_iou
from data_label_factory.identify.recognize import Recognizer, search, tiles
from data_label_factory.identify.recognize.features import FINE
from data_label_factory.identify.recognize.tiles import dense_features

ROWS, COLUMNS = 4, 10
HEIGHT = 96  # px of a card; 66 wide


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_collection(tmp_path_factory.mktemp("cards") / "refs", count=20)


@pytest.fixture(scope="module")
def recognizer(cards: list[Path]) -> Recognizer:
    refs = cards[0].parent
    index = build_index(refs, refs.parent / "i.npz", Embedder.open("sscd-small"), quiet=True).index
    return Recognizer(index, Embedder.open("sscd-small"), refs=refs)


def draw_wall(cards: list[Path], width: int, height: int) -> tuple[RGB, list[tuple[str, Quad]]]:
    """Rows of cards in a soft photo, every card twice; and where each lies."""
    wall = np.full((height, width, 3), 120, np.float32)
    there = []
    for number in range(ROWS * COLUMNS):
        card = cards[number % len(cards)]
        picture = decode(card)
        wide = round(picture.shape[1] * HEIGHT / picture.shape[0])
        row, column = divmod(number, COLUMNS)
        left, top = 90 + 150 * column, 80 + 190 * row
        small = cv2.resize(picture, (wide, HEIGHT), interpolation=cv2.INTER_AREA)
        wall[top : top + HEIGHT, left : left + wide] = small
        corners = [[0, 0], [wide, 0], [wide, HEIGHT], [0, HEIGHT]]
        there.append((card.name, np.float32(corners) + np.float32([left, top])))
    noise = np.random.default_rng(5).normal(0, 3, wall.shape)
    soft = cv2.GaussianBlur(wall, (0, 0), 0.6) + noise
    return np.asarray(soft.clip(0, 255), np.uint8), there


def found_right(recognizer: Recognizer, wall: RGB, there: list[tuple[str, Quad]]) -> int:
    """How many lie where they are, named surely; nothing may be named twice, or wrongly."""
    sure = [one for one in recognizer.recognize(wall) if one.confident]
    hits = 0
    for one in sure:
        names = [name for name, quad in there if quad_iou(one.quad, quad) > 0.5]
        assert names == [one.reference]
        hits += 1
    assert len({tuple(one.quad.mean(axis=0).round(-1)) for one in sure}) == hits
    return hits


def test_a_wall_of_small_cards_is_named_in_full_and_in_reading_order(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    wall, there = draw_wall(cards, 1620, 880)
    assert found_right(recognizer, wall, there) >= 38

    fast = recognizer.recognize(wall, effort="fast")
    assert sum(one.confident for one in fast) < 30  # what made the second way necessary

    ordered = [one for one in recognizer.recognize(wall) if one.confident]
    places = [(one.row, one.column) for one in ordered]
    assert places == sorted(places)
    for (row, column), one in zip(places, ordered, strict=True):
        assert row
        assert column
        assert there[(row - 1) * COLUMNS + column - 1][0] == one.reference


def test_where_much_is_unexplained_a_closer_look_follows(
    recognizer: Recognizer, cards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a third of its size a wall shows too little; the second level finds the rest."""
    wall, there = draw_wall(cards, 1620, 880)
    monkeypatch.setattr(search, "_FIRST_LEVEL_PX", 560)
    with_both = found_right(recognizer, wall, there)
    monkeypatch.setattr(search, "_NEXT_LEVEL", 99.0)
    assert found_right(recognizer, wall, there) + 5 <= with_both
    assert with_both >= 36


@pytest.mark.parametrize(
    ("effort", "width", "searched"),
    [("auto", 1600, True), ("auto", 1200, False), ("fast", 1600, False), ("thorough", 640, True)],
)
def test_what_effort_means(
    effort: Effort,
    width: int,
    searched: bool,
    recognizer: Recognizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = []
    monkeypatch.setattr(
        search, "dense_features", lambda *a: looks.append(a[1]) or dense_features(*a)
    )
    recognizer.recognize(photo_like(width, width // 2), effort=effort)
    assert bool(looks) == searched


def test_a_large_photo_of_one_thing_is_searched_no_closer(
    recognizer: Recognizer, cards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = np.full((1500, 2000, 3), 120, np.uint8)
    photo[200:1300, 600:1400] = cv2.resize(decode(cards[3]), (800, 1100))
    monkeypatch.setattr(search, "dense_features", lambda *a: pytest.fail("searched"))
    assert [one.reference for one in recognizer.recognize(photo)] == [cards[3].name]


def test_tiles_find_what_one_look_would_and_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = photo_like(700, 500, seed=3)
    monkeypatch.setattr(tiles, "_PER_TILE", 100_000)
    whole = dense_features(photo, 1.0)
    monkeypatch.setattr(tiles, "_TILE_PX", 200)
    cut = dense_features(photo, 1.0)
    assert len(whole) > 500
    rows = np.column_stack([cut.xy, cut.size, cut.angle])
    assert len(np.unique(rows, axis=0)) == len(cut)
    small = whole.xy[whole.size < 4]
    gaps = np.linalg.norm(small[:, None] - cut.xy[None], axis=2).min(axis=1)
    assert gaps.max() < 0.5
    assert abs(len(cut) - len(whole)) < 0.03 * len(whole)


def test_only_around_points_is_looked_at() -> None:
    photo = photo_like(1000, 1000, seed=4)
    points = np.float32([[700, 700], [720, 700], [700, 720], [720, 720], [710, 710]])
    near = dense_features(photo, 1.0, points)
    assert len(near)
    assert near.xy.min() > 700 - 30
    assert near.xy.max() < 720 + 30
    assert not len(dense_features(photo, 1.0, points[:3]))  # chance leaves as many


def test_features_come_in_the_photos_own_pixels() -> None:
    photo = cv2.resize(photo_like(300, 200, seed=6), (1200, 800), interpolation=cv2.INTER_CUBIC)
    half = dense_features(np.asarray(photo, np.uint8), 0.5)
    full = FINE(np.asarray(photo, np.uint8))
    gaps = np.linalg.norm(half.xy[:, None] - full.xy[None], axis=2).min(axis=1)
    assert np.median(gaps) < 1.5
    assert half.shape == (800, 1200)
