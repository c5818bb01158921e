"""Magic: The Gathering cards from the Scryfall API (cards/search)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import MAX_PAGES, Api, Candidate, Source, make_label


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

    def find(self, query: str) -> Iterator[Candidate]:
        words = query
        if ":" not in query:
            name = query.replace('"', " ")
            words = f'!"{name}"'
        if chosen := self.option.get("set"):
            words += f" set:{chosen}"

        for card in search(self, words, self.option.get("unique", "cards")):
            yield from self._list_faces(card)

    def _list_faces(self, card: Mapping[str, Any]) -> Iterator[Candidate]:
        """Yield one picture, or one per face that has its own, labeled with the face's
        name.
        """
        faces = [card] if "image_uris" in card else card.get("card_faces", [])
        for face in faces:
            if uris := face.get("image_uris"):
                yield Candidate(
                    make_label(face["name"], f"{card['set']}-{card['collector_number']}"),
                    uris[self.option.get("image", "normal")],
                    page=card.get("scryfall_uri", ""),
                    author=face.get("artist") or card.get("artist") or "",
                )


def search(api: Api, words: str, unique: str) -> Iterator[dict[str, Any]]:
    """Yield every card that a search finds, page after page.

    Yields nothing if no card matches. Raises FetchError.
    """
    path = "/cards/search"
    params = {"q": words, "unique": unique, "order": "released"}
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
        path = answer["next_page"]
        params = {}
