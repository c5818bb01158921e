"""Every word printed on a sample card.

The texts keep their British spelling: another letter would be another picture.
"""

from __future__ import annotations

# scene -> (kind printed on the type line, nouns a name ends with)
NOUNS: dict[str, tuple[str, str]] = {
    "mountains": ("Place", "Summit,Pass,Watchpeak,Hollow Range,Threshold,Ridge,Saddle"),
    "beast": ("Beast", "Hornback,Grumbler,Denmother,Antlerkin,Bramblepaw,Prowler,Old One"),
    "crystals": ("Relic", "Shard Garden,Prism,Geode,Lattice,Heartstone,Spindle,Choir Stone"),
    "moth": ("Spirit", "Moth,Lampwing,Silkdancer,Dustcaller,Wick Moth,Veilwing,Psyche"),
    "ship": ("Vessel", "Clipper,Ferry,Corsair,Merchantman,Wanderer,Tallship,Mailboat"),
    "flower": ("Bloom", "Blossom,Lotus,Peony,Nightbloom,Dahlia,Petal Court,Corolla"),
    "tower": ("Place", "Keep,Spire,Bastion,Citadel,Belfry,Watchtower,Courts"),
    "serpent": ("Drake", "Serpent,Wyrm,Cloud Drake,Longtail,Coil,Skyrope,Sovereign"),
    "potion": ("Relic", "Tonic,Elixir,Draught,Distillate,Philtre,Remedy,Cordial"),
    "forest": ("Place", "Thicket,Wildwood,Copse,Undergrove,Boughs,Old Trail,Clearing"),
    "koi": ("Beast", "Koi,Twinfins,Pond Dancers,Carp,Ripplekin,Lily Court,Minnow Kings"),
    "constellation": (
        "Omen",
        "Zodiac,Star Chart,Alignment,Night Script,Ecliptic,Conjunction,Far World",
    ),
    "owl": ("Beast", "Owl,Nightwatcher,Librarian,Augur,Featherseer,Hooter,Judge"),
    "desert": ("Place", "Dunes,Waste,Caravan Road,Mirage,Necropolis,Sands,Quiet Desert"),
    "gears": ("Engine", "Clockwork,Orrery,Movement,Millworks,Escapement,Engine,Turnspindle"),
    "jelly": ("Spirit", "Drifter,Medusa,Parasol,Deep Lamp,Bell Dancer,Veil,Floating Choir"),
    "lanterns": ("Omen", "Lantern Night,Vigil,Festival,Wishes,Lamplight,Procession,Farewell"),
    "mask": ("Relic", "Mask,Visage,Jester,Reveller,Elder Face,Trickster,Masquerade"),
    "portal": ("Place", "Gateway,Rune Ring,Door,Threshold Stone,Passage,Waygate,Mooncircle"),
    "kraken": ("Beast", "Kraken,Grasper,Deepcoil,Harbour Bane,Tangle,Eightfold,Undertow"),
    "isles": ("Place", "Skerries,Archipelago,Sky Garden,Floating Farm,Meadow,Drift Isles,Refuge"),
    "automaton": ("Engine", "Sentry,Automaton,Tinker,Porter,Lamplighter,Brass Page,Companion"),
    "whale": ("Beast", "Whale,Skyfarer,Songbearer,Leviathan,Cloud Calf,Humpback,Starback"),
    "storm": ("Omen", "Tempest,Thunderhead,Downpour,Squall,Stormfront,Skyfall,Reckoning"),
    "blade": ("Relic", "Blade,Oathsword,Longsword,Edge,Kingmaker,Ploughshare,Vow"),
}

EPITHETS: dict[str, str] = {
    "Ember": (
        "Cinder,Ember,Kindled,Smouldering,Copper,Saffron,Forge,"
        "Ashen,Scarlet,Hearth,Sunset,Coal,Russet,Torch"
    ),
    "Tide": (
        "Tidal,Drowned,Pearl,Coral,Salt,Lagoon,Rippling,"
        "Deepwater,Harbour,Azure,Misty,Sunken,Indigo,Brine"
    ),
    "Grove": (
        "Mossy,Verdant,Bramble,Fern,Hazel,Wildroot,Clover,"
        "Jade,Thorn,Sylvan,Willow,Ivy,Acorn,Tangled"
    ),
    "Gale": (
        "Windswept,Feather,Silver,Zephyr,Northern,Pale,Cloudborn,"
        "Frost,Drifting,Kite,Slate,Winter,Whistling,Hushed"
    ),
    "Dusk": (
        "Twilight,Velvet,Umbral,Violet,Dreaming,Veiled,Midnight,"
        "Raven,Whispering,Moonlit,Sable,Amethyst,Hollow,Gloaming"
    ),
    "Lumen": (
        "Gilded,Radiant,Honeyed,Dawn,Amber,Ivory,Solar,"
        "Hallowed,Marigold,Wheaten,Morning,Golden,Noonday,Blessed"
    ),
}

OWNERS = (
    "Pharaoh,Ferryman,Beekeeper,Cartographer,Widow,Tinker,Queen,Gardener,Pilgrim,Baker,Captain,Sage"
)

EFFECTS: dict[str, tuple[str, ...]] = {
    "Ember": (
        "deal 2 damage to any rival",
        "discard a card, then draw two",
        "your smallest ally gains +2 attack until dusk",
        "burn one relic on either side",
        "light a beacon: allies strike first this turn",
    ),
    "Tide": (
        "return a rival's newest card to hand",
        "look at the top three cards and keep one",
        "tap an enemy; it sleeps through its next turn",
        "draw a card for each Vessel you control",
        "move the tide marker one step towards you",
    ),
    "Grove": (
        "gain 1 acorn for each Place in play",
        "plant a 1/1 Sapling beside this card",
        "heal 3, then shuffle your discard pile",
        "your Beasts gain +1/+1 until your next dawn",
        "search your deck for a Bloom and reveal it",
    ),
    "Gale": (
        "swap the places of two cards in a row",
        "an ally may move and strike in the same turn",
        "scatter: each player passes one card left",
        "blow out every lit beacon",
        "return a card from your discard to the top of your deck",
    ),
    "Dusk": (
        "peek at a rival's hand and name one card; it stays there",
        "copy the last Omen played this round",
        "a fallen ally returns with 1 defence",
        "hide this card face down until it is challenged",
        "each rival loses 1 light for every Spirit you control",
    ),
    "Lumen": (
        "gain 2 light and keep one coin",
        "prevent the next damage to an ally",
        "every player may draw; you draw twice",
        "reveal all face-down cards",
        "raise one ally to its printed defence",
    ),
}

TRIGGERS = (
    "When {0} enters play, {1}.",
    "At dawn, {1}.",
    "Rest {0}: {1}.",
    "Pay one pip: {1}.",
    "If you control another {2}, {1}.",
    "The first time each round an ally falls, {1}.",
)

FLAVORS: dict[str, tuple[str, ...]] = {
    "Ember": (
        "Warm hands, warmer secrets.",
        "It remembers every match ever struck.",
        "Carry a coal from home and you are never lost.",
        "Even ash was once a promise.",
        "The kettle was already singing.",
    ),
    "Tide": (
        "The sea keeps its letters unopened.",
        "Low water, long memory.",
        "Ask the harbour lights; they saw it first.",
        "Salt on the rope, salt in the story.",
        "All maps end in blue.",
    ),
    "Grove": (
        "Nobody planted it. Nobody dared not water it.",
        "Slow is just another kind of certain.",
        "The roots voted; the branches obeyed.",
        "Leave the gate open. It likes visitors.",
        "Moss grows on the side that listens.",
    ),
    "Gale": (
        "You hear it turn the page before you do.",
        "Hold on to your hat and your opinions.",
        "The sky signs its name in a hurry.",
        "North is a feeling.",
        "It left as it came: sideways.",
    ),
    "Dusk": (
        "Half past day, a quarter to dreaming.",
        "It blinks only when you do.",
        "The dark is just a shy colour.",
        "Every shadow has somewhere to be.",
        "Tell it nothing. It knows.",
    ),
    "Lumen": (
        "Morning, but on purpose.",
        "Some doors open only for the kind.",
        "It shines because it was asked nicely.",
        "Gold is the sun, remembered.",
        "Bright enough to read by, gentle enough to sleep.",
    ),
}
