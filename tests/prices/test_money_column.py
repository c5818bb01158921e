"""The cells of a user's own table: a number is read as it was meant, or refused, never guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.errors import PriceError
from data_label_factory.prices.currencies import currencies_of
from data_label_factory.prices.money import MoneyColumn
from data_label_factory.prices.sites.own import read_stock


def read(
    cell: str, currency: str = "EUR", *others: str, semicolons: bool = False
) -> Decimal | None:
    column = MoneyColumn([cell, *others], currency, has_decimal_commas=semicolons)
    return column.read(cell)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("3", "3"),
        ("12.50", "12.50"),
        ("12,5 €", "12.5"),
        ("€12,50", "12.50"),
        ("EUR 12.50", "12.50"),
        ("12.50eur", "12.50"),
        ("€5 EUR", "5"),
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        (".5", "0.5"),
        ("1234.567", "1234.567"),
        ("1.2345", "1.2345"),
        ("1.234,50 €", "1234.50"),
        ("1,234.567", "1234.567"),
        ("1 226,50", "1226.50"),
        ("1\u00a0226,50\u00a0€", "1226.50"),
        ("1\u202f226,50", "1226.50"),
        ("1\u2009226", "1226"),
        ("1'226.50", "1226.50"),
        ("1’226", "1226"),
        ("1,234,567", "1234567"),
        ("1,00,000", "100000"),
        ("12,34,567.50", "1234567.50"),
        ("5,-", "5"),
        ("5.- €", "5"),
        ("1.234,–", "1234"),
        ("１，９８０．５０", "1980.50"),
        ("\u200e€5\u200f", "5"),
    ],
)
def test_a_number_with_or_without_a_currency_is_a_price(cell: str, amount: str) -> None:
    assert read(cell) == Decimal(amount)


@pytest.mark.parametrize("cell", ["", " ", "-", "–", "0", "0.00", "0,00 €", "€0", "0,-"])
def test_nothing_and_zero_say_that_there_is_no_price(cell: str) -> None:
    assert read(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "-5",
            "−5",
            "5-",
            "(5)",
            "+5",
            "2-3",
            "2 – 3",
            "1/2",
            "½",
            "12⁹⁹",
            "5²",
            "1e3",
            "5%",
            "5k",
        ),
        *("ca. 5", "~5", "5 each", "from 5", "5 €/pc", "5 5 €", "5€50", "5.", "5,", "..5", "1..5"),
        *("1,23,4", "1.2.3", "12 34", "1,2345,678", "0,123,456", "1 234.567.890,5", "1,234'567"),
        *("1.234,567.8", "1'234 567", "#N/A", "x", "٥", "=1+1", "5 € 6", "1" * 80),
    ],
)
def test_anything_else_is_no_price(cell: str) -> None:
    with pytest.raises(PriceError, match="is not a price"):
        read(cell)


def test_a_price_beyond_all_measure_is_refused() -> None:
    with pytest.raises(PriceError, match="too large"):
        read("1000000000000")


def test_an_ambiguous_number_is_refused_with_what_to_write() -> None:
    with pytest.raises(PriceError, match=r"'1,980' may mean 1980 or 1\.980\. Write 1980 or 1\.98$"):
        read("1,980")
    with pytest.raises(PriceError, match=r"Write 1226 or 1\.2260$"):
        read("1.226")
    with pytest.raises(PriceError, match=r"Write 1000 or 1$"):
        read("€1.000")
    assert read("1.2260") == Decimal("1.226")


@pytest.mark.parametrize(
    ("cell", "others", "amount"),
    [
        ("1,980", ["12.50"], "1980"),
        ("1,980", ["0.5", "7"], "1980"),
        ("1,980", ["12,50"], "1.980"),
        ("1.980", ["1.234.567"], "1980"),
        ("1,980", ["1.234.567"], "1.980"),
        ("1.980", ["1 226,5"], "1980"),
        ("1.980", ["5,-"], "1980"),
    ],
)
def test_the_clear_cells_of_a_column_decide_about_the_others(
    cell: str, others: list[str], amount: str
) -> None:
    assert read(cell, "EUR", *others) == Decimal(amount)
    assert read(cell, "EUR", *others, semicolons=True) == Decimal(amount)


def test_clear_cells_that_contradict_each_other_decide_nothing() -> None:
    for currency, semicolons in (("EUR", True), ("JPY", False)):
        with pytest.raises(PriceError, match="may mean"):
            read("1,980", currency, "1.50", "1,50", semicolons=semicolons)


def test_a_currency_without_cents_and_semicolons_decide_where_the_column_does_not() -> None:
    assert read("1,980 円", "JPY") == read("1.980", "KRW") == 1980
    assert read("1,980", semicolons=True) == Decimal("1.980")
    assert read("1.980", semicolons=True) == 1980
    assert read("1,980", "JPY", semicolons=True) == 1980


@pytest.mark.parametrize(
    ("cell", "currency"),
    [
        *(("$5", "CAD"), ("5 kr", "NOK"), ("kr.50", "DKK"), ("Rs.500", "INR"), ("¥5", "CNY")),
        *(("C$ 5", "CAD"), ("$5 CAD", "CAD"), ("5 XYZ", "XYZ"), ("5 zł", "PLN")),
        ("Fr. 5.-", "CHF"),
    ],
)
def test_a_sign_may_mean_several_currencies(cell: str, currency: str) -> None:
    assert read(cell, currency) in (5, 50, 500)


@pytest.mark.parametrize("cell", ["$5", "5 USD", "£5", "5 kr", "US$5", "$5 EUR", "0 USD"])
def test_another_currency_is_refused(cell: str) -> None:
    with pytest.raises(PriceError, match="is not in EUR"):
        read(cell)


def test_words_are_no_currencies() -> None:
    assert currencies_of("max") == currencies_of("ca.") == currencies_of("") == frozenset()
    assert currencies_of("US $") == {"USD"}


# Every convention: what groups thousands, the decimal mark, and whether groups are Indian.
CONVENTIONS = [
    *((mark, ".", False) for mark in ("", ",", " ", "'", "\u202f", "’")),
    *((mark, ",", False) for mark in ("", ".", " ", "'", "\u00a0", "\u2009")),
    (",", ".", True),
]
AMOUNTS = st.decimals(0, 10**9, places=4).map(lambda amount: round(amount, 4)) | st.decimals(
    0, 5000, places=3
)


def write(amount: Decimal, places: int, convention: tuple[str, str, bool]) -> str:
    """Write a number the way a spreadsheet of some country shows it."""
    mark, point, is_indian = convention
    whole, _, decimals = f"{amount:.{places}f}".partition(".")
    groups = [whole[-3:]]
    rest = whole[:-3]
    while rest:
        size = 2 if is_indian else 3
        groups.insert(0, rest[-size:])
        rest = rest[:-size]
    return mark.join(groups) + (point + decimals if decimals else "")


@given(
    st.lists(st.tuples(AMOUNTS, st.integers(0, 4)), min_size=1, max_size=4),
    st.sampled_from(CONVENTIONS),
    st.sampled_from(["{}", "{} €", "€{}", "EUR {}", " {} "]),
)
def test_a_column_is_read_as_it_was_written_or_refused_as_ambiguous(
    numbers: list[tuple[Decimal, int]], convention: tuple[str, str, bool], form: str
) -> None:
    cells = [form.format(write(amount, places, convention)) for amount, places in numbers]
    column = MoneyColumn(cells, "EUR")
    for cell, (amount, places) in zip(cells, numbers, strict=True):
        expected = Decimal(f"{amount:.{places}f}")
        try:
            assert column.read(cell) == (expected or None)
        except PriceError as exc:
            assert "may mean" in str(exc)
            assert expected in (Decimal(word) for word in exc.hint.split() if word[0].isdigit())


@given(st.text("0123456789.,'- €$xe/½\u00a0", max_size=12))
def test_no_digit_of_a_cell_is_ever_lost(cell: str) -> None:
    try:
        amount = read(cell, "USD", semicolons=True)
    except PriceError:
        return
    digits = "".join(filter(str.isdigit, cell))
    read_digits = int("".join(map(str, amount.as_tuple().digits))) if amount else 0
    if amount and cell.rstrip(" \u00a0$").endswith("-"):
        read_digits //= 100  # 5,- is 5,00
    assert read_digits == int(digits or 0)


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        ("", True),
        ("3", True),
        ("0", False),
        ("0.0", False),
        ("0,00", False),
        ("10", True),
        ("3 left", True),
        ("10+", True),
        ("0 pcs", False),
    ]
    + [(word, False) for word in ("no", "None", "sold out", "SOLD-OUT", "out of stock")]
    + [(word, True) for word in ("yes", "In Stock", "available")],
)
def test_stock(cell: str, known: bool) -> None:
    assert read_stock(cell) is known


def test_unknown_words_of_stock_are_refused() -> None:
    with pytest.raises(PriceError, match="Write a number, yes or no"):
        read_stock("maybe")
