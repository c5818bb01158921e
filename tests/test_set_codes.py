"""Set codes and rarities: what catalogues and people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.rarities import RARITIES, rarity_code
from data_label_factory.set_codes import is_set_code, prefix_of, read_set_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("LOCH-JP001", "LOCH-JP001"),
        ("neo-12", "NEO-12"),
        ("neo-12a", "NEO-12A"),
        ("Lob-En001", "LOB-EN001"),
        (" (lob-en001) ", "LOB-EN001"),
        ("LOB – EN001", "LOB-EN001"),
        ("plst-2XM-129", "PLST-2XM-129"),
        ("sld-83★", "SLD-83★"),
        ("124†", "124†"),
        ("633Ph", "633Ph"),
        ("sld-633Ph", "SLD-633Ph"),
        ("2016NA", "2016NA"),
        ("ex10-A", "EX10-A"),
        ("EX10-?", "EX10-?"),
        ("BD/W54-E001", "BD/W54-E001"),
        ("OP01-001_p1", "OP01-001_P1"),
        ("swsh12pt5-GG01", "SWSH12PT5-GG01"),
        ("WTR000", "WTR000"),
        ("", ""),
        ("no code", ""),
        ("nope", ""),
        ("12\n", "12"),
        ("a{1}", ""),
        ("1" * 41, ""),
    ],
)
def test_set_codes_of_every_catalogue(text: str, code: str) -> None:
    assert read_set_code(text) == code


@given(st.text(max_size=50))
def test_a_set_code_that_was_read_is_read_again(text: str) -> None:
    code = read_set_code(text)
    assert not code or is_set_code(code)
    assert read_set_code(code) == code


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        ("LOCH-JP001", "LOCH-JP"),
        ("NEO-12A", "NEO-"),
        ("SLD-83★", "SLD-"),
        ("EX10-A", "EX10-"),
        ("PLST-2XM-129", "PLST-2XM-"),
        ("633Ph", ""),
        ("WTR000", "WTR"),
    ],
)
def test_prefixes_have_no_number(code: str, prefix: str) -> None:
    assert prefix_of(code) == prefix


@pytest.mark.parametrize(
    ("text", "rarity"),
    [
        ("ur", "UR"),
        ("(UR)", "UR"),
        ("ULTRA RARE", "UR"),
        ("Secret Rare (ScR)", "ScR"),
        ("quarter century secret rare", "QCScR"),
        ("QCR", "QCScR"),
        ("starlight", "Starlight Rare"),
        ("Ghost Rare", "Ghost Rare"),
        ("RARE", "Rare"),
        ("C", "Common"),
        ("common", "Common"),
        ("short print", "Short Print"),
        ("mythic", "Mythic Rare"),
        ("Rare Holo", "Holo Rare"),
        ("10000 Secret Rare", "10000 Secret Rare"),
        ("Common (foil)", "Common (foil)"),
        ("  Galaxy   Foil ", "Galaxy Foil"),
        ("ウルトラ", "ウルトラ"),
        ("", ""),
    ],
)
def test_rarities_in_any_case_in_words_and_codes(text: str, rarity: str) -> None:
    assert rarity_code(text) == rarity


@given(st.text(max_size=30) | st.sampled_from(sorted(RARITIES)))
def test_a_rarity_is_never_lost_and_means_itself(text: str) -> None:
    rarity = rarity_code(text)
    assert bool(rarity) == bool(text.split())
    assert rarity_code(rarity) == rarity
