"""The table of sites: our own, and those that other installed packages register."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from data_label_factory.errors import PriceError
from data_label_factory.prices.sites.base import PriceSite
from data_label_factory.prices.sites.own import OwnCsv
from data_label_factory.prices.sites.pokemontcg import PokemonTcgPrices
from data_label_factory.prices.sites.scryfall import ScryfallPrices
from data_label_factory.prices.sites.ygoprodeck import YgoprodeckPrices
from data_label_factory.prices.sites.yuyutei import YuyuTei

ENTRY_POINTS = "data_label_factory.price_sites"
_OWN: tuple[type[PriceSite], ...] = (
    YuyuTei,
    ScryfallPrices,
    YgoprodeckPrices,
    PokemonTcgPrices,
    OwnCsv,
)


def site_names() -> list[str]:
    return [site.name for site in _OWN] + [entry.name for entry in _foreign()]


def site_class(name: str) -> type[PriceSite]:
    """Raises PriceError for a name that nobody has registered, and for a package that does not hold a site."""
    for site in _OWN:
        if site.name == name:
            return site
    for entry in _foreign():
        if entry.name == name:
            return _load(entry)
    raise PriceError(
        f"There is no price site {name!r}", f"Choose one of: {', '.join(site_names())}"
    )


def _foreign() -> list[EntryPoint]:
    own = {site.name for site in _OWN}
    return sorted(
        (entry for entry in entry_points(group=ENTRY_POINTS) if entry.name not in own),
        key=lambda e: e.name,
    )


def _load(entry: EntryPoint) -> type[PriceSite]:
    try:
        site = entry.load()
    except Exception as exc:  # whatever a foreign package trips over
        raise PriceError(
            f"The price site {entry.name} ({entry.value}) cannot be loaded: {exc}"
        ) from exc
    if not (isinstance(site, type) and issubclass(site, PriceSite)):
        raise PriceError(f"The price site {entry.name} ({entry.value}) is not a PriceSite")
    return site
