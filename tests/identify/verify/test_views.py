"""Views of one item among those of others: which is nearest, by one embedding and by both."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from test_verify import index_of

from data_label_factory.identify.commands.verify import command
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.semantic import pack
from data_label_factory.identify.output.verify_html import as_html
from data_label_factory.identify.verify import views
from data_label_factory.identify.verify.report import verify_index
from data_label_factory.identify.verify.views import check_views

# Front and side of two things: by the first embedding the fronts are alike, and the sides.
COPIES = np.eye(4)[[0, 1, 2, 3]] + 0.2 * np.eye(4)[[2, 3, 0, 1]]
KINDS = np.array([[1, 0.2], [1, -0.2], [-1, 0.2], [-1, -0.2]])
NAMES = ["Duck", "Duck", "Teddy", "Teddy"]


def things(semantic: bool = True) -> Index:
    index = index_of(COPIES.astype(np.float32), NAMES)
    return replace(index, semantic=pack(KINDS.astype(np.float32))) if semantic else index


def test_views_are_counted_by_one_embedding_and_by_both() -> None:
    checked = check_views(things())
    assert checked is not None
    assert (checked.views, checked.items) == (4, 2)
    assert (checked.found, checked.found_by_both) == (0, 1)
    assert not checked.are_unlike

    alone = check_views(things(semantic=False))
    assert alone is not None
    assert (alone.found, alone.found_by_both, alone.are_unlike) == (0, None, True)


def test_nothing_is_said_without_views() -> None:
    assert check_views(index_of(np.eye(3, dtype=np.float32))) is None
    assert check_views(index_of(np.eye(2, dtype=np.float32), ["Duck", "Duck"])) is None


def test_variants_are_no_views() -> None:
    index = things(semantic=False)
    assert check_views(replace(index, set_codes=np.array(["A-1", "A-2", "B-1", "B-2"]))) is None


@pytest.mark.parametrize("count", [300, 301])
def test_of_many_views_some_are_compared(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks, each left out of what it is compared with."""
    monkeypatch.setattr(views, "VIEWS_MAX", 300)
    rows = np.random.default_rng(0).normal(size=(count, 64)).astype(np.float32)
    rows[1::2] = rows[0 : 2 * (count // 2) : 2] + 0.1  # pairs, and one alone of an odd number
    checked = check_views(index_of(rows, [f"Item {number // 2}" for number in range(count)]))
    assert checked is not None
    assert checked.views == 300
    assert checked.found == 1


def test_things_are_not_shipped_as_flat_pictures(tmp_path: Path) -> None:
    alone, both = things(semantic=False), things()
    assert verify_index(alone).verdict == "add views"
    assert verify_index(both).verdict == "ship it"
    assert "0.0%" in as_html(verify_index(both), both, None)

    both.save(tmp_path / "i.npz")
    shown = CliRunner().invoke(command, ["--index", str(tmp_path / "i.npz")]).output
    assert "0.0% of 4 of 2 items are nearest to another one of their item, by both 100.0%" in shown
    values = CliRunner().invoke(command, ["--index", str(tmp_path / "i.npz"), "--json"]).output
    assert json.loads(values)["views"] == {
        "views": 4,
        "items": 2,
        "found": 0.0,
        "found_by_both": 1.0,
    }
