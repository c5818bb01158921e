"""What a run of `gather` did: new, present and duplicate pictures, failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from data_label_factory.http.fetch import redact_url


@dataclass(frozen=True)
class Failure:
    """A picture or query that failed, and why.

    `url` is an address or a file; `line` that of a list, if not 0.
    """

    bucket: str
    query: str
    reason: str
    url: str = ""
    line: int = 0

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        url = redact_url(self.url) if "://" in self.url else self.url
        location = f"{url}: " if url and url not in self.reason else ""
        return f"{self.bucket}: {self.query!r}{line}: {location}{self.reason}"


@dataclass
class GatherResult:
    """What a run did. Paths are relative to `root`.

    `duplicates` maps a path to the other labels under which the
    same picture was found. `planned` belongs to a dry run: (path
    without suffix, address). `notes` say which results were passed
    over for a further one, which columns of lists, and what was
    left out of a label.
    """

    root: Path
    new: list[str] = field(default_factory=list)
    present: int = 0
    duplicates: dict[str, list[str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    planned: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 if nothing failed, 1 if something did, 2 if everything did."""
        if not self.failures:
            return 0
        return 1 if self.new or self.present or self.duplicates or self.planned else 2
