"""The sample collection: deterministic, well named, and no two cards alike."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

from data_label_factory.errors import FactoryError
from data_label_factory.samples import SampleCard, draw_card, draw_collection, sample_cards
from data_label_factory.samples.scenes import paint_art

LABEL = re.compile(r"[A-Z0-9]+-[A-Z]*\d+(_[a-z0-9]+)+\.jpg")
RARITY = re.compile(r"_(pscr|scr|ur|sr|op|utr|cr|ea|gmr)\.jpg$")


def art_of(card: SampleCard) -> np.ndarray:
    """The card's picture, 24 x 24 RGB, values 0..255."""
    art = paint_art(card.scene, card.element, card.shade, card.seed)
    return np.asarray(art.resize((24, 24), Image.Resampling.BOX), dtype=np.float32)


@pytest.mark.parametrize("seed", [1, 7])
def test_a_longer_list_starts_with_the_shorter_one(seed: int) -> None:
    assert sample_cards(150, seed)[:20] == sample_cards(20, seed)
    assert sample_cards(0, seed) == []


def test_seeds_give_different_collections() -> None:
    assert sample_cards(20, 1) != sample_cards(20, 2)


@pytest.mark.parametrize("count", [-1, 1001])
def test_count_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="count must be between"):
        sample_cards(count)


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_file_names_are_unique_labels(seed: int) -> None:
    cards = sample_cards(1000, seed)
    assert len({card.filename for card in cards}) == len(cards)
    for card in cards:
        assert LABEL.fullmatch(card.filename), card.filename
        assert card.filename.startswith(f"{card.set_code}_")
        assert bool(RARITY.search(card.filename)) == bool(card.rarity), card.filename


def test_tricky_names_are_among_the_first() -> None:
    cards = sample_cards()
    assert any("_s_" in card.filename and "'s " in card.name for card in cards[:20])
    assert any("_iii" in card.filename and " III" in card.name for card in cards[:40])
    assert len({card.set_code.split("-")[0] for card in cards}) >= 3


def test_variants_share_name_and_art_but_not_appearance() -> None:
    cards = sample_cards()
    bases = {card.name: card for card in cards[::-1]}
    variants = [card for card in cards if bases[card.name] is not card]
    assert 15 <= len(variants) <= 20

    for card in variants:
        base = bases[card.name]
        art = (card.scene, card.element, card.shade, card.seed)
        assert art == (base.scene, base.element, base.shade, base.seed)
        assert card.rarity not in ("", base.rarity)

    rare = np.asarray(draw_card(variants[0]), dtype=float)
    plain = np.asarray(draw_card(bases[variants[0].name]), dtype=float)
    assert np.abs(plain - rare).mean() > 2


def test_cards_of_different_names_have_different_art() -> None:
    arts = {card.name: art_of(card) for card in sample_cards(18)}
    for (first, a), (second, b) in combinations(arts.items(), 2):
        assert np.abs(a - b).mean() > 8, (first, second)


def test_collection_is_deterministic_whole_and_independent_of_count(tmp_path: Path) -> None:
    few = draw_collection(tmp_path / "few", count=3)
    more = draw_collection(tmp_path / "deep" / "more", count=4)
    assert [path.name for path in few] == [card.filename for card in sample_cards(3)]
    assert [path.read_bytes() for path in few] == [path.read_bytes() for path in more[:3]]
    assert sorted((tmp_path / "few").iterdir()) == sorted(few)
    with Image.open(few[0]) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (360, 504))


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(image: Image.Image, file: BinaryIO, *args: object, **kwargs: object) -> None:
        file.write(b"half a card")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(FactoryError, match="disk full"):
        draw_collection(tmp_path, count=1)
    assert list(tmp_path.iterdir()) == []
