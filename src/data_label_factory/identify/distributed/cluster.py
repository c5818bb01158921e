"""The Ray cluster that work is given to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError
from data_label_factory.extras import need

LOCAL = "local"  # the address of a Ray that is started here, and ends with the command
NAMESPACE = "data_label_factory"
# References reach the workers by their files, not through Ray's memory.
_OBJECTS_BYTES = 200 * 2**20


@contextmanager
def connected(address: str, cpus: int | None = None) -> Iterator[ModuleType]:
    """Ray at `address`, or one started on this machine that counts `cpus`
    (default: its cores); one that this process is connected to already
    is taken as it is.

    Raises MissingExtraError, and FactoryError where no Ray answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this computer
    ray = need("ray", extra="ray")
    if ray.is_initialized():
        yield ray
        return

    options = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": "warning"}
    if address == LOCAL:
        memory = {"num_cpus": cpus or cpu_count(), "object_store_memory": _OBJECTS_BYTES}
        options |= {"include_dashboard": False, **memory}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as exc:
        hint = "Start one there: ray start --head --port=6379"
        raise FactoryError(f"There is no Ray at {address}: {exc}", hint) from exc
    try:
        yield ray
    finally:
        ray.shutdown()
