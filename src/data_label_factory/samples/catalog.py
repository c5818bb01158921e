"""The list of sample cards: what is printed on each, and how its file is named."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data_label_factory.samples.art import SCENES
from data_label_factory.samples.words import EFFECTS, EPITHETS, FLAVORS, NOUNS, OWNERS, TRIGGERS

SETS: dict[str, str] = {
    "EMBR-EN": "Emberwake",
    "TIDE-EN": "Tidebound Tales",
    "HLWD-": "Hollowood",
    "LN07-": "Lantern Night VII",
}
RARITIES: dict[str, str] = {
    "sr": "SR",
    "ur": "UR",
    "scr": "ScR",
    "pscr": "PScR",
    "utr": "UtR",
    "cr": "CR",
    "ea": "EA",
    "gmr": "GMR",
    "op": "OP",
}
# With more cards, the words no longer suffice for distinct names.
MOST_CARDS = 1000
VARIANT_EVERY = 8


@dataclass(frozen=True)
class SampleCard:
    """One card of the sample collection.

    `rarity` is printed as is and empty for commons; `shade` picks the palette and
    `seed` the composition of the art, so two cards with equal `scene`, `element`,
    `shade` and `seed` share their picture. `filename` is the label: set code, name
    words and rarity.
    """

    name: str
    set_code: str
    rarity: str
    set_name: str
    element: str
    scene: str
    kind: str
    cost: int
    attack: int
    defense: int
    rules: str
    flavor: str
    shade: int
    seed: int
    filename: str


def file_label(set_code: str, name: str, rarity: str) -> str:
    """File name of a card: `EMBR-EN014_tide_warden_ur.jpg`."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    parts = [set_code, *words]
    if rarity:
        parts.append(rarity.lower())
    return "_".join(parts) + ".jpg"


def sample_cards(count: int = 150, seed: int = 7) -> list[SampleCard]:
    """Return the first `count` cards of the collection that `seed` names.

    A longer list starts with the shorter one. Every eighth card is another printing of
    an earlier one, with the same name and art but another rarity. Raises ValueError
    unless 0 <= count <= MOST_CARDS.
    """
    if not 0 <= count <= MOST_CARDS:
        raise ValueError(f"count must be between 0 and {MOST_CARDS}, not {count}")

    cards: list[SampleCard] = []
    bases: list[SampleCard] = []
    used: set[str] = set()
    numbers = dict.fromkeys(SETS, 0)

    for k in range(count):
        rng = np.random.default_rng((seed, k))
        if k % VARIANT_EVERY == VARIANT_EVERY - 1:
            base = bases.pop(int(rng.integers(len(bases))))
            card = _variant(base, k, rng, numbers)
        else:
            card = _base(k - k // VARIANT_EVERY, rng, used, numbers)
            bases.append(card)
        cards.append(card)
    return cards


def _next_code(prefix: str, numbers: dict[str, int]) -> str:
    numbers[prefix] += 1
    return f"{prefix}{numbers[prefix]:03d}"


def _variant(
    card: SampleCard, k: int, rng: np.random.Generator, numbers: dict[str, int]
) -> SampleCard:
    """Another printing of `card`; the rarities take turns, so that every finish is
    printed.
    """
    shown = list(RARITIES.values())
    turn = k // VARIANT_EVERY
    rarity = shown[turn % len(shown)]
    if rarity == card.rarity:
        rarity = shown[(turn + 1) % len(shown)]

    prefix = next(p for p in SETS if card.set_code.startswith(p))
    code = card.set_code if rng.random() < 0.5 else _next_code(prefix, numbers)
    return replace(card, set_code=code, rarity=rarity, filename=file_label(code, card.name, rarity))


def _base(k: int, rng: np.random.Generator, used: set[str], numbers: dict[str, int]) -> SampleCard:
    """The k-th distinct card.

    The 25 scenes and 6 elements cycle, so no pair of them repeats within 150 cards.
    """
    scene = list(SCENES)[k % len(SCENES)]
    element = list(EPITHETS)[k % len(EPITHETS)]
    prefix = list(SETS)[int(rng.integers(len(SETS)))]
    name = _name(k, scene, element, rng, used)
    kind = NOUNS[scene][0]
    rarity = str(rng.choice(["SR", "UR", "CR"])) if rng.random() < 0.12 else ""
    cost = int(rng.integers(1, 7))
    attack = max(0, cost + int(rng.integers(-2, 3)))
    code = _next_code(prefix, numbers)

    return SampleCard(
        name=name,
        set_code=code,
        rarity=rarity,
        set_name=SETS[prefix],
        element=element,
        scene=scene,
        kind=kind,
        cost=cost,
        attack=attack,
        defense=max(1, 2 * cost - attack + int(rng.integers(0, 3))),
        rules=_rules(name, kind, element, rng),
        flavor=str(rng.choice(FLAVORS[element])),
        shade=int(rng.integers(4)),
        seed=int(rng.integers(2**31)),
        filename=file_label(code, name, rarity),
    )


def _name(k: int, scene: str, element: str, rng: np.random.Generator, used: set[str]) -> str:
    """A name that no earlier card has; every ninth has an owner, and some have a numeral."""
    nouns = NOUNS[scene][1].split(",")
    noun = nouns[k // len(SCENES) % len(nouns)]
    numeral = " III" if k % 23 == 14 else " II" if k % 31 == 20 else ""

    while True:
        epithet = str(rng.choice(EPITHETS[element].split(",")))
        if k % 9 == 4:
            epithet = f"{rng.choice(OWNERS.split(','))}'s"
        name = f"{epithet} {noun}{numeral}"
        if name not in used:
            used.add(name)
            return name
        noun = str(rng.choice(nouns))


def _rules(name: str, kind: str, element: str, rng: np.random.Generator) -> str:
    first, second = rng.permutation(len(TRIGGERS))[:2]
    one, two = rng.permutation(len(EFFECTS[element]))[:2]
    text = TRIGGERS[first].format(name, EFFECTS[element][one], kind)
    if len(text) < 70 and rng.random() < 0.7:
        text += " " + TRIGGERS[second].format("this card", EFFECTS[element][two], kind)
    return text
