"""The bench of live recognition: its drawn videos, and what it makes of recordings."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from drawn import draw_collection
from websockets.sync.server import serve

from data_label_factory.identify.quad import straighten

BENCH = Path(__file__).parents[2] / "bench"
FRAME = 1 / 30
CARD = np.array([[100, 100], [200, 100], [200, 240], [100, 240]], np.float32)
ELSEWHERE = CARD + np.float32([300, 0])


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The bench's modules, under their names without `live_`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        names = ("client", "drawing", "judge", "page", "places", "report", "scenes", "script")
        yield SimpleNamespace(**{name: importlib.import_module(f"live_{name}") for name in names})
        for name in [name for name in sys.modules if name.startswith("live_")]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def cards(bench: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    return list(bench.script.read_cards(draw_collection(tmp_path_factory.mktemp("cards"), 8)))


def picture(frame: Any) -> np.ndarray:
    """The frame as a viewer decodes it, blue first."""
    return np.asarray(cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR))


def test_a_seed_draws_the_same_video_twice_and_another_one_another(
    bench: SimpleNamespace, cards: list[Any]
) -> None:
    def draw(seed: int) -> list[tuple[bytes, str]]:
        known, unknown = cards[:5], [bench.script.Card(None, card.picture) for card in cards[5:]]
        scene = next(bench.scenes.draw_video(known, unknown, seed, 1))
        frames = [next(scene) for _ in range(45)]
        return [(frame.jpeg, str(frame.things)) for frame in frames]

    first = draw(3)
    assert first == draw(3)
    assert len({jpeg for jpeg, _ in first}) == 45
    assert not {jpeg for jpeg, _ in first} & {jpeg for jpeg, _ in draw(4)}


def test_the_true_quads_hold_the_cards(bench: SimpleNamespace, cards: list[Any]) -> None:
    pictures = {card.name: card.picture for card in cards}
    scene = bench.script.swap_scene(cards[:3])
    checked = 0
    for frame in list(bench.scenes.draw_scene(scene))[::9]:
        for thing in frame.things:
            if not thing.readable:
                continue
            crop = straighten(picture(frame), thing.quad, 96)
            # Nothing but the right quad, not even a turned one, looks like the card.
            looks = [alike(np.rot90(crop, turn), pictures[thing.name]) for turn in range(4)]
            assert looks[0] > 0.85, (frame.number, looks)
            assert max(looks[1:]) < 0.6
            moved = straighten(picture(frame), thing.quad + 12, 96)
            assert alike(moved, pictures[thing.name]) < looks[0] - 0.1
            checked += 1
    assert checked > 20


def alike(crop: np.ndarray, card: np.ndarray) -> float:
    """Correlation of two pictures in grey, the second one squeezed to the first one's size."""
    small = cv2.resize(card, crop.shape[1::-1], interpolation=cv2.INTER_AREA)
    grey = [image.mean(axis=2).ravel().astype(np.float64) for image in (crop, small)]
    return float(np.corrcoef(*grey)[0, 1])


def test_what_is_seen_of_a_card_and_what_can_be_read(
    bench: SimpleNamespace, cards: list[Any]
) -> None:
    scene = bench.script.Scene(np.random.default_rng(1))
    stay = scene.lay(cards[0], (320, 240, 300), None, 1.0)
    scene.act(stay, "cover")
    covered = stay.end - 0.65  # in the middle of it
    scene.act(stay, "still")
    lies = stay.end
    scene.act(stay, "glare")
    glare = lies + 1.0
    scene.take(stay)
    frames = list(bench.scenes.draw_scene(scene))

    def at(seconds: float) -> Any:
        (thing,) = frames[round(seconds * 30)].things
        return thing

    assert not frames[0].things
    assert not frames[-1].things
    assert at(covered).visible < 0.7
    assert not at(covered).readable
    assert at(lies).visible > 0.97
    assert at(lies).readable
    assert at(glare).visible > 0.7
    assert not at(stay.end - 0.15).readable  # it is swept off the table


def test_unknown_cards_have_no_name_and_none_that_is_known(
    bench: SimpleNamespace, cards: list[Any], tmp_path: Path
) -> None:
    unknown = bench.script.draw_unknown(tmp_path, cards, 3, seed=1)
    assert [card.name for card in unknown] == [None] * 3
    assert not {card.picture.tobytes() for card in unknown} & {c.picture.tobytes() for c in cards}

    shown = [stay.card.name for n in range(9) for stay in plan(bench, cards, unknown, n).stays]
    assert 0.1 < shown.count(None) / len(shown) < 0.4


def plan(bench: SimpleNamespace, known: list[Any], unknown: list[Any], number: int) -> Any:
    return bench.script.plan_scene(known, unknown, (0, number))


def test_no_name_is_twice_in_a_scene_and_the_next_card_comes_after_a_planned_gap(
    bench: SimpleNamespace, cards: list[Any]
) -> None:
    gaps = set()
    for number in range(20):
        scene = plan(bench, cards, [], number)
        names = [stay.card.name for stay in scene.stays]
        assert len(set(names)) == len(names)
        for before, stay in pairwise(scene.stays):
            if stay.lies_at > before.lies_at + 2:  # in the same place
                gaps.add(round(stay.lies_at - before.end, 3))
    assert gaps == {0.0, 0.5, 1.0}


@pytest.mark.parametrize("number", [0, 1, 431, 32_767])
def test_a_frame_number_survives_compression(bench: SimpleNamespace, number: int) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    bench.drawing.stamp(frame, number)
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 50])
    seen = cv2.imdecode(data, cv2.IMREAD_COLOR)
    row = seen[bench.drawing.STRIP_PX // 2, 16::32, 1]
    assert bench.page.read_number((row > 128).astype(int).tolist()) == number
    wrong = (row > 128).astype(int)
    wrong[number % 20] ^= 1
    assert bench.page.read_number(wrong.tolist()) is None


class Tape:
    """A recording made by hand: what lies there and what is shown, from second to second."""

    def __init__(self, bench: SimpleNamespace) -> None:
        self._bench = bench
        self.moments: list[Any] = []

    def add(self, frames: int, things: Sequence[Any] = (), tracks: Sequence[Any] = ()) -> None:
        for _ in range(frames):
            at = len(self.moments) * FRAME
            self.moments.append(self._bench.places.Moment(at, things, tracks))

    def thing(self, number: int, name: str | None, quad: np.ndarray = CARD, **more: Any) -> Any:
        known = {"visible": 1.0, "readable": True, **more}
        return self._bench.scenes.Thing(number, name, quad, **known)

    def track(self, name: str, quad: np.ndarray | None = CARD, **more: Any) -> Any:
        return self._bench.places.Shown(name, more.pop("sure", True), quad, **more)


@pytest.fixture
def tape(bench: SimpleNamespace) -> Tape:
    return Tape(bench)


def test_time_to_the_first_sure_name(bench: SimpleNamespace, tape: Tape) -> None:
    blurred = tape.thing(1, "Owl", readable=False)
    owl = tape.thing(1, "Owl")
    elk = tape.thing(2, "Elk", ELSEWHERE)
    tape.add(10, [blurred])
    tape.add(15, [owl, elk])
    tape.add(5, [owl, elk], [tape.track("Owl", sure=False)])
    tape.add(40, [owl, elk], [tape.track("Owl")])
    figures = bench.judge.judge(tape.moments)
    assert sorted(figures.to_name) == [pytest.approx(20 * FRAME), float("inf")]
    # The last moment lasts for nothing: 39 of 2 × 59 frames.
    assert figures.readable_named == pytest.approx(39 / 118)
    assert figures.things == 2


def test_a_thing_that_is_readable_too_shortly_is_not_judged(
    bench: SimpleNamespace, tape: Tape
) -> None:
    tape.add(29, [tape.thing(1, "Owl")])
    tape.add(1, [tape.thing(1, "Owl", readable=False)])
    tape.add(29, [tape.thing(1, "Owl")])
    assert bench.judge.judge(tape.moments).to_name == []


def test_the_old_name_on_the_next_thing(bench: SimpleNamespace, tape: Tape) -> None:
    tape.add(60, [tape.thing(1, "Owl")], [tape.track("Owl", addable=True)])
    tape.add(6, [tape.thing(2, "Elk")], [tape.track("Owl", CARD + 5, addable=True)])
    tape.add(3, [tape.thing(2, "Elk")], [tape.track("Owl", addable=False)])
    tape.add(2, [tape.thing(2, "Elk")], [tape.track("Owl", sure=False)])
    tape.add(40, [tape.thing(2, "Elk")], [tape.track("Elk")])
    figures = bench.judge.judge(tape.moments)
    assert figures.swaps == [pytest.approx(9 * FRAME)]
    assert figures.swaps_addable == [pytest.approx(6 * FRAME)]
    assert figures.wrong == 0


def test_two_things_side_by_side_are_no_swap(bench: SimpleNamespace, tape: Tape) -> None:
    tape.add(60, [tape.thing(1, "Owl")], [tape.track("Owl")])
    tape.add(60, [tape.thing(2, "Elk", ELSEWHERE)], [tape.track("Owl")])
    figures = bench.judge.judge(tape.moments)
    assert figures.swaps == []
    assert figures.stays == [pytest.approx(59 * FRAME)]


def test_a_name_that_stays_after_its_thing_has_left(bench: SimpleNamespace, tape: Tape) -> None:
    tape.add(40, [tape.thing(1, "Owl"), tape.thing(2, "Elk", ELSEWHERE)], [tape.track("Owl")])
    tape.add(12, [tape.thing(2, "Elk", ELSEWHERE)], [tape.track("Owl")])
    tape.add(12, [tape.thing(2, "Elk", ELSEWHERE)], [tape.track("Owl", sure=False)])
    tape.add(30, [], [])
    # Elk was never named, so that it has nothing to leave behind.
    assert bench.judge.judge(tape.moments).stays == [pytest.approx(12 * FRAME)]


def test_a_name_that_goes_with_its_thing_stays_for_nothing(
    bench: SimpleNamespace, tape: Tape
) -> None:
    tape.add(40, [tape.thing(1, "Owl")], [tape.track("Owl")])
    tape.add(30)
    assert bench.judge.judge(tape.moments).stays == [0]


def test_wrong_names_are_counted_once_and_those_on_unknown_things_apart(
    bench: SimpleNamespace, tape: Tape
) -> None:
    stranger = tape.thing(1, None)
    tape.add(20, [stranger], [tape.track("Owl", sure=False)])
    tape.add(5, [stranger], [tape.track("Owl")])
    tape.add(5, [stranger])
    tape.add(5, [stranger], [tape.track("Owl")])
    tape.add(30, [stranger])
    tape.add(5, [stranger], [tape.track("Owl", ELSEWHERE)])
    figures = bench.judge.judge(tape.moments)
    assert (figures.wrong, figures.wrong_on_unknown) == (2, 1)
    assert figures.minutes == pytest.approx(69 * FRAME / 60)


def test_verdicts_on_a_name_here_behind_gone_swapped_and_elsewhere(
    bench: SimpleNamespace, tape: Tape
) -> None:
    owl, elk = tape.thing(1, "Owl", ELSEWHERE), tape.thing(2, "Elk")
    behind, unsure = tape.track("Owl"), tape.track("Owl", sure=False)
    tape.add(30, [tape.thing(1, "Owl")], [behind])
    tape.add(59, [owl], [behind])
    tape.add(1, [owl], [unsure])
    tape.add(5, [owl], [behind])
    tape.add(5, [owl, elk], [behind])
    tape.add(5, [owl], [tape.track("Owl", CARD + np.float32([0, 200]))])
    tape.add(240, [owl], [tape.track("Owl", ELSEWHERE)])
    tape.add(5, [owl], [behind])

    verdicts = [row[0] for row in bench.judge.classify(tape.moments)]
    runs = [(verdict, len(list(run))) for verdict, run in groupby(verdicts)]
    assert runs == [
        ("right", 89),
        (None, 1),
        ("left", 5),
        ("swapped", 5),
        ("wrong", 5),
        ("right", 240),
        ("wrong", 5),
    ]


def test_outlines_behind_their_thing(bench: SimpleNamespace, tape: Tape) -> None:
    behind = 6
    for frame in range(60):
        there = [CARD + np.float32([4 * max(0, at), 0]) for at in (frame, frame - behind)]
        # An outline may begin with another corner.
        shown = np.roll(there[1], frame % 4, axis=0)
        tape.add(1, [tape.thing(1, "Owl", there[0])], [tape.track("Owl", shown)])
    figures = bench.judge.judge(tape.moments)
    assert figures.lag == pytest.approx(behind * FRAME)
    assert max(figures.outline_px) == pytest.approx(4 * behind)
    assert np.median(figures.moving_px) == pytest.approx(4 * behind)


def test_switches_of_ids(bench: SimpleNamespace, tape: Tape) -> None:
    owl, elk = tape.thing(1, "Owl"), tape.thing(2, "Elk", ELSEWHERE)
    other = tape.track("Elk", ELSEWHERE, id=9)
    tape.add(5, [owl, elk], [tape.track("Owl", id=1), other])
    tape.add(5, [owl, elk], [other])
    tape.add(5, [owl, elk], [tape.track("Owl", id=1), other])
    tape.add(5, [owl, elk], [tape.track("Owl", id=2), other])
    figures = bench.judge.judge(tape.moments)
    assert (figures.switches, figures.tracks) == (1, 3)


def test_scenes_add_up(bench: SimpleNamespace) -> None:
    one = bench.judge.Figures(minutes=1, things=2, to_name=[0.1], readable_named=0.5, lag=0.2)
    other = bench.judge.Figures(minutes=3, wrong=1, to_name=[0.3], readable_named=0.9)
    both = bench.judge.merge([one, other])
    assert (both.minutes, both.things, both.wrong) == (4, 2, 1)
    assert both.to_name == [0.1, 0.3]
    assert both.readable_named == pytest.approx(0.8)
    assert both.lag == pytest.approx(0.2)


def test_each_frame_is_laid_beside_what_was_shown_last(bench: SimpleNamespace) -> None:
    frames = [bench.scenes.Frame(number, b"", []) for number in range(4)]
    shown = [(FRAME, ["first"]), (2.5 * FRAME, ["second"])]
    aligned = [moment.tracks for moment in bench.judge.align(frames, shown)]
    assert aligned == [(), ["first"], ["first"], ["second"]]


class Echo:
    """A link that answers the frames it took in, `delay` receptions late."""

    most = 2

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self._next = 0

    def send(self, jpeg: bytes) -> int:
        self.sent.append(jpeg)
        return len(self.sent) - 1

    def receive(self, patience: float) -> tuple[int, dict[str, Any]] | None:
        if self._next == len(self.sent):
            return None
        self._next += 1
        mask = {"name": "Owl", "confident": True, "quad_norm": (CARD / (640, 480)).tolist()}
        return self._next - 1, {"image_size": [640, 480], "masks": [{**mask, "track_id": 3}]}

    def close(self) -> None:
        pass


@pytest.mark.parametrize("realtime", [True, False])
def test_a_camera_plays_frames_to_a_server(bench: SimpleNamespace, realtime: bool) -> None:
    frames = [bench.scenes.Frame(30 + number, bytes([number]), []) for number in range(6)]
    link = Echo()
    recording = bench.client.Recording()
    bench.client.play(link, frames, recording, realtime=realtime)
    assert link.sent == [frame.jpeg for frame in frames]
    assert len(recording.latencies) == 6
    assert recording.played >= 5 * FRAME
    assert [seconds for seconds, _ in recording.shown] == sorted(s for s, _ in recording.shown)
    assert recording.shown[0][0] >= 1
    (track,) = recording.shown[-1][1]
    assert (track.name, track.sure, track.id) == ("Owl", True, 3)
    np.testing.assert_allclose(track.quad, CARD, atol=1e-3)


def test_a_socket_skips_the_frames_that_got_no_answer(bench: SimpleNamespace) -> None:
    def answer(socket: Any) -> None:
        assert "session=" in socket.request.path
        for number, _ in enumerate(socket):
            if number % 2:
                masks: dict[str, Any] = {"image_size": [640, 480], "masks": []}
                refused = {"status": 503, "detail": "busy"}
                socket.send(json.dumps({"frame": number, **(refused if number > 3 else masks)}))

    frames = [bench.scenes.Frame(number, b"jpeg", []) for number in range(6)]
    with serve(answer, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        link, remark = bench.client.open_session(server.socket.getsockname()[1], b"jpeg")
        assert remark == "session over WebSocket"
        recording = bench.client.Recording()
        bench.client.play(link, frames, recording, realtime=True)
        link.close()
        server.shutdown()
    assert (len(recording.latencies), recording.refused) == (2, 1)
    assert [tracks for _, tracks in recording.shown] == [[], []]


def test_the_page_is_read_from_the_film_beginning_to_its_end(bench: SimpleNamespace) -> None:
    def sample(number: int, at: float, answers: int) -> dict[str, Any]:
        row = {"id": "7", "name": "Owl", "sure": True, "missed": False, "addable": True}
        # The video lies in the middle of a canvas that is twice as large and too wide.
        quad = (CARD * 2 + np.float32([100, 0])).tolist()
        blocks = bench.drawing.number_bits(number)
        shown = {"rows": [row], "outlines": [{"id": "7", "quad": quad}], "size": [1480, 960]}
        return json.loads(json.dumps(shown | {"at": at, "blocks": blocks, "answers": answers}))

    samples = [sample(50, 900, 0), sample(2, 1000, 0), sample(3, 1040, 1), sample(59, 2900, 1)]
    things = [[] for _ in range(61)]
    assert not bench.page.has_ended(samples, 61)
    samples.append(sample(0, 3000, 2))
    assert bench.page.has_ended(samples, 61)

    moments = bench.page.read_moments(samples, things)
    assert [moment.seconds for moment in moments] == pytest.approx([0, 0.04, 1.9])
    assert bench.page.read_answers(samples) == [pytest.approx(0.04)]
    (track,) = moments[0].tracks
    assert (track.name, track.sure, track.id, track.addable) == ("Owl", True, 7, True)
    np.testing.assert_allclose(track.quad, CARD)


def test_tables_say_never_and_nothing(bench: SimpleNamespace) -> None:
    figures = bench.judge.Figures(to_name=[0.2, float("inf")], swaps=[0.1, 0.5])
    column = bench.report.describe(figures, 4.5, [0.1])
    assert column["readable → sure name, s, p50 / p95"] == "0.20 / never"
    assert column["named within 1 s"] == "0.500"
    assert column["name sure after leaving, s, p50 / p95 / max"] == "–"
    swaps = column["swaps: old name sure on the new thing, s, p50 / p95 / max"]
    assert swaps == "0.10 / 0.50 / 0.50; 1 of 2 over 0.25 s"


def test_names_over_time(bench: SimpleNamespace, tape: Tape) -> None:
    owl, elk = tape.track("Owl"), tape.track("Elk", sure=False)
    shown = [(0.0, [owl]), (0.5, [owl, elk]), (0.9, []), (1.2, [owl]), (3.0, [owl])]
    assert bench.report.name_stretches(shown) == {"Owl": [(0.0, 1.2), (3.0, 3.0)]}
    column = bench.report.describe_names(shown)
    assert column["answers without a sure name"] == "0.200"
    assert column["unsure share of what was found"] == "0.200"
    assert column["times that the sure names changed"] == "2"
