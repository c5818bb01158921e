"""One of several servers of a collection, as Ray Serve runs them."""

from __future__ import annotations

import sys
from functools import partial

from threadpoolctl import threadpool_limits

from data_label_factory.errors import FactoryError
from data_label_factory.identify.distributed.shard_pool import ShardPool
from data_label_factory.identify.distributed.sharded_recognizer import ShardedRecognizer
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.server.access import describe
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.logs import log_to_stderr
from data_label_factory.identify.server.run import SWITCH_SECONDS
from data_label_factory.identify.server.settings import Settings


class Replica:
    """Holds the whole index, mapped into memory, or with `shards` asks
    these for the references. Made when it can answer.
    """

    def __init__(self, settings: Settings, shards: int = 1) -> None:
        """Raises FactoryError as `serve` does."""
        log_to_stderr(settings.log_level)
        self._settings = settings
        self._limits = threadpool_limits(1, user_api="blas")  # as `serve` has it
        make = partial(ShardedRecognizer, ShardPool(shards)) if shards > 1 else Recognizer
        self._engine = Engine(settings, make)
        self._engine.load()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._context: Context | None = None

    def __serve_build_asgi_app__(self) -> object:  # Ray's name for it
        app = create_app(self._settings, self._engine)
        context: Context = app.state.context
        context.access = describe(self._settings, self._settings.port, is_open_here=False)
        self._context = context
        return app

    def check_health(self) -> None:
        """Asked by Ray Serve, which replaces a replica that raises."""
        if self._context is not None and self._context.failed:
            raise FactoryError("The references cannot be read")
