"""--watch: changes on disk show within two seconds, and neither they nor broken files disturb."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import draw_collection, encoded, mean_color_model
from PIL import Image
from serving import make_collection, outdate_calibration, reindex, served, wait_until
from starlette.testclient import TestClient

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder, Embeddings, open_encoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.server import watch
from data_label_factory.identify.server.settings import Settings

SOON_SECONDS = 20  # on a very busy machine; on a quiet one it takes two


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(make_collection(tmp_path / "own", count=4), watch=True)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


@pytest.fixture(scope="module")
def unknowns(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_collection(tmp_path_factory.mktemp("unknowns"), count=3, seed=99)


def recognize(client: TestClient, file: Path) -> set[str]:
    picture = encoded(Image.fromarray(decode(file)), "PNG")
    masks = client.post("/api/falcon", files={"image": picture}).json()["masks"]
    return {mask["ref_filename"] for mask in masks if mask["confident"]}


def problems(client: TestClient) -> dict[str, str]:
    return client.get("/health").json()["problems"]


def test_dropped_changed_and_deleted_files_show_without_a_lost_request(
    client: TestClient, settings: Settings, unknowns: list[Path]
) -> None:
    assert settings.refs
    codes: list[int] = []
    done = threading.Event()
    picture = encoded(Image.fromarray(decode(unknowns[0])), "JPEG")

    def load() -> None:
        while not done.is_set():
            codes.append(client.post("/api/falcon", files={"image": picture}).status_code)

    asking = threading.Thread(target=load)
    asking.start()
    try:
        shutil.copy(unknowns[0], settings.refs / "dropped.jpg")
        wait_until(lambda: recognize(client, unknowns[0]) == {"dropped.jpg"}, SOON_SECONDS)
        shutil.copy(unknowns[1], settings.refs / "dropped.jpg")
        wait_until(lambda: recognize(client, unknowns[1]) == {"dropped.jpg"}, SOON_SECONDS)
        assert recognize(client, unknowns[0]) == set()
        (settings.refs / "dropped.jpg").unlink()
        wait_until(lambda: recognize(client, unknowns[1]) == set(), SOON_SECONDS)
    finally:
        done.set()
        asking.join()
    assert len(codes) > 3
    assert set(codes) == {200}
    assert len(Index.load(settings.index)) == 4  # the index file is kept up to date, too


def test_what_changed_while_no_server_ran_is_taken_over_at_the_start(
    settings: Settings, unknowns: list[Path]
) -> None:
    assert settings.refs
    shutil.copy(unknowns[0], settings.refs / "new.jpg")
    with served(settings) as client:
        wait_until(lambda: client.get("/health").json()["index_size"] == 5, SOON_SECONDS)


def test_a_picture_that_cannot_be_read_is_told_and_harms_nothing(
    client: TestClient, settings: Settings
) -> None:
    assert settings.refs
    (settings.refs / "broken.jpg").write_bytes(b"not a picture")
    wait_until(lambda: "broken.jpg" in problems(client).get("refs", ""), SOON_SECONDS)
    first = next(file for file in sorted(settings.refs.iterdir()) if file.name != "broken.jpg")
    assert recognize(client, first) == {first.name}
    (settings.refs / "broken.jpg").unlink()
    wait_until(lambda: problems(client) == {}, SOON_SECONDS)


def test_an_emptied_folder_keeps_the_old_collection(
    client: TestClient, settings: Settings, tmp_path: Path
) -> None:
    assert settings.refs
    settings.refs.rename(tmp_path / "unmounted")
    wait_until(lambda: "refs" in problems(client), SOON_SECONDS)
    assert client.get("/health").json()["index_size"] == 4
    file = next((tmp_path / "unmounted").iterdir())
    assert recognize(client, file) == {file.name}
    (tmp_path / "unmounted").rename(settings.refs)
    wait_until(lambda: problems(client) == {}, SOON_SECONDS)


def test_a_folder_that_disappears_while_it_is_read_changes_nothing(
    client: TestClient,
    settings: Settings,
    tmp_path: Path,
    unknowns: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.refs
    refs, away = settings.refs, tmp_path / "unmounted"
    encoder = client.app.state.context.engine.embedder.encoder
    encode = encoder.encode

    def unmount_meanwhile(images: list[RGB]) -> Embeddings:
        if not away.exists():
            refs.rename(away)
        return encode(images)

    monkeypatch.setattr(encoder, "encode", unmount_meanwhile)
    shutil.copy(unknowns[0], refs / "new.jpg")
    wait_until(lambda: "refs" in problems(client), SOON_SECONDS)
    assert client.get("/health").json()["index_size"] == len(Index.load(settings.index)) == 4
    monkeypatch.undo()
    away.rename(refs)
    wait_until(
        lambda: len(Index.load(settings.index)) == 5 and problems(client) == {}, SOON_SECONDS
    )
    assert client.get("/health").json()["index_size"] == 5


def test_a_folder_that_is_away_only_while_it_is_read_is_read_again(
    client: TestClient,
    settings: Settings,
    tmp_path: Path,
    unknowns: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.refs
    refs, away = settings.refs, tmp_path / "unmounted"
    build, failed = watch.build_index, []

    def fail_once(*args: Any, **options: Any) -> Any:
        if failed:
            return build(*args, **options)
        refs.rename(away)
        try:
            return build(*args, **options)
        except FactoryError as exc:
            failed.append(exc)
            raise
        finally:
            away.rename(refs)

    monkeypatch.setattr(watch, "build_index", fail_once)
    shutil.copy(unknowns[0], refs / "new.jpg")
    wait_until(lambda: client.get("/health").json()["index_size"] == 5, SOON_SECONDS)
    wait_until(lambda: problems(client) == {}, SOON_SECONDS)
    assert failed


def test_a_replaced_index_is_taken_over_and_a_broken_one_is_not(
    client: TestClient, settings: Settings, tmp_path: Path, unknowns: list[Path]
) -> None:
    assert settings.refs
    shutil.copy(unknowns[0], settings.refs / "new.jpg")  # once it shows, the folder is at rest
    wait_until(lambda: client.get("/health").json()["index_size"] == 5, SOON_SECONDS)
    # It is served a moment before it is kept.
    wait_until(lambda: len(Index.load(settings.index)) == 5, SOON_SECONDS)
    index = Index.load(settings.index)
    smaller = replace(
        index,
        **{
            column: getattr(index, column)[:3]
            for column in ("embeddings", "names", "references", "set_codes", "rarities", "sha256")
        },
    )
    smaller.save(settings.index)
    wait_until(lambda: client.get("/health").json()["index_size"] == 3, SOON_SECONDS)

    (tmp_path / "bad.npz").write_bytes(settings.index.read_bytes()[:500])
    (tmp_path / "bad.npz").replace(settings.index)
    wait_until(
        lambda: "no index of this program" in problems(client).get("index", ""), SOON_SECONDS
    )
    assert client.get("/health").json()["index_size"] == 3
    assert client.get("/readyz").status_code == 200

    other = open_encoder(
        f"onnx:{mean_color_model(tmp_path / 'other.onnx', layout='NCHW-float32', side=32)}"
    )
    build_index(settings.refs, tmp_path / "other.npz", Embedder(other), quiet=True)
    (tmp_path / "other.npz").replace(settings.index)
    wait_until(lambda: "was made by" in problems(client).get("index", ""), SOON_SECONDS)
    assert client.get("/health").json()["index_size"] == 3

    index.save(settings.index)
    wait_until(
        lambda: client.get("/health").json()["index_size"] == 5 and problems(client) == {},
        SOON_SECONDS,
    )


def test_a_file_that_is_still_being_copied_is_left_alone(
    client: TestClient, settings: Settings, unknowns: list[Path]
) -> None:
    assert settings.refs
    data = unknowns[2].read_bytes()
    seen: set[str] = set()
    with (settings.refs / "slow.jpg").open("wb") as file:
        for start in range(0, len(data), len(data) // 12):
            file.write(data[start : start + len(data) // 12])
            file.flush()
            seen |= set(problems(client))
            time.sleep(0.12)
    wait_until(lambda: recognize(client, unknowns[2]) == {"slow.jpg"}, SOON_SECONDS)
    assert seen == set()


def test_an_outdated_calibration_is_renewed_in_the_background(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    outdate_calibration(settings, monkeypatch)
    with served(settings) as client:
        wait_until(lambda: client.get("/health").json()["calibration"]["state"] == "up to date", 60)
        assert client.get("/health").json()["calibration"]["items"] == 4
        assert problems(client) == {}
    assert Index.load(settings.index).meta.calibration["items"] == 4


def test_without_watch_the_disk_is_not_followed(settings: Settings, unknowns: list[Path]) -> None:
    assert settings.refs
    with served(replace(settings, watch=False)) as client:
        shutil.copy(unknowns[0], settings.refs / "new.jpg")
        reindex(settings)
        time.sleep(1.5)
        assert client.get("/health").json()["index_size"] == 4


def test_embeddings_of_a_watched_folder_are_those_of_the_command(
    client: TestClient, settings: Settings, unknowns: list[Path]
) -> None:
    assert settings.refs
    shutil.copy(unknowns[0], settings.refs / "new.jpg")
    wait_until(lambda: len(Index.load(settings.index)) == 5, SOON_SECONDS)
    watched = Index.load(settings.index)
    settings.index.unlink()
    reindex(settings)
    assert np.array_equal(watched.embeddings, Index.load(settings.index).embeddings)
