"""Write the sample collection to a folder."""

from __future__ import annotations

from pathlib import Path

from data_label_factory.atomic import atomic_write
from data_label_factory.samples.card import draw_card
from data_label_factory.samples.catalog import SampleCard, sample_cards

JPEG_QUALITY = 92


def draw_collection(folder: Path, count: int = 150, seed: int = 7) -> list[Path]:
    """Draw `count` cards into `folder` as JPEG files named by their labels.

    Creates the folder if it is missing. A file appears whole or not at all, and
    replaces an older one of the same name. Returns the paths in the order of the cards.
    Raises ValueError for a count that `sample_cards` refuses, and FactoryError if a
    file cannot be written.
    """
    cards = sample_cards(count, seed)
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(card, folder) for card in cards]


def _write(card: SampleCard, folder: Path) -> Path:
    path = folder / card.filename
    with atomic_write(path) as file:
        draw_card(card).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return path
