"""Optional dependencies: import one where it is used, or say how to install it."""

from __future__ import annotations

import importlib
from types import ModuleType

from data_label_factory.errors import MissingExtraError


def need(module: str, *, extra: str) -> ModuleType:
    """Import `module`, which the optional dependency group `extra` provides.

    Raises MissingExtraError with the pip command if the package is not
    installed. An ImportError from inside the package (a broken install)
    passes through unchanged.
    """
    package = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.split(".")[0] != package:
            raise
        raise MissingExtraError(
            f"This needs the Python package {package!r}, which is not installed",
            f"Run: pip install 'data_label_factory[{extra}]'",
        ) from exc
