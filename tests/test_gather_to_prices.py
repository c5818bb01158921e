"""End to end: a catalog on the network → references → index → prices → /api/top-prices."""

import json
from pathlib import Path

import pytest
from drawn import draw_collection
from serving import served, wait_until
from website import Answer, Site, as_json
from yuyutei import SEARCH, product, shop

from data_label_factory.cli import main
from data_label_factory.identify.index import Index
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import Label, parse_label
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import FxRates

COUNT = 6


@pytest.fixture
def catalog(website: Site, tmp_path: Path) -> list[Label]:
    """Serve six cards with their pictures, and prices of three of them; return their labels."""
    labels = []
    for number, path in enumerate(draw_collection(tmp_path / "drawn", count=COUNT), 1):
        name, code = parse_label(path.name).name, f"LOCH-JP{number:03d}"
        labels.append(Label(name, code, "UR"))
        website.on(f"/images/{number}.jpg", Answer(path.read_bytes(), "image/jpeg"))

    cards = {
        label.name: {
            "name": label.name,
            "card_sets": [
                {"set_name": "Heroes", "set_code": label.set_code, "set_rarity": "Ultra Rare"}
            ],
            "card_images": [{"image_url": f"{website.url}/images/{number}.jpg"}],
        }
        for number, label in enumerate(labels, 1)
    }
    website.on("/api/v7/cardinfo.php", lambda seen: as_json({"data": [cards[seen.query["name"]]]}))

    prices = ("1,980 円", "480 円", "12,000 円")
    rows = [
        product(f"LOCH-JP{number:03d}", "UR", f"札{number}", price)
        for number, price in enumerate(prices, 1)
    ]
    website.on(SEARCH, shop(("UR", "".join(rows))))
    website.on("/v6/latest/JPY", as_json({"result": "success", "rates": {"JPY": 1, "USD": 0.0065}}))
    return labels


def test_from_a_catalog_to_the_most_expensive_cards(
    website: Site,
    tmp_path: Path,
    catalog: list[Label],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = json.dumps([label.name for label in catalog])
    bucket = f"{{source: ygoprodeck, options: {{set: LOCH}}, queries: {names}}}"
    project = tmp_path / "cards.yaml"
    project.write_text(
        f"project_name: cards\ndata_root: {tmp_path / 'data'}\nbuckets:\n  cards: {bucket}\n"
    )
    refs = tmp_path / "data/cards"
    index = tmp_path / "cards.npz"
    prices = tmp_path / "prices.json"

    run("gather", "--project", project, "--base-url", website.url)
    run("identify", "index", "--calibrate", "never", "--refs", refs, "--out", index)
    run("identify", "verify", "--index", index, "--refs", refs)
    run("identify", "scrape_prices", "--refs", refs, "--out", prices, "--base-url", website.url)

    out = capsys.readouterr().out
    assert f"{COUNT} new" in out
    assert "self-identification  100.00%" in out
    assert f"3 of the {COUNT} set codes among the references have one" in out

    book = PriceBook.load(prices, FxRates(website.url, cache=tmp_path / "fx"))
    check_prices(book, Index.load(index), refs, catalog)

    monkeypatch.setenv("DLF_CACHE", str(tmp_path / "served"))
    check_server(Settings(index, refs, prices=prices, fx_url=website.url))


def run(*arguments: str | Path) -> None:
    assert main([str(argument) for argument in arguments]) == 0, arguments


def check_prices(book: PriceBook, index: Index, refs: Path, catalog: list[Label]) -> None:
    rows = book.top(10, index)
    assert [(row["code"], row["median"], row["usd_median"]) for row in rows] == [
        ("LOCH-JP003", 12000, 78),
        ("LOCH-JP001", 1980, 12.87),
        ("LOCH-JP002", 480, 3.12),
    ]
    assert rows[0]["name"] == str(catalog[2])
    assert rows[0]["name_jp"] == "札3"
    assert (refs / rows[0]["ref_filename"]).is_file()
    assert book.fx_info()["source"] == "live"

    price = book.price_of(catalog[2], rows[0]["ref_filename"])
    assert price is not None
    assert (price["code"], price["median"], price["rarity"]) == ("LOCH-JP003", 12000, "UR")
    assert book.price_of(catalog[5]) is None


def check_server(settings: Settings) -> None:
    with served(settings) as client:
        wait_until(lambda: client.get("/health").json()["has_prices"])
        answer = client.get("/api/top-prices?limit=10").json()
        assert [(row["code"], row["usd_median"]) for row in answer["top"]] == [
            ("LOCH-JP003", 78.0),
            ("LOCH-JP001", 12.87),
            ("LOCH-JP002", 3.12),
        ]
        assert client.get(f"/refs/{answer['top'][0]['ref_filename']}").status_code == 200
