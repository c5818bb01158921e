"""Pages as yuyu-tei's site answers them."""

from __future__ import annotations

from website import Answer, page

SEARCH = "/sell/ygo/s/search"


def product(
    code: str, rarity: str, name: str, price: str, stock: str = "在庫 : 3 点", classes: str = ""
) -> str:
    """A listing as yuyu-tei's pages have it."""
    return f"""
      <div class="col-md"><div class="card-product position-relative mt-4 {classes}">
        <div class="product-img"><a href="/sell/x">
          <img class="card img-fluid" alt="{code} {rarity} {name}"></a></div>
        <span class="d-block border border-dark p-1 w-100 text-center my-2">{code}</span>
        <a href="/sell/ygo/card/x"><h4 class="text-primary fw-bold">{name}</h4></a>
        <strong class="d-block text-end ">{price}</strong>
        <label class="form-check-label fw-bold cart_sell_zaiko"> {stock} </label>
      </div></div>"""


def shop(*sections: tuple[str, str]) -> Answer:
    """A search page with one section per rarity."""
    body = "".join(
        '<div id="card-list3" class="py-4 cards-list">'
        f'<h3 class="text-center"><span class="fw-bold">{rarity}</span>'
        f'<small>Card List</small></h3><div class="row">{products}</div></div>'
        for rarity, products in sections
    )
    return page(
        "<!DOCTYPE html><html lang=ja><head><meta charset=utf-8></head>"
        f"<body><main>{body}</main></body></html>"
    )
