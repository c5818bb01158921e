"""/refs/: the pictures that the index names, whatever their names, and nothing else."""

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from conftest import save_picture
from PIL import Image
from serving import make_collection, reindex, served
from starlette.testclient import TestClient

from data_label_factory.identify.reference_files import locate
from data_label_factory.identify.server.reference_files import Thumbnails, thumbnail_width
from data_label_factory.identify.server.settings import Settings

ODD = [
    "with space.png",
    "a#b.png",
    "100%.png",
    "ac%2Fdc.png",
    "漢字.png",
    "sub/folder/x.png",
    "quote'\"&+.png",
    "ü?.png",
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = make_collection(tmp_path_factory.mktemp("pictures"), count=1)
    assert settings.refs
    for number, name in enumerate(ODD):
        save_picture(settings.refs / name, number)
    save_picture(settings.refs.parent / "outside.png", 50)
    (settings.refs / "link_out.png").symlink_to(settings.refs.parent / "outside.png")
    (settings.refs / "link_in.png").symlink_to(settings.refs / "a#b.png")
    reindex(settings)
    save_picture(settings.refs / "not_indexed.png", 51)
    (settings.refs / "notes.txt").write_text("private")
    return settings


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


@pytest.mark.parametrize("name", ODD)
def test_any_name_leads_to_its_picture(client: TestClient, settings: Settings, name: str) -> None:
    assert settings.refs
    answer = client.get(f"/refs/{quote(name)}")
    assert answer.status_code == 200
    assert answer.content == (settings.refs / name).read_bytes()
    assert answer.headers["content-type"] == "image/png"
    listed = {
        item["filename"]: item["ref_url"] for item in client.get("/api/items").json()["items"]
    }
    assert client.get(listed[name]).content == answer.content


def test_a_client_that_quotes_nothing_is_understood(client: TestClient, settings: Settings) -> None:
    assert settings.refs
    assert client.get("/refs/ac%2Fdc.png").content == (settings.refs / "ac%2Fdc.png").read_bytes()
    assert client.get("/refs/100%.png").content == (settings.refs / "100%.png").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "not_indexed.png",
        "notes.txt",
        "",
        "sub",
        "sub/folder/",
        "../outside.png",
        "..%2Foutside.png",
        "%2e%2e/outside.png",
        "..%252Foutside.png",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "sub/folder/../../notes.txt",
        "a%00b.png",
        "link_out.png",
        "....//outside.png",
        "..\\outside.png",
        "%ff%fe",
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    answer = client.get(f"/refs/{path}")
    assert answer.status_code == 404
    assert "/api/items" in answer.json()["detail"] or "/docs" in answer.json()["detail"]


def test_links_within_the_folder_are_followed(
    client: TestClient, settings: Settings, tmp_path: Path
) -> None:
    assert client.get("/refs/link_in.png").status_code == 200
    (tmp_path / "refs").mkdir()
    assert locate(tmp_path / "refs", "../x.png") is None
    os.mkfifo(tmp_path / "refs" / "pipe.png")
    assert locate(tmp_path / "refs", "pipe.png") is None


def test_etag_ranges_and_head(client: TestClient, settings: Settings) -> None:
    assert settings.refs
    data = (settings.refs / "漢字.png").read_bytes()
    url = f"/refs/{quote('漢字.png')}"

    first = client.get(url)
    assert "max-age" in first.headers["cache-control"]
    again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = client.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert client.get(url, headers={"Range": "bytes=999999-"}).status_code == 416
    assert client.head(url).status_code == 200

    save_picture(settings.refs / "漢字.png", 77)
    changed = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.content != data


def test_a_thumbnail_is_a_small_jpeg_with_its_own_etag(
    client: TestClient, settings: Settings
) -> None:
    assert settings.refs
    card = next(
        file.name for file in settings.refs.iterdir() if "_" in file.name and file.suffix == ".jpg"
    )
    whole, small = client.get(f"/refs/{card}"), client.get(f"/refs/{card}?w=100")
    assert small.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(small.content)).width == 120
    assert len(small.content) < len(whole.content) / 3
    assert small.headers["etag"] != whole.headers["etag"]

    known = {"If-None-Match": small.headers["etag"]}
    assert client.get(f"/refs/{card}?w=100", headers=known).status_code == 304
    assert client.get(f"/refs/{card}?w=0").status_code == 422
    assert client.get(f"/refs/{card}?w=x").status_code == 422


def test_a_deleted_or_damaged_picture_is_404(settings: Settings, tmp_path: Path) -> None:
    own = make_collection(tmp_path, count=2)
    assert own.refs
    first, second = sorted(file.name for file in own.refs.iterdir())

    with served(own) as client:
        (own.refs / first).unlink()
        (own.refs / second).write_bytes(b"damaged")
        assert client.get(f"/refs/{first}").status_code == 404
        assert client.get(f"/refs/{second}?w=60").status_code == 404


def test_without_a_refs_folder_no_picture_is_served(settings: Settings) -> None:
    with served(replace(settings, refs=None)) as client:
        assert client.get("/refs/100%25.png").status_code == 404


def test_thumbnails_keep_within_their_memory(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    thumbnails = Thumbnails(max_bytes=100_000)
    sizes = [len(thumbnails.get(tmp_path / "noise.png", f"tag{n}", 240)) for n in range(20)]
    assert sum(sizes) > 150_000
    assert thumbnails._held_bytes == sum(map(len, thumbnails._cached.values())) <= 100_000
    assert thumbnails.get(tmp_path / "gone.png", "tag19", 240)  # still held


def test_widths_come_in_steps() -> None:
    assert [thumbnail_width(w) for w in (1, 60, 61, 240, 961, 4096)] == [60, 60, 120, 240, 960, 960]


def test_a_name_that_reads_the_same_leads_to_its_picture(tmp_path: Path) -> None:
    settings = make_collection(tmp_path, count=1)
    assert settings.refs
    save_picture(settings.refs / "Beyonce\u0301.png", 1)  # as a Mac's zip has it
    save_picture(settings.refs / "Two.png", 2)
    save_picture(settings.refs / "TWO.png", 3)
    reindex(settings)
    with served(settings) as client:
        for name in ("Beyonc\u00e9.png", "Beyonce\u0301.png", "beyonc\u00e9.PNG"):
            assert client.get(f"/refs/{quote(name)}").status_code == 200
        for name in ("Two.png", "TWO.png"):
            answer = client.get(f"/refs/{name}")
            assert answer.content == (settings.refs / name).read_bytes()
        assert client.get("/refs/two.png").status_code == 404
