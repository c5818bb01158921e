"""Pokémon cards from the Pokémon TCG API, version 2."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from data_label_factory.gather.base import MAX_PAGES, Api, Candidate, CardSource, make_label
from data_label_factory.gather.query import Reading, has_syntax

PAGE_SIZE = 250  # the API's maximum

# The fields of a card in the API's documentation.
_SYNTAX_KEYS = (
    "id name supertype subtypes level hp types "
    "evolvesfrom evolvesto rules ancienttrait "
    "abilities attacks weaknesses resistances "
    "retreatcost convertedretreatcost set number "
    "artist rarity flavortext nationalpokedexnumbers "
    "legalities regulationmark images tcgplayer "
    "cardmarket"
)


class PokemonTcg(CardSource):
    name: ClassVar = "pokemontcg"
    about: ClassVar = (
        "Pokémon cards by name, line of a deck list, or the API's search syntax; "
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
        if has_syntax(query, _SYNTAX_KEYS):
            yield from self._search(query, query)
        else:
            yield from super().find(query)

    def find_card(self, reading: Reading) -> Iterator[Candidate]:
        name = " ".join(re.sub(r'["“”\\]', " ", reading.name).split())
        words = f'name:"{name}"'
        if code := reading.set_code:
            words += f" (set.id:{code.lower()} OR set.ptcgoCode:{code.upper()})"
        if reading.number:
            words += f' number:"{reading.number}"'
        yield from self._search(words, reading.query)

    def _search(self, words: str, query: str) -> Iterator[Candidate]:
        if chosen := self.option.get("set"):
            words += f" set.id:{chosen}"

        for card in search(self, words, min(self.limit, PAGE_SIZE)):
            code = f"{card['set']['id']}-{card['number']}"
            url = (card.get("images") or {}).get(self.option.get("image", "large"))
            if not url:
                self.pass_over(query, f"{card['name']} ({code.upper()})")
                continue
            yield Candidate(
                make_label(card["name"], code),
                url,
                author=card.get("artist") or "",
            )


def search(api: Api, words: str, page_size: int = PAGE_SIZE) -> Iterator[dict[str, Any]]:
    """Yield every card that a search finds, page after page. Raises
    FetchError.
    """
    key = os.environ.get("POKEMONTCG_API_KEY", "").strip()
    headers = {"X-Api-Key": key} if key else None
    for page in range(1, MAX_PAGES + 1):
        params: dict[str, str | int] = {"q": words, "page": page, "pageSize": page_size}
        answer = api.json("/v2/cards", params, headers=headers)
        yield from answer["data"]
        if not answer["data"] or page * page_size >= int(answer.get("totalCount", 0)):
            return
