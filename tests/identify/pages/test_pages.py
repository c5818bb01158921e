"""Every page: its templates are in the package, its parts are escaped, and it does nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import save_picture
from detections import detection, index_of
from jinja2 import UndefinedError
from markup import EVIL, Page, assert_inert

import data_label_factory
from data_label_factory.identify.encoders import EncoderIdentity
from data_label_factory.identify.evaluate.evaluation import evaluate
from data_label_factory.identify.evaluate.ground_truth import Queries, Query, TrueItem
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index, IndexMeta
from data_label_factory.identify.output import evaluate_html, verify_html
from data_label_factory.identify.pages import render
from data_label_factory.identify.pages.charts import Axis, Chart, round_ticks
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.validation import Figures, Validation
from data_label_factory.identify.train.views import ViewRecipe
from data_label_factory.identify.verify.report import ConfusablePair, verify_index

PACKAGE = Path(data_label_factory.__file__).parent
PLAIN = tuple(f"plain {number}" for number in range(len(EVIL)))
MARKUP = re.compile(
    r"<!doctype|</?(html|head|body|div|span|p|a|b|ul|li|dl|table|tr|td|img|svg|rect|path|style)\b",
    re.IGNORECASE,
)


def files_named(names: tuple[str, ...]) -> list[str]:
    return [f"{name}.png" for name in names]


def index_with(names: tuple[str, ...]) -> Index:
    meta = IndexMeta(EncoderIdentity(names[0], "ab" * 32, {}))
    return replace(index_of(*files_named(names)), meta=meta)


def make_verify_page(names: tuple[str, ...], _folder: Path) -> str:
    index = index_with(names)
    a, b, *others = files_named(names)
    report = replace(
        verify_index(index),
        confusable_pairs=[ConfusablePair(a, b, 0.5, "same file"), ConfusablePair(b, a, 0.4, a)],
        not_identified=others,
        unreadable={a: names[1], b: names[2]},
        reasons=dict.fromkeys(others, names[0]) | {a: names[1], b: names[2]},
    )
    return verify_html.as_html(report, index, None)


def make_evaluate_page(names: tuple[str, ...], folder: Path) -> str:
    references = files_named(names)
    photo = save_picture(folder / "a.png", 1)
    queries = [
        Query(photo, name, (TrueItem(reference, frozenset({reference})),))
        for name, reference in zip(names, references, strict=True)
    ]
    queries.append(Query(folder / "gone.png", f"{names[0]}\udcff", ()))

    def recognize(_: RGB) -> list[Detection]:
        return [detection(references[2]), detection(references[3], rate=1.0)]

    result = evaluate(recognize, Queries(queries, list(names)), quiet=True)
    result = replace(result, unreadable=dict.fromkeys(names, names[1]))
    return evaluate_html.as_html(result, index_with(names), None)


def make_train_page(names: tuple[str, ...], _folder: Path) -> str:
    from data_label_factory.identify.output import train_html
    from data_label_factory.identify.train.fit import TrainResult

    figures = Figures(0.5, 0.6, 0.4, 0.3, 0.1, 0.2)
    rows = np.arange(len(names)).repeat(2)
    margins = np.linspace(-0.2, 0.6, len(rows)).astype(np.float32)
    history = [{"epoch": 1, "loss": 2.0, **vars(figures)}]
    validation = Validation(figures, margins, rows)
    result = TrainResult(validation, validation, history, 1, len(names), True, True)
    encoder = EncoderIdentity(names[0], "ab" * 32, {})
    bank = Bank(
        Path("bank"),
        tuple(files_named(names)),
        names,
        8,
        encoder,
        ViewRecipe(),
        unreadable=dict.fromkeys(names, names[1]),
    )
    return train_html.as_html(result, bank, Path(names[3]), None)


MAKERS = {
    "verify": make_verify_page,
    "evaluate": make_evaluate_page,
    "train": make_train_page,
}


@pytest.fixture(params=MAKERS.values(), ids=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[tuple[str, ...], Path], str]:
    maker: Callable[[tuple[str, ...], Path], str] = request.param
    return maker


def test_names_become_text_and_never_an_element_or_attribute(make: Any, tmp_path: Path) -> None:
    evil = make(EVIL, tmp_path)
    page = assert_inert(evil)
    assert page.elements == Page(make(PLAIN, tmp_path)).elements
    assert EVIL[0] in page.text and EVIL[1] in page.text and "{{7*7}}" in page.text
    assert "49" not in re.findall(r"\d+", page.text.partition("{{7*7}}")[2][:20])


def test_a_report_loads_nothing_that_it_does_not_hold(make: Any, tmp_path: Path) -> None:
    page = Page(make(PLAIN, tmp_path))
    addresses = [*page.values_of("src"), *page.values_of("href")]
    assert all(address.startswith("data:image/") for address in addresses)
    assert "link" not in {tag for tag, _ in page.elements}


@pytest.mark.browser
def test_in_a_browser_nothing_runs_and_no_request_leaves(
    make: Any, tmp_path: Path, browser: Any
) -> None:
    file = tmp_path / "page.html"
    file.write_text(make(EVIL, tmp_path), "utf-8")
    seen: list[str] = []
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda line: seen.append(line.text))
        page.goto(file.as_uri(), wait_until="networkidle")
        page.mouse.move(200, 300)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert [url for url in seen if not url.startswith("data:")] == [file.as_uri()]
    assert wide == 0, "the page is wider than a phone"


def test_the_templates_and_the_stylesheet_are_in_the_package() -> None:
    folder = files("data_label_factory.identify.pages") / "templates"
    names = {entry.name for entry in folder.iterdir()}
    pages = {"verify.html", "evaluate.html", "train.html", "start.html", "refused.html"}
    assert names == pages | {"base.html", "parts.html", "chart.html", "pages.css"}


def test_only_templates_hold_markup() -> None:
    """A module is looked through for text constants, so bytes of a picture format do not count."""
    found = []
    for module in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and MARKUP.search(node.value):
                found.append(f"{module.relative_to(PACKAGE)}:{node.lineno}")
    assert found == []


def test_no_template_has_a_script_a_style_attribute_or_marks_a_value_as_safe() -> None:
    for template in (PACKAGE / "identify" / "pages" / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"<script|\sstyle=|\son\w+=|autoescape", text), template.name
        safe = re.findall(r"\{\{([^}]*)\|\s*safe", text)
        assert [name.strip() for name in safe] == ["stylesheet"] * (template.name == "base.html")
        # An attribute without quotes would end at the first space of a value.
        assert not re.search(r"=\{\{", text), template.name


def test_a_value_that_is_missing_is_an_error_and_no_gap() -> None:
    with pytest.raises(UndefinedError, match="advice"):
        render("refused.html", title="x")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("caf\udce9", r"caf\xe9"), ("\ud800", r"\ud800"), ("カード ✓", "カード ✓")],
)
def test_what_utf8_cannot_encode_is_written_as_bytes(name: str, shown: str) -> None:
    page = render("refused.html", title=name, advice="")
    assert shown in Page(page).text
    page.encode("utf-8")


# Charts


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.93, 1, ["0.94", "0.96", "0.98", "1"]),
        (-0.12, 0.31, ["-0.1", "0", "0.1", "0.2", "0.3"]),
        (0, 12, ["0", "2", "4", "6", "8", "10", "12"]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, texts: list[str]) -> None:
    assert [text for _, text in round_ticks(low, high)] == texts


def test_a_chart_places_values_inside_its_box() -> None:
    chart = Chart("", Axis("", 0, 10, [(5, "5")]), Axis("", 0, 2, []))
    chart.add_line([(0, 0), (10, 2), (20, 9)])
    chart.add_line([(0, 1), (5, 2)], in_steps=True)
    chart.add_line([])
    assert [line.path for line in chart.lines] == [
        "M62.0 236.0L618.0 40.0L618.0 40.0",
        "M62.0 138.0H340.0V40.0",
    ]
    assert (chart.x_ticks[0].x, chart.x_ticks[0].text) == (340.0, "5")
    chart.add_bar(0, 5, 1, "half")
    (bar,) = chart.bars
    assert (bar.x, bar.y, bar.width, bar.height) == (62.0, 138.0, 276.0, 98.0)


def test_an_axis_without_extent_does_not_divide_by_zero() -> None:
    assert Axis("", 1, 1, []).place(1) == 0
    assert round_ticks(1, 1)[0][1] == "1"
