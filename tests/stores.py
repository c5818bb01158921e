"""Stores of references in memory, from features that a test makes up."""

from collections.abc import Sequence

import numpy as np

from data_label_factory.identify.recognize.background import make_tiny
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.feature_store import new_store
from data_label_factory.identify.recognize.features import Features
from data_label_factory.identify.recognize.local_index import LocalIndex
from data_label_factory.identify.recognize.store_writer import (
    Reference,
    append_references,
    count_shared,
    learn_words,
    open_words,
)
from data_label_factory.identify.recognize.thumbnails import compress


def as_references(features: Sequence[Features], first: int = 0) -> list[Reference]:
    """Each with a gray thumbnail, and its number from `first` on as its key."""
    gray = np.full((24, 16, 3), 128, np.uint8)
    thumb, tiny = compress(gray), make_tiny(gray)
    return [Reference(first + at, one, thumb, tiny) for at, one in enumerate(features)]


def store_of(features: Sequence[Features]) -> Columns:
    store = append_references(new_store(None), as_references(features), None)
    return counted(learn_words(store, len(features)))


def counted(store: Columns) -> Columns:
    words = open_words(store)
    assert words is not None
    return count_shared(store, words)


def index_of(features: Sequence[Features]) -> LocalIndex:
    return LocalIndex(store_of(features))
