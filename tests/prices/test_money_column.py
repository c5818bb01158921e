"""Prices in the cells of people's tables: read as meant, asked about, or refused; never guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.errors import PriceError
from data_label_factory.prices.money import MoneyColumn
from data_label_factory.prices.sites.own import read_stock


def read_price(cell: str, currency: str) -> Decimal | None:
    return MoneyColumn([cell], currency).read(cell)


AMOUNTS = st.decimals(min_value="0.01", max_value="99999999.99", places=2)
GROUPS = {".": [",", " ", "\u202f", "'", "’", ""], ",": [".", " ", "\xa0", "'", ""]}


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        (".50", "0.5"),
        ("1 226,50", "1226.5"),
        ("1'226.50", "1226.5"),
        ("1.234.567,89 €", "1234567.89"),
        ("1,234,567", "1234567"),
        ("12,34,567.5", "1234567.5"),
        ("1234,567", "1234.567"),
        ("12,5000", "12.5"),
        ("5,-", "5"),
        ("€5.–", "5"),
        ("１２．５０ ＥＵＲ", "12.5"),
        ("EUR 1.5", "1.5"),
    ],
)
def test_a_price_in_many_spellings(cell: str, amount: str) -> None:
    assert read_price(cell, "EUR") == Decimal(amount)


@pytest.mark.parametrize("cell", ["", " ", "0", "0.00", "-", "–", "--"])
def test_no_price(cell: str) -> None:
    assert read_price(cell, "EUR") is None


NUMBERS = "-5 +5 2-3 1/2 1e5 NaN ½ 1,2,3 1.2.3 12.34.567 1.234, 5.5.- ca.5 5x 1,00,00 1,1980.50"
WORDS = "ca. 5|5 pieces|2 3|12 34|5 or 6|1.234'567|9999999999999"


@pytest.mark.parametrize("cell", [*NUMBERS.split(), *WORDS.split("|")])
def test_what_is_not_a_price_as_a_whole_is_none(cell: str) -> None:
    with pytest.raises(PriceError, match=r"is not a price|too large"):
        read_price(cell, "EUR")


@pytest.mark.parametrize(
    ("cell", "currency", "amount"),
    [
        ("$12.50", "USD", "12.5"),
        ("$12.50", "CAD", "12.5"),
        ("R$ 1,50", "BRL", "1.5"),
        ("kr. 5", "SEK", "5"),
        ("5 zł", "PLN", "5"),
        ("１，９８０円", "JPY", "1980"),
        ("¥1.980", "JPY", "1980"),
        ("CHF 1’226.50", "CHF", "1226.5"),
    ],
)
def test_a_currency_in_the_cell(cell: str, currency: str, amount: str) -> None:
    assert read_price(cell, currency) == Decimal(amount)


@pytest.mark.parametrize("cell", ["$12.50", "12.50 USD", "¥5", "5 CHF", "US$5"])
def test_another_currency_is_refused(cell: str) -> None:
    with pytest.raises(PriceError, match="is not in EUR"):
        read_price(cell, "EUR")


@pytest.mark.parametrize("cell", ["1,980", "1.226 €", "173,900"])
def test_a_cell_with_two_readings_is_asked_about(cell: str) -> None:
    with pytest.raises(PriceError, match=r"may mean .* or .*Write"):
        read_price(cell, "EUR")


@pytest.mark.parametrize(
    ("column", "amount"),
    [
        (["2,50"], "1.98"),
        (["1,000.00"], "1980"),
        (["1,000,000", "5"], "1980"),
        (["1.000.000", "5"], "1.98"),
        (["5", "10"], None),
        (["2,50", "2.50"], None),
    ],
)
def test_the_other_cells_of_a_column_decide(column: list[str], amount: str | None) -> None:
    prices = MoneyColumn([*column, "1,980"], "EUR")
    if amount is None:
        with pytest.raises(PriceError, match="may mean"):
            prices.read("1,980")
    else:
        assert prices.read("1,980") == Decimal(amount)


def test_a_semicolon_between_the_columns_decides_if_no_cell_does() -> None:
    assert MoneyColumn(["1,980"], "EUR", has_decimal_commas=True).read("1,980") == Decimal("1.98")
    assert MoneyColumn(["1.980"], "EUR", has_decimal_commas=True).read("1.980") == 1980
    clear = MoneyColumn(["1.980", "2.50"], "EUR", has_decimal_commas=True)
    assert clear.read("1.980") == Decimal("1.98")


@given(
    amounts=st.lists(AMOUNTS, min_size=1),
    mark=st.sampled_from(".,"),
    choice=st.integers(0, 5),
    places=st.integers(0, 3),
    sign=st.sampled_from(["{}", "€{}", "{} €", "EUR {}"]),
)
def test_what_one_convention_writes_is_read_as_it_was_or_asked_about(
    amounts: list[Decimal], mark: str, choice: int, places: int, sign: str
) -> None:
    """A reference writer: f-strings, with the marks exchanged."""
    group = GROUPS[mark][choice % len(GROUPS[mark])]
    exchange = str.maketrans({",": group, ".": mark})
    meant = [round(amount, places) for amount in amounts]
    cells = [sign.format(f"{amount:,.{places}f}".translate(exchange)) for amount in meant]

    prices = MoneyColumn(cells, "EUR")
    for cell, amount in zip(cells, meant, strict=True):
        try:
            price = prices.read(cell)
        except PriceError as exc:
            assert "may mean" in str(exc)
        else:
            assert (price or 0) == amount


@given(st.text(max_size=12))
def test_any_text_is_a_price_none_or_refused(text: str) -> None:
    try:
        price = read_price(text, "EUR")
    except PriceError:
        return
    assert price is None or 0 < price < 10**12


@pytest.mark.parametrize(
    ("cell", "known"),
    [("", True), ("3", True), ("0", False), ("0.0", False), ("0,00", False), ("10", True)]
    + [(word, False) for word in ("no", "None", "sold out", "SOLD-OUT", "out of stock")]
    + [(word, True) for word in ("yes", "In Stock", "available")],
)
def test_stock(cell: str, known: bool) -> None:
    assert read_stock(cell) is known


def test_unknown_words_of_stock_are_refused() -> None:
    with pytest.raises(PriceError, match="Write a number, yes or no"):
        read_stock("maybe")
