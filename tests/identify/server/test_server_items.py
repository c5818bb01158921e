"""The collection over HTTP: list, enroll, feed back, remove; on disk and in the next answer."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_collection, encoded
from PIL import Image
from serving import make_collection, outdate_calibration, reindex, served, wait_until
from starlette.testclient import TestClient

from data_label_factory.errors import FactoryError
from data_label_factory.identify import collection
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.server.settings import Settings

UNKNOWNS = 8


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(make_collection(tmp_path / "own", count=4), allow_enroll=True)


@pytest.fixture(scope="module")
def unknowns(tmp_path_factory: pytest.TempPathFactory) -> list[RGB]:
    """Cards that the collection does not have."""
    files = draw_collection(tmp_path_factory.mktemp("unknowns"), count=UNKNOWNS, seed=99)
    return [decode(file) for file in files]


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


def jpeg(picture: RGB) -> bytes:
    return encoded(Image.fromarray(picture), "JPEG", quality=92)


def recognize(client: TestClient, picture: RGB) -> set[str]:
    frame = render_view([picture], np.random.default_rng(4)).image
    masks = client.post("/api/falcon", files={"image": jpeg(frame)}).json()["masks"]
    return {mask["label"] for mask in masks if mask["confident"]}


def enroll(client: TestClient, picture: RGB, **fields: str):
    return client.post(
        "/api/items", files={"image": ("x", jpeg(picture), "image/jpeg")}, data=fields
    )


def test_items_are_listed_searched_and_paged(client: TestClient, settings: Settings) -> None:
    assert settings.refs
    names = sorted(file.name for file in settings.refs.iterdir())
    whole = client.get("/api/items").json()
    assert [item["filename"] for item in whole["items"]] == names
    assert (whole["count"], whole["total"], whole["offset"]) == (4, 4, 0)
    page = client.get("/api/items?limit=2&offset=3").json()
    assert ([item["filename"] for item in page["items"]], page["total"]) == (names[3:], 4)
    one = whole["items"][2]
    words = " ".join(reversed(one["name"].upper().split()))
    found = client.get("/api/items", params={"q": f"{words} {one['set_code']}"}).json()["items"]
    assert found == [one]
    assert client.get("/api/items?q=nosuchthing").json()["items"] == []


def test_a_new_item_is_named_in_the_next_frame_and_is_on_disk(
    client: TestClient, settings: Settings, unknowns: list[RGB]
) -> None:
    assert recognize(client, unknowns[0]) == set()
    answer = enroll(client, unknowns[0], name="Blue / Teapot", set_code="TEA-001", rarity="UR")
    assert answer.status_code == 201
    assert answer.json()["label"] == "Blue / Teapot (UR)"
    assert answer.json()["index_size"] == 5
    assert recognize(client, unknowns[0]) == {"Blue / Teapot (UR)"}

    reference = answer.json()["filename"]
    index = Index.load(settings.index)
    assert reference in index.references
    assert settings.refs and (settings.refs / reference).is_file()
    assert client.get("/health").json()["index_size"] == 5

    reindex(settings)  # the command makes the same index of the folder
    again = Index.load(settings.index)
    assert list(again.references) == list(index.references)
    assert np.array_equal(again.embeddings, index.embeddings)
    assert list(again.sha256) == list(index.sha256)


def test_an_item_is_cut_out_of_a_frame_where_the_quad_says(
    client: TestClient, unknowns: list[RGB]
) -> None:
    view = render_view([unknowns[1]], np.random.default_rng(0))
    quad = json.dumps((view.quads[0] / [640, 480]).tolist())
    answer = enroll(client, view.image, name="Cut Out", quad_norm=quad)
    assert answer.status_code == 201
    picture = Image.open(io.BytesIO(client.get(f"/refs/{answer.json()['filename']}").content))
    assert picture.width < picture.height  # a card's shape, not the frame's
    assert recognize(client, unknowns[1]) == {"Cut Out"}


def test_feedback_keeps_a_further_view_of_the_item(
    client: TestClient, settings: Settings, unknowns: list[RGB]
) -> None:
    item = client.get("/api/items").json()["items"][0]
    files = {"image": jpeg(unknowns[2])}
    answer = client.post("/api/feedback", files=files, data={"filename": item["filename"]})
    assert answer.status_code == 201
    assert answer.json()["label"] == item["label"]
    assert answer.json()["filename"] == item["filename"].replace(".", "__2.")
    assert recognize(client, unknowns[2]) == {item["label"]}

    health = client.get("/health").json()
    names = {item["name"] for item in client.get("/api/items").json()["items"]}
    assert health["index_size"] == 5
    assert health["items"] == len(names)
    reindex(settings)
    assert len(Index.load(settings.index)) == 5

    twice = client.post("/api/feedback", files=files, data={"filename": item["filename"]})
    assert twice.status_code == 409


def test_a_removed_item_is_unknown_and_its_picture_is_kept(
    client: TestClient, settings: Settings
) -> None:
    assert settings.refs
    item = client.get("/api/items").json()["items"][1]
    path = settings.refs / item["filename"]
    picture, data = decode(path), path.read_bytes()
    assert recognize(client, picture) == {item["label"]}
    answer = client.delete(item["ref_url"].replace("/refs/", "/api/items/"))
    assert (answer.status_code, answer.json()["index_size"]) == (200, 3)
    assert item["label"] not in recognize(client, picture)
    assert not path.exists()
    assert [file.read_bytes() for file in (settings.refs / ".removed").iterdir()] == [data]
    assert item["filename"] not in Index.load(settings.index).references
    assert client.delete(f"/api/items/{item['filename']}").status_code == 404


def test_changes_find_a_reference_whose_name_is_spelled_a_little_differently(
    client: TestClient, settings: Settings
) -> None:
    assert settings.refs
    item = client.get("/api/items").json()["items"][0]
    wanted = item["filename"].upper()
    files = {"image": jpeg(decode(settings.refs / item["filename"])[:-20])}
    answer = client.post("/api/feedback", files=files, data={"filename": wanted})
    assert answer.status_code == 201
    assert answer.json()["label"] == item["label"]

    answer = client.delete(f"/api/items/{wanted}")
    assert (answer.status_code, answer.json()["filename"]) == (200, item["filename"])
    assert not (settings.refs / item["filename"]).exists()


def test_an_item_whose_file_cannot_be_moved_is_no_longer_served(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(refs: Path, reference: str) -> None:
        raise FactoryError(f"{reference} cannot be moved")

    monkeypatch.setattr(collection, "set_aside", refuse)
    name = client.get("/api/items").json()["items"][0]["filename"]
    assert client.delete(f"/api/items/{name}").status_code >= 400
    assert name not in [item["filename"] for item in client.get("/api/items").json()["items"]]


def test_references_that_are_all_gone_leave_a_server_that_says_so(settings: Settings) -> None:
    assert settings.refs
    for file in settings.refs.iterdir():
        file.unlink()
    with served(settings) as client:
        health = client.get("/health").json()
        assert (health["phase"], health["unreadable"]) == ("ready", health["index_size"])


def test_the_last_reference_stays(client: TestClient) -> None:
    names = [item["filename"] for item in client.get("/api/items").json()["items"]]
    codes = [client.delete(f"/api/items/{name}").status_code for name in names]
    assert codes == [200, 200, 200, 409]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": ""}, 422),
        ({"name": " / "}, 201),
        ({"name": "x" * 201}, 422),
        ({"name": "漢" * 150}, 422),
        ({"name": "a", "set_code": "no code"}, 422),
        ({"name": "a", "rarity": "best of all rarities"}, 201),
        ({"name": "a", "rarity": "x" * 201}, 422),
        ({"name": "../../evil"}, 201),
        ({"name": "a", "quad_norm": "[[0,0],[1,0]]"}, 422),
        ({"name": "a", "quad_norm": "[[0,0],[1,0],[1,1],[1e999,1]]"}, 422),
        ({"name": "a", "quad_norm": "[[0,0],[0,1],[1,1],[1,0]]"}, 422),
        ({"name": "a", "quad_norm": "[" * 5000}, 422),
        ({"name": "a", "quad_norm": "{}"}, 422),
        ({"name": "a", "quad_norm": "[[0,0],[0.01,0],[0.01,0.01],[0,0.01]]"}, 422),
    ],
)
def test_odd_names_and_quads(
    client: TestClient, settings: Settings, unknowns: list[RGB], fields: dict, status: int
) -> None:
    assert settings.refs
    before = sorted(settings.refs.parent.rglob("*"))
    answer = enroll(client, unknowns[3], **fields)
    assert answer.status_code == status, answer.json()
    new = [path for path in sorted(settings.refs.parent.rglob("*")) if path not in before]
    assert [path.parent for path in new] == ([settings.refs] if status == 201 else [])


def test_an_item_that_is_there_is_not_overwritten(client: TestClient, unknowns: list[RGB]) -> None:
    assert enroll(client, unknowns[4], name="Twice").status_code == 201
    first = client.get("/refs/twice.jpg").content
    assert enroll(client, unknowns[5], name="Twice").status_code == 201
    assert client.get("/refs/twice.jpg").content == first
    assert enroll(client, unknowns[4], name="Other Name").status_code == 409


@pytest.mark.parametrize("kind", ["the file itself", "its pixels", "all of it, cut out"])
def test_a_picture_of_a_known_item_is_refused_with_that_items_name(
    client: TestClient, settings: Settings, kind: str
) -> None:
    assert settings.refs
    item = client.get("/api/items").json()["items"][2]
    before = sorted(settings.refs.iterdir())
    data = (settings.refs / item["filename"]).read_bytes()
    if kind != "the file itself":
        data = encoded(Image.fromarray(decode(settings.refs / item["filename"])), "PNG")
    quad = "[[0,0],[1,0],[1,1],[0,1]]" if kind == "all of it, cut out" else ""

    files = {"image": ("x", data)}
    refused = [
        client.post("/api/items", files=files, data={"name": "Other", "quad_norm": quad}),
        client.post("/api/feedback", files=files, data={"filename": before[0].name}),
    ]
    for answer in refused:
        assert answer.status_code == 409
        assert f"it is {item['label']}, as {item['filename']}" in answer.json()["detail"]
    assert sorted(settings.refs.iterdir()) == before
    assert recognize(client, decode(settings.refs / item["filename"])) == {item["label"]}


def test_a_name_without_capitals_is_written_as_files_are_named(
    client: TestClient, unknowns: list[RGB]
) -> None:
    for number, (name, filename, label) in enumerate(
        [
            ("x", "x.jpg", "X"),
            (" blue  teapot", "blue_teapot.jpg", "Blue Teapot"),
            ("eBay mug", "eBay_mug.jpg", "eBay mug"),
            ("漢字", "漢字.jpg", "漢字"),
        ]
    ):
        answer = enroll(client, unknowns[number], name=name).json()
        assert (answer["filename"], answer["label"]) == (filename, label)


def test_a_name_that_is_there_gets_views_with_the_next_free_number(
    client: TestClient, settings: Settings, unknowns: list[RGB]
) -> None:
    assert settings.refs
    answer = enroll(client, unknowns[0], name="Teddy", rarity="UR").json()
    assert answer["filename"] == "teddy_ur.jpg"
    assert "hint" not in answer

    Image.fromarray(unknowns[7]).save(settings.refs / "Teddy_UR__3.png")
    second = enroll(client, unknowns[1], name="teddy", rarity="ultra rare").json()
    assert (second["filename"], second["label"]) == ("teddy_ur__2.jpg", "Teddy (UR)")
    assert second["hint"] == "It has 2 pictures now. One from another side may help"
    assert "another side" in second["hint"]
    third = client.post(
        "/api/feedback", files={"image": jpeg(unknowns[2])}, data={"filename": second["filename"]}
    ).json()
    assert third["filename"] == "teddy_ur__4.jpg"
    assert "Enough" in third["hint"]
    other = enroll(client, unknowns[3], name="Teddy").json()
    assert (other["filename"], "hint" in other) == ("teddy.jpg", False)

    listed = [
        [item["filename"] for item in client.get(f"/api/items?q=teddy{more}").json()["items"]]
        for more in ("", "&views=0")
    ]
    views = ["teddy_ur.jpg", "teddy_ur__2.jpg", "teddy_ur__4.jpg"]
    assert listed == [["teddy.jpg", *views], ["teddy.jpg", "teddy_ur.jpg"]]
    for number in range(3):
        assert recognize(client, unknowns[number]) == {"Teddy (UR)"}
    assert recognize(client, unknowns[3]) == {"Teddy"}
    client.delete("/api/items/teddy_ur__2.jpg")
    assert enroll(client, unknowns[4], name="Teddy", rarity="UR").json()["filename"] == (
        "teddy_ur__2.jpg"
    )


def test_a_change_renews_an_outdated_calibration_in_the_background(
    settings: Settings, unknowns: list[RGB], monkeypatch: pytest.MonkeyPatch
) -> None:
    outdate_calibration(settings, monkeypatch)
    with served(settings) as client:
        before = client.get("/health").json()["calibration"]
        assert before == {"state": "out of date", "unknown_items": 96, "items": 1}

        assert enroll(client, unknowns[0], name="Fifth").status_code == 201
        wait_until(lambda: client.get("/health").json()["calibration"]["state"] == "up to date", 60)

        health = client.get("/health").json()
        assert health["calibration"]["items"] == health["items"] == 5
        assert 0 < health["calibration"]["unknown_items"] < 96
        assert health["problems"] == {}
        served_now = client.app.state.context.require_snapshot()
        assert served_now.recognizer.calibration.items == 5

    stored = Index.load(settings.index)
    assert stored.item_count == stored.meta.calibration["items"] == 5


def test_rows_that_another_program_added_are_kept(
    client: TestClient, settings: Settings, unknowns: list[RGB]
) -> None:
    assert settings.refs
    Image.fromarray(unknowns[6]).save(settings.refs / "added_by_hand.png")
    reindex(settings)
    assert enroll(client, unknowns[7], name="Sent").json()["index_size"] == 6
    assert recognize(client, unknowns[6]) == {"Added By Hand"}


def test_nothing_is_left_when_the_index_cannot_be_written(
    client: TestClient, settings: Settings, unknowns: list[RGB], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.refs
    before = sorted(settings.refs.iterdir())

    def full(self: Index, path: Path) -> None:
        raise FactoryError(f"Could not write {path}: No space left on device", "Free some space")

    monkeypatch.setattr(Index, "save", full)
    answer = enroll(client, unknowns[0], name="No Room")
    assert answer.status_code == 503
    assert "No space left" in answer.json()["detail"]
    assert sorted(settings.refs.iterdir()) == before
    assert recognize(client, unknowns[0]) == set()


def test_without_permission_nothing_can_be_changed(settings: Settings, unknowns: list[RGB]) -> None:
    with served(replace(settings, allow_enroll=False)) as client:
        name = client.get("/api/items").json()["items"][0]["filename"]
        refused = [
            enroll(client, unknowns[0], name="x"),
            client.post(
                "/api/feedback", files={"image": jpeg(unknowns[0])}, data={"filename": name}
            ),
            client.delete(f"/api/items/{name}"),
        ]
        assert [answer.status_code for answer in refused] == [403] * 3
        assert all("--allow-enroll" in answer.json()["detail"] for answer in refused)
        assert client.get("/health").json()["can_enroll"] is False

    with served(settings) as client:
        foreign = client.delete(f"/api/items/{name}", headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403

        unknown = client.post(
            "/api/feedback", files={"image": jpeg(unknowns[0])}, data={"filename": "../x"}
        )
        assert unknown.status_code == 404
