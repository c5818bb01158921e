from pathlib import Path

import pytest

from data_label_factory.errors import ProjectError
from data_label_factory.project import Bucket, load_project

GOOD = """\
project_name: yugioh
target_object: trading card
data_root: ~/cards
buckets:
  positive/cards:
    source: ygoprodeck
    queries: [Dark Magician, "Pharaoh's Servant", 47]
  negative/desk: [empty desk, hand]
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "project.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_project_is_read_with_both_kinds_of_bucket(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, GOOD))
    assert project.project_name == "yugioh"
    assert project.data_root == Path.home() / "cards"
    assert project.buckets == {
        "positive/cards": Bucket(("Dark Magician", "Pharaoh's Servant", "47"), "ygoprodeck"),
        "negative/desk": Bucket(("empty desk", "hand")),
    }


def test_data_root_has_a_default(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, "project_name: art\nbuckets: {a: [b]}\n"))
    assert project.data_root == Path.home() / "data-label-factory" / "art"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (GOOD.replace("target_object", "target_objekt"), ["line 2: unknown key 'target_objekt'"]),
        (GOOD.replace("source: y", "sauce: y"), ["line 6: unknown key 'sauce' in a bucket"]),
        (GOOD.replace("[empty desk, hand]", "5"), ["line 8: a bucket must be a mapping"]),
        (
            GOOD.replace("yugioh", "[a]").replace("[empty desk, hand]", "[]"),
            ["line 1: expected text", "line 8: expected a list"],
        ),
        ("project_name: a\n", ["buckets is missing"]),
        ("buckets: {a: [b]}\n", ["project_name is missing"]),
        ("project_name: a\nbuckets: {a: {source: x}}\n", ["line 2: a bucket needs queries"]),
        ("project_name: a\nbuckets: {../up: [b]}\n", ["line 2: '../up' is not a folder inside"]),
        (
            "project_name: a\nproject_name: b\nbuckets: {a: [b]}\n",
            ["line 2: duplicate key 'project_name'"],
        ),
        ("project_name: a\nbuckets: {a: [null]}\n", ["line 2: expected text"]),
        ("", ["line 1: the project must be a mapping"]),
        ("a: [b", ["not valid YAML"]),
        (b"\xff\xfe\x00", ["not valid YAML"]),
    ],
)
def test_every_problem_is_named_with_its_line(
    tmp_path: Path, text: str | bytes, messages: list[str]
) -> None:
    with pytest.raises(ProjectError) as caught:
        load_project(write(tmp_path, text))
    for message in messages:
        assert message in str(caught.value)


def test_a_missing_project_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="Cannot read"):
        load_project(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("buckets: {a: [Circle of Protection: Red]}\n", ["line 2: expected text", '"quotes"']),
        ("buckets:\n  a:\n    - Opt\n    - Type: Null\n", ["line 5: expected text", '"quotes"']),
        ("buckets: {a: {source: x, queries: [SB: 2 Negate]}}\n", ["line 2", "text with a colon"]),
        ("buckets:\n  a: Number 39: Utopia\n", ["line 3, column 15", '"quotes"']),
        ("buckets: {a: ['Caf\xe9', b]}\n".encode("cp1252"), ["line 2 is not UTF-8 text"]),
        (b"buckets: {a: ['\x00']}\n", ["a control character"]),
    ],
)
def test_a_colon_asks_for_quotes_and_no_words_of_a_library_are_shown(
    tmp_path: Path, text: str | bytes, messages: list[str]
) -> None:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ProjectError) as caught:
        load_project(write(tmp_path, b"project_name: a\n" + data))
    told = str(caught.value)
    for message in messages:
        assert message in told
    assert "codec" not in told
    assert "mapping values" not in told


def test_labels_are_those_of_cards_unless_the_project_says_plain(tmp_path: Path) -> None:
    assert load_project(write(tmp_path, GOOD)).labels == "cards"
    assert load_project(write(tmp_path, f"labels: plain\n{GOOD}")).labels == "plain"
    with pytest.raises(ProjectError, match="line 1: labels must be one of: cards, plain"):
        load_project(write(tmp_path, f"labels: [plain]\n{GOOD}"))
