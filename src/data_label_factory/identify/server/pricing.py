"""The price file and rates of the settings → a price book."""

from __future__ import annotations

from data_label_factory.errors import FactoryError, PriceError
from data_label_factory.identify.server.settings import Settings
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import DEFAULT_FX_URL, FxRates, parse_rate
from data_label_factory.prices.store import PriceFile


class Prices:
    """Reads the price file as often as asked, but fetches exchange rates only once."""

    def __init__(self, settings: Settings) -> None:
        """Needs no network. Raises FactoryError if the file or a rate cannot be used."""
        self._path = settings.prices
        if self._path is None:
            return

        PriceFile.load(self._path)  # only to fail early
        try:
            given = dict(map(parse_rate, settings.fx_rates))
        except PriceError as exc:
            raise FactoryError(f"--fx-rate: {exc}") from exc
        self._rates = FxRates(settings.fx_url or DEFAULT_FX_URL, given=given)

    def load(self) -> PriceBook | None:
        """The prices, None without a price file. May use the network. Raises FactoryError."""
        return PriceBook.load(self._path, self._rates) if self._path else None
