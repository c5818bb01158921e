"""yuyu-tei.jp, a Japanese card shop: server-rendered search pages, prices in yen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, ClassVar

from data_label_factory.errors import FetchError
from data_label_factory.extras import need
from data_label_factory.prices.money import from_text
from data_label_factory.prices.sites.base import PriceSite, prefix_of
from data_label_factory.prices.store import Listing

_PATH = "/sell/ygo/s/search"


class YuyuTei(PriceSite):
    name: ClassVar = "yuyu-tei"
    about: ClassVar = "Yu-Gi-Oh! OCG, the Japanese market (needs the extra prices)"
    host: ClassVar = "https://yuyu-tei.jp"
    currencies: ClassVar = ("JPY",)

    def listings(self, prefix: str) -> Iterator[Listing]:
        parser = need("selectolax.lexbor", extra="prices")
        reply = self.fetcher.get(
            self.base_url + _PATH, params={"search_word": prefix}, interval=self.interval
        )
        products = parser.LexborHTMLParser(reply.body).css("div.card-product")
        if not products:  # even an unknown set is answered with cards, of other sets
            raise FetchError(
                f"{self.base_url}{_PATH}: the page lists no cards; it may be down for maintenance"
            )
        for product in products:
            listing = _listing(product)
            if listing is not None and prefix_of(listing.code) == prefix:
                yield listing


def _listing(product: Any) -> Listing | None:
    """One `div.card-product`; None when it shows no code or no price."""
    image = product.css_first("img.card")
    words = (image.attributes.get("alt") or "").split(maxsplit=2) if image is not None else []
    code = words[0] if words else _text(product, "span.d-block.border")
    price = from_text(_text(product, "strong.d-block"))
    if not code or price is None:
        return None
    code = unicodedata.normalize("NFKC", code).upper()
    rarity = words[1] if len(words) > 1 else _heading(product)
    stock = from_text(_text(product, "label.form-check-label"))
    sold_out = "sold-out" in (product.attributes.get("class") or "").split()
    return Listing(
        code,
        price,
        unicodedata.normalize("NFKC", rarity),
        name_jp=words[2] if len(words) > 2 else "",
        in_stock=not sold_out
        and (stock is not None or not _text(product, "label.form-check-label")),
    )


def _heading(product: Any) -> str:
    """The rarity in the heading of the section that the product stands in."""
    node = product.parent
    while node is not None and node.attributes.get("id") != "card-list3":
        node = node.parent
    return _text(node, "h3 > span") if node is not None else ""


def _text(node: Any, selector: str) -> str:
    found = node.css_first(selector)
    return " ".join(found.text().split()) if found is not None else ""
