"""CLIP is fetched once from a stand-in of its hub, checked, and kept; errors say what to do."""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from drawn import mean_color_model, photo_like

from data_label_factory.errors import EncoderError
from data_label_factory.folders import cache_folder
from data_label_factory.identify.encoders import open_encoder
from data_label_factory.identify.encoders.clip import weights_in_cache

FILE = "/Qdrant/clip-ViT-B-32-vision/resolve/main/model.onnx"


@dataclass
class Hub:
    """What the stand-in serves, and what it was asked."""

    url: str
    content: bytes
    stated_sha256: str
    found: bool = True
    redirect_to: str = ""
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            served.requests.append(f"{self.command} {self.path}")
            if not served.found or self.path not in (FILE, "/elsewhere"):
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            redirected = bool(served.redirect_to) and self.path == FILE
            self.send_response(302 if redirected else 200)
            if redirected:
                self.send_header("Location", served.redirect_to)
            for name, value in {
                "ETag": '"0123456789abcdef"',
                "X-Linked-Etag": f'"{served.stated_sha256}"',
                "X-Linked-Size": len(served.content),
                "X-Repo-Commit": "a" * 40,
                "Content-Length": 0 if redirected else len(served.content),
            }.items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command == "GET" and not redirected:
                self.wfile.write(served.content)

        do_HEAD = do_GET = answer  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    content = mean_color_model(
        tmp_path / "stand-in.onnx", layout="NCHW-float32", side=224
    ).read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Hub(
        f"http://127.0.0.1:{server.server_port}", content, hashlib.sha256(content).hexdigest()
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", served.url)
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder CLIP is kept in: empty, and with no proxy or offline switch in the way."""
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HF_HUB_OFFLINE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DLF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "clip-vit-b-32"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_first_use_fetches_the_model_and_encodes_with_it(hub: Hub, cache: Path) -> None:
    assert not weights_in_cache()
    encoder = open_encoder("clip")
    assert weights_in_cache()
    assert encoder.identity.id == "clip"
    assert encoder.identity.weights_sha256 == hub.stated_sha256
    assert np.linalg.norm(encoder.encode([photo_like(40, 30)])) == pytest.approx(1, abs=1e-5)
    noted = {"sha256": hub.stated_sha256, "bytes": len(hub.content)}
    assert json.loads((cache / "model.onnx.sha256.json").read_text()) == noted
    assert sorted(path.name for path in cache.iterdir()) == ["model.onnx", "model.onnx.sha256.json"]


def test_the_model_may_lie_on_another_host_as_large_files_of_the_real_hub_do(hub: Hub) -> None:
    hub.redirect_to = hub.url.replace("127.0.0.1", "localhost") + "/elsewhere"
    assert open_encoder("clip").identity.weights_sha256 == hub.stated_sha256
    assert "GET /elsewhere" in hub.requests


def test_the_second_use_makes_no_request(hub: Hub) -> None:
    first = open_encoder("clip")
    assert f"GET {FILE}" in hub.requests
    hub.requests.clear()
    assert open_encoder("clip").identity == first.identity
    assert hub.requests == []


@pytest.mark.parametrize("stated", ["0" * 64, "0123456789abcdef0123456789abcdef01234567", ""])
def test_a_file_whose_hash_is_not_the_stated_one_is_refused_and_not_kept(
    stated: str, hub: Hub, cache: Path
) -> None:
    hub.stated_sha256 = stated
    with pytest.raises(EncoderError, match=r"SHA-256|Could not fetch"):
        open_encoder("clip")
    assert not weights_in_cache()
    assert list(cache.rglob("*")) == []


def test_a_damaged_download_is_refused_and_the_next_use_fetches_again(
    hub: Hub, cache: Path
) -> None:
    good, hub.content = hub.content, hub.content[:-1] + b"!"
    with pytest.raises(
        EncoderError, match=f"arrived with SHA-256.*the hub states {hub.stated_sha256[:12]}"
    ):
        open_encoder("clip")
    assert list(cache.rglob("*")) == []
    hub.content = good
    assert open_encoder("clip").identity.weights_sha256 == hub.stated_sha256


def test_a_file_the_hub_does_not_have_is_an_error_with_the_way_out(hub: Hub, cache: Path) -> None:
    hub.found = False
    with pytest.raises(
        EncoderError, match=r"(?s)Could not fetch Qdrant/clip.*download model\.onnx.*clip:DIR"
    ) as error:
        open_encoder("clip")
    assert str(cache) in error.value.hint
    assert list(cache.rglob("*")) == []


def test_a_full_disk_is_an_error_and_leaves_nothing(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_label_factory.identify.encoders.clip.Path.replace", full)
    with pytest.raises(EncoderError, match="No space left"):
        open_encoder("clip")
    assert list(cache.rglob("*")) == []


def refused() -> str:
    return f"http://127.0.0.1:{closed_port()}"


@pytest.mark.timed
@pytest.mark.parametrize(
    "endpoint", [refused, lambda: "http://192.0.2.1", lambda: "https://no-such-host.invalid"]
)
def test_without_a_network_the_error_comes_within_a_second_and_names_folder_and_file(
    endpoint: object, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub  # noqa: F401 - its import is not what is timed

    monkeypatch.setenv("HF_ENDPOINT", endpoint())
    began = time.perf_counter()
    with pytest.raises(EncoderError, match="cannot be reached") as error:
        open_encoder("clip")
    assert time.perf_counter() - began < 1
    assert str(cache) in error.value.hint and "model.onnx" in error.value.hint


@pytest.mark.timed
def test_a_dead_name_server_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> None:
        release.wait(10)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", hang)
    began = time.perf_counter()
    with pytest.raises(EncoderError, match="cannot be reached"):
        open_encoder("clip")
    release.set()
    assert time.perf_counter() - began < 1.5


def test_hf_hub_offline_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderError, match="cannot be reached"):
        open_encoder("clip")
    assert hub.requests == []


def test_a_model_put_into_the_cache_by_hand_is_used(hub: Hub, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "model.onnx").write_bytes(hub.content)
    assert open_encoder("clip").identity.weights_sha256 == hub.stated_sha256
    assert hub.requests == []


def test_clip_with_a_folder_uses_the_model_in_it(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.onnx").write_bytes(hub.content)
    encoder = open_encoder(f"clip:{tmp_path}/mine")
    assert encoder.path == tmp_path / "mine" / "model.onnx"
    assert encoder.identity.id == "clip" and encoder.identity.weights_sha256 == hub.stated_sha256
    assert hub.requests == []
    with pytest.raises(EncoderError, match=r"no model\.onnx in .*cache"):
        open_encoder(f"clip:{cache_folder()}")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.onnx", lambda content: content + b"x"),
        ("model.onnx", lambda content: content[:-1] + b"!"),
        ("model.onnx.sha256.json", lambda _: b"not json"),
        ("model.onnx.sha256.json", lambda _: b"{}"),
        ("model.onnx.sha256.json", lambda _: b"[1]"),
        ("model.onnx.sha256.json", lambda _: b"\xff"),
    ],
)
def test_a_cached_file_that_changed_is_refused(
    name: str, change: object, hub: Hub, cache: Path
) -> None:
    open_encoder("clip")
    (cache / name).write_bytes(change((cache / name).read_bytes()))
    with pytest.raises(EncoderError, match=r"not the file that was fetched.*[Dd]elete"):
        open_encoder("clip")


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder().name == "cache"
    monkeypatch.delenv("DLF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/data_label_factory")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "data_label_factory"
