"""manifest.json beside the buckets: where each file comes from, and which queries are done."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_label_factory.atomic import write_text
from data_label_factory.errors import FactoryError

_VERSION = 1
_REPAIR_HINT = "Move it away: pictures that are already there are kept, and entered again"


@dataclass
class Manifest:
    """The content of manifest.json.

    `files` maps a path below the data root (with `/`) to label,
    source, query, url, page, licence, author, retrieved_at, sha256,
    bytes, width and height. `queries` maps a bucket and a query to
    what was asked and which files came of it.
    """

    path: Path
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    queries: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Return the manifest at `path`, empty if there is no such
        file.

        Raises FactoryError if it cannot be read or is damaged.
        """
        try:
            values = json.loads(path.read_bytes())
        except FileNotFoundError:
            return cls(path)
        except OSError as exc:
            raise FactoryError(
                f"Cannot read {path}: {exc.strerror}",
                "Check its permissions",
            ) from exc
        except (ValueError, RecursionError) as exc:
            raise FactoryError(f"{path} is damaged", _REPAIR_HINT) from exc

        files: Any = values.get("files") if isinstance(values, dict) else None
        queries: Any = values.get("queries") if isinstance(values, dict) else None
        if not _is_table(files, depth=1) or not _is_table(queries, depth=2):
            raise FactoryError(f"{path} is not a manifest of gathered files", _REPAIR_HINT)
        return cls(path, files, queries)

    def save(self, project: str) -> None:
        """Write the manifest, sorted, atomically. Raises FactoryError."""
        queries = {
            bucket: dict(sorted(by_query.items()))
            for bucket, by_query in sorted(self.queries.items())
        }
        values = {
            "version": _VERSION,
            "project": project,
            "files": dict(sorted(self.files.items())),
            "queries": queries,
        }
        write_text(self.path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def _is_table(value: Any, depth: int) -> bool:
    """Return whether `value` is a dict of dicts, nested `depth` levels deep."""
    if not isinstance(value, dict):
        return False
    if depth == 0:
        return True
    return all(_is_table(entry, depth - 1) for entry in value.values())
