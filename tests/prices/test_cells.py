"""Prices in the cells of people's tables: read as meant, asked about, or refused; never guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.prices.cells import find_decimal_mark, read_price, read_stock

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


@pytest.mark.parametrize("cell", ["", " ", "0", "0.00", "-", "–", "n/a", "None"])
def test_no_price(cell: str) -> None:
    assert read_price(cell, "EUR") is None


NUMBERS = "-5 +5 2-3 1/2 1e5 NaN ½ 1,2,3 1.2.3 12.34.567 1.234, 5.5.- ca.5 5x 1,00,00 1,1980.50"
WORDS = "ca. 5|5 pieces|2 3|12 34|5 or 6|€ 5 €|$5€|1.234'567|9999999999999"


@pytest.mark.parametrize("cell", [*NUMBERS.split(), *WORDS.split("|")])
def test_what_is_not_a_price_as_a_whole_is_none(cell: str) -> None:
    with pytest.raises(ValueError, match=r"is not a price|too large"):
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
    with pytest.raises(ValueError, match="but the table is in EUR"):
        read_price(cell, "EUR")


@pytest.mark.parametrize("cell", ["1,980", "1.226 €", "173,900"])
def test_a_cell_with_two_readings_is_asked_about(cell: str) -> None:
    with pytest.raises(ValueError, match=r"may be .* or .*; write"):
        read_price(cell, "EUR")


@pytest.mark.parametrize(
    ("column", "delimiter", "mark"),
    [
        (["1,980", "2,50"], ",", ","),
        (["1.980", "1,000.00"], ",", "."),
        (["1.980", "5"], ";", ","),
        (["1.980", "5.25"], ";", "."),
        (["1.980", "5"], ",", ""),
        (["2,50", "2.50", "1,980"], ";", ""),
        (["1,000,000"], ",", "."),
        ([], ",", ""),
    ],
)
def test_the_other_cells_of_a_column_tell_the_decimal_mark(
    column: list[str], delimiter: str, mark: str
) -> None:
    assert find_decimal_mark(column, delimiter) == mark


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

    found = find_decimal_mark(cells, ",")
    assert found in ("", mark)
    for cell, amount in zip(cells, meant, strict=True):
        try:
            price = read_price(cell, "EUR", found)
        except ValueError as exc:
            assert "may be" in str(exc) and not found
        else:
            assert (price or 0) == amount


@given(st.text(max_size=12))
def test_any_text_is_a_price_none_or_refused(text: str) -> None:
    try:
        price = read_price(text, "EUR")
    except ValueError:
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
    with pytest.raises(ValueError, match="'maybe': write a number, yes or no"):
        read_stock("maybe")
