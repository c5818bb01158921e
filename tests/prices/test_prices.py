"""Money is exact, price files survive a round trip, and prices are of the recognized item."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from website import BROKEN, BUSY, DRIP, PAGE, RESET, Answer, Site, as_json, hurried

from data_label_factory.errors import FactoryError, PriceError
from data_label_factory.labels import Label, parse_label
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import FxRates, Rates, parse_rate
from data_label_factory.prices.lookup import CodeLookup
from data_label_factory.prices.money import as_number, from_number, from_text, median
from data_label_factory.prices.store import CodePrice, Listing, PriceFile, summarize, with_date
from data_label_factory.rarities import rarity_code

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ER_API = {
    "result": "success",
    "base_code": "JPY",
    "time_last_update_unix": int(NOW.timestamp()),
    "rates": {"JPY": 1, "USD": 0.0065, "EUR": 0.006},
}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,980 円", "1980"),
        ("¥１，９８０", "1980"),
        ("$12.50", "12.50"),
        ("1.234,50 €", "1234.50"),
        ("1'234.5", "1234.5"),
        ("12 345 kr", "12345"),
        ("3", "3"),
        ("1,234,567", "1234567"),
        ("sold out", None),
        ("0 円", None),
        ("", None),
    ],
)
def test_prices_as_people_write_them(text: str, amount: str | None) -> None:
    assert from_text(text) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "number"),
    [
        ("1.005", 1),
        ("1.015", 1.02),
        ("1.025", 1.02),
        ("2.675", 2.68),
        ("1980", 1980),
        ("0.004", 0),
        ("12.50", 12.5),
    ],
)
def test_cents_are_rounded_half_to_even_on_the_way_out(amount: str, number: float) -> None:
    assert as_number(Decimal(amount)) == number
    assert type(as_number(Decimal("5.00"))) is int
    assert as_number(None) is None


@pytest.mark.parametrize("value", [None, True, "", "x", "NaN", "-1", 0, "1e40", [], float("inf")])
def test_an_invalid_price_gives_none(value: object) -> None:
    assert from_number(value) is None


@given(st.lists(st.decimals("0.01", 10**6, places=2), min_size=1, max_size=9))
def test_the_median_is_that_of_a_sorted_list(amounts: list[Decimal]) -> None:
    ordered = sorted(amounts)
    half = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    assert median(reversed(amounts)) == half


@given(st.decimals("0.01", 10**9, places=2))
def test_an_amount_survives_the_file(amount: Decimal) -> None:
    assert from_number(json.loads(json.dumps(as_number(amount)), parse_float=Decimal)) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(ScR)", "ScR"),
        ("Prismatic Secret Rare", "PScR"),
        ("Collector's Rare", "CR"),
        ("UL", "UtR"),
        ("Common", "Common"),
    ],
)
def test_rarities_have_one_name(text: str, code: str) -> None:
    assert rarity_code(text) == code


def listings() -> list[Listing]:
    rows = [
        ("PSE", 9800, True),
        ("PSE", 8800, True),
        ("PSE", 100, False),
        ("UR", 480, False),
        ("N-PR", 30, True),
    ]
    return [
        Listing(
            "LOCH-JP001", Decimal(price), rarity, name_jp="ブラック・マジシャン", in_stock=stock
        )
        for rarity, price, stock in rows
    ]


def test_listings_are_summed_up_by_code_and_rarity() -> None:
    price = summarize(listings())["LOCH-JP001"]
    assert (price.min, price.median, price.max, price.count) == (30, Decimal("4640"), 9800, 4)
    assert price.rarities == {"PScR": 9300, "UR": 480, "N-PR": 30}
    assert price.name_jp == "ブラック・マジシャン"


def price_file() -> PriceFile:
    prices = summarize(
        [*listings(), Listing("LOCH-JP002", Decimal("120.5")), Listing("M8 Bolt", Decimal("0.12"))]
    )
    prices["LOCH-JP002"] = with_date(prices["LOCH-JP002"], "2026-11-20T00:00:00+00:00")
    return PriceFile(
        "2026-11-24T12:00:00+00:00",
        "yuyu-tei",
        "JPY",
        prices,
        {"LOCH-JP": "2026-11-24T12:00:00+00:00"},
    )


def test_a_price_file_comes_back_as_it_was_sorted_and_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    price_file().save(path)
    assert PriceFile.load(path) == price_file()
    text = path.read_text("utf-8")
    assert "ブラック・マジシャン" in text
    values = json.loads(text)
    assert list(values["prices"]) == ["LOCH-JP001", "LOCH-JP002", "M8 Bolt"]
    first = values["prices"]["LOCH-JP001"]
    assert list(first) == ["median", "min", "max", "count", "name", "name_jp", "rarities"]
    assert values["prices"]["LOCH-JP002"]["scraped_at"] == "2026-11-20T00:00:00+00:00"


def test_a_file_of_another_program_may_say_less(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(
        '{"currency": "JPY", "prices": '
        '{"A-1": {"median": 5}, "A-2": {"median": null}, "A-3": {"median": "7"}}}'
    )
    assert PriceFile.load(path).prices == {
        "A-1": CodePrice(Decimal(5), Decimal(5), Decimal(5), 1),
        "A-3": CodePrice(Decimal(7), Decimal(7), Decimal(7), 1),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"prices": []}',
        '{"prices": {"A-1": 5}}',
        '{"prices": {"A-1": {"median": -1}}}',
        "[" * 99999,
    ],
)
def test_a_damaged_price_file_is_a_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(PriceError, match="is not a price file"):
        PriceFile.load(path)
    with pytest.raises(PriceError, match="Cannot read the prices"):
        PriceFile.load(tmp_path)


def rates(usd: str = "0.0065") -> Rates:
    return Rates("JPY", {"USD": Decimal(usd)}, "given")


def test_the_price_of_a_detection_is_that_of_its_rarity() -> None:
    book = PriceBook(price_file(), rates())
    assert book.price_of(Label("Dark Magician", "LOCH-JP001", "PScR"), "x.jpg") == {
        "code": "LOCH-JP001",
        "median": 9300,
        "min": 9300,
        "max": 9300,
        "currency": "JPY",
        "name_jp": "ブラック・マジシャン",
        "usd_median": 60.45,
        "usd_min": 60.45,
        "usd_max": 60.45,
        "rarity": "PScR",
        "scraped_at": "2026-11-24T12:00:00+00:00",
    }


def test_without_a_known_rarity_the_price_spans_all_of_them() -> None:
    price = PriceBook(price_file(), rates()).price_of(Label("Dark Magician", "LOCH-JP001", "GMR"))
    assert price is not None
    assert (price["min"], price["median"], price["max"], price["rarity"]) == (30, 4640, 9800, None)


def test_an_older_price_bears_its_own_date() -> None:
    price = PriceBook(price_file(), rates()).price_of(
        Label("Kuriboh"), "sub/LOCH-JP002_kuriboh.jpg"
    )
    assert price is not None
    assert (price["median"], price["scraped_at"]) == (120.5, "2026-11-20T00:00:00+00:00")


def test_what_is_priced_by_name_is_found_by_name_and_a_print_never_by_another_one() -> None:
    book = PriceBook(price_file(), rates())
    found = book.price_of(parse_label("m8_bolt.jpg"), "m8_bolt.jpg")
    assert found is not None
    assert found["median"] == 0.12
    assert book.price_of(Label("M8 Bolt", "LOCH-JP099")) == found
    assert book.price_of(Label("Dark Magician", "LOCH-JP099")) is None
    assert book.price_of(Label("Dark Magician")) is None
    assert book.price_of(Label("Unknown"), "unknown.jpg") is None


def test_without_a_rate_dollars_are_null_and_the_currency_stays() -> None:
    price = PriceBook(price_file(), Rates("JPY")).price_of(Label("x", "LOCH-JP001", "UR"))
    assert price is not None
    assert (price["median"], price["currency"], price["usd_median"], price["usd_min"]) == (
        480,
        "JPY",
        None,
        None,
    )


@dataclass
class FakeIndex:
    references: object


def test_the_most_expensive_codes_of_an_index_come_first() -> None:
    book = PriceBook(price_file(), rates())
    names = [
        "LOCH-JP002_kuriboh.jpg",
        "a/LOCH-JP001_dark_magician_ur.jpg",
        "LOCH-JP001_dark_magician_pscr.jpg",
        "LOCH-JP777_unpriced.jpg",
        "m8_bolt.jpg",
    ]
    index = FakeIndex(np.array(names))
    rows = book.top(10, index)
    assert [row["code"] for row in rows] == ["LOCH-JP001", "LOCH-JP002", "M8 Bolt"]
    assert rows[0] == {
        "code": "LOCH-JP001",
        "name": "Dark Magician (PScR)",
        "name_jp": "ブラック・マジシャン",
        "median": 9300,
        "currency": "JPY",
        "jpy_median": 9300,
        "usd_median": 60.45,
        "ref_filename": "LOCH-JP001_dark_magician_pscr.jpg",
    }
    assert json.loads(json.dumps(rows)) == rows
    assert book.top(1, index) == rows[:1]
    assert book.top(0, index) == book.top(-3, index) == []
    assert book.top(5, FakeIndex([])) == []


@pytest.mark.parametrize(
    ("code", "reference"),
    [
        ("a/teddy.jpg", "a/teddy__2.jpg"),
        ("teddy", "a/teddy__12.png"),
        ("Teddy", "a/teddy__2.jpg"),
        ("teddy__2", "teddy__2.jpg"),
        ("NEO-1", "NEO-1_teddy_ur__2.jpg"),
        (None, "teddy__back.jpg"),
        (None, ""),
    ],
)
def test_a_further_view_costs_what_the_first_does(code: str | None, reference: str) -> None:
    label = parse_label(reference)
    lookup = CodeLookup([code] if code else ["Teddy", "."])
    assert lookup.find(label, label, reference) == code


def test_views_are_one_line_among_the_most_expensive() -> None:
    book = PriceBook(price_file(), rates())
    names = ["m8_bolt.jpg", "m8_bolt__2.jpg", "m8_bolt__3.jpg"]
    (row,) = book.top(10, FakeIndex(np.array(names)))
    assert (row["name"], row["ref_filename"]) == ("M8 Bolt", "m8_bolt.jpg")


def fx(website: Site | None, folder: Path, **options: object) -> FxRates:
    url = website.url if website else "http://127.0.0.1:1"
    return FxRates(
        url, cache=folder, fetcher=hurried(), now=lambda: NOW + timedelta(hours=30), **options
    )


def test_a_rate_is_fetched_once_and_kept_for_the_day_without_a_network(
    website: Site, tmp_path: Path
) -> None:
    website.on("/v6/latest/JPY", as_json(ER_API))
    live = fx(website, tmp_path / "cache")
    assert live.rates_of("JPY") is live.rates_of("JPY")
    assert len(website.seen) == 1
    assert live.rates_of("JPY").convert(Decimal(2000), "USD") == Decimal("13.0")
    assert live.rates_of("JPY").info()["source"] == "live"
    assert live.rates_of("JPY").info()["usd_rate"] == 0.0065
    offline = fx(None, tmp_path / "cache").rates_of("JPY")
    assert (offline.source, offline.values, offline.updated_at) == (
        "cache",
        live.rates_of("JPY").values,
        NOW,
    )
    assert offline.note.startswith(
        "rates kept from before, 30 hours old (http://127.0.0.1:1/v6/latest/JPY: no conn"
    )


def test_with_neither_network_nor_cache_there_is_no_rate(tmp_path: Path) -> None:
    (tmp_path / "JPY.json").write_text("damaged")
    none = fx(None, tmp_path).rates_of("JPY")
    assert (none.source, none.convert(Decimal(5), "USD"), none.convert(Decimal(5), "JPY")) == (
        "none",
        None,
        5,
    )
    assert "Prices stay in JPY" in none.note
    assert none.info()["usd_rate"] is None


@pytest.mark.parametrize(
    "answer",
    [
        BROKEN,
        BUSY,
        RESET,
        DRIP,
        PAGE,
        Answer(status=404),
        Answer(b"{"),
        as_json([]),
        as_json(ER_API | {"result": "error"}),
        as_json(ER_API | {"base_code": "EUR"}),
        as_json(ER_API | {"rates": {"EUR": 1}}),
        as_json(ER_API | {"rates": {"USD": 0}}),
        as_json(ER_API | {"rates": {"USD": "many"}}),
        as_json(ER_API | {"rates": [1]}),
    ],
)
def test_no_answer_of_a_rate_site_makes_up_a_rate(
    website: Site, tmp_path: Path, answer: Answer
) -> None:
    website.on("/v6/latest/JPY", answer)
    assert fx(website, tmp_path).rates_of("JPY").convert(Decimal(1), "USD") is None
    assert not list(tmp_path.iterdir())


def test_a_rate_with_an_odd_date_is_still_a_rate(website: Site, tmp_path: Path) -> None:
    website.on("/v6/latest/JPY", BROKEN, as_json(ER_API | {"time_last_update_unix": "yesterday"}))
    found = fx(website, tmp_path).rates_of("JPY")
    assert (found.source, found.updated_at) == ("live", None)
    assert fx(None, tmp_path).rates_of("JPY").source == "cache"


def test_given_rates_and_dollars_need_no_network(tmp_path: Path) -> None:
    given = fx(None, tmp_path, given=dict([parse_rate("JPY=0.0067")]))
    assert given.rates_of("JPY").convert(Decimal(1000), "USD") == Decimal("6.7000")
    assert given.rates_of("USD").convert(Decimal("1.5"), "USD") == Decimal("1.5")
    assert given.rates_of("USD").source == "same"
    assert "not a currency code" in given.rates_of("../etc").note


@pytest.mark.parametrize(
    "text", ["JPY", "JPY=", "JPY=x", "JPY=0", "JPY=-1", "jpy=1", "=1", "JPY=nan"]
)
def test_a_wrong_rate_on_the_command_line_is_refused(text: str) -> None:
    with pytest.raises(PriceError, match="is not a rate such as"):
        parse_rate(text)


def test_a_book_is_loaded_with_its_rate(website: Site, tmp_path: Path) -> None:
    website.on("/v6/latest/JPY", as_json(ER_API))
    replace(price_file()).save(tmp_path / "p.json")
    book = PriceBook.load(tmp_path / "p.json", fx(website, tmp_path))
    assert len(book) == 3
    assert book.fx_info()["updated_at"] == NOW.isoformat()
    with pytest.raises(FactoryError, match="scrape_prices"):
        PriceBook.load(tmp_path / "none.json", fx(website, tmp_path))
