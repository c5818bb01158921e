"""Film and series posters of The Movie Database; needs a key of one's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import ClassVar

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import MAX_PAGES, Found, Source, label_of

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
    interval: ClassVar = 0.03  # about 40 calls a second are allowed
    options: ClassVar = {
        "kind": "movie (default) or tv",
        "language": "such as en-US",
        "size": "w500, w780 (default), …",
    }
    choices: ClassVar = {"kind": ("movie", "tv")}

    def check(self) -> None:
        if not _key():
            raise ProjectError(
                "The source tmdb needs a key",
                "Get one at themoviedb.org, then: export TMDB_API_KEY=…",
            )

    def find(self, query: str) -> Iterator[Found]:
        key, kind = _key(), self.option.get("kind", "movie")
        params: dict[str, str | int] = {"query": _YEAR.sub("", query)}
        if year := _YEAR.search(query):
            params["year" if kind == "movie" else "first_air_date_year"] = year[1]
        if language := self.option.get("language"):
            params["language"] = language
        # A v4 token is a JWT; a v3 key goes into the address, which error messages therefore do not show.
        headers = {"Authorization": f"Bearer {key}"} if key.startswith("eyJ") else None
        if headers is None:
            params["api_key"] = key
        images = _IMAGES if self.base_url == self.host else self.base_url
        for page in range(1, MAX_PAGES + 1):
            answer = self.json(f"/3/search/{kind}", params | {"page": page}, headers=headers)
            for work in answer["results"]:
                if work.get("poster_path"):
                    title, date = (
                        work.get("title") or work["name"],
                        work.get("release_date") or work.get("first_air_date"),
                    )
                    yield Found(
                        label_of(f"{title} ({date[:4]})" if date else title),
                        f"{images}/t/p/{self.option.get('size', 'w780')}{work['poster_path']}",
                        page=f"https://www.themoviedb.org/{kind}/{work['id']}",
                    )
            if page >= int(answer.get("total_pages", 1)):
                return


def _key() -> str:
    return os.environ.get("TMDB_API_KEY", "").strip()
