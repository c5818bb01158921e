"""Album covers: MusicBrainz finds the release group, the Cover Art Archive has its front."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from data_label_factory.gather.base import Found, Source, label_of

_COVERS = "https://coverartarchive.org"
_LEAST_SCORE = 80  # of 100, MusicBrainz' own; below it titles begin to differ


class CoverArt(Source):
    name: ClassVar = "coverart"
    about: ClassVar = "album covers by `Title` or `Artist - Title` (MusicBrainz, Cover Art Archive)"
    host: ClassVar = "https://musicbrainz.org"
    license: ClassVar = "© the label; for personal use"
    interval: ClassVar = 1.0
    options: ClassVar = {
        "label": "`artist` (default: Artist - Title) or `title`",
        "size": "250, 500 (default) or 1200",
    }
    choices: ClassVar = {"label": ("artist", "title"), "size": ("500", "250", "1200")}
    tries_next: ClassVar = (
        True  # many release groups have no cover; the next one of the same title may
    )

    def find(self, query: str) -> Iterator[Found]:
        artist, dash, title = query.partition(" - ")
        words = f"releasegroup:{_quoted(title if dash else query)}"
        if dash:
            words += f" AND artist:{_quoted(artist)}"
        answer = self.json(
            "/ws/2/release-group",
            {"query": words, "fmt": "json", "limit": min(self.limit + 10, 100)},
        )
        covers = _COVERS if self.base_url == self.host else self.base_url
        for group in answer["release-groups"]:
            if int(group.get("score", 100)) < _LEAST_SCORE:
                return
            by = "".join(
                credit["name"] + credit.get("joinphrase", "")
                for credit in group.get("artist-credit", [])
            )
            name = (
                f"{by} - {group['title']}"
                if by and self.option.get("label") != "title"
                else group["title"]
            )
            yield Found(
                label_of(name),
                f"{covers}/release-group/{group['id']}/front-{self.option.get('size', '500')}",
                page=f"https://musicbrainz.org/release-group/{group['id']}",
                author=by,
            )


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text.strip()) + '"'
