"""Every price site against a local server, as documented; and the price file that results."""

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import save_picture
from website import (
    BROKEN,
    BUSY,
    DRIP,
    PAGE,
    RESET,
    Answer,
    Request,
    Site,
    as_json,
    hurried,
    page,
)
from yuyutei import SEARCH, product, shop

from data_label_factory.cli import main
from data_label_factory.errors import FetchError, PriceError
from data_label_factory.labels import parse_label
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import Rates
from data_label_factory.prices.scrape import ScrapeResult, scrape
from data_label_factory.prices.sites.base import PriceSite
from data_label_factory.prices.sites.table import site_class, site_names
from data_label_factory.prices.store import Listing, PriceFile, summarize

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


LOCH = shop(
    (
        "PSE",
        product("LOCH-JP001", "PSE", "ブラック・マジシャン", "9,800 円")
        + product(
            "LOCH-JP001",
            "PSE",
            "ブラック・マジシャン(イラスト違い)",
            "１１，８００ 円",
            classes="sale",
        )
        + product("LOCH-JP001", "PSE", "ブラック・マジシャン", "500 円", "在庫 : ×", "sold-out"),
    ),
    (
        "UR",
        product("LOCH-JP001", "UR", "ブラック・マジシャン", "480 円")
        + product("LOCH-JP002", "UR", "クリボー & <b>羽</b>", "80 円", "在庫 : ×", "sold-out")
        + product("ＬＯＣＨ-JP003", "UR", "全角", "120 円")
        + product("LOCH-JP004", "UR", "no price", "-"),
    ),
    (
        "N",
        product("OTHER-JP001", "N", "よそのカード", "30 円")
        + product("LOCH-JPB01", "N", "another prefix", "30 円"),
    ),
)
OTHERS = shop(("N", product("OTHER-JP001", "N", "よそのカード", "30 円")))


def listings(name: str, website: Site, prefix: str, **options: Any) -> list[Listing]:
    return list(site_class(name)(hurried(), website.url, **options).listings(prefix))


# yuyu-tei


def test_yuyu_tei_reads_prices_by_rarity(website: Site) -> None:
    website.on(SEARCH, LOCH)
    prices = summarize(listings("yuyu-tei", website, "LOCH-JP"))
    assert website.seen[0].query == {"search_word": "LOCH-JP"}
    assert set(prices) == {"LOCH-JP001", "LOCH-JP002", "LOCH-JP003"}
    first = prices["LOCH-JP001"]
    assert (first.min, first.median, first.max, first.count) == (480, 9800, 11800, 3)
    assert first.rarities == {"PScR": 10800, "UR": 480}
    assert (first.name, first.name_jp) == ("", "ブラック・マジシャン")
    assert prices["LOCH-JP002"].median == 80  # sold out everywhere: the last price
    assert prices["LOCH-JP002"].name_jp == "クリボー & <b>羽</b>"


def test_yuyu_tei_answers_an_unknown_set_with_other_cards(website: Site) -> None:
    website.on(SEARCH, OTHERS)
    assert listings("yuyu-tei", website, "LOCH-JP") == []


def test_yuyu_tei_takes_the_rarity_of_the_section_when_the_picture_does_not_say(
    website: Site,
) -> None:
    row = product("LOCH-JP001", "", "", "480 円").replace(' alt="LOCH-JP001  "', "")
    website.on(SEARCH, shop(("SE", row)))
    (listing,) = listings("yuyu-tei", website, "LOCH-JP")
    assert (listing.rarity, listing.name_jp, listing.price) == ("SE", "", 480)
    website.on(SEARCH, page(f"<body>{row}</body>"))
    assert listings("yuyu-tei", website, "LOCH-JP")[0].rarity == ""


@pytest.mark.parametrize(
    "answer",
    [
        PAGE,
        page(""),
        page("<div>" * 20_000),
        page("<div class='card-product'" * 50),
        Answer(b"\xff\xfe\x00" * 900, "text/html"),
        Answer(b"{}"),
    ],
    ids=["maintenance", "empty", "deep", "unclosed", "binary", "json"],
)
def test_a_page_without_cards_is_a_failure_not_an_empty_set(website: Site, answer: Answer) -> None:
    website.on(SEARCH, answer)
    with pytest.raises(FetchError, match="lists no cards"):
        listings("yuyu-tei", website, "LOCH-JP")


def test_markup_left_open_still_gives_its_cards(website: Site) -> None:
    text = LOCH.body.decode().replace("</div>", "").replace("</span>", "").encode()
    website.on(SEARCH, Answer(text, "text/html"))
    found = {(one.code, one.price) for one in listings("yuyu-tei", website, "LOCH-JP")}
    assert found >= {
        ("LOCH-JP001", 9800),
        ("LOCH-JP001", 11800),
        ("LOCH-JP001", 480),
        ("LOCH-JP002", 80),
    }


# The sites with an API


def test_scryfall_prices_every_print_of_a_set_over_all_pages(website: Site) -> None:
    def card(number: str, **prices: str | None) -> dict[str, Any]:
        return {"name": "Boseiju", "set": "neo", "collector_number": number, "prices": prices}

    first = {
        "data": [card("266", usd="35.20", usd_foil="41.5", eur="30", usd_etched=None)],
        "has_more": True,
    }
    first["next_page"] = f"{website.url}/cards/search?page=2"
    second = {"data": [card("412", usd=None, eur=None), card("T1", usd="0.1", eur="0.2")]}
    website.on("/cards/search", lambda seen: as_json(second if "page" in seen.query else first))
    found = listings("scryfall", website, "NEO-")
    assert [(one.code, one.rarity, one.price) for one in found] == [
        ("NEO-266", "normal", Decimal("35.20")),
        ("NEO-266", "foil", Decimal("41.5")),
    ]
    assert website.seen[0].query["q"] == "set:neo"
    assert [one.price for one in listings("scryfall", website, "NEO-", currency="EUR")] == [30]
    assert [one.code for one in listings("scryfall", website, "NEO-T")] == ["NEO-T1"]
    website.on("/cards/search", Answer(status=404))
    assert listings("scryfall", website, "XXX-") == []


def test_ygoprodeck_prices_prints_in_dollars_and_cards_in_euros(website: Site) -> None:
    website.on(
        "/api/v7/cardsets.php",
        as_json(
            [
                {"set_name": "Legend", "set_code": "LOB"},
                {"set_name": "Legend (25th)", "set_code": "LOB"},
            ]
        ),
    )
    sets = [
        {
            "set_name": "Legend",
            "set_code": "LOB-EN005",
            "set_rarity": "Ultra Rare",
            "set_price": "49.1",
        },
        {
            "set_name": "Legend (25th)",
            "set_code": "LOB-EN005",
            "set_rarity": "Ultra Rare",
            "set_price": "0",
        },
        {
            "set_name": "Legend",
            "set_code": "LOB-E003",
            "set_rarity": "Ultra Rare",
            "set_price": "9",
        },
        {"set_name": "Other", "set_code": "OTH-EN001", "set_rarity": "Common", "set_price": "1"},
    ]
    prices = [{"tcgplayer_price": "0.32", "cardmarket_price": "0.05"}]
    card = {"name": "Dark Magician", "card_sets": sets, "card_prices": prices}
    website.on(
        "/api/v7/cardinfo.php",
        lambda seen: (
            as_json({"data": [card]})
            if seen.query["cardset"] == "Legend"
            else as_json({}, status=400)
        ),
    )
    (found,) = listings("ygoprodeck", website, "LOB-EN")
    assert found == Listing("LOB-EN005", Decimal("49.1"), "Ultra Rare", "Dark Magician")
    website.on("/api/v7/cardinfo.php", as_json({"data": [card]}))
    assert [one.price for one in listings("ygoprodeck", website, "LOB-EN")] == [
        Decimal("49.1"),
        Decimal("0.32"),
    ]
    assert {one.price for one in listings("ygoprodeck", website, "LOB-EN", currency="EUR")} == {
        Decimal("0.05")
    }
    assert listings("ygoprodeck", website, "XXX-EN") == []


def test_pokemontcg_prices_finishes(website: Site) -> None:
    card = {
        "name": "Pikachu",
        "number": "25",
        "set": {"id": "swsh4"},
        "tcgplayer": {
            "prices": {
                "holofoil": {"market": 1.25, "mid": 9},
                "normal": {"market": None, "mid": 0.5},
            }
        },
        "cardmarket": {"prices": {"trendPrice": 1.1, "averageSellPrice": 2}},
    }
    bare = {"name": "Pikachu", "number": "26", "set": {"id": "swsh4"}}
    website.on("/v2/cards", as_json({"data": [card, bare], "totalCount": 2}))
    found = listings("pokemontcg", website, "SWSH4-")
    assert {one.rarity: one.price for one in found} == {
        "holofoil": Decimal("1.25"),
        "normal": Decimal("0.5"),
    }
    assert website.seen[0].query["q"] == "set.id:swsh4"
    assert [one.price for one in listings("pokemontcg", website, "SWSH4-", currency="EUR")] == [
        Decimal("1.1")
    ]


# All of them

SITES = {
    "yuyu-tei": ("LOCH-JP", SEARCH, LOCH),
    "scryfall": ("NEO-", "/cards/search", as_json({"data": []})),
    "ygoprodeck": ("LOB-EN", "/api/v7/cardsets.php", as_json([])),
    "pokemontcg": ("SWSH4-", "/v2/cards", as_json({"data": [], "totalCount": 0})),
}


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("first", [BUSY, BROKEN, RESET], ids=["429", "500", "reset"])
def test_a_site_is_asked_again(website: Site, name: str, first: Answer) -> None:
    prefix, path, good = SITES[name]
    website.on(path, first, good)
    listings(name, website, prefix)
    assert len(website.asked(path)) == 2


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize(
    "answer",
    [BROKEN, RESET, DRIP, PAGE, Answer(b'{"cut'), Answer(status=403)],
    ids=["500", "reset", "drip", "page", "cut", "403"],
)
def test_a_site_that_fails_says_so(website: Site, name: str, answer: Answer) -> None:
    prefix, path, _ = SITES[name]
    website.on(path, answer)
    with pytest.raises(FetchError, match=f"{website.url}{path}: "):
        listings(name, website, prefix)


@pytest.mark.parametrize("name", SITES)
def test_a_site_refuses_a_currency_that_it_does_not_have(name: str) -> None:
    with pytest.raises(PriceError, match=f"{name} has no prices in XYZ"):
        site_class(name)(hurried(), currency="XYZ")


# The price file

NAMES = [
    "LOCH-JP001_dark_magician_pscr.jpg",
    "sub/LOCH-JP002_kuriboh.jpg",
    "RD-JP001_blue_eyes.jpg",
    "no_code.jpg",
]


@pytest.fixture
def scraping(website: Site, tmp_path: Path) -> Callable[..., ScrapeResult]:
    def run(
        names: list[str] = NAMES, hours: float = 0, name: str = "yuyu-tei", **options: Any
    ) -> ScrapeResult:
        site = site_class(name)(hurried(), website.url, **options)
        return scrape(names, tmp_path / "p.json", site, now=NOW + timedelta(hours=hours))

    return run


def by_prefix(**answers: Answer) -> Callable[[Request], Answer]:
    return lambda seen: answers[seen.query["search_word"].partition("-")[0]]


def test_prices_of_all_prefixes_end_in_one_file(
    website: Site, tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    website.on(SEARCH, by_prefix(LOCH=LOCH, RD=OTHERS))
    result = scraping()
    assert (result.asked, result.not_stocked, result.unpriced) == (
        ["LOCH-JP"],
        ["RD-JP"],
        ["RD-JP001"],
    )
    assert result.exit_code == 0
    assert PriceFile.load(tmp_path / "p.json") == result.file
    values = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert (values["site"], values["currency"], values["scraped_at"]) == (
        "yuyu-tei",
        "JPY",
        NOW.isoformat(),
    )
    assert values["prices"]["LOCH-JP001"] == {
        "median": 9800,
        "min": 480,
        "max": 11800,
        "count": 3,
        "name": "Dark Magician",
        "name_jp": "ブラック・マジシャン",
        "rarities": {"PScR": 10800, "UR": 480},
    }
    assert values["prices"]["LOCH-JP003"]["name"] == ""


def test_a_prefix_is_not_asked_again_while_it_is_fresh(
    website: Site, scraping: Callable[..., ScrapeResult]
) -> None:
    website.on(SEARCH, by_prefix(LOCH=LOCH, RD=OTHERS))
    scraping()
    website.seen.clear()
    later = scraping(hours=11)
    assert (later.fresh, website.seen) == (["LOCH-JP", "RD-JP"], [])
    assert later.file.prices["LOCH-JP001"].scraped_at == NOW.isoformat()
    assert scraping(hours=13).asked == ["LOCH-JP"]
    assert len(website.seen) == 2


def test_a_prefix_that_fails_keeps_yesterday_s_prices_with_their_date(
    website: Site, tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    rd = shop(("UR", product("RD-JP001", "UR", "青眼", "700 円")))
    website.on(SEARCH, by_prefix(LOCH=LOCH, RD=rd))
    scraping()
    for hours in (24, 48):  # the second failure must not make the price look younger
        website.on(SEARCH, by_prefix(LOCH=LOCH, RD=PAGE))
        result = scraping(hours=hours)
        assert (result.exit_code, list(result.file.failed)) == (1, ["RD-JP"])
        kept = PriceFile.load(tmp_path / "p.json").prices
        assert (kept["RD-JP001"].median, kept["RD-JP001"].scraped_at) == (700, NOW.isoformat())
        assert kept["LOCH-JP001"].scraped_at == ""
    website.on(SEARCH, by_prefix(LOCH=LOCH, RD=rd))
    assert scraping(hours=49).file.prices["RD-JP001"].scraped_at == ""


def test_when_nothing_can_be_fetched_there_is_no_file(
    website: Site, tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    website.on(SEARCH, BROKEN)
    with pytest.raises(PriceError, match=r"Nothing could be fetched.*HTTP 500"):
        scraping()
    assert not list(tmp_path.iterdir())


def test_interrupted_it_keeps_what_was_asked(
    website: Site, tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    def interrupt(seen: Request) -> Answer:
        if seen.query["search_word"] == "RD-JP":
            site_interrupted.append(seen)
        return LOCH

    class Interrupted(site_class("yuyu-tei")):  # type: ignore[misc]
        def listings(self, prefix: str) -> Any:
            found = list(super().listings(prefix))
            if site_interrupted:
                raise KeyboardInterrupt
            return found

    site_interrupted: list[Request] = []
    website.on(SEARCH, interrupt)
    with pytest.raises(KeyboardInterrupt):
        scrape(NAMES, tmp_path / "p.json", Interrupted(hurried(), website.url), now=NOW)
    assert list(PriceFile.load(tmp_path / "p.json").prefixes) == ["LOCH-JP"]


def test_what_cannot_be_asked_is_refused(
    website: Site, tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    with pytest.raises(PriceError, match="None of the file names carries a set code"):
        scraping(["a.jpg"])
    with pytest.raises(PriceError, match=r"have 11 set-code prefixes, over 10.*--max-prefixes 11"):
        scraping([f"S{n}-JP001_a.jpg" for n in range(11)])
    (tmp_path / "p.json").write_text("damaged")
    with pytest.raises(PriceError, match="Move it away"):
        scraping()
    (tmp_path / "p.json").write_text('{"site": "scryfall", "currency": "USD", "prices": {}}')
    with pytest.raises(PriceError, match=r"holds prices of scryfall in USD\. Choose another --out"):
        scraping()
    assert website.seen == []


def test_your_own_table_prices_items_by_code_or_name(
    tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    table = tmp_path / "own.csv"
    table.write_text(
        '\ufeffName, Price, rarity\nM8 Bolt, "0,12 €",\nDark Magician,1.234,UR\n', "utf-8"
    )
    result = scraping(["m8_bolt.jpg"], name="csv", file=table, currency="EUR")
    assert {code: price.median for code, price in result.file.prices.items()} == {
        "M8 Bolt": Decimal("0.12"),
        "Dark Magician": 1234,
    }
    table.write_text("code,price\nA-1,5\n")
    assert list(scraping(["m8_bolt.jpg"], name="csv", file=table, currency="EUR").file.prices) == [
        "A-1"
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "must name the columns"),
        (b"code,prize\nA-1,5\n", "must name the columns, not 'prize'"),
        (b"price\n5\n", "must name the columns"),
        (b"code,price\nA-1,\n", "line 2: there must be"),
        (b"code,price\n,5\n", "line 2: there must be"),
        (b"code,price\nA-1\n", "line 2: there must be"),
        (b"code,price\n\xff,5\n", "is not UTF-8 text"),
    ],
)
def test_a_wrong_table_is_named(
    tmp_path: Path, scraping: Callable[..., ScrapeResult], text: bytes, reason: str
) -> None:
    (tmp_path / "own.csv").write_bytes(text)
    with pytest.raises(PriceError, match=reason):
        scraping(name="csv", file=tmp_path / "own.csv", currency="EUR")
    with pytest.raises(PriceError, match="--currency"):
        scraping(name="csv", file=tmp_path / "own.csv")
    with pytest.raises(PriceError, match="--csv"):
        scraping(name="csv", currency="EUR")


def test_rows_that_give_no_price_are_left_out_and_named(
    tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    table = tmp_path / "own.csv"
    table.write_text(
        "Title,Unit Price,Condition,Stock\n"
        "M8 Bolt,3.00,new,sold out\n"
        "M8 bolt,9.00,new,2\n"
        "Nut,1,50,new\n"
        "Washer,ca. 2,new\n"
        ",,,\n"
        "Spring,,\n"
        "Kind of Bleu,5.00,,maybe\n"
        "Baker’s  Clipper,7.00\n"
        "Kind of Bleu,5.00\n",
        "utf-8",
    )
    references = ["m8_bolt.jpg", "baker_s_clipper.jpg", "other.jpg"]
    result = scraping(references, name="csv", file=table, currency="EUR")
    assert {code: price.median for code, price in result.file.prices.items()} == {
        "M8 Bolt": 9,
        "Baker’s Clipper": 7,
        "Kind of Bleu": 5,
    }
    columns, *rows = result.left_out
    assert columns == f"{table}: columns passed over: 'Condition'"
    lines = [text.removeprefix(f"{table}, ").partition(":")[0] for text in rows]
    assert lines == ["line 4", "line 5", "line 7", "line 8"]
    assert "'ca. 2' is not a price" in rows[1]
    assert result.unmatched == ["'Kind of Bleu' (line 10)"]
    assert (result.priced, result.references) == (2, 3)


def test_set_and_number_in_columns_of_their_own_are_one_code(
    tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    table = tmp_path / "own.csv"
    table.write_text(
        "Name,Set Code,Card Number,Market Price\n"
        "Opt,NEO,12a,1.50\nOwl,NEO-13,13,2.50\nElk,NEO,,3.50\nM8 Bolt,,7,4.50\n"
    )
    references = ["NEO-12a_opt.jpg", "NEO-13_owl.jpg", "elk.jpg", "m8_bolt.jpg"]
    result = scraping(references, name="csv", file=table, currency="USD")
    assert sorted(result.file.prices) == ["Elk", "M8 Bolt", "NEO-12A", "NEO-13"]
    assert (result.priced, result.unmatched) == (4, [])


def test_a_row_in_another_currency_is_left_out(
    tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    table = tmp_path / "own.csv"
    table.write_text("name;price;currency\nA;3;EUR\nB;4;USD\nC;5;\nD;;USD\nE;€6;\nF;$7;\n")
    result = scraping(["a.jpg"], name="csv", file=table, currency="EUR")
    assert sorted(result.file.prices) == ["A", "C", "E"]
    assert [text.partition(", ")[2].partition(":")[0] for text in result.left_out] == [
        "line 3",
        "line 5",
        "line 7",
    ]


@pytest.mark.parametrize("title", ["Price (USD)", "price usd", "Price [$]", "USD Price"])
def test_a_title_that_names_another_currency_is_refused(
    title: str, tmp_path: Path, scraping: Callable[..., ScrapeResult]
) -> None:
    (tmp_path / "own.csv").write_text(f"name;{title}\nM8 Bolt;3\n")
    with pytest.raises(PriceError, match="not in EUR"):
        scraping(["m8_bolt.jpg"], name="csv", file=tmp_path / "own.csv", currency="EUR")
    result = scraping(["m8_bolt.jpg"], name="csv", file=tmp_path / "own.csv", currency="USD")
    assert result.priced == 1


class _Upper(PriceSite):
    """A shop that writes every code in capitals."""

    name = "upper"
    currencies = ("USD",)

    def listings(self, prefix: str) -> list[Listing]:
        assert prefix in ("SLD-", "PLST-2XM-", "EX10-")
        codes = ("SLD-633PH", "SLD-83★", "PLST-2XM-129", "EX10-A")
        return [Listing(code, Decimal(3), "C") for code in codes if code.startswith(prefix)]


def test_codes_of_every_catalogue_are_asked_for_and_found_in_any_case(tmp_path: Path) -> None:
    stems = ("SLD-633Ph_a", "SLD-83★_b_{Common}", "PLST-2XM-129_c", "EX10-A_d", "{124★}_e")
    files = [f"{stem}.jpg" for stem in stems]
    result = scrape(files, tmp_path / "p.json", _Upper(hurried()), now=NOW)
    assert (result.codes, result.unpriced) == (5, ["124★"])
    assert result.file.prices["SLD-633PH"].name == "A"

    book = PriceBook(result.file, Rates("USD"))
    prices = [book.price_of(parse_label(file), file) for file in files]
    assert [price and price["code"] for price in prices] == [
        "SLD-633PH",
        "SLD-83★",
        "PLST-2XM-129",
        "EX10-A",
        None,
    ]
    assert prices[1] and prices[1]["rarity"] == "Common"
    with pytest.raises(PriceError, match="None of the file names carries a set code"):
        scrape(files, tmp_path / "q.json", _Upper(hurried()), labels="plain", now=NOW)


def test_another_package_can_register_a_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "myshop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: myshop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[data_label_factory.price_sites]\n"
        "myshop = myshop_site:MyShop\nbroken = no_such_module:X\nodd = json:dumps\n"
    )
    (tmp_path / "myshop_site.py").write_text(
        "from data_label_factory.prices.sites.base import PriceSite\n"
        "class MyShop(PriceSite):\n    name, about, currencies = 'myshop', 'mine', ('SEK',)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert site_names()[-3:] == ["broken", "myshop", "odd"]
    assert issubclass(site_class("myshop"), PriceSite)
    for name, reason in (
        ("broken", "cannot be loaded"),
        ("odd", "is not a PriceSite"),
        ("none", "There is no price"),
    ):
        with pytest.raises(PriceError, match=reason):
            site_class(name)
    sys.modules.pop("myshop_site", None)


def test_the_site_of_the_docs_works(website: Site) -> None:
    text = (Path(__file__).parents[2] / "docs" / "prices.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", text, re.S)[0], names)
    offers = [{"code": code, "price": 5, "rarity": "UR"} for code in ("LOCH-JP001", "OTHER-JP001")]
    website.on("/api/offers", as_json(offers))
    assert list(names["MyShop"](hurried(), website.url).listings("LOCH-JP")) == [
        Listing("LOCH-JP001", Decimal(5), "UR")
    ]


# The command


def test_the_command_reports_in_words_and_in_json(
    website: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    website.on(SEARCH, LOCH)
    save_picture(tmp_path / "refs" / "LOCH-JP001_dark_magician.png", 1)
    save_picture(tmp_path / "refs" / "LOCH-JP009_nobody.png", 2)
    line = [
        "identify",
        "scrape_prices",
        "--refs",
        str(tmp_path / "refs"),
        "--out",
        str(tmp_path / "p.json"),
    ]
    line += ["--base-url", website.url]
    assert main(line) == 0
    out = capsys.readouterr().out
    assert "3 prices of yuyu-tei in JPY\n1 of the 2 set codes among the references have one" in out
    assert main([*line, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["fresh"], values["count"], values["unpriced"]) == (
        ["LOCH-JP"],
        3,
        ["LOCH-JP009"],
    )
    website.on(SEARCH, PAGE)
    assert main([*line, "--max-age", "0"]) == 1
    assert "failed, older prices are kept: LOCH-JP: " in capsys.readouterr().err
    assert main([*line, "--site", "nowhere"]) == 2
    assert (
        "Choose one of: yuyu-tei, scryfall, ygoprodeck, pokemontcg, csv" in capsys.readouterr().err
    )
    assert main(["identify", "scrape_prices", "--list-sites"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize(
    "options", [[], ["--refs", "x", "--out", "y", "--max-age", "-1"], ["--max-prefixes", "0"]]
)
def test_wrong_use_of_the_command_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "scrape_prices", *options]) == 2
    assert (options[-2] if options else "--refs and --out") in capsys.readouterr().err
