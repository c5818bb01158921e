"""The address of the recognition server: an option, FALCON_URL, `.env.local` or the default."""

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
    """A recognition server: frames go to `falcon`, other paths are below `root`."""

    falcon: str
    root: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Raises FactoryError for anything that is not an http address."""
        parts = urlsplit(url.strip())
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname)
        if not is_http or parts.query or parts.fragment:
            raise FactoryError(
                f"{url!r} is not the address of a server", f"Give one such as {DEFAULT_URL}"
            )

        origin = f"{parts.scheme}://{parts.netloc}"
        path = parts.path.rstrip("/") or _PATH
        prefix = path.removesuffix(_PATH) if path.endswith(_PATH) else ""
        return cls(origin + path, origin + prefix)

    def url_of(self, path: str) -> str:
        """Where a request for `path`, which may have a query, goes."""
        return self.falcon if path.partition("?")[0] == _PATH else self.root + path


def find_url(
    environment: Mapping[str, str] = os.environ, files: tuple[Path, ...] | None = None
) -> str:
    """FALCON_URL from the environment, else from `files`, else the
    default.

    By default, the files are `web/.env.local` here and `.env.local` in
    the package. Raises FactoryError if one of them cannot be read.
    """
    if url := environment.get(VARIABLE, "").strip():
        return url

    if files is None:
        files = (Path("web/.env.local"), FOLDER / ".env.local")
    for file in files:
        if url := _read_variables(file).get(VARIABLE, ""):
            return url
    return DEFAULT_URL


def _read_variables(file: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file, quotes and `export` removed;
    empty if there is no file.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise FactoryError(
            f"Cannot read {file}: {exc}", f"It should hold a line {VARIABLE}=http://…"
        ) from exc

    variables = {}
    for line in lines:
        if line.lstrip().startswith("#"):
            continue
        name, _, value = line.strip().removeprefix("export ").partition("=")
        variables[name.strip()] = value.strip().strip("\"'")
    return variables
