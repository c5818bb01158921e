"""Refusals before the body is read: keys, origins, host names, sizes."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from drawn import encoded, photo_like
from PIL import Image
from serving import make_collection, served
from starlette.testclient import TestClient
from starlette.types import Receive, Send

from data_label_factory.identify.server import guard
from data_label_factory.identify.server.settings import Settings

JPEG = encoded(Image.fromarray(photo_like(64, 64)), "JPEG")
KEY = "zähe Schlüssel"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("guarded"), count=2)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(replace(settings, max_upload_mb=0.1, cors=("http://localhost:3030",))) as client:
        yield client


@pytest.fixture(scope="module")
def locked(settings: Settings) -> Iterator[TestClient]:
    with served(replace(settings, api_key=KEY)) as client:
        yield client


def basic(user: str, key: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": basic("me", "wrong")}, 401),
        ({"Authorization": basic("anyone", KEY)}, 200),
    ],
)
@pytest.mark.parametrize(
    "path", ["/health", "/", "/docs", "/openapi.json", "/metrics", "/api/items"]
)
def test_everything_but_the_probes_needs_the_key(
    locked: TestClient, headers: dict, status: int, path: str
) -> None:
    answer = locked.get(path, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert "X-API-Key" in answer.json()["detail"]
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_key_is_taken_from_either_header_and_probes_need_none(
    settings: Settings, locked: TestClient
) -> None:
    with served(replace(settings, api_key="plain")) as client:
        assert client.get("/health", headers={"X-API-Key": "plain"}).status_code == 200
        assert client.get("/health", headers={"Authorization": "bearer plain"}).status_code == 200
        assert client.get("/health", headers={"X-API-Key": "plain2"}).status_code == 401
        assert client.post("/api/falcon", files={"image": JPEG}).status_code == 401
    assert locked.get("/livez").status_code == locked.get("/readyz").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_over_the_limit_is_413(client: TestClient, chunked: bool) -> None:
    pieces = [b"x" * 10_000] * 40
    content = iter(pieces) if chunked else b"".join(pieces)
    answer = client.post(
        "/api/falcon", content=content, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The upload is over 0.1 MB. Send a smaller picture"


def test_an_absurd_length_is_413_too(client: TestClient) -> None:
    answer = client.post("/api/falcon", content=b"x", headers={"Content-Length": "9" * 5000})
    assert answer.status_code == 413


def test_an_upload_that_never_ends_is_408(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_UPLOAD_SECONDS", 0.05)
    monkeypatch.setattr(guard, "_LINGER_SECONDS", 0.05)
    sent: list[dict] = []

    async def reader(scope: dict, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def scene() -> None:
        async def drip() -> dict:
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/falcon",
            "headers": [(b"host", b"localhost")],
        }
        await guard.Guard(reader, settings, check_capacity=lambda: None, max_uploads=1)(
            scope, drip, send
        )

    asyncio.run(scene())
    assert sent[0]["status"] == 408
    assert b"Send a smaller picture" in sent[1]["body"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost:3030", 200),
        ("http://localhost", 200),
        ("http://127.0.0.1:4444", 200),
        ("https://localhost.evil.example", 403),
        ("http://[bad", 403),
    ],
)
def test_pages_of_other_origins_may_not_post(client: TestClient, origin: str, status: int) -> None:
    answer = client.post("/api/falcon", files={"image": JPEG}, headers={"Origin": origin})
    assert answer.status_code == status
    allowed = answer.headers.get("access-control-allow-origin")
    assert allowed == ("http://localhost:3030" if origin == "http://localhost:3030" else None)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8500", 200),
        ("127.0.0.1", 200),
        ("[::1]:1", 200),
        ("LOCALHOST", 200),
        ("evil.example", 421),
        ("", 421),
    ],
)
def test_a_host_name_that_was_made_to_resolve_here_is_refused(
    client: TestClient, host: str, status: int
) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == status


def test_an_allowed_origin_is_also_an_allowed_name(settings: Settings) -> None:
    with served(replace(settings, cors=("https://cards.example",))) as client:
        headers = {"Host": "cards.example", "Origin": "https://cards.example"}
        answer = client.post("/api/falcon", files={"image": JPEG}, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://cards.example"


def test_a_preflight_is_answered_for_the_tracker_only(client: TestClient) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-API-Key"}
    for origin, status in (("http://localhost:3030", 200), ("https://evil.example", 400)):
        answer = client.options("/api/falcon", headers={"Origin": origin, **ask})
        assert answer.status_code == status


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for answer in (
        client.get("/"),
        client.get("/health"),
        client.get("/nowhere"),
        client.post("/api/falcon"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" in answer.headers
        assert "server" not in answer.headers


def test_a_settings_object_shows_no_key(settings: Settings) -> None:
    assert "secret" not in repr(replace(settings, api_key="secret"))
