"""References in four parts: the same evidence as in one, and no name that a part which is away
could contradict.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import draw_collection
from PIL import Image
from starlette.testclient import TestClient

from data_label_factory.errors import FactoryError
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.distributed.shard import Shard
from data_label_factory.identify.distributed.shard_pool import ShardLostError
from data_label_factory.identify.distributed.sharded_recognizer import ShardedRecognizer
from data_label_factory.identify.encoders import Embedder, OnnxEncoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.feature_store import feature_store_path
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.settings import Settings

PARTS = 4
FIRST, LAST = "AAA-EN001_twin_of_one_card_c.jpg", "ZZZ-EN001_another_thing_c.jpg"


class PoolHere:
    """Shards in this process. Those in `dead` do not answer."""

    parts = PARTS

    def __init__(self, folder: Path) -> None:
        self._shards = [Shard(folder, part, PARTS) for part in range(PARTS)]
        self.state = self._shards[0].state()
        self.missing: frozenset[int] = frozenset()
        self.changes = 0
        self.dead: set[int] = set()

    def put(self, value: Any) -> Any:
        return value

    def ask(self, questions: dict[int, tuple[Any, ...]]) -> dict[int, Any]:
        if self.missing & questions.keys():
            raise ShardLostError
        if lost := self.dead & questions.keys():
            self.missing |= lost
            self.changes += 1
            raise ShardLostError
        return {
            part: getattr(self._shards[part], method)(*arguments)
            for part, (method, *arguments) in questions.items()
        }

    def ask_all(self, method: str, *arguments: Any) -> dict[int, Any]:
        there = [part for part in range(PARTS) if part not in self.missing]
        return self.ask(dict.fromkeys(there, (method, *arguments)))

    def heal(self) -> None:
        self.dead, self.missing = set(), frozenset()
        self.changes += 1


class Setup:
    """Sixteen cards; the first and the last reference show nearly the same."""

    def __init__(self, folder: Path, encoder: OnnxEncoder) -> None:
        self.refs, self.file = folder / "refs", folder / "i.npz"
        card, *_ = draw_collection(self.refs, 16)
        (self.refs / FIRST).write_bytes(card.read_bytes())
        twin = np.array(Image.open(card))
        twin[-12:-4, 4:24] = 255
        Image.fromarray(twin).save(self.refs / LAST, quality=92)
        card.unlink()
        self.embedder = Embedder(encoder)
        self.index = build_index(self.refs, self.file, self.embedder, quiet=True).index
        known = {"refs": self.refs, "cache": feature_store_path(self.file)}
        self.plain = Recognizer(self.index, self.embedder, **known)
        self.pool = PoolHere(feature_store_path(self.file))
        self.sharded = ShardedRecognizer(self.pool, self.index, self.embedder, **known)

    def part_of(self, reference: str) -> int:
        number = self.plain.references.numbers_of([self.index.row_of[reference]])[0]
        return number * PARTS // len(self.index)

    def show(self, *references: str, seed: int = 0) -> RGB:
        pictures = [decode(self.refs / name) for name in references]
        return render_view(pictures, np.random.default_rng(seed), width=640, height=480).image


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sscd: OnnxEncoder) -> Setup:
    return Setup(tmp_path_factory.mktemp("shards"), sscd)


@pytest.fixture
def four(shared: Setup) -> Iterator[Setup]:
    yield shared
    shared.pool.heal()


def evidence(recognizer: Recognizer, found: list[Assessment]) -> list[tuple[object, ...]]:
    rates = recognizer._rates
    return [
        (one.row, one.log_odds, rates.of(one), one.near_duplicates, one.quad.tobytes())
        for one in found
    ]


def test_four_parts_find_the_same_evidence_as_one(four: Setup) -> None:
    names = four.index.references.tolist()
    for at in range(0, len(names) - 2, 3):
        frame = four.show(*names[at : at + 3], seed=at)
        found = four.sharded.assess(frame)
        assert evidence(four.sharded, found) == evidence(four.plain, four.plain.assess(frame))
        assert found


def test_the_same_is_found_in_a_frame_that_cuts_things_off(four: Setup) -> None:
    frame = four.show(FIRST)[:, 290:]
    found = four.sharded.assess(frame)
    assert any(one.pose is not None and one.pose.mask is not None for one in found)
    assert evidence(four.sharded, found) == evidence(four.plain, four.plain.assess(frame))


def test_whatever_part_is_away_no_name_is_surely_wrong(four: Setup) -> None:
    """And what the others hold is still named."""
    names = four.index.references.tolist()
    sure = 0
    for at, name in enumerate(names):
        for part in {four.part_of(name), at % PARTS}:
            four.pool.heal()
            four.pool.dead = {part}
            for one in four.sharded.recognize(four.show(name, seed=at)):
                assert one.name == four.index.label(at).name or not one.confident, name
                sure += one.confident
    assert sure >= 0.6 * len(names)  # three of four in the second look, but for the twins


def test_what_looks_like_something_away_is_not_sure(four: Setup) -> None:
    """Also where the near-duplicate alone knows of it."""
    for there, away in ((FIRST, LAST), (LAST, FIRST)):
        four.pool.heal()
        four.pool.dead = {four.part_of(away)}
        (found,) = four.sharded.recognize(four.show(away))
        assert found.reference == there
        assert not found.confident
        assert found.false_accept_rate == 1
        assert away in found.ambiguous_with


def test_a_part_of_a_thing_is_not_sure_beside_something_away(four: Setup) -> None:
    name = four.index.references[1]
    frame = four.show(name)[:, 290:]
    assert any(one.confident for one in four.plain.recognize(frame))
    four.pool.dead = {PARTS - 1}
    assert not any(one.confident for one in four.sharded.recognize(frame))


def test_it_is_partial_from_the_frame_that_loses_a_part_on(four: Setup) -> None:
    frame = four.show(FIRST)
    was_partial = four.sharded.watch_gaps()
    four.sharded.assess(frame)
    assert not was_partial()
    four.pool.dead = {2}
    four.sharded.assess(frame)
    assert was_partial()
    assert four.sharded.watch_gaps()()
    four.pool.heal()
    assert not four.sharded.watch_gaps()()
    assert evidence(four.sharded, four.sharded.assess(frame)) == evidence(
        four.plain, four.plain.assess(frame)
    )


def test_the_server_says_that_an_answer_is_partial(four: Setup) -> None:
    settings = Settings(four.file, four.refs, lists="none", read="never")
    engine = Engine(settings, partial(ShardedRecognizer, four.pool))
    engine.load()
    with TestClient(create_app(settings, engine), base_url="http://localhost") as client:
        picture = (four.refs / FIRST).read_bytes()
        whole = client.post("/api/falcon", files={"image": picture}).json()
        assert "partial" not in whole
        four.pool.dead = {four.part_of(LAST)}
        less = client.post("/api/falcon", files={"image": picture}).json()
    assert less["partial"] is True
    assert not less["masks"][0]["confident"]


def test_shards_of_another_state_are_refused(four: Setup, tmp_path: Path) -> None:
    four.index.taken(np.arange(5)).save(tmp_path / "small.npz")
    small = Index.load(tmp_path / "small.npz")
    known = {"refs": four.refs, "cache": feature_store_path(tmp_path / "small.npz")}
    with pytest.raises(FactoryError, match="have changed since the shards started"):
        ShardedRecognizer(four.pool, small, four.embedder, **known)
