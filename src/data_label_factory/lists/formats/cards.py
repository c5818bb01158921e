"""Sites for trading cards, with the columns of their files.

Titles are those of each site's own export, which its import reads; as
seen in the exports that open-source readers are tested with.
"""

from __future__ import annotations

from data_label_factory.lists.formats.shape import Column, Format

_CSV = "text/csv; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"

MOXFIELD = Format(
    id="moxfield",
    title="Moxfield",
    about="collection CSV (Collection > More > Import CSV)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="moxfield.com/help: importing collection",
    quotes_all=True,
    known_by=("Tradelist Count", "Collector Number"),
    columns=(
        Column("Count", "quantity"),
        Column("Tradelist Count", default="0"),
        Column("Name", "name"),
        Column("Edition", "set"),
        Column("Condition", "condition", "moxfield"),
        Column("Language", "language", "english"),
        Column("Foil", "finish", "foil or etched"),
        Column("Tags"),
        Column("Last Modified"),
        Column("Collector Number", "number"),
        Column("Alter", default="False"),
        Column("Proxy", default="False"),
        Column("Purchase Price", "price"),
    ),
)

ARCHIDEKT = Format(
    id="archidekt",
    title="Archidekt",
    about="collection CSV (Collection > Import)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="archidekt.com: collection export",
    known_by=("Finish", "Edition Code"),
    columns=(
        Column("Quantity", "quantity"),
        Column("Name", "name"),
        Column("Finish", "finish", "words"),
        Column("Condition", "condition", "archidekt"),
        Column("Date Added", "date"),
        Column("Language", "language", "capitals"),
        Column("Purchase Price", "price"),
        Column("Tags"),
        Column("Edition Name", "extra:set_name"),
        Column("Edition Code", "set"),
        Column("Multiverse Id", "extra:multiverse_id"),
        Column("Scryfall ID", "extra:scryfall_id"),
        Column("Collector Number", "number"),
    ),
)

MANABOX = Format(
    id="manabox",
    title="ManaBox",
    about="CSV of the app (Collection > Import)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="manabox.app: CSV export",
    known_by=("ManaBox ID", "Set code"),
    columns=(
        Column("Name", "name"),
        Column("Set code", "set"),
        Column("Set name", "extra:set_name"),
        Column("Collector number", "number"),
        Column("Foil", "finish", "lower"),
        Column("Rarity", "rarity"),
        Column("Quantity", "quantity"),
        Column("ManaBox ID", "extra:manabox_id"),
        Column("Scryfall ID", "extra:scryfall_id"),
        Column("Purchase price", "price"),
        Column("Misprint", default="false"),
        Column("Altered", default="false"),
        Column("Condition", "condition", "manabox"),
        Column("Language", "language", "code"),
        Column("Purchase price currency", "currency"),
    ),
)

DECKBOX = Format(
    id="deckbox",
    title="Deckbox",
    about="inventory CSV (Tools & Import/Export)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="deckbox.org: inventory export",
    known_by=("Tradelist Count", "Card Number"),
    columns=(
        Column("Count", "quantity"),
        Column("Tradelist Count", default="0"),
        Column("Name", "name"),
        Column("Edition", "extra:set_name"),
        Column("Edition Code", "set"),
        Column("Card Number", "number"),
        Column("Condition", "condition", "deckbox"),
        Column("Language", "language", "english"),
        Column("Foil", "finish", "foil"),
        Column("Signed"),
        Column("Artist Proof"),
        Column("Altered Art"),
        Column("Misprint"),
        Column("Promo"),
        Column("Textless"),
        Column("My Price"),  # what one asks for it, not what it was worth
    ),
)

TCGPLAYER = Format(
    id="tcgplayer",
    title="TCGplayer",
    about="collection CSV of the app",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="TCGplayer app: collection export",
    known_by=("Simple Name", "Set Code"),
    columns=(
        Column("Quantity", "quantity"),
        Column("Name", "name"),
        Column("Simple Name", "name"),
        Column("Set", "extra:set_name"),
        Column("Card Number", "number"),
        Column("Set Code", "set"),
        Column("Printing", "finish", "printing"),
        Column("Condition", "condition", "tcgplayer"),
        Column("Language", "language", "english"),
        Column("Rarity", "rarity"),
        Column("Product ID", "extra:tcgplayer_id"),
        Column("SKU", "extra:tcgplayer_sku"),
    ),
)

CARDMARKET = Format(
    id="cardmarket",
    title="Cardmarket",
    about="stock file, separated by semicolons",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="api.cardmarket.com: stock file; language and condition as in API 1.1, Stock",
    delimiter=";",
    quotes_all=True,
    currency="EUR",
    known_by=("English Name", "Exp."),
    columns=(
        Column("idArticle"),
        Column("idProduct", "extra:cardmarket_id"),
        Column("English Name", "name"),
        Column("Local Name", "extra:local_name"),
        Column("Exp.", "set"),
        Column("Exp. Name", "extra:set_name"),
        Column("Price", "price"),
        Column("Language", "language", "number"),
        Column("Condition", "condition", "cardmarket"),
        Column("Foil?", "finish", "mark", also=("isFoil",)),
        Column("Signed?"),
        Column("Playset?"),
        Column("Altered?"),
        Column("Comments", "note"),
        Column("Amount", "quantity"),
        Column("onSale", default="0"),
        Column("Collector Number", "number", also=("collectorNumber",)),
    ),
)

DRAGON_SHIELD = Format(
    id="dragonshield",
    title="Dragon Shield",
    about="CSV of the Card Manager app",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="Dragon Shield Card Manager: export of a folder",
    preamble="sep=,",
    known_by=("Folder Name", "Card Name"),
    columns=(
        Column("Folder Name", default="dlf"),
        Column("Quantity", "quantity"),
        Column("Trade Quantity", default="0"),
        Column("Card Name", "name"),
        Column("Set Code", "set"),
        Column("Set Name", "extra:set_name"),
        Column("Card Number", "number"),
        Column("Condition", "condition", "dragonshield"),
        Column("Printing", "finish", "words"),
        Column("Language", "language", "english"),
        Column("Price Bought", "price"),
        Column("Date Bought", "date"),
    ),
)

YGOPRODECK = Format(
    id="ygoprodeck",
    title="YGOPRODeck",
    about="collection CSV (My Collection > Import)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="ygoprodeck.com: My Collection export",
    known_by=("cardname", "cardq"),
    columns=(
        Column("cardname", "name"),
        Column("cardq", "quantity"),
        Column("cardrarity", "rarity", "words"),
        Column("card_edition", "finish"),
        Column("cardset", "extra:set_name"),
        Column("cardcode", "set_code"),
        Column("cardid", "extra:ygoprodeck_id"),
        Column("print_id", "extra:ygoprodeck_print"),
    ),
)

MASS_ENTRY = Format(
    id="tcgplayer-mass",
    title="TCGplayer mass entry",
    about="lines to paste: 2 Name [SET] 12",
    suffix=".txt",
    media_type=_TEXT,
    kind="lines",
    source="tcgplayer.com: Mass Entry",
    lines=(
        "{quantity} {name} [{set}] {number}",
        "{quantity} {name} [{set}]",
        "{quantity} {name}",
    ),
)

POKEMON = Format(
    id="pokemon",
    title="Pokémon TCG Live",
    about="a deck list to paste: 2 Name SET 12",
    suffix=".txt",
    media_type=_TEXT,
    kind="lines",
    source="Pokémon TCG Live: export of a deck",
    lines=("{quantity} {name} {set} {number}", "{quantity} {name}"),
)

CARD_FORMATS = (
    MOXFIELD,
    ARCHIDEKT,
    MANABOX,
    DECKBOX,
    TCGPLAYER,
    MASS_ENTRY,
    CARDMARKET,
    DRAGON_SHIELD,
    YGOPRODECK,
    POKEMON,
)
