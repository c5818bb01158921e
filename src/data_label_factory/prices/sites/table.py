"""The table of sites: the built-in ones, and those that other installed packages register."""

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
_BUILT_IN: tuple[type[PriceSite], ...] = (
    YuyuTei,
    ScryfallPrices,
    YgoprodeckPrices,
    PokemonTcgPrices,
    OwnCsv,
)


def site_names() -> list[str]:
    """The names of all sites, the built-in ones first."""
    return [site.name for site in _BUILT_IN] + [entry.name for entry in _find_entry_points()]


def site_class(name: str) -> type[PriceSite]:
    """Find a site by name.

    Raises PriceError if the name is not registered, or what is
    registered is not a site.
    """
    for site in _BUILT_IN:
        if site.name == name:
            return site
    for entry in _find_entry_points():
        if entry.name == name:
            return _load_site(entry)
    raise PriceError(
        f"There is no price site {name!r}",
        f"Choose one of: {', '.join(site_names())}",
    )


def _find_entry_points() -> list[EntryPoint]:
    built_in = {site.name for site in _BUILT_IN}
    entries = [entry for entry in entry_points(group=ENTRY_POINTS) if entry.name not in built_in]
    return sorted(entries, key=lambda entry: entry.name)


def _load_site(entry: EntryPoint) -> type[PriceSite]:
    what = f"The price site {entry.name} ({entry.value})"
    try:
        site = entry.load()
    except Exception as exc:  # another package may raise anything
        raise PriceError(f"{what} cannot be loaded: {exc}") from exc
    if not (isinstance(site, type) and issubclass(site, PriceSite)):
        raise PriceError(f"{what} is not a PriceSite")
    return site
