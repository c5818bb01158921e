"""`serve --lan`: over HTTPS, with a key that does not stay in the address."""

import http.client
import re
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import CHROMIUM, launch
from serving import Server, make_collection, served
from starlette.testclient import TestClient

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server import access
from data_label_factory.identify.server.settings import Settings
from data_label_factory.lan import find_addresses

HOST = "127.0.0.2"  # another address of loopback, as of another machine
KEY = "geheim + Schlüssel"
pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="only 127.0.0.1 is there")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("lan"), count=2)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def server(settings: Settings, cache: Path) -> Iterator[Server]:
    with Server(settings, "--lan", "--host", HOST, env={"DLF_CACHE": str(cache)}) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server, cache: Path) -> str:
    return (cache / "lan" / "key").read_text().strip()


@pytest.fixture(scope="module")
def locked(settings: Settings) -> Iterator[TestClient]:
    with served(replace(settings, api_key=KEY)) as client:
        yield client


def trusting(cache: Path) -> ssl.SSLContext:
    """Trusts the authority, the last certificate of the file, and no other."""
    pem = (cache / "lan" / "certificate.pem").read_text()
    authority = re.findall("-----BEGIN CERT.+?-----END CERTIFICATE-----", pem, re.S)[-1]
    return ssl.create_default_context(cadata=authority)


def ask(server: Server, cache: Path, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection(HOST, server.port, context=trusting(cache), timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_over_https_only_who_has_the_key_is_answered(server: Server, cache: Path, key: str) -> None:
    assert server.url.startswith(f"https://{HOST}:")
    assert ask(server, cache, "/health").status == 401
    assert ask(server, cache, "/health", **{"X-API-Key": key}).status == 200
    assert ask(server, cache, "/canvas/live?key=wrong").status == 401


def test_the_key_moves_from_the_address_into_a_cookie(
    server: Server, cache: Path, key: str
) -> None:
    answer = ask(server, cache, f"/canvas/live?a=1&key={key}")
    assert answer.status == 303
    assert answer.headers["location"] == "./live?a=1"
    assert answer.headers["referrer-policy"] == "no-referrer"
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert key not in cookie

    value = cookie.partition(";")[0]
    assert ask(server, cache, "/canvas/live", Cookie=value).status == 200
    name = value.partition("=")[0]
    assert ask(server, cache, "/canvas/live", Cookie=f"{name}=wrong").status == 401


def test_this_machine_needs_no_certificate_but_the_key(server: Server, key: str) -> None:
    local = f"http://localhost:{server.port}/health"
    request = urllib.request.Request(local, headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(local, timeout=30)


def test_the_page_and_the_terminal_show_what_a_phone_needs(
    server: Server, cache: Path, key: str
) -> None:
    start = ask(server, cache, "/", **{"X-API-Key": key})
    assert start.headers["cache-control"] == "no-store"
    page = start.body.decode()  # type: ignore[attr-defined]
    link = f"https://{HOST}:{server.port}/canvas/live?key={key}"
    assert link in page
    fingerprint = re.findall(r"(?:[0-9A-F]{2}:){15}[0-9A-F]{2}", page)
    assert len(fingerprint) == 2
    phone = ask(server, cache, "/api/phone", **{"X-API-Key": key})
    assert phone.headers["cache-control"] == "no-store"
    assert link.encode() in phone.body  # type: ignore[attr-defined]

    trusted = ask(server, cache, "/certificate", **{"X-API-Key": key})
    context = ssl.create_default_context(cadata=trusted.body)  # type: ignore[attr-defined]
    assert context.cert_store_stats()["x509_ca"] == 1
    assert key not in "".join(server.log)


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="no chromium here")
def test_in_a_browser_the_key_is_gone_from_the_address(server: Server, key: str) -> None:
    from playwright.sync_api import sync_playwright

    with (
        sync_playwright() as engine,
        launch(engine, None) as browser,
        browser.new_context(ignore_https_errors=True) as context,
    ):
        page = context.new_page()
        link = f"https://{HOST}:{server.port}/canvas/live?key={key}"
        page.goto(link)
        assert page.url == f"https://{HOST}:{server.port}/canvas/live"
        assert page.evaluate("fetch('/api/info').then((answer) => answer.status)") == 200
        assert page.evaluate("isSecureContext && document.cookie === ''")
        assert key not in page.evaluate("JSON.stringify(performance.getEntries())")

        stranger = browser.new_context(ignore_https_errors=True)
        assert stranger.request.get(page.url).status == 401


def test_it_starts_again_with_the_same_key_and_certificate(
    server: Server, settings: Settings, cache: Path, key: str
) -> None:
    before = (cache / "lan" / "certificate.pem").read_bytes()
    with Server(settings, "--lan", "--host", HOST, env={"DLF_CACHE": str(cache)}) as again:
        assert again.process.stdout
        again.process.terminate()
        told = again.process.stdout.read()
        assert f"https://{HOST}:{again.port}/canvas/live?key={key}" in told
        assert f"http://localhost:{again.port}/canvas/live?key={key}" in told
        assert "█▀" in told
        assert "Proceed to 127.0.0.2" in told
    assert (cache / "lan" / "certificate.pem").read_bytes() == before


def test_without_lan_an_open_server_prints_an_address_that_works(settings: Settings) -> None:
    with Server(settings, "--host", "0.0.0.0") as server:
        host = server.url.partition("://")[2].rpartition(":")[0]
        assert host == (find_addresses() or ["localhost"])[0]
        with urllib.request.urlopen(f"{server.url}/livez", timeout=30) as answer:
            assert answer.status == 200


def test_without_a_network_it_says_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "find_addresses", lambda **_: [])
    with pytest.raises(FactoryError, match="--host"):
        access.prepare(replace(settings, lan=True))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/?key={}", "./"),
        ("/canvas/live?key={}", "./live"),
        ("/canvas/live?key=x&b=%20&key={}", "./live?b=+"),
        ("//evil.example/%2F?key={}", "./%2F"),
    ],
)
def test_where_a_key_leads(locked: TestClient, address: str, place: str) -> None:
    given = address.format("geheim%20%2B%20Schl%C3%BCssel")
    answer = locked.get(f"http://localhost{given}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == place
    assert "Secure" not in answer.headers["set-cookie"]
    assert locked.get("/health").status_code == 200  # by the cookie
    locked.cookies.clear()
    assert locked.get("/health").status_code == 401


def test_a_foreign_page_gains_nothing_by_the_cookie(locked: TestClient) -> None:
    locked.get("/?key=geheim%20%2B%20Schl%C3%BCssel")
    foreign = {"Origin": "https://evil.example"}
    assert locked.post("/api/falcon", files={"image": b"x"}, headers=foreign).status_code == 403
    assert locked.post("/api/falcon", files={"image": b"x"}).status_code == 400
    locked.cookies.clear()


def test_a_server_without_lan_has_no_code(settings: Settings) -> None:
    with served(settings) as client:
        assert client.get("/api/phone").json()["link"] == ""
        assert client.get("/certificate").status_code == 404
        assert "Use a phone" not in client.get("/").text
