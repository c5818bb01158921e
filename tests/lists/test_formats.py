"""Lists as files of other tools, opened by a reader that knows only the documented columns."""

import csv
import io
import json
import re
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_label_factory.errors import ListError, MissingExtraError
from data_label_factory.lists.content import Content
from data_label_factory.lists.formats import lines as lines_format
from data_label_factory.lists.formats import workbook
from data_label_factory.lists.formats.csv_text import read_csv
from data_label_factory.lists.formats.exchange import FORMATS, Exported, export, find_format, read
from data_label_factory.lists.formats.words import LANGUAGES, SCALES

# As each site documents or exports them: title → what stands there for BLADE.
DOCUMENTED: dict[str, dict[str, str]] = {
    "moxfield": {
        "Count": "3",
        "Tradelist Count": "0",
        "Name": "Blade, the “Sharp”",
        "Edition": "NEO",
        "Condition": "Near Mint",
        "Language": "German",
        "Foil": "foil",
        "Tags": "",
        "Last Modified": "",
        "Collector Number": "12",
        "Alter": "False",
        "Proxy": "False",
        "Purchase Price": "1.50",
    },
    "archidekt": {
        "Quantity": "3",
        "Name": "Blade, the “Sharp”",
        "Finish": "Foil",
        "Condition": "NM",
        "Date Added": "2026-11-27",
        "Language": "DE",
        "Purchase Price": "1.50",
        "Tags": "",
        "Edition Name": "Neon",
        "Edition Code": "NEO",
        "Multiverse Id": "",
        "Scryfall ID": "",
        "Collector Number": "12",
    },
    "manabox": {
        "Name": "Blade, the “Sharp”",
        "Set code": "NEO",
        "Set name": "Neon",
        "Collector number": "12",
        "Foil": "foil",
        "Rarity": "Rare",
        "Quantity": "3",
        "ManaBox ID": "",
        "Scryfall ID": "",
        "Purchase price": "1.50",
        "Misprint": "false",
        "Altered": "false",
        "Condition": "near_mint",
        "Language": "de",
        "Purchase price currency": "EUR",
    },
    "deckbox": {
        "Count": "3",
        "Tradelist Count": "0",
        "Name": "Blade, the “Sharp”",
        "Edition": "Neon",
        "Edition Code": "NEO",
        "Card Number": "12",
        "Condition": "Near Mint",
        "Language": "German",
        "Foil": "foil",
        "Signed": "",
        "Artist Proof": "",
        "Altered Art": "",
        "Misprint": "",
        "Promo": "",
        "Textless": "",
        "My Price": "",
    },
    "tcgplayer": {
        "Quantity": "3",
        "Name": "Blade, the “Sharp”",
        "Simple Name": "Blade, the “Sharp”",
        "Set": "Neon",
        "Card Number": "12",
        "Set Code": "NEO",
        "Printing": "Foil",
        "Condition": "Near Mint",
        "Language": "German",
        "Rarity": "Rare",
        "Product ID": "",
        "SKU": "",
    },
    "cardmarket": {
        "idArticle": "",
        "idProduct": "",
        "English Name": "Blade, the “Sharp”",
        "Local Name": "",
        "Exp.": "NEO",
        "Exp. Name": "Neon",
        "Price": "1.50",
        "Language": "3",
        "Condition": "NM",
        "Foil?": "X",
        "Signed?": "",
        "Playset?": "",
        "Altered?": "",
        "Comments": "a note",
        "Amount": "3",
        "onSale": "0",
        "Collector Number": "12",
    },
    "dragonshield": {
        "Folder Name": "dlf",
        "Quantity": "3",
        "Trade Quantity": "0",
        "Card Name": "Blade, the “Sharp”",
        "Set Code": "NEO",
        "Set Name": "Neon",
        "Card Number": "12",
        "Condition": "NearMint",
        "Printing": "Foil",
        "Language": "German",
        "Price Bought": "1.50",
        "Date Bought": "2026-11-27",
    },
    "ygoprodeck": {
        "cardname": "Blade, the “Sharp”",
        "cardq": "3",
        "cardrarity": "Rare",
        "card_edition": "foil",
        "cardset": "Neon",
        "cardcode": "NEO-12",
        "cardid": "",
        "print_id": "",
    },
    "discogs": {
        "Catalog#": "NEO-12",
        "Artist": "Ada",
        "Title": "Blade, the “Sharp”",
        "Label": "",
        "Format": "",
        "Rating": "",
        "Released": "",
        "release_id": "",
        "CollectionFolder": "Uncategorized",
        "Date Added": "2026-11-27T05:00:00Z",
        "Collection Media Condition": "Near Mint (NM or M-)",
        "Collection Sleeve Condition": "",
        "Collection Notes": "a note",
    },
    "goodreads": {
        "Book Id": "",
        "Title": "Blade, the “Sharp”",
        "Author": "Ada",
        "Author l-f": "",
        "Additional Authors": "",
        "ISBN": "",
        "ISBN13": "9780000000002",
        "My Rating": "0",
        "Average Rating": "",
        "Publisher": "",
        "Binding": "",
        "Number of Pages": "",
        "Year Published": "",
        "Original Publication Year": "",
        "Date Read": "",
        "Date Added": "2026/11/27",
        "Bookshelves": "",
        "Bookshelves with positions": "",
        "Exclusive Shelf": "to-read",
        "My Review": "",
        "Spoiler": "",
        "Private Notes": "a note",
        "Read Count": "0",
        "Owned Copies": "3",
    },
    "librarything": {
        "Title": "Blade, the “Sharp”",
        "Primary Author": "Ada",
        "Secondary Author": "",
        "Publication": "",
        "Date": "",
        "Rating": "",
        "Private Comment": "a note",
        "Media": "",
        "Page Count": "",
        "Barcode": "",
        "Tags": "",
        "Collections": "",
        "Languages": "German",
        "ISBN": "9780000000002",
        "Copies": "3",
        "Entry Date": "2026-11-27",
    },
}
SITES = list(DOCUMENTED)
DELIMITERS = {"cardmarket": ";"}

BLADE = Content.read(
    {
        "name": "Blade, the “Sharp”",
        "set_code": "NEO-12",
        "rarity": "Rare",
        "finish": "foil",
        "condition": "NM",
        "language": "de",
        "quantity": 3,
        "price": 1.5,
        "currency": "EUR",
        "note": "a note",
        "taken_at": "2026-11-27T05:00:00Z",
        "extra": {
            "set_name": "Neon",
            "artist": "Ada",
            "author": "Ada",
            "isbn13": "9780000000002",
        },
    }
)


def parse(format_id: str, data: bytes) -> list[dict[str, str]]:
    """The rows of a file, by a reader of its own: titles must be exactly the documented ones."""
    text = data.decode("utf-8").removeprefix("sep=,\r\n")
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=DELIMITERS.get(format_id, ","), strict=True)
    titles, *rows = reader
    assert titles == list(DOCUMENTED[format_id])
    assert all(len(row) == len(titles) for row in rows)
    return [dict(zip(titles, row, strict=True)) for row in rows]


@pytest.mark.parametrize("site", SITES)
def test_every_documented_column_holds_what_it_should(site: str) -> None:
    rows = parse(site, export([BLADE], site).data)
    copies = 3 if site == "discogs" else 1
    assert rows == [DOCUMENTED[site]] * copies


def test_every_site_of_the_table_is_pinned() -> None:
    tables = {one.id for one in FORMATS.values() if one.kind == "csv"} - {"csv"}
    assert tables == set(SITES)
    assert all(one.source and one.about for one in FORMATS.values())


def test_the_page_lists_every_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lists.md").read_text("utf-8")
    table_ = page[page.index("| format | for |") :]
    named = re.findall(r"^\| (`.*?`) \|", table_[: table_.index("\n\n")], re.M)
    assert {name.strip("`") for cell in named for name in cell.split(", ")} == set(FORMATS)


@pytest.mark.parametrize("format_id", sorted(FORMATS))
def test_the_page_says_what_each_format_cannot_carry(format_id: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "lists.md").read_text("utf-8")
    row = next(
        line for line in page.splitlines() if line.startswith("|") and f"`{format_id}`" in line
    )
    said = row.split("|")[3].strip()
    candidates = ({"item": "x", "name": "x", "set_code": "", "rarity": "", "score": 0.5},)
    full = replace(BLADE, extra={}, page="p. 1", crop="0" * 64, candidates=candidates)
    told = " ".join(export([full], format_id).warnings)
    lost = re.findall(r"has (?:a )?([a-z ]+), which", told)
    if "without its currency" in told:
        lost.append("the currency of prices")

    if said.startswith("all but"):
        assert {"rarity", "finish", "condition", "language", "price", "note", "place"} == set(lost)
    else:
        assert set(said.split(", ")) == set(lost)


def test_dragon_shield_says_its_delimiter_and_cardmarket_has_semicolons() -> None:
    assert export([BLADE], "dragonshield").data.startswith(b"sep=,\r\nFolder Name,")
    assert export([BLADE], "cardmarket").data.startswith(b'"idArticle";"idProduct";')


NASTY = [
    "Sword, Long",
    'The "Best" Card',
    "two\nlines",
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+2 Mace",
    "-5 Degrees",
    "@SUM(A1)",
    "'=quoted",
    "'tis",
    "😀 Joker",
    "ملك السيف",
    "מלך",
    "a;b\tc|d",
    "100%",
    "#N/A",
]
NAMES = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=40),
).filter(lambda name: name.strip() and Content.read({"name": name}).name == name)


@st.composite
def contents(draw: st.DrawFn, site: str) -> Content:
    """Entries that `site` can carry as a whole."""
    format_ = find_format(site)
    scales = {column.field: column.scale for column in format_.columns}
    values: dict[str, Any] = {"name": draw(NAMES), "quantity": draw(st.integers(1, 9999))}
    if format_.repeats:
        values["quantity"] = 1
    if {"set", "set_code"} & format_.fields:
        values["set_code"] = draw(st.sampled_from(["", "NEO-12", "2XM-129p", "LOCH-JP001", "M10"]))
    if "rarity" in format_.fields:
        values["rarity"] = draw(st.sampled_from(["", "Rare", "PScR", "Ghost Rare", "odd one"]))
    if scales.get("condition"):
        values["condition"] = draw(st.sampled_from(["", *SCALES[scales["condition"]]]))
    if scales.get("language"):
        values["language"] = draw(st.sampled_from(["", *LANGUAGES[scales["language"]]]))
    if "finish" in format_.fields:
        values["finish"] = draw(st.sampled_from(["", "foil"]))
    if "note" in format_.fields:
        values["note"] = draw(st.one_of(st.just(""), NAMES))
    if "price" in format_.fields:
        values["price"] = draw(st.one_of(st.none(), st.integers(0, 10**6).map(lambda n: n / 100)))
        values["currency"] = (format_.currency or "USD") if values["price"] is not None else ""
    extra = sorted(name[6:] for name in format_.fields if name.startswith("extra:"))
    if extra:
        values["extra"] = draw(st.dictionaries(st.sampled_from(extra), NAMES, max_size=3))
    return Content.read(values)


@pytest.mark.parametrize("site", SITES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_site_gives_back_what_it_was_given(site: str, data: st.DataObject) -> None:
    given_ = data.draw(st.lists(contents(site), min_size=1, max_size=4))
    exported = export(given_, site)
    assert [warning for warning in exported.warnings if "currency" not in warning] == []
    parse(site, exported.data)

    for format_id in (site, "auto"):
        imported = read(exported.data, format_id)
        assert imported.format.id == site
        assert imported.skipped == []
        assert imported.entries == [without_defaults(site, one) for one in given_]


def without_defaults(site: str, content: Content) -> Content:
    """What a site's default says of an entry that says nothing."""
    said = {"goodreads": {"rating": "0"}}.get(site, {})
    return replace(content, extra=dict(sorted({**said, **content.extra}.items())))


ANYTHING = st.builds(
    lambda name, note, quantity, price, place, extra, review: Content.read(
        {
            "name": name,
            "note": note,
            "quantity": quantity,
            "price": price,
            "currency": "EUR" if price is not None else "",
            "page": note and "p. 3",
            "row": place,
            "column": place,
            "finish": "1st Edition",
            "condition": "as new",
            "language": "la",
            "set_code": "X-1",
            "rarity": "Ghost Rare",
            "item": "a/b.jpg",
            "extra": {"artist": extra},
            "state": "review" if review else "sure",
            "taken_at": "2026-11-27T05:00:00Z",
            "session": "s",
            "device": "phone",
        }
    ),
    NAMES,
    st.one_of(st.just(""), NAMES),
    st.integers(1, 9999),
    st.one_of(st.none(), st.integers(0, 10**9).map(lambda n: n / 100)),
    st.one_of(st.none(), st.integers(1, 99)),
    NAMES,
    st.booleans(),
)


@pytest.mark.parametrize("own", ["csv", "xlsx", "json"])
@settings(max_examples=30, deadline=None)
@given(given_=st.lists(ANYTHING, max_size=4))
def test_our_own_formats_carry_every_field(own: str, given_: list[Content]) -> None:
    exported = export(given_, own)
    assert exported.warnings == []
    for format_id in (own, "auto"):
        imported = read(exported.data, format_id)
        assert (imported.format.id in (own, "csv"), imported.skipped) == (True, [])
        assert imported.entries == given_


@pytest.mark.parametrize(
    "name", ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "-1+cmd|x", "'=x", "＝1+1", "－1"]
)
@pytest.mark.parametrize("format_id", [*SITES, "csv"])
def test_no_cell_of_a_csv_is_a_formula(format_id: str, name: str) -> None:
    data = export([replace(BLADE, name=name, note=name)], format_id).data
    for cell in re.split(r'[,;\r\n"]+', data.decode()):
        assert not re.match(r"[=@＝＋－＠\t]|[+-](?!\d+(\.\d+)?$)", cell), cell


def test_a_name_with_a_sign_stays_as_it_is() -> None:
    assert (
        parse("moxfield", export([replace(BLADE, name="+2 Mace")], "moxfield").data)[0]["Name"]
        == "+2 Mace"
    )


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    data = export([replace(BLADE, name="=1+1", note="=A1")], "xlsx").data
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    titles = [cell.value for cell in sheet[1]]
    row = dict(zip(titles, sheet[2], strict=True))
    assert (row["name"].value, row["name"].data_type) == ("=1+1", "s")
    assert (row["quantity"].value, row["price"].value) == (3, 1.5)


def test_what_a_format_cannot_carry_is_counted() -> None:
    entries = [
        BLADE,
        replace(BLADE, currency="USD", page="p. 1", row=1),
        replace(BLADE, condition="odd", finish="etched"),
        replace(BLADE, state="review"),
    ]
    told = export(entries, "deckbox").warnings
    assert told == [
        "1 entry in review left out: settle them first",
        "3 entries have a rarity, which Deckbox cannot carry",
        "3 entries have a price, which Deckbox cannot carry",
        "3 entries have a note, which Deckbox cannot carry",
        "3 entries have artist, which Deckbox cannot carry",
        "3 entries have author, which Deckbox cannot carry",
        "3 entries have isbn13, which Deckbox cannot carry",
        "1 entry has a place, which Deckbox cannot carry",
        "1 entry has a finish, which Deckbox cannot carry",
        "1 entry has a condition, which Deckbox cannot carry",
    ]
    prices = export(entries, "moxfield").warnings
    assert "1 entry has a price in USD, which Moxfield cannot carry" in prices
    assert "2 entries: price without its currency (EUR)" in prices
    rounded = export([replace(BLADE, condition="EX")], "archidekt")
    assert parse("archidekt", rounded.data)[0]["Condition"] == "LP"
    assert "1 entry: condition rounded down to the nearest that Archidekt has" in rounded.warnings
    kept = export([replace(BLADE, crop="0" * 64)], "csv").warnings
    assert kept == ["1 entry has a picture, which CSV cannot carry"]


def lines(exported: Exported) -> list[str]:
    return exported.data.decode().splitlines()


def test_lists_to_paste() -> None:
    entries = [
        BLADE,
        replace(BLADE, set_code="M10"),
        replace(BLADE, set_code="", name="Two\nLines"),
    ]
    mass = export(entries, "tcgplayer-mass")
    assert lines(mass) == [
        "3 Blade, the “Sharp” [NEO] 12",
        "3 Blade, the “Sharp” [M10]",
        "3 Two Lines",
    ]
    assert "1 entry: TCGplayer mass entry may read the name differently" in mass.warnings
    pokemon = export([BLADE, replace(BLADE, set_code="")], "pokemon")
    assert lines(pokemon) == ["3 Blade, the “Sharp” NEO 12", "3 Blade, the “Sharp”"]

    for format_id, exported in (("tcgplayer-mass", mass), ("pokemon", pokemon)):
        imported = read(exported.data, format_id)
        assert [one.set_code for one in imported.entries][:1] == ["NEO-12"]
        assert read(exported.data).entries == imported.entries
        assert imported.entries[0].quantity == 3


@settings(max_examples=50, deadline=None)
@given(name=NAMES, code=st.sampled_from(["", "NEO-12", "PAL-185", "M10"]))
@pytest.mark.parametrize("format_id", ["tcgplayer-mass", "pokemon"])
def test_a_line_that_reads_differently_is_told(format_id: str, name: str, code: str) -> None:
    content = replace(BLADE, name=name, set_code=code)
    exported = export([content], format_id)
    told = any("may read the name" in warning for warning in exported.warnings)
    read_ = [
        (one.quantity, one.name, one.set_code) for one in read(exported.data, format_id).entries
    ]
    assert told == (read_ != [(3, name, code)])


def test_a_deck_list_says_which_lines_it_skipped() -> None:
    text = "Pokémon: 2\n4 Pikachu ex SVI 63\n2x Rare Candy\n\n# mine\n0 Nothing\nTotal Cards: 6\n"
    imported = read(text.encode(), "pokemon")
    assert [(one.quantity, one.name, one.set_code) for one in imported.entries] == [
        (4, "Pikachu ex", "SVI-63"),
        (2, "Rare Candy", ""),
    ]
    assert [one.line for one in imported.skipped] == [1, 5, 6, 7]


def test_other_sites_lines_are_read_too() -> None:
    imported = read(b"4x Opt (DOM) 60\nSB: 1 Owl *F*\n2 Plains (267)\n1 Axe (2XM) 3 *E*\n")
    said = [(one.quantity, one.name, one.set_code, one.finish) for one in imported.entries]
    assert said == [
        (4, "Opt", "DOM-60", ""),
        (1, "Owl", "", "foil"),
        (2, "Plains (267)", "", ""),
        (1, "Axe", "2XM-3", "etched"),
    ]


def table(*rows: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def test_rows_that_say_nothing_are_skipped_by_line_and_columns_by_name() -> None:
    imported = read(
        table(
            ["Count", "Name", "Price", "Colour"],
            ["2", "two\nlines", "1,50 €", "red"],
            ["x", "Blade", "", ""],
            ["", "", "", ""],
            ["0", "Bow", "", ""],
            ["1", " ", "3", ""],
            ["1", "Axe", "cheap", ""],
            ["20000", "Many", "", ""],
        )
    )
    assert [(one.quantity, one.name, one.price, one.currency) for one in imported.entries] == [
        (2, "two\nlines", 1.5, "EUR")
    ]
    assert [one.line for one in imported.skipped] == [4, 6, 7, 8, 9]
    assert "no quantity" in imported.skipped[0].reason
    assert imported.notes == ["columns passed over: Colour"]


def test_tables_of_spreadsheets_are_read() -> None:
    semicolons = "Anzahl;Name;Set;Collector Number;Date\n4;Éclair;neo;7;25.11.2026\n"
    for data in (
        semicolons.encode("utf-8-sig"),
        semicolons.encode("utf-16"),
        semicolons.encode("cp1252"),
        b"sep=;\r\n" + semicolons.encode(),
    ):
        (entry,) = read(data).entries
        assert (entry.name, entry.set_code, entry.quantity) == ("Éclair", "NEO-7", 4)
        assert entry.taken_at == "2026-11-25"


def test_the_deck_of_the_page_is_moved_in() -> None:
    deck = {
        "format": "data_label_factory deck",
        "version": 1,
        "entries": [
            {
                "key": "k",
                "name": "Blade",
                "rarity": "UR",
                "setCode": "NEO-12",
                "refUrl": "/refs/x.jpg",
                "refFilename": "x.jpg",
                "count": 2,
                "cents": 150,
                "amount": 220,
                "currency": "JPY",
                "date": "2026-11-25",
            },
            {"name": "Bow", "count": 1, "cents": 99, "amount": None, "currency": "", "date": ""},
            {"name": "", "count": 1},
            5,
        ],
    }
    imported = read(json.dumps(deck).encode())
    blade, bow = imported.entries
    assert (blade.item, blade.price, blade.currency, blade.quantity) == ("x.jpg", 220, "JPY", 2)
    assert (bow.price, bow.currency) == (0.99, "USD")
    assert [one.line for one in imported.skipped] == [3, 4]
    assert read(export(imported.entries, "deck").data).entries == imported.entries


def test_isbns_of_goodreads_lose_their_armour() -> None:
    data = table(
        ["Title", "Author", "ISBN13", "Exclusive Shelf"], ["Emma", "J. A.", '="97801"', "read"]
    )
    (entry,) = read(data).entries
    assert entry.extra["isbn13"] == "97801"


@pytest.mark.parametrize(
    ("data", "format_id", "message"),
    [
        (b"{", "auto", "truncated"),
        (b"[]", "auto", "no entries"),
        (b'{"entries": [], "version": 9}', "auto", "newer version"),
        (b"PK\x03\x04", "auto", "no Excel workbook"),
        (b"x", "xlsx", "no Excel workbook"),
        (b"a,b\n1,2\n", "moxfield", "needs a column 'Name'"),
        (b"", "csv", "needs a column 'name'"),
        (b"a\0b", "auto", "no text file"),
        (b"name\n", "none", "There is no format 'none'"),
        (b"name\n" + b"x\n" * 20_001, "csv", "over 20000"),
        (b"name,quantity\n" + b"x,y\n" * 20_001, "auto", "over 20000"),
        (b"#\n" * 20_001, "pokemon", "over 20000"),
        (b"name" + b",x" * 256 + b"\n", "csv", "over 256 columns"),
        (b'{"entries": [' + b"1," * 20_000 + b"1]}", "auto", "over 20000"),
    ],
)
def test_files_that_are_none_are_refused(data: bytes, format_id: str, message: str) -> None:
    with pytest.raises(ListError, match=message):
        read(data, format_id)


def sheet(xml: str, *, head: str = "") -> bytes:
    """A workbook whose sheet holds `xml`, with `head` before the shared texts."""
    out = io.BytesIO(export([BLADE], "xlsx").data)
    made = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                part = f'{head}<worksheet xmlns="{space}">{xml}</worksheet>'.encode()
            new.writestr(info, part)
    return made.getvalue()


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_a_workbook_cannot_take_more_memory_than_it_has() -> None:
    rows = f'<row r="1">{cell("A1", "name")}</row><row r="2">{cell("A2", "&a;")}</row>'
    bomb = '<!DOCTYPE x [<!ENTITY a "Blade">]>'
    data = f"<sheetData>{rows}</sheetData>"
    assert [one.name for one in read(sheet(data.replace("&a;", "Blade"))).entries] == ["Blade"]
    for head in (bomb, f"<!--{'x' * 5000}-->{bomb}"):
        with pytest.raises(ListError, match="no Excel workbook"):
            read(sheet(data, head=head))


def test_a_workbook_that_claims_a_huge_sheet_is_read_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = f'<row r="1">{cell("A1", "name")}</row><row r="2">{cell("A2", "Blade")}</row>'
    claim = '<dimension ref="A1:XFD1048576"/>'
    seen: list[int] = []
    check = workbook.check_columns
    monkeypatch.setattr(
        workbook, "check_columns", lambda cells: (seen.append(len(cells)), check(cells))
    )
    found = read(sheet(f"{claim}<sheetData>{rows}</sheetData>"))
    assert [one.name for one in found.entries] == ["Blade"]
    assert max(seen) == 257

    wide = rows.replace("</row>", f"{cell('IW2', 'x')}</row>").replace("IW2", "IW1", 1)
    with pytest.raises(ListError, match="over 256 columns"):
        read(sheet(f"<sheetData>{wide}</sheetData>"))


def test_a_damaged_workbook_is_refused_whatever_openpyxl_says() -> None:
    good = sheet(f'<sheetData><row r="1">{cell("A1", "name")}</row></sheetData>')
    (place,) = {good.rindex(b"PK\x01\x02")}  # one entry of the directory
    encrypted = good[: place + 8] + b"\x01" + good[place + 9 :]
    bad_row = sheet('<sheetData><row r="1"><c r="1A" t="s"><v>9</v></c></row></sheetData>')
    for data in (encrypted, bad_row):
        with pytest.raises(ListError, match="no Excel workbook"):
            read(data)


def test_huge_numbers_of_json_are_no_amounts() -> None:
    huge = "1" + "0" * 400
    for kind, entry in (
        ("list", f'{{"name": "x", "price": {huge}, "currency": "EUR"}}'),
        ("list", f'{{"name": "x", "candidates": [{{"score": {huge}}}]}}'),
        ("list", f'{{"name": "x", "quantity": {huge}}}'),
        ("deck", f'{{"name": "x", "cents": {huge}}}'),
    ):
        text = f'{{"format": "data_label_factory {kind}", "entries": [{entry}]}}'
        found = read(text.encode())
        assert (found.entries, len(found.skipped)) == ([], 1)


@pytest.mark.parametrize("mark", ['"', " ", "\r"])
def test_what_cannot_separate_columns_is_not_taken_as_such(mark: str) -> None:
    """Newer versions of Python raise a ValueError for it."""
    names: list[str] = []

    def reader(_: object, *, delimiter: str) -> object:
        names.append(delimiter)
        return iter(())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "reader", reader)
        list(read_csv(f"sep={mark}\nname\nx\n"))
    assert names[0] in ",;\t|"


@pytest.mark.timed
def test_a_line_of_digits_is_read_in_no_time() -> None:
    """A backtracking pattern would take minutes, and hold up everything else."""
    pattern = lines_format._PATTERNS["pokemon"]
    start = time.process_time()
    assert pattern.fullmatch("1 a AB " + "1" * 12_000 + " x")
    assert time.process_time() - start < 1


def test_a_workbook_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise MissingExtraError(module, f"[{extra}]")

    monkeypatch.setattr(workbook, "need", missing)
    with pytest.raises(MissingExtraError, match="xlsx"):
        export([BLADE], "xlsx")


def test_file_names_suit_every_system() -> None:
    exported = export([BLADE], "moxfield")
    assert exported.filename('My: "Binder"/1') == "My_ _Binder_1.csv"
    assert exported.filename("..") == "list.csv"
