import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.errors import LabelError
from data_label_factory.labels import MAX_STEM_BYTES, Label, format_label, parse_label
from data_label_factory.rarities import RARITIES


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        ("LOCH-JP001_dark_magician_pscr.jpg", Label("Dark Magician", "LOCH-JP001", "PScR")),
        ("LOCH-JP001_dark_magician.jpg", Label("Dark Magician", "LOCH-JP001")),
        ("pharaoh_s_servant.png", Label("Pharaoh's Servant")),
        ("king_of_d_day.png", Label("King Of D Day")),
        ("exodia_iii.jpg", Label("Exodia III")),
        ("henry_viii_op.jpg", Label("Henry VIII", "", "OP")),
        ("a_k_47.jpg", Label("A K 47")),
        ("c_s_lewis.jpg", Label("C S Lewis")),
        ("mix_and_dim.jpg", Label("Mix And Dim")),
        ("100_ways_2_win.jpg", Label("100 Ways 2 Win")),
        ("3d_printer_2nd_ed_90s.jpg", Label("3D Printer 2nd Ed 90s")),
        ("x-wing_o'brien_don't.jpg", Label("X-Wing O'Brien Don't")),
        ("ブラック_マジシャン_ur.webp", Label("ブラック マジシャン", "", "UR")),
        ("élan_vital.jpg", Label("Élan Vital")),
        (unicodedata.normalize("NFD", "élan") + ".jpg", Label("Élan")),
        ("dark__magician.jpg", Label("Dark Magician")),
        ("mr._smith_vol.2.jpg", Label("Mr. Smith Vol.2")),
        ("vol.2", Label("Vol.2")),
        ("LOCH-JP001_DARK_MAGICIAN_PSCR.JPG", Label("DARK MAGICIAN", "LOCH-JP001", "PScR")),
        ("Sphinx of the Chimes.jpg", Label("Sphinx of the Chimes")),
        ("Robert_Downey_Sr.jpg", Label("Robert Downey Sr")),
        ("AC%2FDC.jpg", Label("AC/DC")),
        ("100%_juice.jpg", Label("100% Juice")),
        ("set one/sub/LOCH-JP001_a.jpg", Label("A", "LOCH-JP001")),
        ("ur.jpg", Label("Ur")),
        ("LOCH-JP001_.jpg", Label("LOCH-JP001_")),
        ("_.jpg", Label("_")),
        ("", Label("")),
    ],
)
def test_parse(filename: str, label: Label) -> None:
    assert parse_label(filename) == label


@pytest.mark.parametrize(
    ("label", "stem"),
    [
        (Label("Dark Magician", "LOCH-JP001", "PScR"), "LOCH-JP001_dark_magician_pscr"),
        (Label("Pharaoh's Servant"), "pharaoh_s_servant"),
        (Label("Exodia III"), "exodia_iii"),
        (Label("Model S"), "Model_S"),
        (Label("Sphinx of the Chimes"), "Sphinx_of_the_Chimes"),
        (Label("AC/DC"), "AC%2FDC"),
        (Label("What's Going On?"), "What's_Going_On%3F"),
        (Label("Robert Downey Sr"), "Robert_Downey_Sr"),
        (Label("Team UR"), "%54eam_%55R"),
        (Label(".hack"), "%2Ehack"),
        (Label("CON"), "%43ON"),
        (Label("snake_case"), "%73nake%5Fcase"),
    ],
)
def test_format(label: Label, stem: str) -> None:
    assert format_label(label) == stem
    assert parse_label(stem + ".jpg") == label


names = (
    st.text(min_size=1, max_size=30)
    .map(lambda s: " ".join(unicodedata.normalize("NFC", s).split()))
    .filter(bool)
)
titles = st.lists(
    st.sampled_from(
        [
            "Dark",
            "III",
            "Pharaoh's",
            "of",
            "S",
            "s",
            "K",
            "47",
            "Ur",
            "PScR",
            "O'Neil",
            "dragon",
            "%41",
            "x",
        ]
    ),
    min_size=1,
    max_size=5,
).map(" ".join)
set_codes = st.one_of(
    st.just(""), st.from_regex(r"[A-Z0-9]{1,5}-[A-Z]{0,3}[0-9]{1,4}", fullmatch=True)
)
labels = st.builds(
    Label, st.one_of(names, titles), set_codes, st.sampled_from(["", *RARITIES.values()])
)


@given(labels)
def test_every_label_written_is_read_back(label: Label) -> None:
    stem = format_label(label)
    assert parse_label(stem + ".JPG") == label
    assert parse_label("some/folder/" + stem + ".webp") == label
    assert "/" not in stem
    assert not stem.startswith(".")


@given(st.text(max_size=60))
def test_parse_never_raises_and_is_stable(filename: str) -> None:
    label = parse_label(filename)
    if label.name.split():
        assert parse_label(format_label(label) + ".png").name == " ".join(label.name.split())


def test_two_files_may_map_to_one_label() -> None:
    assert parse_label("a/dark_magician.jpg") == parse_label("b/Dark_Magician.png")
    variants = [parse_label(f"LOCH-JP001_dark_magician_{r}.jpg") for r in ("ur", "pscr")]
    assert variants[0] != variants[1]
    assert variants[0].item == variants[1].item


@pytest.mark.parametrize(
    "label",
    [
        Label(""),
        Label("  "),
        Label("a", "nope"),
        Label("\ud800"),
        Label("x" * (MAX_STEM_BYTES + 1)),
    ],
)
def test_what_no_file_name_can_say_is_refused(label: Label) -> None:
    with pytest.raises(LabelError):
        format_label(label)
