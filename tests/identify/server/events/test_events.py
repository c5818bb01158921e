"""Events: told once of a thing, in order, to many at once, and never waited for."""

import threading
from typing import Any

import pytest

from data_label_factory.identify.server.events import Events, Sightings, hub
from data_label_factory.identify.server.schemas import Box, Mask, Neighbor
from data_label_factory.identify.server.work_queue import BusyError


def mask(name: str, track: int = 1, *, sure: bool = True, lost: float = 0.0) -> Mask:
    return Mask(
        bbox_norm=Box(x1=0, y1=0, x2=1, y2=1),
        area_fraction=1,
        label=name,
        name=name,
        rarity="",
        set_code="",
        score=1,
        margin=1,
        confident=sure,
        top_k=[Neighbor(name=name, filename=f"{name}.jpg", score=1)],
        ref_filename=f"{name}.jpg",
        ref_url=f"/refs/{name}.jpg",
        quad_norm=[(0, 0)] * 4,
        inliers=9,
        price={"median": 3},
        ambiguous_with=[],
        variants=[],
        false_accept_rate=0,
        track_id=track,
        lost_seconds=lost,
    )


class Told:
    """What sightings publish."""

    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any]]] = []
        self.sightings = Sightings(lambda kind, data: self.all.append((kind, data)))

    def see(self, at: float, *masks: Mask, session: str = "desk") -> list[tuple[str, str]]:
        """Take in an answer, then tell what is new: kinds and names."""
        before = len(self.all)
        self.sightings.take_in(session, masks, at)
        self.sightings.expire(at)
        return [(kind, data["name"]) for kind, data in self.all[before:]]


def test_a_thing_is_seen_once_and_gone_once() -> None:
    told = Told()
    assert told.see(0.0, mask("Opt")) == [("seen", "Opt")]
    assert told.see(0.1, mask("Opt"), mask("Owl", 2)) == [("seen", "Owl")]
    for frame in range(2, 40):
        assert told.see(frame / 10, mask("Opt")) == ([("gone", "Owl")] if frame == 32 else [])
    assert told.see(9.0) == [("gone", "Opt")]
    assert told.see(99.0) == []
    assert told.all[-1][1]["seconds"] == 3.9


def test_what_comes_back_within_its_time_was_never_gone() -> None:
    told = Told()
    told.see(0.0, mask("Opt"))
    assert told.see(0.5, mask("Opt", lost=0.5, sure=False)) == []
    assert told.see(2.0) == []
    assert told.see(2.9, mask("Opt")) == []
    assert told.see(5.8, mask("Opt", lost=0.9)) == []
    assert told.see(6.0) == [("gone", "Opt")]


def test_unsure_is_told_after_a_while_with_its_candidates() -> None:
    told = Told()
    assert told.see(0.0, mask("Opt", sure=False)) == []
    assert told.see(1.4, mask("Opt", sure=False)) == []
    assert told.see(1.5, mask("Opt", sure=False)) == [("unsure", "Opt")]
    assert told.all[-1][1]["candidates"][0]["filename"] == "Opt.jpg"
    assert told.see(3.0, mask("Opt", sure=False)) == []
    assert told.see(3.1, mask("Opt")) == [("seen", "Opt")]
    assert told.see(3.2, mask("Opt", sure=False)) == []
    assert told.see(9.0) == [("gone", "Opt")]


def test_a_corrected_name_is_told_and_cameras_are_told_apart() -> None:
    told = Told()
    told.see(0.0, mask("Opt"))
    assert told.see(0.1, mask("Owl")) == [("seen", "Owl")]
    assert told.see(0.2, mask("Owl"), session="phone") == [("seen", "Owl")]
    data = told.all[-1][1]
    assert (data["session"], data["track"]) == ("phone", 1)
    assert data["picture"] == "/api/sessions/phone/tracks/1/picture"
    assert data["price"] == {"median": 3}
    assert told.see(0.3, Mask.model_validate({**mask("X").model_dump(), "track_id": None})) == []


def take_all(listener: hub.Listener) -> tuple[int, list[int]]:
    dropped, numbers = 0, []
    while True:
        count, event = listener.take()
        dropped += count
        if event is None:
            return dropped, numbers
        numbers.append(event.number)


def test_a_listener_that_is_slow_loses_the_oldest_and_is_told_how_many() -> None:
    events = Events()
    listener = events.listen(lambda: None)
    for _ in range(hub._MOST_WAITING + 10):
        events.publish("seen", {})
    dropped, numbers = take_all(listener)
    assert dropped == 10
    assert numbers == list(range(11, hub._MOST_WAITING + 11))
    assert take_all(listener) == (0, [])


def test_who_was_away_gets_what_is_kept_and_is_told_of_the_rest() -> None:
    events = Events()
    first = events.publish("seen", {})
    for _ in range(3):
        events.publish("gone", {})
    assert take_all(events.listen(lambda: None)) == (0, [])
    assert take_all(events.listen(lambda: None, after=first.id)) == (0, [2, 3, 4])
    assert take_all(events.listen(lambda: None, ["seen"], after=f"{events.run}-0")) == (0, [1])
    assert take_all(events.listen(lambda: None, after=f"{events.run}-99999999999999999999999")) == (
        0,
        [],
    )

    for _ in range(hub._KEPT):
        events.publish("seen", {})
    missed, numbers = take_all(events.listen(lambda: None, after=first.id))
    assert (missed, numbers[0], len(numbers)) == (3, 5, hub._KEPT)


@pytest.mark.parametrize("foreign", ["abcdef01-2", "nonsense", "-", "x-²"])
def test_an_id_of_another_run_gets_all_that_is_kept(foreign: str) -> None:
    events = Events()
    events.publish("seen", {})
    assert take_all(events.listen(lambda: None, after=foreign)) == (0, [1])


def test_too_many_listeners_are_refused_until_one_goes() -> None:
    events = Events()
    listeners = [events.listen(lambda: None) for _ in range(hub._MOST_LISTENERS)]
    with pytest.raises(BusyError):
        events.listen(lambda: None)
    events.forget(listeners[0])
    events.forget(listeners[0])
    assert events.listen(lambda: None)
    assert len(events) == hub._MOST_LISTENERS


def test_many_threads_lose_nothing_and_keep_the_order() -> None:
    events = Events()
    listener = events.listen(lambda: None)
    threads = [
        threading.Thread(target=lambda: [events.publish("seen", {}) for _ in range(25)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert take_all(listener) == (0, list(range(1, 201)))


def test_what_cannot_be_told_is_an_error_of_who_tells() -> None:
    events = Events()
    with pytest.raises(ValueError, match="none of"):
        events.publish("sen", {})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        events.publish("seen", {"at": object()})
    assert events.publish("taken", {"name": "Opt\udce9"}).number == 1
