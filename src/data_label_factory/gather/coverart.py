"""Album covers: MusicBrainz finds the release group, the Cover Art Archive has its front."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.gather.base import Candidate, Source, make_label
from data_label_factory.gather.query import list_titles

_COVERS = "https://coverartarchive.org"
_MIN_SCORE = 80  # MusicBrainz' own, of 100; below it, titles begin to differ
_SPARE_GROUPS = 10  # many release groups have no cover
_MAX_GROUPS = 100  # per call


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
    tries_next: ClassVar = True  # the next release group of the same title may have a cover

    def find(self, query: str) -> Iterator[Candidate]:
        found = False
        for artist, title in list_titles(query):
            for group in self._search(artist, title):
                found = True
                yield self._make_candidate(group)
            if found:
                return

    def _search(self, artist: str, title: str) -> Iterator[Mapping[str, Any]]:
        """Yield the release groups that match well."""
        words = f"releasegroup:{_quote(title)}"
        if artist:
            words += f" AND artist:{_quote(artist)}"

        limit = min(self.limit + _SPARE_GROUPS, _MAX_GROUPS)
        answer = self.json("/ws/2/release-group", {"query": words, "fmt": "json", "limit": limit})
        for group in answer["release-groups"]:
            if int(group.get("score", 100)) < _MIN_SCORE:
                return
            yield group

    def _make_candidate(self, group: Mapping[str, Any]) -> Candidate:
        title = group["title"]
        artist = _join_credits(group)
        with_artist = artist and self.option.get("label") != "title"

        covers = _COVERS if self.base_url == self.host else self.base_url
        size = self.option.get("size", "500")
        return Candidate(
            make_label(f"{artist} - {title}" if with_artist else title),
            f"{covers}/release-group/{group['id']}/front-{size}",
            page=f"https://musicbrainz.org/release-group/{group['id']}",
            author=artist,
        )


def _join_credits(group: Mapping[str, Any]) -> str:
    """Return the artists as MusicBrainz writes them, such as `A & B`."""
    return "".join(
        credit["name"] + credit.get("joinphrase", "") for credit in group.get("artist-credit", [])
    )


def _quote(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text.strip()) + '"'
