"""The list of sample cards: what is printed on each, and how its file is named."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data_label_factory.samples.words import EFFECTS, EPITHETS, FLAVORS, NOUNS, OWNERS, TRIGGERS

SETS = {"EMBR-EN": "Emberwake", "LN07-": "Lantern Night VII", "HLWD-": "Hollowood"}
RARITIES = ("SR", "UR", "ScR", "PScR", "UtR", "CR", "EA", "GMR", "OP")
MOST_CARDS = 1000  # with more, the words no longer suffice for distinct names
VARIANT_EVERY = 8


@dataclass(frozen=True)
class SampleCard:
    """One card of the sample collection.

    `rarity` is printed as is and empty for commons. Two cards with equal `scene`,
    `element`, `shade` (which picks the palette) and `seed` share their picture.
    """

    name: str
    set_code: str
    rarity: str
    element: str
    scene: str
    cost: int
    attack: int
    defense: int
    rules: str
    flavor: str
    shade: int
    seed: int

    @property
    def filename(self) -> str:
        """Its label, set code, name words and rarity: `EMBR-EN014_tide_warden_ur.jpg`."""
        text = f"{self.name} {self.rarity}".lower()
        words = "".join(letter if letter.isalnum() else " " for letter in text).split()
        return "_".join([self.set_code, *words]) + ".jpg"


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
    for k in range(count):
        rng = np.random.default_rng((seed, k))
        code = f"{rng.choice(list(SETS))}{k + 1:03d}"
        if k % VARIANT_EVERY == VARIANT_EVERY - 1:
            base = bases.pop(int(rng.integers(len(bases))))
            # The rarities take turns, so that every finish is printed.
            others = [rarity for rarity in RARITIES if rarity != base.rarity]
            rarity = others[k // VARIANT_EVERY % len(others)]
            code = base.set_code if rng.random() < 0.5 else code
            cards.append(replace(base, set_code=code, rarity=rarity))
        else:
            bases.append(_base(k - k // VARIANT_EVERY, seed, code, rng, used))
            cards.append(bases[-1])
    return cards


def _base(k: int, seed: int, code: str, rng: np.random.Generator, used: set[str]) -> SampleCard:
    """The k-th distinct card: scenes take turns, in another order for each seed."""
    order = np.random.default_rng(seed).permutation
    turn, place = divmod(k, len(NOUNS))
    scene = str(order(list(NOUNS))[place])
    element = str(order(list(EPITHETS))[(turn + place) % len(EPITHETS)])
    name = _name(k, scene, element, rng, used)
    cost = int(rng.integers(1, 7))
    attack = max(0, cost + int(rng.integers(-2, 3)))
    triggers, effects = (rng.permutation(text.split("|")) for text in (TRIGGERS, EFFECTS))
    rules = [str(triggers[j]).format(name, effects[j], NOUNS[scene][0]) for j in (0, 1)]
    return SampleCard(
        name=name,
        set_code=code,
        rarity=str(rng.choice(["SR", "UR", "CR"])) if rng.random() < 0.12 else "",
        element=element,
        scene=scene,
        cost=cost,
        attack=attack,
        defense=max(1, 2 * cost - attack + int(rng.integers(0, 3))),
        rules=" ".join(rules[: int(rng.integers(1, 3))]),
        flavor=str(rng.choice(FLAVORS[element].split("|"))),
        shade=(turn // len(EPITHETS) + place) % 4,
        seed=int(rng.integers(2**31)),
    )


def _name(k: int, scene: str, element: str, rng: np.random.Generator, used: set[str]) -> str:
    """A name that no earlier card has; every ninth has an owner, and some have a numeral."""
    numeral = " III" if k % 23 == 14 else " II" if k % 31 == 20 else ""
    while True:
        epithet = str(rng.choice(EPITHETS[element].split(",")))
        if k % 10 == 4:
            epithet = str(rng.choice(OWNERS.split(","))) + "'s"
        name = f"{epithet} {rng.choice(NOUNS[scene][1].split(','))}{numeral}"
        if name not in used:
            used.add(name)
            return name
