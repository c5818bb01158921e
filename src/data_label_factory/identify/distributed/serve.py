"""The server on a Ray cluster: its application in several replicas, behind
one address.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, ModuleType
from typing import Any

from data_label_factory.errors import FactoryError
from data_label_factory.extras import need
from data_label_factory.identify.distributed.cluster import connected
from data_label_factory.identify.distributed.replica import Replica
from data_label_factory.identify.distributed.shard_pool import start_shards
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize.feature_store import feature_store_path
from data_label_factory.identify.recognize.reference_reader import read_references
from data_label_factory.identify.server.logs import log_to_stderr, note
from data_label_factory.identify.server.settings import Settings

NAME = "data_label_factory"
_REQUESTS = 256  # of a replica at a time: its own queue refuses long before that
# So often Serve looks whether a replica lives, and so long it waits for the answer.
_HEALTH_SECONDS, _PATIENCE_SECONDS = 2, 30


def serve_on_ray(settings: Settings, *, address: str, replicas: int = 1, shards: int = 1) -> None:
    """Serve until SIGTERM or Ctrl-C, with the Ray at `address`; one that
    was started for it ends as well. With several `shards`, each holds a
    part of the references; else each replica holds all.

    All machines have to see index, features and references by the same
    paths. Raises FactoryError for settings that Ray cannot serve, and if
    it cannot start.
    """
    log_to_stderr(settings.log_level)
    settings = prepare(settings, replicas, shards)
    cpus = replicas + (shards if shards > 1 else 0)  # as Ray counts them, each reserves one
    with connected(address, cpus) as ray, deployed(ray, settings, replicas, shards) as url:
        note("listening", url=url, replicas=replicas, shards=shards)
        _wait_to_be_stopped()
    note("stopped")


def prepare(settings: Settings, replicas: int, shards: int = 1) -> Settings:
    """The settings of each replica. Raises FactoryError for what only one
    process can do, and as `Settings.check`.
    """
    settings.check()
    Index.load(settings.index)
    if settings.lan or settings.ssl_certfile:
        hint = "Put a proxy in front that has the certificate"
        raise FactoryError("--lan and --ssl-certfile are for one process, not for --ray", hint)
    if replicas > 1 and settings.allow_enroll:
        hint = "Serve one replica, or change the folder, and use --watch"
        raise FactoryError("Only one replica can change the collection", hint)

    if shards > 1 and (settings.watch or settings.allow_enroll or not settings.refs):
        hint = "Index with --ray, and start again"
        raise FactoryError("Shards need --refs, and keep to what they started with", hint)

    # A file of lists is for the processes of one machine.
    lists = settings.lists or ("none" if replicas > 1 else "")
    refs = settings.refs.absolute() if settings.refs else None
    port = settings.port or _find_free_port(settings.host)
    return replace(settings, index=settings.index.absolute(), refs=refs, lists=lists, port=port)


@contextmanager
def deployed(ray: ModuleType, settings: Settings, replicas: int, shards: int = 1) -> Iterator[str]:
    """The application at its address while the block runs; it answers
    from the beginning. Raises FactoryError where no replica can start.
    """
    serve = need("ray.serve", extra="ray")
    started = _start_shards(ray, settings, shards) if shards > 1 else []
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": settings.host, "port": settings.port},
    )
    deployment = serve.deployment(
        serve.ingress()(Replica),
        name="replica",
        num_replicas=replicas,
        max_ongoing_requests=_REQUESTS,
        ray_actor_options={"num_cpus": 1},
        health_check_period_s=_HEALTH_SECONDS,
        health_check_timeout_s=_PATIENCE_SECONDS,
        graceful_shutdown_timeout_s=_PATIENCE_SECONDS,
        max_constructor_retry_count=1,
    )
    try:
        try:
            serve.run(deployment.bind(settings, shards), name=NAME)
        except (RuntimeError, ray.exceptions.RayError) as exc:
            raise FactoryError(f"No replica can start: {exc}") from exc
        yield f"http://{settings.host}:{settings.port}/"
    finally:
        serve.shutdown()
        for shard in started:
            ray.kill(shard)


def _start_shards(ray: ModuleType, settings: Settings, shards: int) -> list[Any]:
    """Start them on what is up to date. Raises FactoryError where no
    reference can be read.
    """
    folder = feature_store_path(settings.index)
    assert settings.refs is not None
    references, _ = read_references(Index.load(settings.index), settings.refs, folder=folder)
    if references is None or references.columns.folder is None:
        raise FactoryError(f"Shards need the features in {folder}", "Index with --ray")
    return start_shards(ray, folder, shards)


def _find_free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_to_be_stopped() -> None:
    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        told.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
