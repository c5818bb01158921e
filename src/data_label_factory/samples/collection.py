"""Write the sample collection to a folder."""

from pathlib import Path

from data_label_factory.atomic import atomic_write

from .card import draw_card
from .catalog import SampleCard, sample_cards

JPEG_QUALITY = 92


def draw_collection(folder: Path, count: int = 150, seed: int = 7) -> list[Path]:
    """Draw `count` cards into `folder` (made if missing) as JPEG files named by their labels.

    Each file appears whole or not at all and replaces an older one of its name. Returns the paths
    in card order. Raises ValueError for a count `sample_cards` refuses, FactoryError if
    writing fails.
    """
    cards = sample_cards(count, seed)
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(card, folder) for card in cards]


def _write(card: SampleCard, folder: Path) -> Path:
    path = folder / card.filename
    with atomic_write(path) as file:
        draw_card(card).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return path
