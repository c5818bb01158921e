"""Two machines of a Ray cluster, both on this one: build, serve, and lose one meanwhile.

    python bench/demo_ray.py [--cards 24] [--out demo-output/ray]

Draws sample cards, encodes them with both machines, and serves them with two replicas and two
shards. Twice the second machine is killed, as if its power was cut.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import threading
import time
from collections import Counter
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from data_label_factory.extras import need
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.distributed.build import build_on_ray
from data_label_factory.identify.distributed.cluster import NAMESPACE
from data_label_factory.identify.distributed.serve import deployed, prepare
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
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
    _say("2/4 starting two machines")
    machines = Machines()
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        with redirect_stdout(io.StringIO()):  # Ray tells at length that a machine has died
            ray.init(machines.cluster.address, namespace=NAMESPACE, **quiet)
            index = _build(machines, refs, options.out)
            _serve(ray, machines, refs, index)
    finally:
        ray.shutdown()
        machines.cluster.shutdown()


def _say(*words: object) -> None:
    print(*words, file=sys.__stdout__, flush=True)


def _draw(out: Path, count: int) -> Path:
    _say(f"1/4 drawing {count} cards into {out / 'refs'}")
    shutil.rmtree(out, ignore_errors=True)
    refs = out / "refs"
    refs.mkdir(parents=True)
    draw_collection(refs, count=count)
    return refs


def _build(machines: Machines, refs: Path, out: Path) -> Path:
    _say("3/4 encoding with both; the second one is killed on the way")
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
    _say(f"    {len(result.index)} of {len(list(refs.iterdir()))} cards are in the index")
    machines.start_second()
    return index


def _serve(ray: Any, machines: Machines, refs: Path, index: Path) -> None:
    _say("4/4 serving with two replicas and two shards")
    settings = prepare(Settings(index, refs, port=0, log_level="error"), 2, 2)
    with deployed(ray, settings, 2, 2) as url:
        cards = sorted(refs.iterdir())
        _say("    all there:           ", dict(_count(url, cards)))
        machines.kill_second()
        _say("    the second is killed:", dict(_count(url, cards)))
        machines.start_second()
        until = time.monotonic() + _WATCHED_SECONDS
        while (counts := _count(url, cards))["partial"] and time.monotonic() < until:
            time.sleep(_PAUSE_SECONDS)
        _say("    another takes over:  ", dict(counts))


def _count(url: str, cards: list[Path]) -> Counter[str]:
    """How the server names a photo of each card."""
    counts: Counter[str] = Counter()
    for number, card in enumerate(cards):
        frame = render_view([decode(card)], np.random.default_rng(number)).image
        answer = _ask(url, frame)
        sure = [mask for mask in answer["masks"] if mask["confident"]]
        right = sum(mask["ref_filename"] == card.name for mask in sure)
        counts["sure and right"] += right
        counts["sure and wrong"] += len(sure) - right
        counts["partial"] += bool(answer.get("partial"))
    return counts


def _ask(url: str, frame: Any) -> Any:
    """The answer to a frame; what a dying machine had taken is sent again."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=90)
    while True:
        sent = {"image": file.getvalue()}
        response = requests.post(f"{url}api/falcon", files=sent, timeout=_WATCHED_SECONDS)
        if response.status_code == 200:
            return response.json()


if __name__ == "__main__":
    main()
