"""Health, probes, pages and the OpenAPI document."""

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from serving import make_collection, served, wait_until
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data_label_factory import __version__
from data_label_factory.errors import EncoderError, FactoryError, IndexFileError
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.pages import mount_tracker
from data_label_factory.identify.server.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("status"), count=3)


def test_nothing_is_left_to_build_at_the_first_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(settings, load=False)
    built: list[object] = []
    monkeypatch.setattr(TypeAdapter, "__init__", lambda *_, **__: built.append(1))
    assert TestClient(app, base_url="http://localhost").get("/livez").status_code == 200
    assert built == []


def test_health_says_what_is_served(settings: Settings) -> None:
    with served(replace(settings, sim_threshold=0.4, margin_threshold=0.2)) as client:
        health = client.get("/health").json()
        expected = {
            "phase": "ready",
            "model_loaded": True,
            "device": "cpu",
            "encoder": "onnx:model.onnx",
            "index_size": 3,
            "has_projection": False,
            "has_refs": True,
            "has_prices": False,
            "sim_threshold": 0.4,
            "margin_threshold": 0.2,
            "strictness": 0.01,
            "detector": "flat",
            "requests_served": 0,
            "errors": 0,
            "last_query": None,
            "version": __version__,
        }
        assert {name: health[name] for name in expected} == expected
        assert health["items"] <= 3
        assert health["uptime_seconds"] >= 0

        client.get("/nowhere")
        after = client.get("/api/info").json()
        assert after.keys() == health.keys()
        assert after["errors"] == 1


def test_an_index_that_was_never_calibrated_is_reported_as_such(settings: Settings) -> None:
    with served(settings) as client:
        calibration = client.get("/health").json()["calibration"]
    assert calibration == {"state": "none", "unknown_items": 0, "items": 0}


@pytest.mark.parametrize(
    ("known_items", "state"), [(1, "out of date"), (3, "up to date"), (4, "up to date")]
)
def test_a_calibration_is_out_of_date_once_the_index_has_changed_by_a_quarter(
    settings: Settings, tmp_path: Path, known_items: int, state: str
) -> None:
    calibration = Calibration(unknowns=96, items=known_items)
    calibrated = replace(settings, index=tmp_path / "calibrated.npz")
    Index.load(settings.index).with_calibration(calibration.as_dict()).save(calibrated.index)
    with served(calibrated) as client:
        told = client.get("/health").json()["calibration"]
    assert told == {"state": state, "unknown_items": 96, "items": known_items}


def test_while_it_loads_only_the_probes_and_health_answer(settings: Settings) -> None:
    engine = Engine(settings)
    with TestClient(
        create_app(settings, engine, load=False), base_url="http://localhost"
    ) as client:
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.get("/health").json()["phase"] == "loading"
        for answer in (client.post("/api/falcon", files={"image": b"x"}), client.get("/api/items")):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
        assert client.get("/").status_code == 200
        assert client.get("/api/top-prices").json() == {"top": [], "count": 0, "fx": {}}

        threading.Thread(target=engine.load).start()
        wait_until(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/health").json()["phase"] == "ready"

        client.app.state.context.draining = True
        assert client.get("/readyz").status_code == 503
        answer = client.get("/health")
        assert (answer.json()["phase"], answer.headers["connection"]) == ("draining", "close")


def test_the_docs_page_has_working_links_and_requests_no_other_site(settings: Settings) -> None:
    with served(settings) as client:
        docs = client.get("/docs").text
        sources = re.findall(r'(?:src|href)="([^"]+)"', docs)
        assert len(sources) >= 3
        for source in sources:
            assert client.get(f"/{source}").status_code == 200, source
        assert not re.search(r"https?://(?!localhost)", docs)


def test_the_document_gives_an_example_of_every_answer(settings: Settings) -> None:
    with served(settings) as client:
        document = client.get("/openapi.json").json()
        example = document["components"]["schemas"]["Answer"]["example"]
        assert example["masks"][0]["label"] == "Dark Magician (PScR)"
        assert {"429", "413", "415"} <= document["paths"]["/api/falcon"]["post"]["responses"].keys()
        paths = {"/api/falcon", "/api/info", "/health", "/refs/{filename}", "/api/items"}
        assert paths <= document["paths"].keys()
        # Relative to the document, so that a proxy may put all of it below a path.
        assert document["servers"] == [{"url": "."}]


def test_the_tracker_is_mounted_when_it_is_there(tmp_path: Path) -> None:
    web = tmp_path / "web"
    web.mkdir()
    app = Starlette()
    mount_tracker(app, web)
    assert TestClient(app).get("/canvas/live").status_code == 404

    (web / "index.html").write_text("<!doctype html><script type=module src=live/app.js></script>")
    (web / "app.js").write_text("export {}")
    (web / ".env.local").write_text("FALCON_URL=secret")
    (web / "server.py").write_text("private")
    mount_tracker(app, web)

    client = TestClient(app)
    page = client.get("/canvas/live")
    assert page.text.startswith("<!doctype html>")
    assert "camera=(self)" in page.headers["permissions-policy"]
    for script in ("/canvas/live/app.js", "/canvas/app.js"):
        assert client.get(script).text == "export {}"
    known = {"If-None-Match": page.headers["etag"]}
    assert client.get("/canvas/live", headers=known).status_code == 304

    for hidden in (".env.local", "server.py", "", "../status.py", "%2e%2e/x.js", "nothing.js"):
        assert client.get(f"/canvas/live/{hidden}").status_code == 404, hidden
        assert client.get(f"/canvas/{hidden}").status_code == 404, hidden


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"index": Path("none.npz")}, "There is no index"),
        ({"refs": Path("nowhere")}, "not a folder"),
        ({"refs": None, "watch": True}, "--watch needs --refs"),
        ({"refs": None, "allow_enroll": True}, "--allow-enroll needs --refs"),
        ({"projection": Path("none.pt")}, "Cannot read the projection head"),
        ({"ssl_certfile": Path("a.pem")}, "both"),
        ({"cors": ("evil",)}, "not an origin"),
        ({"encoder": "sscd"}, "was made by"),
    ],
)
def test_settings_that_cannot_be_served_are_refused_at_once(
    settings: Settings, changes: dict, says: str
) -> None:
    with pytest.raises(FactoryError, match=says):
        create_app(replace(settings, **changes))


def test_the_kind_of_error_tells_index_from_encoder(settings: Settings) -> None:
    with pytest.raises(IndexFileError):
        Engine(replace(settings, index=Path("none.npz")))
    with pytest.raises(EncoderError):
        Engine(replace(settings, encoder="nosuch"))


def test_a_wrong_address_or_method_is_pointed_to_the_docs(settings: Settings) -> None:
    with served(settings) as client:
        for answer in (client.get("/nowhere"), client.get("/api/falcon"), client.put("/refs/x")):
            assert answer.status_code in (404, 405)
            assert "/docs" in answer.json()["detail"]
        assert client.get("/api/falcon").headers["allow"] == "POST"
