"""Optional dependencies: import one at its point of use, or say exactly how to get it."""

from __future__ import annotations

import importlib
from types import ModuleType

from data_label_factory.errors import MissingExtraError


def need(module: str, *, extra: str) -> ModuleType:
    """Import `module`, which the optional dependency group `extra` provides.

    Raises MissingExtraError with the pip line when the module itself is not installed; an ImportError from
    deeper down (a broken install) passes through unchanged.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"This needs the Python package {module.split('.')[0]!r}, which is not installed",
            f"Run: pip install 'data_label_factory[{extra}]'",
        ) from exc
