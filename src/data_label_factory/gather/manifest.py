"""manifest.json beside the buckets: where every gathered file comes from, and which queries are done with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_label_factory.atomic import write_text
from data_label_factory.errors import FactoryError

_VERSION = 1


@dataclass
class Manifest:
    """`files`: path below the data root (with `/`) → label, source, query, url, page, licence, author, date, sha256,
    bytes, width, height. `queries`: bucket → query → what it was asked with and what it gave.
    """

    path: Path
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    queries: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """The manifest at `path`, empty when there is none. Raises FactoryError for one that cannot be read."""
        try:
            values = json.loads(path.read_bytes())
        except FileNotFoundError:
            return cls(path)
        except OSError as exc:
            raise FactoryError(
                f"Cannot read {path}: {exc.strerror}", "Check its permissions"
            ) from exc
        except (ValueError, RecursionError) as exc:
            raise FactoryError(f"{path} is damaged", _MEND) from exc
        files: Any = values.get("files") if isinstance(values, dict) else None
        queries: Any = values.get("queries") if isinstance(values, dict) else None
        if not _is_table(files, 1) or not _is_table(queries, 2):
            raise FactoryError(f"{path} is not a manifest of gathered files", _MEND)
        return cls(path, files, queries)

    def save(self, project: str) -> None:
        """Write it, sorted, atomically. Raises FactoryError."""
        values = {
            "version": _VERSION,
            "project": project,
            "files": dict(sorted(self.files.items())),
            "queries": {
                bucket: dict(sorted(queries.items()))
                for bucket, queries in sorted(self.queries.items())
            },
        }
        write_text(self.path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


_MEND = "Move it away: pictures that are there already are kept, and entered anew"


def _is_table(value: Any, depth: int) -> bool:
    if not isinstance(value, dict):
        return False
    return all(
        isinstance(entry, dict) if depth == 1 else _is_table(entry, depth - 1)
        for entry in value.values()
    )
