"""The project YAML: what to gather, and where to. Validated as a whole, each problem with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from data_label_factory.errors import ProjectError

DEFAULT_DATA_ROOT = "~/data-label-factory"


@dataclass(frozen=True)
class Bucket:
    """One folder to fill: the queries to ask a source for. `source` is "" when the project does not say."""

    queries: tuple[str, ...]
    source: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)  # in the YAML, for messages


@dataclass(frozen=True)
class Project:
    """A validated project. `buckets` maps a relative folder, such as "positive/cards", to what goes into it."""

    project_name: str
    target_object: str
    data_root: Path
    buckets: dict[str, Bucket]


def load_project(path: Path) -> Project:
    """Read a project YAML. Raises ProjectError that names every unknown key and wrong type with its line."""
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as exc:
        raise ProjectError(f"Cannot read the project {path}: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ProjectError(f"{path} is not valid YAML: {exc}") from exc
    problems: list[str] = []
    values = _read_mapping(root, _TOP, "the project", problems)
    for key in ("project_name", "buckets"):
        if key not in values and not any(key in problem for problem in problems):
            problems.append(f"line 1: {key} is missing")
    if problems:
        raise ProjectError(f"{path}: " + "; ".join(problems), "See docs/projects.md for the keys")
    name = values["project_name"]
    data_root = Path(values.get("data_root", f"{DEFAULT_DATA_ROOT}/{name}")).expanduser()
    return Project(name, values.get("target_object", name), data_root, values["buckets"])


Reader = Callable[[yaml.Node, list[str]], Any]


def _read_mapping(
    node: yaml.Node | None, readers: dict[str, Reader], what: str, problems: list[str]
) -> dict[str, Any]:
    """The values of a YAML mapping by the reader of each key; what does not fit is added to `problems`."""
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {_line(node)}: {what} must be a mapping of keys to values")
        return {}
    values: dict[str, Any] = {}
    for key, value in node.value:
        if key.value not in readers:
            problems.append(
                f"line {_line(key)}: unknown key {key.value!r} in {what} (known: {', '.join(readers)})"
            )
        elif key.value in values:
            problems.append(f"line {_line(key)}: {key.value!r} is there twice")
        else:
            values[key.value] = readers[key.value](value, problems)
    return values


def _text(node: yaml.Node, problems: list[str]) -> str:
    if (
        not isinstance(node, yaml.ScalarNode)
        or node.tag == "tag:yaml.org,2002:null"
        or not node.value.strip()
    ):
        problems.append(f"line {_line(node)}: expected a text")
        return ""
    return str(node.value).strip()


def _texts(node: yaml.Node, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        problems.append(f"line {_line(node)}: expected a list of texts")
        return ()
    return tuple(_text(entry, problems) for entry in node.value)


def _options(node: yaml.Node, problems: list[str]) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {_line(node)}: expected a mapping of options")
        return {}
    return {key.value: _text(value, problems) for key, value in node.value}


def _bucket(node: yaml.Node, problems: list[str]) -> Bucket:
    if isinstance(node, yaml.SequenceNode):  # a bucket may be a plain list of queries
        return Bucket(_texts(node, problems), line=_line(node))
    values = _read_mapping(
        node, {"queries": _texts, "source": _text, "options": _options}, "a bucket", problems
    )
    if isinstance(node, yaml.MappingNode) and "queries" not in values:
        problems.append(f"line {_line(node)}: a bucket needs queries")
    return Bucket(
        values.get("queries", ()), values.get("source", ""), values.get("options", {}), _line(node)
    )


def _buckets(node: yaml.Node, problems: list[str]) -> dict[str, Bucket]:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.append(f"line {_line(node)}: buckets must map folders to queries")
        return {}
    buckets = {}
    for key, value in node.value:
        folder = PurePosixPath(str(key.value))
        if folder.is_absolute() or ".." in folder.parts or not folder.parts:
            problems.append(
                f"line {_line(key)}: {key.value!r} is not a folder inside the data root"
            )
        else:
            buckets[str(folder)] = _bucket(value, problems)
    return buckets


_TOP: dict[str, Reader] = {
    "project_name": _text,
    "target_object": _text,
    "data_root": _text,
    "buckets": _buckets,
}


def _line(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None else 1
