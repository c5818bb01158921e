"""Prices beside the answers, when a price file was given."""

from __future__ import annotations

import argparse

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.settings import Settings
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import DEFAULT_FX_URL, FxRates, parse_rate
from data_label_factory.prices.store import PriceFile


class Prices:
    """Reads the price file of the settings, again whenever asked; exchange rates are fetched once."""

    def __init__(self, settings: Settings) -> None:
        """Raises FactoryError when the file cannot be used. Needs no network."""
        self._path = settings.prices
        if self._path is None:
            return
        PriceFile.load(self._path)
        try:
            given = dict(map(parse_rate, settings.fx_rates))
        except argparse.ArgumentTypeError as exc:
            raise FactoryError(f"--fx-rate: {exc}") from exc
        self._rates = FxRates(settings.fx_url or DEFAULT_FX_URL, given=given)

    def load(self) -> PriceBook | None:
        """None without a price file. May ask the network for a rate. Raises FactoryError."""
        return PriceBook.load(self._path, self._rates) if self._path else None
