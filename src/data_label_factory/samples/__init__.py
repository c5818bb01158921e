"""A sample collection: trading cards with procedural art, for the demo and the tests.

>>> from data_label_factory.samples import draw_collection
>>> paths = draw_collection(Path("samples"), count=20)  # doctest: +SKIP
"""

from __future__ import annotations

from data_label_factory.samples.card import draw_card, draw_collection
from data_label_factory.samples.catalog import SampleCard, sample_cards

__all__ = ["SampleCard", "draw_card", "draw_collection", "sample_cards"]
