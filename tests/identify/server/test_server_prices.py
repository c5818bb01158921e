"""`serve --prices`: prices of detections, the most expensive items, and real exchange rates."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from drawn import encoded
from PIL import Image
from serving import Server, ask, get, make_collection, wait_until

from data_label_factory.identify.images import decode
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label

RATES = {
    "result": "success",
    "base_code": "JPY",
    "time_last_update_unix": 1_790_000_000,
    "rates": {"JPY": 1, "USD": 0.005},
}
PRICE_KEYS = {
    "code",
    "name",
    "name_jp",
    "median",
    "currency",
    "jpy_median",
    "usd_median",
    "ref_filename",
}
PRICE_DEFAULTS = {"count": 1, "name": "", "name_jp": "名", "rarities": {}}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("priced"), count=9)


@pytest.fixture
def rates() -> Iterator[str]:
    """The address of an exchange-rate site that knows the yen."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(RATES).encode()
            self.send_response(200 if self.path == "/v6/latest/JPY" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}"
        site.shutdown()


def coded(settings: Settings) -> list[Path]:
    assert settings.refs
    return [file for file in sorted(settings.refs.iterdir()) if parse_label(file.name).set_code]


def write_prices(path: Path, amounts: dict[str, int]) -> Path:
    prices = {
        code: {"median": yen, "min": yen, "max": yen, **PRICE_DEFAULTS}
        for code, yen in amounts.items()
    }
    values = {
        "scraped_at": "2026-11-01T00:00:00+00:00",
        "site": "csv",
        "currency": "JPY",
        "prices": prices,
    }
    path.with_suffix(".new").write_text(json.dumps(values), "utf-8")
    path.with_suffix(".new").replace(path)
    return path


def options(path: Path, rates: str, tmp_path: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    return ("--prices", str(path), "--fx-url", rates), {"DLF_CACHE": str(tmp_path / "cache")}


def test_detections_have_prices_and_the_most_expensive_items_come_first(
    settings: Settings, rates: str, tmp_path: Path
) -> None:
    first, second, *_ = coded(settings)
    codes = [parse_label(file.name).set_code for file in (first, second)]
    path = write_prices(
        tmp_path / "prices.json", {codes[0]: 1000, codes[1]: 3000, "NONE-001": 9999}
    )
    line, env = options(path, rates, tmp_path)
    with Server(settings, *line, "--watch", env=env) as server:
        wait_until(lambda: get(f"{server.url}/health")[1]["has_prices"])
        top = get(f"{server.url}/api/top-prices?limit=5")[1]
        assert [row["code"] for row in top["top"]] == [codes[1], codes[0]]
        row = top["top"][0]
        assert row.keys() == PRICE_KEYS
        assert (row["median"], row["currency"], row["usd_median"]) == (3000, "JPY", 15.0)
        assert (row["ref_filename"], top["count"], top["fx"]["usd_rate"]) == (second.name, 2, 0.005)

        picture = encoded(Image.fromarray(decode(first)), "PNG")
        (mask,) = ask(server.url, picture)[1]["masks"]
        assert mask["price"]["code"] == codes[0]
        assert mask["price"]["usd_median"] == 5.0
        assert mask["price"]["name_jp"] == "名"

        write_prices(path, {codes[0]: 2000})
        wait_until(lambda: get(f"{server.url}/api/top-prices")[1]["count"] == 1, 6)
        assert ask(server.url, picture)[1]["masks"][0]["price"]["median"] == 2000
        path.write_text("{broken")
        wait_until(lambda: "prices" in get(f"{server.url}/health")[1]["problems"], 6)
        assert ask(server.url, picture)[1]["masks"][0]["price"]["median"] == 2000


def test_without_a_network_the_currency_stays_and_dollars_are_null(
    settings: Settings, tmp_path: Path
) -> None:
    (first, *_) = coded(settings)
    code = parse_label(first.name).set_code
    line, env = options(
        write_prices(tmp_path / "prices.json", {code: 500}), "http://127.0.0.1:9", tmp_path
    )
    with Server(settings, *line, env=env) as server:
        wait_until(lambda: get(f"{server.url}/health")[1]["has_prices"])
        (row,) = get(f"{server.url}/api/top-prices")[1]["top"]
        assert (row["median"], row["currency"], row["usd_median"]) == (500, "JPY", None)
    with Server(settings, *line, "--fx-rate", "JPY=0.01", env=env) as server:
        wait_until(lambda: get(f"{server.url}/health")[1]["has_prices"])
        assert get(f"{server.url}/api/top-prices")[1]["top"][0]["usd_median"] == 5.0


def test_a_bad_price_file_or_rate_is_reported_at_the_start(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text("[]")
    good = write_prices(tmp_path / "prices.json", {"A-1": 1})
    for line in (
        ["--prices", str(tmp_path / "bad.json")],
        ["--prices", str(good), "--fx-rate", "yen"],
    ):
        server = Server(replace(settings), *line)
        assert server.stop() == 2
        assert sum(text.startswith("error:") for text in server.log) == 1
