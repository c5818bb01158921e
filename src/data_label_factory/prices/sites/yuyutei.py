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
    about: ClassVar = "Yu-Gi-Oh! OCG, the Japanese market (needs the extra identify)"
    host: ClassVar = "https://yuyu-tei.jp"
    currencies: ClassVar = ("JPY",)

    def listings(self, prefix: str) -> Iterator[Listing]:
        parser = need("selectolax.lexbor", extra="identify")
        url = self.base_url + _PATH
        reply = self.fetcher.get(url, params={"search_word": prefix}, interval=self.interval)

        products = parser.LexborHTMLParser(reply.body).css("div.card-product")
        if not products:  # even for an unknown set the page lists cards, of other sets
            raise FetchError(f"{url}: the page lists no cards; it may be down for maintenance")
        for product in products:
            listing = _parse_product(product)
            if listing is not None and prefix_of(listing.code) == prefix:
                yield listing


def _parse_product(product: Any) -> Listing | None:
    """One `div.card-product`; None if it shows no code or no price."""
    image = product.css_first("img.card")
    alt = (image.attributes.get("alt") or "") if image is not None else ""
    words = alt.split(maxsplit=2)  # code, rarity, name
    code = words[0] if words else _text_at(product, "span.d-block.border")
    price = from_text(_text_at(product, "strong.d-block"))
    if not code or price is None:
        return None

    rarity = words[1] if len(words) > 1 else _section_rarity(product)
    return Listing(
        unicodedata.normalize("NFKC", code).upper(),
        price,
        unicodedata.normalize("NFKC", rarity),
        name_jp=words[2] if len(words) > 2 else "",
        in_stock=_is_in_stock(product),
    )


def _is_in_stock(product: Any) -> bool:
    """Whether it is not marked as sold out, and the stock shown, if
    any, is a number above 0.
    """
    if "sold-out" in (product.attributes.get("class") or "").split():
        return False
    stock = _text_at(product, "label.form-check-label")
    return not stock or from_text(stock) is not None


def _section_rarity(product: Any) -> str:
    """The rarity in the heading of the section that the product belongs to."""
    node = product.parent
    while node is not None and node.attributes.get("id") != "card-list3":
        node = node.parent
    return _text_at(node, "h3 > span") if node is not None else ""


def _text_at(node: Any, selector: str) -> str:
    match = node.css_first(selector)
    return " ".join(match.text().split()) if match is not None else ""
