"""Project YAML → what to gather, and where to. Every problem is reported with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast, get_args

import yaml

from data_label_factory.errors import ProjectError
from data_label_factory.labels import LabelScheme

DEFAULT_DATA_ROOT = "~/data-label-factory"
_QUOTES = 'put "quotes" around a text with a colon, a # or brackets'

# Reads one YAML value; adds what is wrong with it to the list of problems.
Reader = Callable[[yaml.Node, list[str]], Any]


@dataclass(frozen=True)
class Bucket:
    """One folder to fill: the queries for a source.

    `source` is "" if the project names none.
    """

    queries: tuple[str, ...]
    source: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)  # in the YAML, for messages


@dataclass(frozen=True)
class Project:
    """A validated project.

    `buckets` maps a folder relative to `data_root`, such as
    "positive/cards", to its bucket; `labels` is what the file names
    say.
    """

    project_name: str
    data_root: Path
    buckets: dict[str, Bucket]
    labels: LabelScheme = "cards"


def load_project(path: Path) -> Project:
    """Read a project YAML.

    Raises ProjectError that lists every unknown key and wrong type with
    its line.
    """
    root = _parse_yaml(path)

    problems: list[str] = []
    values = _read_mapping(root, _TOP_LEVEL, "the project", problems)
    for key in ("project_name", "buckets"):
        if key not in values and not any(key in problem for problem in problems):
            problems.append(f"line 1: {key} is missing")
    if problems:
        raise ProjectError(f"{path}: " + "; ".join(problems), "See docs/projects.md for the keys")

    name = values["project_name"]
    data_root = values.get("data_root", f"{DEFAULT_DATA_ROOT}/{name}")
    return Project(
        project_name=name,
        data_root=Path(data_root).expanduser(),
        buckets=values["buckets"],
        labels=values.get("labels", "cards"),
    )


def _parse_yaml(path: Path) -> yaml.Node | None:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ProjectError(f"Cannot read the project {path}: {exc.strerror}") from exc

    try:
        return yaml.compose(data.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ProjectError(
            f"{path} is not valid YAML: line {line} is not UTF-8 text",
            "Save it as UTF-8",
        ) from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "a control character"
        raise ProjectError(
            f"{path} is not valid YAML: it cannot be read at {where}",
            f"Indent with spaces, and {_QUOTES}",
        ) from exc


def _read_mapping(
    node: yaml.Node | None,
    readers: dict[str, Reader],
    what: str,
    problems: list[str],
) -> dict[str, Any]:
    """Read each value of a mapping with the reader of its key; skip what is wrong."""
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {_line_of(node)}: {what} must be a mapping of keys to values")
        return {}

    values: dict[str, Any] = {}
    for key, value in node.value:
        line = _line_of(key)
        if key.value not in readers:
            known = ", ".join(readers)
            problems.append(f"line {line}: unknown key {key.value!r} in {what} (known: {known})")
        elif key.value in values:
            problems.append(f"line {line}: duplicate key {key.value!r}")
        else:
            values[key.value] = readers[key.value](value, problems)
    return values


def _read_text(node: yaml.Node, problems: list[str]) -> str:
    is_null = node.tag == "tag:yaml.org,2002:null"
    if isinstance(node, yaml.MappingNode):  # `Type: Null` without quotes is one
        problems.append(f"line {_line_of(node)}: expected text: {_QUOTES}")
        return ""
    if not isinstance(node, yaml.ScalarNode) or is_null or not node.value.strip():
        problems.append(f"line {_line_of(node)}: expected text")
        return ""
    return str(node.value).strip()


def _read_labels(node: yaml.Node, problems: list[str]) -> LabelScheme:
    schemes = get_args(LabelScheme)
    if not isinstance(node, yaml.ScalarNode) or node.value not in schemes:
        problems.append(f"line {_line_of(node)}: labels must be one of: {', '.join(schemes)}")
        return "cards"
    return cast(LabelScheme, node.value)


def _read_texts(node: yaml.Node, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        problems.append(f"line {_line_of(node)}: expected a list of text values")
        return ()
    return tuple(_read_text(entry, problems) for entry in node.value)


def _read_options(node: yaml.Node, problems: list[str]) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {_line_of(node)}: expected a mapping of options")
        return {}
    return {key.value: _read_text(value, problems) for key, value in node.value}


def _read_bucket(node: yaml.Node, problems: list[str]) -> Bucket:
    """Read a mapping, or a plain list of queries."""
    line = _line_of(node)
    if isinstance(node, yaml.SequenceNode):
        return Bucket(_read_texts(node, problems), line=line)

    values = _read_mapping(node, _BUCKET, "a bucket", problems)
    if isinstance(node, yaml.MappingNode) and "queries" not in values:
        problems.append(f"line {line}: a bucket needs queries")
    return Bucket(
        queries=values.get("queries", ()),
        source=values.get("source", ""),
        options=values.get("options", {}),
        line=line,
    )


def _read_buckets(node: yaml.Node, problems: list[str]) -> dict[str, Bucket]:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.append(f"line {_line_of(node)}: buckets must map folders to queries")
        return {}

    buckets = {}
    for key, value in node.value:
        folder = PurePosixPath(str(key.value))
        if folder.is_absolute() or ".." in folder.parts or not folder.parts:
            line = _line_of(key)
            problems.append(f"line {line}: {key.value!r} is not a folder inside the data root")
        else:
            buckets[str(folder)] = _read_bucket(value, problems)
    return buckets


_TOP_LEVEL: dict[str, Reader] = {
    "project_name": _read_text,
    "target_object": _read_text,  # for other programs that read the same file
    "data_root": _read_text,
    "labels": _read_labels,
    "buckets": _read_buckets,
}
_BUCKET: dict[str, Reader] = {
    "queries": _read_texts,
    "source": _read_text,
    "options": _read_options,
}


def _line_of(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None else 1
