import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.errors import LabelError
from data_label_factory.labels import (
    MAX_STEM_BYTES,
    Label,
    LabelScheme,
    format_label,
    parse_label,
    split_copy_ending,
    split_view_ending,
    view_number,
)
from data_label_factory.rarities import RARITIES
from data_label_factory.set_codes import is_set_code


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


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        ("PLST-2XM-129_lightning_bolt.jpg", Label("Lightning Bolt", "PLST-2XM-129")),
        ("SLD-83★_lightning_bolt_sr.jpg", Label("Lightning Bolt", "SLD-83★", "SR")),
        ("PTHS-124†_a.jpg", Label("A", "PTHS-124†")),
        ("SLD-633Ph_a.jpg", Label("A", "SLD-633Ph")),
        ("PMEI-2016NA_a.jpg", Label("A", "PMEI-2016NA")),
        ("EX10-A_unown.jpg", Label("Unown", "EX10-A")),
        ("P-001_luffy.jpg", Label("Luffy", "P-001")),
        ("LOB-EN001 Dark Magician.jpg", Label("Dark Magician", "LOB-EN001")),
        ("LOB-EN001 - Dark Magician.jpg", Label("Dark Magician", "LOB-EN001")),
        ("NEO-12 boseiju.png", Label("Boseiju", "NEO-12")),
        ("lob-en001_dark_magician.jpg", Label("Dark Magician", "LOB-EN001")),
        ("loch-jp001 dark magician.jpg", Label("Dark Magician", "LOCH-JP001")),
        ("op01-003_luffy.jpg", Label("Luffy", "OP01-003")),
        ("{633Ph}_a_{Galaxy_Foil}.jpg", Label("A", "633Ph", "Galaxy Foil")),
        ("LOB-EN001_dark_magician_qcr.jpg", Label("Dark Magician", "LOB-EN001", "QCScR")),
    ],
)
def test_codes_of_the_catalogues_are_read(filename: str, label: Label) -> None:
    assert parse_label(filename) == label
    assert parse_label(format_label(label) + ".png") == label


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("well-known_face.jpg", "Well-Known Face"),
        ("x-wing_fighter.jpg", "X-Wing Fighter"),
        ("X-WING_fighter.jpg", "X-WING fighter"),
        ("T-34_tank.jpg", "T-34 tank"),
        ("F-16 Falcon.jpg", "F-16 Falcon"),
        ("4-H_club.jpg", "4-H club"),
        ("covid-19_test.jpg", "Covid-19 Test"),
        ("catch-22_novel.jpg", "Catch-22 Novel"),
        ("img-001_cat.jpg", "Img-001 Cat"),
        ("sony-rx100_camera.jpg", "Sony-Rx100 Camera"),
        ("M8-20mm_bolt.jpg", "M8-20mm bolt"),
        ("2024-05-03_party.jpg", "2024-05-03 Party"),
        ("1999-2004 hits.jpg", "1999-2004 Hits"),
        ("{not a code}_a.jpg", "{Not A Code} A"),
    ],
)
def test_ordinary_words_are_no_set_codes(filename: str, name: str) -> None:
    assert parse_label(filename) == Label(name)


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("fire_%2F%2F_ice.jpg", "Fire // Ice"),
        ("ac%2fdc_live.jpg", "Ac/Dc Live"),
        ("%22heroes%22_live.jpg", '"Heroes" Live'),
        ("caf%c3%a9_noir.jpg", "Café Noir"),
        ("louis_xiv%3F.jpg", "Louis Xiv?"),
        ("%64ark_magician.jpg", "dark magician"),
        ("mice_%26_%4Den.jpg", "mice & Men"),
        ("100%zz_%2.jpg", "100%Zz %2"),
    ],
)
def test_escapes_are_decoded_and_leave_title_case_alone(filename: str, name: str) -> None:
    assert parse_label(filename) == Label(name)


COPIES = [
    *(" (1)", "(2)", "_(1)", " (12)", " - Copy", " - copy", " - Copy (2)", " - Copy - Copy"),
    *(" copy", " copy 2", " - Kopie", " - Kopie (3)", " – Copie", " - Copia", " Kopie 2"),
    *(" (copy)", " (Kopie)", " (copy 2)", " - コピー", " - Copy (2) (1)"),
]


@pytest.mark.parametrize("ending", COPIES)
@pytest.mark.parametrize("stem", ["kind_of_blue", "LOB-EN001_dark_magician_ur"])
def test_a_copy_is_of_the_same_item(stem: str, ending: str) -> None:
    assert parse_label(f"{stem}{ending}.jpg") == parse_label(f"{stem}.jpg")
    assert parse_label(f"{stem}{ending}.jpg", "plain") == parse_label(f"{stem}.jpg", "plain")


@pytest.mark.parametrize(
    "stem",
    ["hard_copy", "Master Copy", "Copy", " copy", "(1)", "x (1989)", "copy_of_a_copy", "a(b)"],
)
def test_names_with_the_word_copy_are_kept(stem: str) -> None:
    assert split_copy_ending(stem) == (stem, "")
    assert parse_label(f"{stem}.jpg").name.casefold() == stem.replace("_", " ").strip().casefold()


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("M8-20_hex_bolt.jpg", "M8-20 hex bolt"),
        ("WD-40_can.jpg", "WD-40 can"),
        ("photo_op.jpg", "Photo Op"),
        ("robert_downey_sr.jpg", "Robert Downey Sr"),
        ("model_s.jpg", "Model S"),
        ("galaxy_s_21.jpg", "Galaxy S 21"),
        ("chapter_iv.jpg", "Chapter Iv"),
        ("{a1}_b_{c}.jpg", "{A1} B {C}"),
        ("ac%2fdc.jpg", "Ac/Dc"),
    ],
)
def test_plain_labels_are_names_only(filename: str, name: str) -> None:
    assert parse_label(filename, "plain") == Label(name)


SCHEMES: tuple[LabelScheme, ...] = ("cards", "plain")
any_text = st.text(max_size=12)
any_codes = st.text(
    st.one_of(st.sampled_from("ABCabc019-★†Φ/?*_%{[(. "), st.characters()), max_size=10
).map(lambda text: unicodedata.normalize("NFC", text))
any_rarities = st.one_of(any_text, st.sampled_from(["Ghost Rare", "ur", "qcr", "{x}", "a_b"])).map(
    lambda text: " ".join(unicodedata.normalize("NFC", text).split())
)
endings = st.sampled_from(["", "", *COPIES])


@given(names | titles, any_codes, any_rarities, endings)
def test_labels_with_any_code_rarity_and_name_are_read_back(
    name: str, code: str, rarity: str, ending: str
) -> None:
    label = Label(" ".join((name + ending).split()), code, rarity)
    try:
        stem = format_label(label)
    except LabelError:
        too_long = sum(len(part.encode("utf-8", "replace")) for part in (name, code, rarity)) > 40
        assert not is_set_code(code) or too_long or not (name + rarity).isprintable()
        return
    assert parse_label(f"a/{stem}.jpg") == label
    assert not set(stem) & set('/\\:*?"<>|')


@given(names | titles, endings)
def test_plain_labels_are_read_back(name: str, ending: str) -> None:
    label = Label(" ".join((name + ending).split()))
    assert parse_label(format_label(label, "plain") + ".jpg", "plain") == label


@given(st.text(st.sampled_from("ABab01-_ %2Ff{}().copy★"), max_size=40), st.sampled_from(SCHEMES))
def test_parse_of_anything_reads_back(filename: str, scheme: LabelScheme) -> None:
    label = parse_label(filename, scheme)
    if label.name.split():
        stem = format_label(label, scheme)
        assert parse_label(f"{stem}.png", scheme).name == " ".join(label.name.split())


def test_plain_labels_have_no_set_code_and_no_rarity() -> None:
    for label in (Label("a", "NEO-1"), Label("a", "", "UR")):
        with pytest.raises(LabelError, match="plain"):
            format_label(label, "plain")


VIEWS = ["__2", "__3", "__12", "__999"]


@pytest.mark.parametrize("ending", VIEWS)
@pytest.mark.parametrize("copy", ["", " (1)", " - Copy"])
@pytest.mark.parametrize(
    "stem",
    [
        "teddy",
        "Kind_of_Blue",
        "LOCH-JP001_dark_magician_pscr",
        "{633Ph}_a_{Galaxy_Foil}",
        "LOB-EN001",
        "ur",
        "M8-20_hex_bolt",
    ],
)
def test_views_have_the_label_of_the_first_picture(stem: str, ending: str, copy: str) -> None:
    for scheme in SCHEMES:
        label = parse_label(f"{stem}.jpg", scheme)
        assert parse_label(f"a/{stem}{ending}{copy}.png", scheme) == label
    assert view_number(f"a/{stem}{ending}{copy}.png") == int(ending[2:])
    assert view_number(f"a/{stem}{copy}.png") == 1


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("blade_runner__2049", "Blade Runner 2049"),
        ("bond__007", "Bond 007"),
        ("teddy__1", "Teddy 1"),
        ("teddy__0", "Teddy 0"),
        ("teddy_2", "Teddy 2"),
        ("teddy__2_", "Teddy 2"),
        ("teddy__2b", "Teddy 2B"),
        ("teddy__back", "Teddy Back"),
        ("teddy%5F%5F2", "Teddy__2"),
        ("__2", "2"),
        (" __2", "2"),
    ],
)
def test_other_endings_belong_to_the_name(stem: str, name: str) -> None:
    assert split_view_ending(stem) == (stem, 1)
    assert parse_label(f"{stem}.jpg") == Label(name)


def test_a_code_with_a_number_for_a_name_is_no_view() -> None:
    label = Label("2", "LOCH-JP001")
    assert format_label(label) == "LOCH-JP001_2"
    assert parse_label("LOCH-JP001_2.jpg") == parse_label("LOCH-JP001___2.jpg") == label


@given(labels, st.sampled_from(VIEWS), st.sampled_from(["", *COPIES]))
def test_any_label_has_views_and_no_label_is_written_as_one(
    label: Label, ending: str, copy: str
) -> None:
    stem = format_label(label)
    assert parse_label(f"{stem}{ending}.jpg") == label
    assert parse_label(f"{stem}{ending}{copy}.jpg") == label
    assert view_number(f"{stem}{ending}.jpg") == int(ending[2:])
    assert view_number(f"{stem}.jpg") == 1


@given(names | titles, st.sampled_from([*VIEWS, "_2", "__1", "__02"]), st.sampled_from(SCHEMES))
def test_a_name_that_ends_like_a_view_is_read_back(
    name: str, ending: str, scheme: LabelScheme
) -> None:
    label = Label(name + ending)
    stem = format_label(label, scheme)
    assert parse_label(f"{stem}.jpg", scheme) == label
    assert parse_label(f"{stem}__2.jpg", scheme) == label


def test_a_variant_is_one_whatever_its_case() -> None:
    first, second = (
        parse_label("NEO-12_Kind_of_Blue.jpg"),
        parse_label("NEO-12_kind_of_blue__2.jpg"),
    )
    assert first != second
    assert first.variant == second.variant
    assert first.variant != parse_label("NEO-13_Kind_of_Blue.jpg").variant
    assert first.variant != parse_label("NEO-12_Kind_of_Blue_ur.jpg").variant
