"""Frames of one camera → tracks: lasting ids, the name of what lies there now, and only that."""

import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn import draw_collection
from filmed import (
    Table,
    corner_error,
    laid_at,
    make_recognizer,
    names_of,
    read_cards,
)

from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.tracking import Session, TrackedDetection
from data_label_factory.identify.tracking.watch import Watch

PERIOD = 1 / 15
HERE, THERE = laid_at(180, 240), laid_at(460, 240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> Recognizer:
    return make_recognizer(folder)


@pytest.fixture(scope="module")
def cards(recognizer: Recognizer, folder: Path) -> list[RGB]:
    return read_cards(folder / "refs")


@pytest.fixture(scope="module")
def names(recognizer: Recognizer) -> list[str]:
    return [str(name) for name in recognizer.index.names]


class AtOnce(Executor):
    """Runs what it is given before it returns, so that nothing depends on the machine."""

    def submit(self, run: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(run(*arguments, **options))
        return future


class Camera:
    """Shows a session one frame after the other, a fifteenth of a second apart."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.session = Session(AtOnce())
        self.recognizer = recognizer
        self.table = Table()
        self.now = 0.0

    def show(self, *laid: tuple[RGB, Quad], seconds: float = PERIOD) -> list[TrackedDetection]:
        """What is said about the last of the frames shown for so long."""
        for _ in range(max(1, round(seconds / PERIOD))):
            self.now += PERIOD
            frame = self.table.film(*laid)
            tracked = self.session.see(frame, self.recognizer, self.now)
        return tracked


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search takes as long as on a quiet machine, whatever else runs here."""
    note = Watch.note_search
    monkeypatch.setattr(
        Watch, "note_search", lambda watch, frame, at, _: note(watch, frame, at, 0.06)
    )


@pytest.fixture
def camera(recognizer: Recognizer) -> Camera:
    return Camera(recognizer)


def test_the_first_frame_names_what_is_there(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    said = names_of(camera.show((cards[0], HERE), (cards[1], THERE)))
    assert sorted(said) == sorted([f"{said[0][0]} {names[0]}", f"{said[1][0]} {names[1]}"])
    assert [one[0] for one in said] == ["1", "2"]


def test_ids_and_places_last_while_things_move(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    first = names_of(camera.show((cards[0], HERE)))
    for step in range(45):
        quad = laid_at(180 + 5 * step, 240 + 40 * np.sin(step / 7), degrees=step / 2)
        tracked = camera.show((cards[0], quad))
        assert names_of(tracked) == first == [f"1 {names[0]}"]
        assert corner_error(tracked[0].detection.quad, quad) < 2.5


def test_the_next_card_has_its_own_name_in_the_first_frame(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=1)
    said = names_of(camera.show((cards[1], HERE)))
    assert f"2 {names[1]}" in said
    assert f"1 {names[0]}" not in said
    assert names_of(camera.show((cards[1], HERE), seconds=1)) == [f"2 {names[1]}"]


def test_what_has_left_is_soon_not_sure_and_then_gone(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=1)
    left = camera.show(seconds=0.25)
    assert names_of(left) == [f"1 {names[0]}?"]
    assert left[0].lost_seconds > 0.15
    assert names_of(camera.show(seconds=1)) == []


def test_a_hand_that_passes_costs_no_id(camera: Camera, cards: list[RGB], names: list[str]) -> None:
    hand = np.full((300, 200, 3), (190, 140, 110), np.uint8)
    camera.show((cards[0], HERE), seconds=0.5)
    camera.show((cards[0], HERE), (hand, HERE), seconds=0.6)
    assert names_of(camera.show((cards[0], HERE), seconds=0.3)) == [f"1 {names[0]}"]


def test_what_comes_back_elsewhere_has_its_old_id(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=0.5)
    camera.show(seconds=0.5)
    assert names_of(camera.show((cards[0], THERE), seconds=0.3)) == [f"1 {names[0]}"]
    camera.show(seconds=4)
    assert names_of(camera.show((cards[0], THERE), seconds=0.3)) == [f"2 {names[0]}"]


def test_two_copies_are_two_tracks(camera: Camera, cards: list[RGB], names: list[str]) -> None:
    for _ in range(2):
        said = names_of(camera.show((cards[0], HERE), (cards[0], THERE), seconds=0.4))
        assert said == [f"1 {names[0]}", f"2 {names[0]}"]
    assert len(names_of(camera.show((cards[0], THERE), seconds=2))) == 1


def test_a_new_thing_beside_a_known_one_is_found(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=1)
    said = names_of(camera.show((cards[0], HERE), (cards[1], THERE), seconds=0.4))
    assert said == [f"1 {names[0]}", f"2 {names[1]}"]


def test_a_thing_that_is_moved_fast_is_found_again_without_a_search(
    recognizer: Recognizer, cards: list[RGB], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Camera(recognizer)
    with Later() as never:
        camera.session = Session(never)
        camera.show((cards[0], HERE), seconds=0.5)
        monkeypatch.setattr(recognizer, "assess", _refuse_to_search)
        quad = laid_at(300, 200, degrees=25)
        tracked = camera.show((cards[0], quad))
        never.drop()
    assert names_of(tracked) == [f"1 {names[0]}"]
    assert corner_error(tracked[0].detection.quad, quad) < 4


def test_the_next_card_is_named_at_once_though_another_search_is_under_way(
    recognizer: Recognizer, cards: list[RGB], names: list[str]
) -> None:
    camera = Camera(recognizer)
    with Later() as never:
        camera.session = Session(never)
        camera.show((cards[0], HERE), (cards[1], THERE), seconds=1.5)
        assert never.done is not None
        said = names_of(camera.show((cards[2], HERE), (cards[1], THERE)))
        never.drop()
    assert f"3 {names[2]}" in said
    assert f"1 {names[0]}" not in said
    assert f"2 {names[1]}" in said


def test_what_is_known_is_left_out_of_a_search(
    camera: Camera, cards: list[RGB], monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[Sequence[Quad]] = []
    assess = camera.recognizer.assess

    def watch(frame: RGB, **options: Any) -> Any:
        explained.append(options["explained"])
        return assess(frame, **options)

    monkeypatch.setattr(camera.recognizer, "assess", watch)
    camera.show((cards[0], HERE))
    camera.show((cards[0], HERE), (cards[1], THERE), seconds=0.3)
    assert list(explained[0]) == []
    assert corner_error(explained[1][0], HERE) < 2.5


def test_another_name_in_the_place_of_a_thing_that_is_held_takes_two_looks(
    camera: Camera, cards: list[RGB], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.show((cards[0], HERE), seconds=0.5)
    other = camera.recognizer.assess(camera.table.film((cards[1], HERE)))
    monkeypatch.setattr(camera.recognizer, "assess", lambda *_, **__: other)

    camera.now += 0.8  # time for a search
    assert names_of(camera.show((cards[0], HERE))) == [f"1 {names[0]}?"]
    camera.now += 0.8
    said = names_of(camera.show((cards[0], HERE)))
    assert f"2 {names[1]}" in said
    assert not [one for one in said if one == f"1 {names[0]}"]


def test_most_frames_of_a_still_scene_are_not_searched(
    camera: Camera, cards: list[RGB], monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = 0
    assess = camera.recognizer.assess

    def count(*args: Any, **kwargs: Any) -> Any:
        nonlocal searches
        searches += 1
        return assess(*args, **kwargs)

    monkeypatch.setattr(camera.recognizer, "assess", count)
    camera.show((cards[0], HERE), (cards[1], THERE), seconds=3)
    assert 2 <= searches <= 8  # of 90 frames


def test_a_name_becomes_sure_when_one_frame_shows_it(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    for _ in range(4):
        camera.now += 0.3
        blurred = _blur(camera.table.film((cards[0], HERE)), 9.0)
        assert not any(one.confident for one in camera.recognizer.recognize(blurred))
        tracked = camera.session.see(blurred, camera.recognizer, camera.now)
        assert not any(one.detection.confident for one in tracked)
    assert names_of(camera.show((cards[0], HERE), seconds=0.4))[-1].endswith(f" {names[0]}")


def test_a_sure_name_stays_while_the_thing_is_blurred(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=0.5)
    for _ in range(20):
        camera.now += PERIOD
        blurred = _blur(camera.table.film((cards[0], HERE)), 4.0)
        tracked = camera.session.see(blurred, camera.recognizer, camera.now)
    assert names_of(tracked) == [f"1 {names[0]}"]


def test_unknown_cards_get_no_sure_name(camera: Camera, tmp_path: Path) -> None:
    draw_collection(tmp_path, count=20, seed=99)
    for picture in read_cards(tmp_path):
        tracked = camera.show((picture, HERE), seconds=0.3)
        assert not [one for one in tracked if one.detection.confident]


def test_another_index_keeps_the_ids(camera: Camera, cards: list[RGB], folder: Path) -> None:
    camera.show((cards[0], HERE), (cards[1], THERE), seconds=0.5)
    before = names_of(camera.show((cards[0], HERE), (cards[1], THERE)))
    old = camera.recognizer
    camera.recognizer = old.updated(old.index, folder / "refs")
    assert camera.recognizer is not old
    assert names_of(camera.show((cards[0], HERE), (cards[1], THERE))) == before


def test_evidence_of_one_thing_does_not_count_for_the_next(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=1)
    camera.show(seconds=0.5)
    for _ in range(8):  # so blurred that one look alone is not sure: it may be another card
        camera.now += 0.2
        blurred = _blur(camera.table.film((cards[0], HERE)), 9.0)
        tracked = camera.session.see(blurred, camera.recognizer, camera.now)
        assert not any(one.detection.confident for one in tracked)


class Later(ThreadPoolExecutor):
    """Finishes what it is given only when it is told to."""

    def __init__(self) -> None:
        super().__init__(1)
        self.may_finish = threading.Event()
        self.done: Future[Any] | None = None

    def submit(self, run: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        def wait_and_run() -> Any:
            assert self.may_finish.wait(60)
            return run(*arguments, **options)

        self.done = super().submit(wait_and_run)
        return self.done

    def drop(self) -> None:
        """Let what is under way end unseen."""
        self.may_finish.set()


def test_what_an_earlier_frame_showed_is_brought_to_where_it_lies_now(
    recognizer: Recognizer, cards: list[RGB], names: list[str]
) -> None:
    camera = Camera(recognizer)
    with Later() as later:
        camera.session = Session(later)
        camera.show((cards[0], HERE), seconds=1)
        for step in range(9):  # a search of the first of these frames is under way
            quad = laid_at(470 - 12 * step, 200 + 9 * step)
            said = names_of(camera.show((cards[0], HERE), (cards[1], quad)))
            assert said == [f"1 {names[0]}"]
        later.may_finish.set()
        assert later.done is not None
        later.done.result(60)

        quad = laid_at(470 - 12 * 9, 200 + 9 * 9)
        tracked = camera.show((cards[0], HERE), (cards[1], quad))
    assert names_of(tracked) == [f"1 {names[0]}", f"2 {names[1]}"]
    assert corner_error(tracked[1].detection.quad, quad) < 2.5


def test_the_best_picture_of_a_track_is_kept(camera: Camera, cards: list[RGB]) -> None:
    camera.show((cards[0], laid_at(200, 240, height=150)), seconds=0.2)
    small = camera.session.picture(1)
    camera.show((cards[0], laid_at(200, 240, height=300)), seconds=0.3)
    large = camera.session.picture(1)
    camera.show((cards[0], laid_at(200, 240, height=150)), seconds=0.3)
    assert small is not None
    assert large is not None
    assert decode(large).shape[0] > 1.5 * decode(small).shape[0]
    assert camera.session.picture(1) == large
    assert camera.session.picture(2) is None


def test_time_does_not_go_back(camera: Camera, cards: list[RGB], names: list[str]) -> None:
    camera.show((cards[0], HERE), seconds=0.5)
    frame = camera.table.film((cards[0], HERE))
    assert names_of(camera.session.see(frame, camera.recognizer, 0.0)) == [f"1 {names[0]}"]


def test_frames_of_another_size_are_seen_anew(
    camera: Camera, cards: list[RGB], names: list[str]
) -> None:
    camera.show((cards[0], HERE), seconds=0.3)
    frame = camera.table.film((cards[0], HERE))
    larger = np.asarray(cv2.resize(frame, (1280, 960)))
    said = names_of(camera.session.see(larger, camera.recognizer, camera.now + 0.03))
    assert said == [f"1 {names[0]}"]


@pytest.mark.parametrize("size", [(1, 1), (2, 3000), (3000, 2), (30, 40)])
def test_frames_of_any_shape_are_taken(camera: Camera, size: tuple[int, int]) -> None:
    frame = np.zeros((*size, 3), np.uint8)
    for now in (0.0, 0.1, 0.2):
        assert camera.session.see(frame, camera.recognizer, now) == []


def _refuse_to_search(*_: Any, **__: Any) -> Any:
    raise AssertionError("searched")


def _blur(frame: RGB, sigma_px: float) -> RGB:
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma_px), np.uint8)
