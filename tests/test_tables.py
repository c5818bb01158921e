"""Tables in every dialect of spreadsheets: whole rows come back, others are named."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.tables import Problem, Table, TableError, fold_title, read_table

COLUMNS = {"name": ("card name", "title"), "count": ("qty", "quantity"), "note": ()}
# What a cell may hold: not the line breaks, which come back as spaces, nor spaces at its ends.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"))).map(lambda text: text.strip())


def read(folder: Path, text: str | bytes, **options: tuple[str, ...]) -> Table:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, COLUMNS, ["name"], needs="a name", **options)


def cells_of(table: Table) -> list[list[str]]:
    return [list(row.cells.values()) for row in table.rows]


@given(
    rows=st.lists(st.tuples(TEXT.filter(bool), TEXT, TEXT), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    bom=st.booleans(),
    separator=st.booleans(),
    titles=st.sampled_from(["name count note", "Title QTY Note", "CARD_NAME  Quantity: NOTE"]),
)
def test_what_csv_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    end: str,
    quoting: int,
    bom: bool,
    separator: bool,
    titles: str,
) -> None:
    file = io.StringIO()
    file.write("\ufeff" * bom + f"sep={delimiter}{end}" * separator)
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(titles.split())
    writer.writerows(rows)

    table = read(tmp_path_factory.mktemp("table"), file.getvalue())
    assert table.delimiter == delimiter
    assert cells_of(table) == [list(row) for row in rows]
    assert [row.line for row in table.rows] == [2 + separator + n for n in range(len(rows))]
    assert not table.problems and not table.ignored


def test_line_breaks_in_quotes_count_as_lines_and_other_breaks_do_not(tmp_path: Path) -> None:
    table = read(tmp_path, 'name,count\n"Songs\n of Love",1\nA\u2028B\x0cC\x85D,2\n')
    assert [(row.line, row["name"]) for row in table.rows] == [
        (2, "Songs of Love"),
        (4, "A\u2028B\x0cC\x85D"),
    ]


def test_only_comments_above_the_first_row_are_comments(tmp_path: Path) -> None:
    table = read(tmp_path, "# my list\n#\n\nname\n#1 Record\n# 9 Dream\n")
    assert [row["name"] for row in table.rows] == ["#1 Record", "# 9 Dream"]
    table = read(tmp_path, "#1 Record,3\n", headerless=("name", "count"))
    assert cells_of(table) == [["#1 Record", "3"]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("b,1,x,y", "more cells than columns"),
        ('"b,1,x', "is opened and not closed"),
        ('b,"1" 2" 3,x', "is opened and not closed"),
    ],
)
def test_a_row_that_is_not_whole_is_named_and_the_rest_goes_on(
    tmp_path: Path, row: str, reason: str
) -> None:
    table = read(tmp_path, f"name,count,note\na,1,\n{row}\n,,\nc,2,,,\nd\n")
    assert [(line.line, line["name"]) for line in table.rows] == [(2, "a"), (5, "c"), (6, "d")]
    (problem,) = table.problems
    assert problem.line == 3 and reason in problem.reason
    table.leave_out(2, "odd")
    assert table.describe_problems()[0] == f"{table.path}, line 2: odd"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffname;count\r\nA;1\r\n",
        "Card Name\tQty\rA\t1\r",
        " NAME | Quantity: \nA|1",
        '"count";"name"\n"1";"A"\n',
        "*name*,count,,\nA,1,,,,\n",
        'name ,"count" ,note\n"A" , "1" ,\n,,\n \n',
    ],
)
def test_a_table_is_read_however_a_spreadsheet_saves_it(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert [(row.line, row["name"], row["count"]) for row in table.rows] == [(2, "A", "1")]
    assert not table.problems


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_a_sep_line_gives_the_delimiter(tmp_path: Path, first: str) -> None:
    table = read(tmp_path, f"\ufeff{first}\r\nname;count\r\nA,b;1\r\n")
    assert [(row.line, row["name"]) for row in table.rows] == [(3, "A,b")]
    assert read(tmp_path, "sep=!\nname!count\na!b\n").delimiter == "!"


def test_quotes_that_are_no_spreadsheets(tmp_path: Path) -> None:
    table = read(tmp_path, 'name,count\n"Weird Al" Yankovic,1\n12" single,2\n')
    assert [row["name"] for row in table.rows] == ['"Weird Al" Yankovic', '12" single']


@given(st.lists(st.text("ab,;\"'# \t\n", max_size=12), max_size=8))
def test_every_letter_is_in_a_row_or_in_a_line_left_out(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    text = "name,count\n" + "\n".join(lines)
    table = read(tmp_path_factory.mktemp("typed"), text)
    kept = "".join(cell for row in table.rows for cell in row.cells.values())
    typed = text.split("\n")
    out = [problem.line for problem in table.problems]
    begins = sorted([*(row.line for row in table.rows), *out, len(typed) + 1])
    lost = "".join("".join(typed[line - 1 : begins[begins.index(line) + 1] - 1]) for line in out)
    for letter in "ab":
        assert (kept + lost).count(letter) == "".join(lines).count(letter)


def test_an_open_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    table = read(tmp_path, 'name,count\n"a,1\nb,2\n"c",3\nd,4\n')
    assert [row["name"] for row in table.rows] == ["b", "c", "d"]
    assert [problem.line for problem in table.problems] == [2]


def test_a_column_has_its_own_name_or_else_the_first_that_means_it(tmp_path: Path) -> None:
    table = read(tmp_path, "Title,Condition,Name,Quantity,Qty\nx,NM,y,1,2\n")
    assert table.rows[0].cells == {"name": "y", "count": "1"}
    assert table.ignored == ["Title", "Condition", "Qty"]
    assert table.rows[0]["note"] == ""
    assert table.describe_ignored() == [
        f"{table.path}: columns passed over: 'Title', 'Condition', 'Qty'"
    ]


def test_a_cell_below_no_title_is_one_too_many(tmp_path: Path) -> None:
    table = read(tmp_path, "name,count,\na,1,50\nb,2,\n")
    assert [row["name"] for row in table.rows] == ["b"]
    assert [problem.line for problem in table.problems] == [2]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a.jpg;A\nb.jpg;B, C\n", [["a.jpg", "A"], ["b.jpg", "B, C"]]),
        ("a.jpg\nb.jpg,B\n", [["a.jpg", ""], ["b.jpg", "B"]]),
        ("Title,cover.jpg\n", [["Title", "cover.jpg"]]),
        ("", []),
    ],
)
def test_without_a_header(tmp_path: Path, text: str, cells: list[list[str]]) -> None:
    assert cells_of(read(tmp_path, text, headerless=("name", "count"))) == cells


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must name the columns. a name"),
        ("count,note\n1,2\n", "must name the columns"),
        ("name,Count,count\n1,2\n", "two columns are called 'Count'"),
        ("nam,count\n1,2\n", "must name the columns, not 'nam'"),
        ("name\n".encode("utf-16"), "not UTF-8 text .UTF-16"),
        ("name\nBeyonc\xe9\n".encode("cp1252"), "byte 11 is of another encoding"),
        (b"name\nPK\0\0\n", "not a text file"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises(TableError, match=reason):
        read(tmp_path, text)


@given(st.binary())
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    try:
        table = read(tmp_path_factory.mktemp("table"), data)
    except TableError:
        return
    assert all(isinstance(problem, Problem) for problem in table.problems)


def test_titles_are_read_without_case_punctuation_and_unit() -> None:
    assert fold_title(" Set_Code: ") == fold_title("SET CODE") == "setcode"
    assert fold_title("Price (EUR)") == fold_title("ＰＲＩＣＥ") == "price"
