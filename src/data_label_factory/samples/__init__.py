"""A sample collection of our own: trading cards with procedural art, for the demo and the tests.

>>> from data_label_factory.samples import draw_collection
>>> paths = draw_collection(Path("samples"), count=20)  # doctest: +SKIP
"""

from .card import draw_card
from .catalog import SampleCard, sample_cards
from .collection import draw_collection

__all__ = ["SampleCard", "draw_card", "draw_collection", "sample_cards"]
