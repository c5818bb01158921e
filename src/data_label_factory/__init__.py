"""Show a camera your things and be told which they are, from one
reference picture each.

>>> import data_label_factory as dlf
>>> collection = dlf.Collection.open("my-collection")  # doctest: +SKIP
>>> for item in collection.recognize("photo.jpg"):  # doctest: +SKIP
...     print(item.name, item.confident, item.quad)

Everything in `__all__` is imported when it is first used, so importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_label_factory.errors import FactoryError as FactoryError
    from data_label_factory.identify.collection import Collection as Collection
    from data_label_factory.identify.encoders import Embedder as Embedder
    from data_label_factory.identify.index import Index as Index
    from data_label_factory.identify.recognize import Detection as Detection
    from data_label_factory.identify.recognize import Recognizer as Recognizer
    from data_label_factory.identify.tracking import Session as Session
    from data_label_factory.identify.tracking import TrackedDetection as TrackedDetection
    from data_label_factory.labels import Label as Label

__version__ = "0.1.0"

_HOMES = {
    "Collection": "identify.collection",
    "Detection": "identify.recognize",
    "Embedder": "identify.encoders",
    "FactoryError": "errors",
    "Index": "identify.index",
    "Label": "labels",
    "Recognizer": "identify.recognize",
    "Session": "identify.tracking",
    "TrackedDetection": "identify.tracking",
}
__all__ = [
    "Collection",
    "Detection",
    "Embedder",
    "FactoryError",
    "Index",
    "Label",
    "Recognizer",
    "Session",
    "TrackedDetection",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, see PEP 562."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
