"""Prices beside the answers, when a price file was given. What is known of `identify.prices` is all here."""

from __future__ import annotations

import argparse
import importlib
from typing import Any, Protocol

from data_label_factory.errors import FactoryError
from data_label_factory.identify.index import Index
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import Label


class PriceBook(Protocol):
    """Of `identify.prices.book.PriceBook`, what the server asks for."""

    def price_of(self, label: Label, filename: str = "") -> dict[str, Any] | None: ...

    def top(self, limit: int, index: Index) -> list[dict[str, Any]]: ...

    def fx_info(self) -> dict[str, Any]: ...


class Prices:
    """Reads the price file of the settings, again whenever asked; exchange rates are fetched once."""

    def __init__(self, settings: Settings) -> None:
        """Raises FactoryError when the file cannot be used. Needs no network."""
        self._path = settings.prices
        if self._path is None:
            return
        # Only with prices: the modules bring an HTTP client.
        fx = _module("fx")
        _module("store").PriceFile.load(self._path)
        try:
            given = dict(map(fx.parse_rate, settings.fx_rates))
        except argparse.ArgumentTypeError as exc:
            raise FactoryError(f"--fx-rate: {exc}") from exc
        self._rates = fx.FxRates(settings.fx_url or fx.DEFAULT_FX_URL, given=given)

    def load(self) -> PriceBook | None:
        """None without a price file. May ask the network for a rate. Raises FactoryError."""
        if self._path is None:
            return None
        book: PriceBook = _module("book").PriceBook.load(self._path, self._rates)
        return book


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"data_label_factory.identify.prices.{name}")
    except ModuleNotFoundError as exc:
        raise FactoryError("This version reads no price files") from exc
