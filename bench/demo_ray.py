"""Two machines of a Ray cluster, both on this one: build, serve, and lose one meanwhile.

    python bench/demo_ray.py [--cards 24] [--out demo-output/ray]

Draws sample cards, encodes them with both machines, and serves them with two replicas and two
shards. Twice the second machine is killed, as if its power was cut.
"""

from __future__ import annotations

import argparse
import shutil
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import requests

from data_label_factory.extras import need
from data_label_factory.identify.distributed.build import build_on_ray
from data_label_factory.identify.distributed.cluster import NAMESPACE
from data_label_factory.identify.distributed.serve import deployed, prepare
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.server.settings import Settings
from data_label_factory.samples import draw_collection

_MEMORY = 100 * 2**20
_QUICK_TO_NOTICE = {"health_check_period_ms": 500, "health_check_failure_threshold": 4}
_WATCHED_SECONDS = 60
_PAUSE_SECONDS = 1.0


class Machines:
    """Two machines with two CPUs each, as Ray counts them."""

    def __init__(self) -> None:
        cluster = need("ray.cluster_utils", extra="ray")
        head = {"num_cpus": 2, "include_dashboard": False, "_system_config": _QUICK_TO_NOTICE}
        self.cluster = cluster.Cluster(
            initialize_head=True, head_node_args=head | {"object_store_memory": _MEMORY}
        )
        self.second: Any = None
        self.start_second()

    def start_second(self) -> None:
        self.second = self.cluster.add_node(num_cpus=2, object_store_memory=_MEMORY)

    def kill_second(self) -> None:
        self.cluster.remove_node(self.second, allow_graceful=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cards", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path("demo-output/ray"))
    options = parser.parse_args()
    refs = _draw(options.out, options.cards)

    ray = need("ray", extra="ray")
    print("2/4 starting two machines")
    machines = Machines()
    ray.init(
        machines.cluster.address, namespace=NAMESPACE, log_to_driver=False, logging_level="error"
    )
    try:
        index = _build(machines, refs, options.out)
        _serve(ray, machines, refs, index)
    finally:
        ray.shutdown()
        machines.cluster.shutdown()


def _draw(out: Path, count: int) -> Path:
    print(f"1/4 drawing {count} cards into {out / 'refs'}")
    shutil.rmtree(out, ignore_errors=True)
    refs = out / "refs"
    refs.mkdir(parents=True)
    draw_collection(refs, count=count)
    return refs


def _build(machines: Machines, refs: Path, out: Path) -> Path:
    print("3/4 encoding with both; the second one is killed on the way")
    shared = out / "shared"

    def kill_on_the_way() -> None:
        while not shared.is_dir():
            time.sleep(0.05)
        machines.kill_second()

    killer = threading.Thread(target=kill_on_the_way)
    killer.start()
    index = out / "index.npz"
    opening = partial(Embedder.open, semantic="none")
    result = build_on_ray(refs, index, opening, address="auto", shared=shared, calibrate="never")
    killer.join()
    print(f"    {len(result.index)} of {len(list(refs.iterdir()))} cards are in the index")
    machines.start_second()
    return index


def _serve(ray: Any, machines: Machines, refs: Path, index: Path) -> None:
    print("4/4 serving with two replicas and two shards")
    settings = prepare(Settings(index, refs, port=0, log_level="error"), 2, 2)
    with deployed(ray, settings, 2, 2) as url:
        cards = sorted(refs.iterdir())
        print("    all there:            ", _count(url, cards))
        machines.kill_second()
        print("    the second is killed: ", _count(url, cards))
        machines.start_second()
        until = time.monotonic() + _WATCHED_SECONDS
        while (counts := _count(url, cards))["partial"] and time.monotonic() < until:
            time.sleep(_PAUSE_SECONDS)
        print("    a machine takes over: ", counts)


def _count(url: str, cards: list[Path]) -> Counter[str]:
    """How the server names each card."""
    counts: Counter[str] = Counter()
    for card in cards:
        response = requests.post(f"{url}api/falcon", files={"image": card.read_bytes()}, timeout=60)
        if response.status_code != 200:  # what a dying machine had taken
            response = requests.post(
                f"{url}api/falcon", files={"image": card.read_bytes()}, timeout=60
            )
        answer = response.json()
        sure = [mask for mask in answer["masks"] if mask["confident"]]
        right = [mask for mask in sure if mask["ref_filename"] == card.name]
        counts += {"sure and right": len(right), "sure and wrong": len(sure) - len(right)}
        counts["partial"] += bool(answer.get("partial"))
    return counts


if __name__ == "__main__":
    main()
