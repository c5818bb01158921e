"""What a price site is: a prefix of set codes in, listings out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from data_label_factory.errors import PriceError
from data_label_factory.gather.base import Api
from data_label_factory.http.fetch import Fetcher
from data_label_factory.prices.store import Listing
from data_label_factory.set_codes import prefix_of as prefix_of


class PriceSite(Api):
    """Base of all sites.

    Other packages add sites by an entry point of the group
    `data_label_factory.price_sites`.
    """

    name: ClassVar[str]
    about: ClassVar[str]  # one line for --list-sites
    currencies: ClassVar[tuple[str, ...]]  # of its prices, the usual one first; () for any
    interval: ClassVar[float] = 1.0
    by_prefix: ClassVar[bool] = True  # False: `listings("")` gives everything at once

    def __init__(
        self, fetcher: Fetcher, base_url: str = "", *, currency: str = "", file: Path | None = None
    ) -> None:
        """`file` is for sites that read one.

        Raises PriceError if the site has no prices in `currency`.
        """
        super().__init__(fetcher, base_url)
        self.currency = currency or next(iter(self.currencies), "")
        self.file = file
        self.left_out: list[str] = []  # of `file`: rows that gave no price, columns not used
        self.lines: dict[str, int] = {}  # code → the first line of `file` that has it
        if self.currencies and self.currency not in self.currencies:
            raise PriceError(
                f"{self.name} has no prices in {self.currency}",
                f"It has: {', '.join(self.currencies)}",
            )

    def listings(self, prefix: str) -> Iterable[Listing]:
        """All offers whose code is `prefix` and a number, such as
        LOCH-JP001 for LOCH-JP.

        None at all means that the site does not stock them. Raises
        FetchError, and LookupError, TypeError and the like if an answer
        is not in the documented shape.
        """
        raise NotImplementedError
