"""Film and series posters from The Movie Database; needs an API key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import MAX_PAGES, Candidate, Source, make_label

_IMAGES = "https://image.tmdb.org"
_YEAR = re.compile(r"\s*\((\d{4})\)$")


class Tmdb(Source):
    name: ClassVar = "tmdb"
    about: ClassVar = (
        "film posters by `Title` or `Title (1982)`; needs $TMDB_API_KEY (a v3 key or a v4 token)"
    )
    host: ClassVar = "https://api.themoviedb.org"
    license: ClassVar = (
        "© the studio; this product uses the TMDB API but is not endorsed or certified by TMDB"
    )
    interval: ClassVar = 0.03  # about 40 calls per second are allowed
    options: ClassVar = {
        "kind": "movie (default) or tv",
        "language": "such as en-US",
        "size": "w500, w780 (default), …",
    }
    choices: ClassVar = {"kind": ("movie", "tv")}

    def check(self) -> None:
        if not _read_key():
            raise ProjectError(
                "The source tmdb needs a key",
                "Get one at themoviedb.org, then: export TMDB_API_KEY=…",
            )

    def find(self, query: str) -> Iterator[Candidate]:
        kind = self.option.get("kind", "movie")
        params = self._build_params(query, kind)

        # A v4 token is a JWT. A v3 key goes into the query
        # string, which error messages
        # therefore do not show.
        key = _read_key()
        headers = None
        if key.startswith("eyJ"):
            headers = {"Authorization": f"Bearer {key}"}
        else:
            params["api_key"] = key

        for page in range(1, MAX_PAGES + 1):
            answer = self.json(f"/3/search/{kind}", params | {"page": page}, headers=headers)
            for work in answer["results"]:
                if work.get("poster_path"):
                    yield self._make_candidate(work, kind)
                else:
                    self.pass_over(query, _title(work), "no poster yet")
            if page >= int(answer.get("total_pages", 1)):
                return

    def _build_params(self, query: str, kind: str) -> dict[str, str | int]:
        params: dict[str, str | int] = {"query": _YEAR.sub("", query)}
        if year := _YEAR.search(query):
            year_key = "year" if kind == "movie" else "first_air_date_year"
            params[year_key] = year[1]
        if language := self.option.get("language"):
            params["language"] = language
        return params

    def _make_candidate(self, work: Mapping[str, Any], kind: str) -> Candidate:
        images = _IMAGES if self.base_url == self.host else self.base_url
        size = self.option.get("size", "w780")
        return Candidate(
            make_label(_title(work)),
            f"{images}/t/p/{size}{work['poster_path']}",
            page=f"https://www.themoviedb.org/{kind}/{work['id']}",
        )


def _title(work: Mapping[str, Any]) -> str:
    """Return the title with its year, if it has one."""
    title = work.get("title") or work["name"]
    date = work.get("release_date") or work.get("first_air_date")
    return f"{title} ({date[:4]})" if date else str(title)


def _read_key() -> str:
    return os.environ.get("TMDB_API_KEY", "").strip()
