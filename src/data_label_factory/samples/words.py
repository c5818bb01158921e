"""Every word printed on a sample card; lists are split at their commas or bars."""

from __future__ import annotations

# scene -> the kind printed on the type line, and the nouns a name ends with
NOUNS: dict[str, tuple[str, str]] = {
    "crystals": ("Relic", "Shard Garden,Prism,Geode,Lattice,Heartstone,Spindle,Choir Stone"),
    "moth": ("Spirit", "Moth,Lampwing,Silkdancer,Dustcaller,Wick Moth,Veilwing,Psyche"),
    "ship": ("Vessel", "Clipper,Ferry,Corsair,Merchantman,Wanderer,Tallship,Mailboat"),
    "bloom": ("Bloom", "Blossom,Lotus,Peony,Nightbloom,Dahlia,Petal Court,Corolla"),
    "castle": ("Place", "Keep,Spire,Bastion,Citadel,Belfry,Watchtower,Courts"),
    "lanterns": ("Omen", "Lanterns,Vigil,Festival,Wishes,Lamplight,Procession,Farewell"),
    "gears": ("Engine", "Clockwork,Movement,Millworks,Escapement,Engine,Timepiece,Calendar"),
}
EPITHETS = {
    "Ember": "Cinder,Kindled,Smoldering,Copper,Saffron,Forge,Ashen,Scarlet,Hearth,Coal,Russet",
    "Tide": "Tidal,Drowned,Pearl,Coral,Salt,Lagoon,Rippling,Harbor,Azure,Misty,Sunken,Indigo",
    "Grove": "Mossy,Verdant,Bramble,Fern,Hazel,Wildroot,Clover,Jade,Thorn,Sylvan,Willow,Ivy",
    "Gale": "Windswept,Feather,Silver,Zephyr,Northern,Pale,Frost,Drifting,Kite,Slate,Winter",
    "Dusk": "Twilight,Velvet,Umbral,Violet,Dreaming,Veiled,Midnight,Raven,Moonlit,Amethyst",
    "Lumen": "Gilded,Radiant,Honeyed,Dawn,Amber,Ivory,Solar,Hallowed,Marigold,Golden,Noonday",
}
OWNERS = "Pharaoh,Ferryman,Beekeeper,Cartographer,Widow,Tinker,Queen,Gardener,Pilgrim,Baker,Sage"
TRIGGERS = (
    "When {0} enters play, {1}.|At dawn, {1}.|Rest {0}: {1}.|Pay one pip: {1}.|"
    "If you control another {2}, {1}.|The first time each round an ally falls, {1}."
)
EFFECTS = (
    "deal 2 damage to any rival|discard a card, then draw two|burn one relic on either side|"
    "look at the top three cards and keep one|tap an enemy; it sleeps through its next turn|"
    "gain 1 acorn for each Place in play|plant a 1/1 Sapling beside this card|"
    "swap the places of two cards in a row|scatter: each player passes one card left|"
    "copy the last Omen played this round|a fallen ally returns with 1 defense|"
    "gain 2 light and keep one coin|prevent the next damage to an ally"
)
FLAVORS = {
    "Ember": "Warm hands, warmer secrets.|It remembers every match ever struck.",
    "Tide": "The sea keeps its letters unopened.|Low water, long memory.|All maps end in blue.",
    "Grove": "Nobody planted it. Nobody dared not water it.|The roots voted; the branches obeyed.",
    "Gale": "You hear it turn the page before you do.|North is a feeling.|It left as it came.",
    "Dusk": "Half past day, a quarter to dreaming.|Every shadow has somewhere to be.",
    "Lumen": "Morning, but on purpose.|Gold is the sun, remembered.|It was asked nicely to shine.",
}
