"""Pokémon cards from the Pokémon TCG API, version 2."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

from data_label_factory.gather.base import MAX_PAGES, Api, Candidate, Source, make_label

PAGE_SIZE = 250  # the API's maximum


class PokemonTcg(Source):
    name: ClassVar = "pokemontcg"
    about: ClassVar = (
        "Pokémon cards by name, or by the API's search syntax; "
        "$POKEMONTCG_API_KEY raises its limits"
    )
    host: ClassVar = "https://api.pokemontcg.io"
    license: ClassVar = "© Nintendo, Creatures, GAME FREAK; for personal use"
    interval: ClassVar = 0.1
    options: ClassVar = {
        "set": "only this set, by its id, such as swsh4",
        "image": "small or large (default)",
    }
    choices: ClassVar = {"image": ("large", "small")}

    def find(self, query: str) -> Iterator[Candidate]:
        words = query
        if ":" not in query:
            name = query.replace('"', " ")
            words = f'name:"{name}"'
        if chosen := self.option.get("set"):
            words += f" set.id:{chosen}"

        for card in search(self, words, min(self.limit, PAGE_SIZE)):
            yield Candidate(
                make_label(card["name"], f"{card['set']['id']}-{card['number']}"),
                card["images"][self.option.get("image", "large")],
                author=card.get("artist") or "",
            )


def search(api: Api, words: str, page_size: int = PAGE_SIZE) -> Iterator[dict[str, Any]]:
    """Yield every card that a search finds, page after page. Raises FetchError."""
    key = os.environ.get("POKEMONTCG_API_KEY", "").strip()
    headers = {"X-Api-Key": key} if key else None
    for page in range(1, MAX_PAGES + 1):
        params: dict[str, str | int] = {"q": words, "page": page, "pageSize": page_size}
        answer = api.json("/v2/cards", params, headers=headers)
        yield from answer["data"]
        if not answer["data"] or page * page_size >= int(answer.get("totalCount", 0)):
            return
