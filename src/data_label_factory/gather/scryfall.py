"""Magic: The Gathering cards from the Scryfall API (cards/search)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import MAX_PAGES, Api, Found, Source, label_of


class Scryfall(Source):
    name: ClassVar = "scryfall"
    about: ClassVar = (
        "Magic cards by name, or by Scryfall's search syntax (anything with a colon in it)"
    )
    host: ClassVar = "https://api.scryfall.com"
    license: ClassVar = "© Wizards of the Coast; fan content policy"
    interval: ClassVar = 0.1
    options: ClassVar = {
        "set": "only prints of this set, such as neo",
        "unique": "cards (default), art or prints",
        "image": "small, normal (default), large, png",
    }
    choices: ClassVar = {
        "unique": ("cards", "art", "prints"),
        "image": ("normal", "small", "large", "png"),
    }

    def find(self, query: str) -> Iterator[Found]:
        words = query if ":" in query else '!"{}"'.format(query.replace('"', " "))
        if chosen := self.option.get("set"):
            words += f" set:{chosen}"
        for card in search(self, words, self.option.get("unique", "cards")):
            yield from self._pictures(card)

    def _pictures(self, card: Mapping[str, Any]) -> Iterator[Found]:
        """One picture, or one for each face that has its own, labelled with the face's name."""
        sides = [card] if "image_uris" in card else card.get("card_faces", [])
        for side in sides:
            if uris := side.get("image_uris"):
                yield Found(
                    label_of(side["name"], f"{card['set']}-{card['collector_number']}"),
                    uris[self.option.get("image", "normal")],
                    page=card.get("scryfall_uri", ""),
                    author=side.get("artist") or card.get("artist") or "",
                )


def search(api: Api, words: str, unique: str) -> Iterator[dict[str, Any]]:
    """Every card object that a search gives, page after page. Nothing found is an empty answer, not an error."""
    path, params = "/cards/search", {"q": words, "unique": unique, "order": "released"}
    for _ in range(MAX_PAGES):
        try:
            answer = api.json(path, params)
        except FetchError as exc:
            if exc.status == 404:  # Scryfall's way to say that no card matches
                return
            raise
        yield from answer["data"]
        if not answer.get("has_more"):
            return
        path, params = answer["next_page"], {}
