"""Which recognition server the page asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from data_label_factory.errors import FactoryError
from data_label_factory.web.assets import FOLDER

DEFAULT_URL = "http://localhost:8500/api/falcon"
VARIABLE = "FALCON_URL"
_PATH = "/api/falcon"


@dataclass(frozen=True)
class Target:
    """`falcon` takes the frames; `root` has the other paths below it."""

    falcon: str
    root: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Raises FactoryError for what is no http address."""
        parts = urlsplit(url.strip())
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
        ):
            raise FactoryError(
                f"{url!r} is not the address of a server", f"Give it such as {DEFAULT_URL}"
            )
        path = parts.path.rstrip("/") or _PATH
        origin = f"{parts.scheme}://{parts.netloc}"
        return cls(
            origin + path, origin + path.removesuffix(_PATH) if path.endswith(_PATH) else origin
        )

    def url_of(self, path: str) -> str:
        """Where a request for `path` (with its query) goes."""
        return self.falcon if path.partition("?")[0] == _PATH else self.root + path


def find_url(
    environment: Mapping[str, str] = os.environ, files: tuple[Path, ...] | None = None
) -> str:
    """FALCON_URL of the environment, else of `web/.env.local` here or in the package, else the default.

    Raises FactoryError when such a file cannot be read.
    """
    if url := environment.get(VARIABLE, "").strip():
        return url
    for file in files if files is not None else (Path("web/.env.local"), FOLDER / ".env.local"):
        if url := _read(file).get(VARIABLE, ""):
            return url
    return DEFAULT_URL


def _read(file: Path) -> dict[str, str]:
    """`NAME=value` lines, with or without quotes and `export`; empty when there is no such file."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise FactoryError(
            f"Cannot read {file}: {exc}", f"It should hold a line {VARIABLE}=http://…"
        ) from exc
    pairs = (
        line.strip().removeprefix("export ").partition("=")
        for line in lines
        if not line.lstrip().startswith("#")
    )
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
