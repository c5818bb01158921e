"""Lists over HTTP: takes that count once, edits of two devices, history, and who may write."""

import base64
import io
import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from serving import Server, get, make_collection, served
from starlette.testclient import TestClient

from data_label_factory.identify.server.settings import Settings

CROP = io.BytesIO()
Image.new("RGB", (60, 84), "teal").save(CROP, "JPEG")
JPEG = CROP.getvalue()


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("lists"), count=3)


@pytest.fixture
def settings(collection: Settings, tmp_path: Path) -> Settings:
    return replace(collection, lists=str(tmp_path / "own.sqlite"))


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


@pytest.fixture
def binder(client: TestClient) -> str:
    answer = client.post("/api/lists", json={"name": "Binder"})
    assert answer.status_code == 201
    return f"/api/lists/{answer.json()['id']}"


def take(client: TestClient, binder: str, **values: Any) -> dict[str, Any]:
    merge = values.pop("merge", False)
    body = {"entries": [{"name": "Blade", **values}], "merge": merge}
    answer = client.post(f"{binder}/entries", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def match(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def test_no_file_is_made_before_the_first_list(client: TestClient, settings: Settings) -> None:
    assert client.get("/api/lists").json() == {"lists": [], "count": 0, "can_write": True}
    assert client.get("/api/lists/1/entries").status_code == 404
    assert settings.lists_path and not settings.lists_path.exists()
    assert client.post("/api/lists", json={"name": "Binder"}).status_code == 201
    assert settings.lists_path.exists()
    assert client.post("/api/lists", json={"name": "binder"}).status_code == 409


def test_an_item_brings_its_label_and_its_picture_is_kept(client: TestClient, binder: str) -> None:
    item = client.get("/api/items").json()["items"][1]
    crop = base64.b64encode(JPEG).decode()
    body = {"entries": [{"item": item["filename"], "crop": crop, "device": "phone"}]}
    added = client.post(f"{binder}/entries", json=body).json()
    (entry,) = added["entries"]
    for field in ("name", "set_code", "rarity"):
        assert entry[field] == item[field]
    assert entry["taken_at"].endswith("Z")
    assert added["step"] == added["version"] == entry["version"]

    answer = client.get(entry["crop_url"])
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    seen = {"If-None-Match": answer.headers["etag"]}
    assert client.get(entry["crop_url"], headers=seen).status_code == 304
    assert client.get(f"{binder}/history").json()["steps"][0]["device"] == "phone"

    unknown = client.post(f"{binder}/entries", json={"entries": [{"item": "no.jpg"}]})
    assert (unknown.status_code, "no item 'no.jpg'" in unknown.text) == (404, True)
    assert client.post(f"{binder}/entries", json={"entries": [{}]}).status_code == 422


def test_a_take_that_is_sent_twice_counts_once(client: TestClient, binder: str) -> None:
    body = {"entries": [{"name": "Blade", "key": "take-1"}], "merge": True}
    first = client.post(f"{binder}/entries", json=body)
    second = client.post(f"{binder}/entries", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["entries"] == first.json()["entries"]
    assert client.get(binder).json()["copies"] == 1

    (entry,) = first.json()["entries"]
    path = f"{binder}/entries/{entry['id']}"
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 200
    assert client.post(f"{binder}/entries", json=body).json()["entries"][0]["removed"] is True
    assert client.get(binder).json()["copies"] == 0


def test_two_devices_lose_no_update(settings: Settings) -> None:
    with served(settings) as phone, served(settings) as laptop:
        binder = f"/api/lists/{phone.post('/api/lists', json={'name': 'B'}).json()['id']}"
        for number in range(4):
            take(phone if number % 2 else laptop, binder, merge=True)
        (entry,) = laptop.get(f"{binder}/entries").json()["entries"]
        assert entry["quantity"] == 4

        path = f"{binder}/entries/{entry['id']}"
        seen = match(entry["version"])
        edited = phone.patch(path, json={"condition": "NM"}, headers=seen | {"X-Device": "phone"})
        assert edited.status_code == 200
        refused = laptop.patch(path, json={"condition": "GD"}, headers=seen)
        assert refused.status_code == 412
        assert refused.json()["current"] == edited.json()
        assert laptop.delete(path, headers=seen).status_code == 412
        assert laptop.patch(path, json={"condition": "GD"}).status_code == 428
        assert laptop.patch(path, json={}, headers={"If-Match": '"x"'}).status_code == 412

        again = {"If-Match": edited.headers["etag"]}
        assert laptop.patch(path, json={"quantity": 5}, headers=again).json()["condition"] == "NM"
        assert phone.get(path).json()["quantity"] == 5


def test_a_list_that_did_not_change_is_not_sent_again(client: TestClient, binder: str) -> None:
    take(client, binder)
    for path in ("/api/lists", binder, f"{binder}/entries?q=blade", f"{binder}/entries/1"):
        etag = client.get(path).headers["etag"]
        again = client.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        take(client, binder, merge=True)
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_a_list_is_paged_searched_and_sorted(client: TestClient, binder: str) -> None:
    entries = [{"name": f"Card {n}", "price": n, "currency": "EUR"} for n in range(25)]
    client.post(f"{binder}/entries", json={"entries": entries})
    seen: list[str] = []
    query = {"sort": "-price", "limit": "10"}
    while True:
        page = client.get(f"{binder}/entries", params=query).json()
        seen += [entry["name"] for entry in page["entries"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [f"Card {n}" for n in reversed(range(25))]
    assert page["total"] == 25
    found = client.get(f"{binder}/entries?q=CARD+24").json()["entries"]
    assert [entry["name"] for entry in found] == ["Card 24"]
    assert client.get(binder).json()["totals"] == [
        {"currency": "EUR", "amount": 300.0, "copies": 25}
    ]
    for wrong in ("sort=size", "cursor=x", "limit=0", "state=maybe"):
        assert client.get(f"{binder}/entries?{wrong}").status_code == 422


def test_an_entry_in_review_is_settled_by_an_item(client: TestClient, binder: str) -> None:
    items = client.get("/api/items").json()["items"]
    candidates = [{"item": one["filename"], "name": one["name"], "score": 0.5} for one in items]
    entry = take(client, binder, state="review", candidates=candidates)["entries"][0]
    assert client.get(binder).json()["review"] == 1

    body = {"item": items[2]["filename"], "state": "sure"}
    path = f"{binder}/entries/{entry['id']}"
    settled = client.patch(path, json=body, headers=match(entry["version"])).json()
    assert (settled["name"], settled["state"]) == (items[2]["name"], "sure")
    assert len(settled["candidates"]) == 3
    assert client.get(binder).json()["review"] == 0


def test_steps_are_shown_and_taken_back(client: TestClient, binder: str) -> None:
    entry = take(client, binder)["entries"][0]
    path = f"{binder}/entries/{entry['id']}"
    edit = client.patch(path, json={"quantity": 2}, headers=match(entry["version"])).json()
    client.patch(path, json={"quantity": 3}, headers=match(edit["version"]))

    conflict = client.post(f"{binder}/undo", json={"step": edit["version"]})
    assert conflict.status_code == 409
    undone = client.post(f"{binder}/undo", json={}).json()
    assert (undone["kind"], undone["entries"][0]["quantity"]) == ("edit", 2)
    assert client.post(f"{binder}/undo", json={}).json()["entries"][0]["quantity"] == 1
    assert client.post(f"{binder}/undo", json={}).json()["removed"] == [entry["id"]]

    history = client.get(f"{binder}/history?limit=2").json()
    assert [step["kind"] for step in history["steps"]] == ["undo", "undo"]
    older = client.get(f"{binder}/history?before={history['next']}").json()
    assert [step["kind"] for step in older["steps"]] == ["undo", "edit", "edit", "add", "create"]
    assert older["steps"][1]["changes"][0]["after"]["quantity"] == 3


def test_lists_are_merged_renamed_deleted_and_brought_back(client: TestClient, binder: str) -> None:
    other = client.post("/api/lists", json={"name": "Other"}).json()["id"]
    take(client, binder)
    take(client, binder)
    assert client.post(f"{binder}/merge", json={}).json()["merged"] == 1
    take(client, f"/api/lists/{other}")
    assert client.post(f"{binder}/merge", json={"from": other}).json()["merged"] == 1
    assert client.get(binder).json()["copies"] == 3

    assert client.patch(binder, json={"name": "Other"}).status_code == 409
    assert client.delete(f"/api/lists/{other}").json()["deleted"] is True
    assert client.patch(binder, json={"name": "Other"}).json()["name"] == "Other"
    assert [one["id"] for one in client.get("/api/lists?deleted=1").json()["lists"]] == [other]
    assert client.patch(f"/api/lists/{other}", json={"deleted": False}).status_code == 409
    client.patch(binder, json={"name": "Binder"})
    assert client.patch(f"/api/lists/{other}", json={"deleted": False}).status_code == 200


def test_a_file_is_taken_in_as_one_step_and_comes_out_again(
    client: TestClient, binder: str
) -> None:
    table = b"Count,Name,Edition,Collector Number,Foil\n2,Blade,neo,12,foil\nx,Bow,,,\n1,Axe,,,\n"
    answer = client.post(f"{binder}/import", files={"file": ("b.csv", table)}).json()
    assert (answer["format"], answer["added"], answer["merged"]) == ("csv", 2, 0)
    assert [one["line"] for one in answer["skipped"]] == [3]
    again = {"format": "moxfield", "merge": "1"}
    files = {"file": ("b.csv", table)}
    assert client.post(f"{binder}/import", files=files, data=again).json()["merged"] == 2
    assert client.get(binder).json()["copies"] == 6

    check = client.get(f"{binder}/export?format=goodreads&check=1").json()
    assert check["filename"] == "Binder.csv"
    assert "1 entry has a finish, which Goodreads cannot carry" in check["warnings"]
    file = client.get(f"{binder}/export?format=moxfield")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''Binder.csv"
    assert file.headers["x-warnings"] == "0"
    assert file.text.splitlines()[1].startswith('"4","0","Blade","NEO"')

    assert client.post(f"{binder}/undo", json={}).json()["kind"] == "import"
    assert client.get(binder).json()["copies"] == 3
    assert client.get(f"{binder}/export?format=none").status_code == 422
    broken = client.post(f"{binder}/import", files={"file": ("b.json", b"{")})
    assert (broken.status_code, "truncated" in broken.text) == (422, True)
    formats = client.get("/api/list-formats").json()["formats"]
    assert {"id": "moxfield", "suffix": ".csv"}.items() <= formats[0].items()


def test_what_is_taken_in_finds_its_item(client: TestClient, binder: str) -> None:
    item = client.get("/api/items").json()["items"][0]
    name, code = item["name"].upper(), item["set_code"]
    table = f"name,set_code\n{name},\n{name},{code}\n{name},OTHER-1\nElse,{code}\n"
    client.post(f"{binder}/import", files={"file": ("b.csv", table.encode())})
    entries = client.get(f"{binder}/entries?sort=oldest").json()["entries"]
    found = item["filename"]
    assert [entry["item"] for entry in entries] == [found, found, "", ""]


def test_what_is_wrong_is_named(client: TestClient, binder: str) -> None:
    for entry, message in (
        ({"name": "x", "colour": "red"}, "entries.0.colour is no field here"),
        ({"name": "x", "quantity": 0}, "entries.0.quantity must be at least 1"),
        ({"name": "x", "price": 1}, "currency"),
        ({"name": "x", "crop": "!"}, "base64"),
        ({"name": "x", "crop": "AAAA"}, "not a JPEG"),
    ):
        answer = client.post(f"{binder}/entries", json={"entries": [entry]})
        assert answer.status_code == 422
        assert message in answer.json()["detail"]
    assert client.get(binder).json()["entries"] == 0


def test_of_very_many_faults_the_first_are_named(client: TestClient, binder: str) -> None:
    entry = {"name": "x", **{f"field{number}": 1 for number in range(2000)}}
    answer = client.post(f"{binder}/entries", json={"entries": [entry]})
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert detail.count("is no field here") == 10
    assert "and 1990 more. See /docs" in detail


def test_writing_is_protected_as_enrolment_is(settings: Settings) -> None:
    with served(settings) as client:
        foreign = {"Origin": "https://evil.example"}
        made = client.post("/api/lists", json={"name": "B"}, headers=foreign)
        assert made.status_code == 403
        for method in ("PATCH", "DELETE"):
            answer = client.request(method, "/api/lists/1", json={}, headers=foreign)
            assert answer.status_code == 403
        large = b'{"name": "' + b"x" * (settings.max_upload_bytes + 2**17) + b'"}'
        kind = {"Content-Type": "application/json"}
        assert client.patch("/api/lists/1", content=large, headers=kind).status_code == 413

    with served(replace(settings, api_key="secret")) as client:
        assert client.get("/api/lists").status_code == 401
        key = {"X-API-Key": "secret"}
        assert client.post("/api/lists", json={"name": "B"}, headers=key).status_code == 201

    with served(replace(settings, host="0.0.0.0")) as client:
        assert client.get("/api/lists").json()["can_write"] is False
        refused = client.post("/api/lists", json={"name": "C"})
        assert (refused.status_code, "--api-key" in refused.text) == (403, True)
    with served(replace(settings, lists="none")) as client:
        assert client.get("/api/lists").status_code == 404
        assert "--lists" in client.post("/api/lists", json={"name": "C"}).json()["detail"]


def test_whether_it_may_write_is_not_remembered_of_another_start(settings: Settings) -> None:
    with served(replace(settings, host="0.0.0.0")) as client:
        seen = {"If-None-Match": client.get("/api/lists").headers["etag"]}
        assert client.get("/api/lists", headers=seen).status_code == 304
    with served(settings) as client:
        assert client.get("/api/lists", headers=seen).json()["can_write"] is True


def test_a_price_that_follows_an_item_keeps_its_currency(client: TestClient, binder: str) -> None:
    class Book:
        def price_of(self, *_: object) -> dict[str, object]:
            return {"median": 1.5, "currency": "EUR"}

    context = client.app.state.context  # type: ignore[attr-defined]
    context.engine.prices = Book()
    item = client.get("/api/items").json()["items"][1]["filename"]
    for currency in ("", "JPY"):
        (entry,) = take(client, binder, item=item, name="", currency=currency)["entries"]
        assert (entry["price"], entry["currency"]) == (1.5, "EUR")
    (entry,) = take(client, binder, item=item, name="", price=9, currency="JPY")["entries"]
    assert (entry["price"], entry["currency"]) == (9, "JPY")


def test_a_file_that_cannot_be_used_says_why(settings: Settings) -> None:
    assert settings.lists_path
    settings.lists_path.write_text("not a database, but long enough to be one " * 20)
    with served(settings) as client:
        answer = client.get("/api/lists")
        assert (answer.status_code, "backup" in answer.text) == (503, True)
        settings.lists_path.unlink()
        assert client.get("/api/lists").status_code == 200


def test_a_file_that_was_replaced_is_read_anew(
    client: TestClient, binder: str, settings: Settings, tmp_path: Path
) -> None:
    assert settings.lists_path
    take(client, binder)
    settings.lists_path.rename(tmp_path / "away.sqlite")
    assert client.get("/api/lists").json()["count"] == 0
    assert client.post("/api/lists", json={"name": "New"}).status_code == 201
    assert client.get("/api/lists").json()["lists"][0]["name"] == "New"


def test_a_server_that_is_killed_loses_no_confirmed_take(
    collection: Settings, tmp_path: Path
) -> None:
    options = ("--lists", str(tmp_path / "killed.sqlite"))

    def post(url: str, body: Any) -> Any:
        data = json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    with Server(collection, *options) as server:
        post(f"{server.url}/api/lists", {"name": "Binder"})
        for number in range(15):
            post(
                f"{server.url}/api/lists/1/entries",
                {"entries": [{"name": f"Card {number}", "key": f"k{number}"}]},
            )
        os.kill(server.process.pid, signal.SIGKILL)

    with Server(collection, *options) as server:
        status, page = get(f"{server.url}/api/lists/1/entries?sort=oldest")
        assert status == 200
        assert [entry["name"] for entry in page["entries"]] == [f"Card {n}" for n in range(15)]
