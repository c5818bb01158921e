"""Two machines of a Ray cluster, both on this one: builds and servers that outlive one of them."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx2
import numpy as np
import pytest
from drawn import draw_collection, mean_color_model
from serving import reindex

from data_label_factory.errors import FactoryError
from data_label_factory.identify.distributed.build import build_on_ray
from data_label_factory.identify.distributed.cluster import NAMESPACE
from data_label_factory.identify.distributed.serve import deployed, prepare
from data_label_factory.identify.distributed.shard_pool import ShardPool, start_shards
from data_label_factory.identify.distributed.sharded_recognizer import ShardedRecognizer
from data_label_factory.identify.encoders import Embedder, Embeddings, open_encoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.feature_store import (
    LAYOUT,
    feature_store_path,
    load_store,
)
from data_label_factory.identify.refresh import refresh_index
from data_label_factory.identify.server.settings import Settings

ray = pytest.importorskip("ray")

# Ray's own, when it is imported and where it shuts down.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

_SYSTEM = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 4,
}
_MEMORY = 100 * 2**20


class SlowEncoder:
    """A toy, so slow that a machine can die meanwhile; with `refuses`, it encodes nothing."""

    def __init__(self, model: Path, seconds: float, refuses: bool = False) -> None:
        self._encoder = open_encoder(f"onnx:{model}")
        self.identity, self.dim = self._encoder.identity, self._encoder.dim
        self._seconds, self._refuses = seconds, refuses

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        if self._refuses and images:
            raise FactoryError("It was encoded already")
        time.sleep(self._seconds)
        return self._encoder.encode(images)


def open_slowly(model: Path, seconds: float = 0.2, refuses: bool = False) -> Embedder:
    return Embedder(SlowEncoder(model, seconds, refuses))


class TwoMachines:
    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 2, "include_dashboard": False, "_system_config": _SYSTEM}
        self.cluster = Cluster(
            initialize_head=True, head_node_args=head | {"object_store_memory": _MEMORY}
        )
        self.second = self.add()
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        options = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": "error"}
        ray.init(self.cluster.address, **options)

    def add(self):
        return self.cluster.add_node(num_cpus=2, object_store_memory=_MEMORY)

    def kill_second(self) -> None:
        """As if its power was cut."""
        self.cluster.remove_node(self.second, allow_graceful=False)

    def heal(self) -> None:
        if self.second not in self.cluster.list_all_nodes():
            self.second = self.add()


@pytest.fixture(scope="module")
def machines() -> Iterator[TwoMachines]:
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    running = TwoMachines()
    yield running
    ray.shutdown()
    running.cluster.shutdown()
    patch.undo()


@pytest.fixture
def two(machines: TwoMachines) -> TwoMachines:
    machines.heal()
    return machines


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    draw_collection(folder / "refs", 24)
    (folder / "refs" / "broken.jpg").write_bytes(b"no picture")
    mean_color_model(folder / "model.onnx", layout="NHWC-uint8", side=32)
    return folder


def test_a_build_outlives_a_machine_and_is_the_same_as_on_one(
    two: TwoMachines, cards: Path, tmp_path: Path
) -> None:
    refs, model = cards / "refs", cards / "model.onnx"
    shared = tmp_path / "shared"

    def pull_the_plug() -> None:
        while len(list(shared.glob("*"))) < 2:
            time.sleep(0.05)
        two.kill_second()

    killer = threading.Thread(target=pull_the_plug)
    killer.start()
    out = tmp_path / "ray.npz"
    built = build_on_ray(
        refs,
        out,
        partial(open_slowly, model),
        address="",
        shared=shared,
        calibrate="never",
        quiet=True,
    )
    killer.join()

    assert built.encoded == 24
    assert list(built.unreadable) == ["broken.jpg"]
    assert not shared.exists()
    plain = tmp_path / "plain.npz"
    one = refresh_index(refs, plain, open_slowly(model, 0), calibrate="never", quiet=True)
    assert built.index.same_rows(one.index)
    np.testing.assert_allclose(built.index.embeddings, one.index.embeddings, atol=1e-6)
    assert Index.load(out).same_rows(one.index)

    ours, theirs = load_store(feature_store_path(out)), load_store(feature_store_path(plain))
    for column in LAYOUT:
        np.testing.assert_array_equal(ours[column], theirs[column], column)


def test_a_build_that_is_repeated_takes_the_blocks_that_are_there(
    two: TwoMachines, cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, model = tmp_path / "i.npz", cards / "model.onnx"

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def build(**options: object) -> BuildResult:
        opening = partial(open_slowly, model, 0, **options)
        return build_on_ray(cards / "refs", out, opening, address="", calibrate="never", quiet=True)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("data_label_factory.identify.distributed.build.Known", interrupt)
        build()

    assert not out.exists()
    assert build(refuses=True).encoded == 24
    assert build(refuses=True).reused == 24


def test_replicas_answer_on_while_a_machine_dies(
    two: TwoMachines, cards: Path, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "i.npz", cards / "refs", encoder=f"onnx:{cards / 'model.onnx'}")
    reindex(settings)
    picture = next((cards / "refs").glob("*.jpg"))
    with deployed(ray, prepare(replace(settings, port=0), 2), 2) as url:
        names = [ask(url, picture) for _ in range(4)]
        on_second = ray.state.available_resources_per_node()[two.second.node_id]
        assert on_second["CPU"] == 1

        killer = threading.Thread(target=two.kill_second)
        killer.start()
        names += [ask(url, picture) for _ in range(12)]
        killer.join()
    assert set(names) == {names[0]}
    assert names[0]


def test_shards_that_die_come_back_by_themselves(
    two: TwoMachines, cards: Path, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "i.npz", cards / "refs", encoder=f"onnx:{cards / 'model.onnx'}")
    reindex(settings)
    index = Index.load(settings.index)
    known = {"refs": cards / "refs", "cache": feature_store_path(settings.index)}
    embedder = Embedder(open_encoder(settings.encoder))
    plain = Recognizer(index, embedder, **known)
    frame = decode(cards / "refs" / str(index.references[0]))
    expected = plain.recognize(frame)

    shards = start_shards(ray, feature_store_path(settings.index), 4)
    pool = ShardPool(4)
    sharded = ShardedRecognizer(pool, index, embedder, **known)
    assert sharded.recognize(frame) == expected

    two.kill_second()
    wait_until(lambda: (sharded.recognize(frame), pool.missing)[1])
    was_partial = sharded.watch_gaps()
    assert all(
        one.name == expected[0].name or not one.confident for one in sharded.recognize(frame)
    )
    assert was_partial()

    two.heal()
    wait_until(lambda: not pool.missing)
    was_partial = sharded.watch_gaps()
    assert sharded.recognize(frame) == expected
    assert not was_partial()
    for shard in shards:
        ray.kill(shard)


def wait_until(is_so: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


def ask(url: str, picture: Path) -> str:
    """The name of what a picture shows; what the dying machine had taken is sent again."""
    for _ in range(3):
        answer = httpx2.post(f"{url}api/falcon", files={"image": picture.read_bytes()}, timeout=30)
        if answer.status_code == 200:
            return str(answer.json()["masks"][0]["label"])
        assert answer.status_code in (500, 503), answer.text
    raise AssertionError(answer.text)
