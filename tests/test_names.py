"""Names that a person takes for the same are found, and never one for another."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.labels import item_key
from data_label_factory.names import Names, find_file


@pytest.mark.parametrize(
    ("typed", "pretty"),
    [
        ("Baker's Clipper", "Baker’s Clipper"),
        ("O'Neil", "O\u02bcNeil"),
        ("Rock 'n' Roll", "Rock ‘n’ Roll"),
        ("AC/DC - Back in Black", "AC/DC – Back In Black"),
        ("Spider-Man", "SPIDER\u2011MAN"),
        ("X - Y", "X — Y"),
        ("-5 degrees", "−5 degrees"),
        ("M8 Hex Bolt", "  M8 \u00a0 Hex\u2003Bolt "),
        ('"Heroes"', "“Heroes”"),
        ("Wait...", "Wait…"),
        ("straße", "STRASSE"),
        ("cooperate", "co\u00adoperate"),
        ("Beyoncé", "Beyonce\u0301"),
        ("ガ", "カ\u3099"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
    ],
)
def test_what_reads_the_same_has_one_key(typed: str, pretty: str) -> None:
    assert item_key(typed) == item_key(pretty)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("resume", "résumé"),
        ("M8-20", "M8 20"),
        ("Ace", "Aces"),
        ("1/2", "12"),
        ("ı", "i"),
        ("", "-"),
    ],
)
def test_what_reads_differently_has_not(a: str, b: str) -> None:
    assert item_key(a) != item_key(b)


@given(st.text())
def test_a_key_is_its_own_key_however_the_name_is_composed(name: str) -> None:
    key = item_key(name)
    assert item_key(key) == key
    for form in ("NFC", "NFD"):
        assert item_key(unicodedata.normalize(form, name)) == key


NFC, NFD = "Beyonc\u00e9.jpg", "Beyonce\u0301.jpg"


def test_the_closest_reading_that_only_one_name_has_is_meant() -> None:
    assert Names([NFD]).find(NFC) == NFD
    assert Names([NFC, NFD]).find(NFD) == NFD
    assert Names([NFD, "BEYONCÉ.JPG"]).find(NFC) == NFD
    assert Names(["IMG_1.JPG"]).find("img_1.jpg") == "IMG_1.JPG"
    assert Names(["a.jpg", "A.JPG"]).find("A.jpg") is None
    assert Names(["sub/Baker's.jpg"]).find("Sub/Baker’s.jpg") == "sub/Baker's.jpg"
    assert Names(["a.jpg"]).find("b.jpg") is None
    assert Names([]).find("b.jpg") is None


_letters = st.text(alphabet="aAéE\u0301'’-– ", min_size=1, max_size=6)


@given(st.lists(_letters, max_size=6, unique=True), _letters)
def test_every_name_is_found_by_itself_and_any_other_only_if_it_reads_alike(
    names: list[str], wanted: str
) -> None:
    lookup = Names(names)
    assert [lookup.find(name) for name in names] == names
    found = lookup.find(wanted)
    assert found is None or item_key(found) == item_key(wanted)
    if [item_key(name) for name in names].count(item_key(wanted)) == 1:
        assert found is not None


def test_files_are_found_as_a_person_would(tmp_path: Path) -> None:
    (tmp_path / "Fotos").mkdir()
    (tmp_path / "Fotos" / NFD).touch()
    assert find_file(tmp_path, f"fotos/{NFC}") == tmp_path / "Fotos" / NFD
    assert find_file(tmp_path, "Fotos/" + NFD) == tmp_path / "Fotos" / NFD
    assert find_file(tmp_path, "fotos/none.jpg") is None
    assert find_file(tmp_path, "none/" + NFC) is None
    assert find_file(tmp_path, "x" * 300 + "\0.jpg") is None

    (tmp_path / "Fotos" / NFC).touch()
    for name in (NFC, NFD):
        assert find_file(tmp_path, f"Fotos/{name}") == tmp_path / "Fotos" / name
    assert find_file(tmp_path, f"Fotos/{NFC.upper()}") is None
