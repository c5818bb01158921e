"""POST /api/falcon: the shape that existing clients rely on, right boxes, and clear refusals."""

import io
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from detections import detection
from drawn import encoded, photo_like
from frame_shapes import frame_shapes
from PIL import Image
from serving import make_collection, served
from starlette.testclient import TestClient

from data_label_factory.identify.camera import View, render_view
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Row
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.identify.server.answers import as_masks
from data_label_factory.identify.server.settings import Settings
from data_label_factory.labels import parse_label


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("served"), count=9)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


def post(client: TestClient, picture: bytes, media_type: str = "image/jpeg", **fields: str):
    return client.post("/api/falcon", files={"image": ("frame", picture, media_type)}, data=fields)


def view_of(settings: Settings, count: int, seed: int) -> tuple[list[Path], View]:
    assert settings.refs
    rng = np.random.default_rng(seed)
    files = sorted(settings.refs.iterdir())
    shown = [files[i] for i in rng.choice(len(files), count, replace=False)]
    return shown, render_view([decode(file) for file in shown], rng)


@pytest.mark.parametrize("size", [(1, 1), (4000, 2), (2, 4000), (9000, 1), (40, 3000)])
def test_a_frame_of_any_shape_is_answered(client: TestClient, size: tuple[int, int]) -> None:
    check_shape(client, size)


@hypothesis.settings(max_examples=30, deadline=None)
@hypothesis.given(size=frame_shapes())
def test_a_frame_of_whatever_shape_is_answered(client: TestClient, size: tuple[int, int]) -> None:
    check_shape(client, size)


def check_shape(client: TestClient, size: tuple[int, int]) -> None:
    answer = post(client, encoded(Image.fromarray(photo_like(*size)), "PNG"), "image/png")
    assert answer.status_code == 200
    assert answer.json()["image_size"] == list(size)


def test_an_answer_has_the_shape_that_clients_rely_on(
    client: TestClient, settings: Settings
) -> None:
    shown, view = view_of(settings, 1, seed=1)
    answer = post(client, encoded(Image.fromarray(view.image), "JPEG"), query="a card")
    assert answer.status_code == 200
    body = answer.json()
    assert {"image_size", "count", "masks", "query", "elapsed_seconds"} <= body.keys()
    assert body["image_size"] == [640, 480]
    assert body["count"] == len(body["masks"])
    assert body["query"] == "a card"
    assert 0 < body["elapsed_seconds"] < 60

    (mask,) = body["masks"]
    keys = (
        "bbox_norm area_fraction label name rarity set_code score margin confident top_k "
        "ref_filename quad_norm price ambiguous_with variants"
    )
    assert set(keys.split()) <= mask.keys()
    label = parse_label(shown[0].name)
    assert mask["name"] == label.name
    assert mask["rarity"] == label.rarity
    assert mask["set_code"] == label.set_code
    assert mask["label"] == str(label)
    assert mask["confident"] is True
    assert mask["ref_filename"] == shown[0].name
    assert mask["price"] is None
    assert {"name", "filename", "score"} == mask["top_k"][0].keys()
    assert mask["variants"] == [mask["ref_filename"], *mask["ambiguous_with"]]
    assert client.get(mask["ref_url"]).content == shown[0].read_bytes()


def test_boxes_and_quads_lie_where_the_items_are(client: TestClient, settings: Settings) -> None:
    errors: list[float] = []
    coverages: list[float] = []
    for seed in range(6):
        shown, view = view_of(settings, 1 + seed % 2, seed)
        masks = post(client, encoded(Image.fromarray(view.image), "PNG")).json()["masks"]
        confident = {mask["ref_filename"]: mask for mask in reversed(masks) if mask["confident"]}

        for file, quad in zip(shown, view.quads, strict=True):
            mask = confident.get(file.name)
            if mask is None:
                continue
            x1, y1, x2, y2 = (mask["bbox_norm"][name] for name in ("x1", "y1", "x2", "y2"))
            assert 0 <= min(x1, y1, x2, y2) <= max(x1, y1, x2, y2) <= 1

            expected = quad / [640, 480]
            low, high = np.clip([expected.min(axis=0), expected.max(axis=0)], 0, 1)
            errors += list(np.abs(np.subtract([x1, y1, x2, y2], [*low, *high])))
            errors += list(np.abs(np.array(mask["quad_norm"]) - expected).ravel())
            coverages.append(mask["area_fraction"] / ((x2 - x1) * (y2 - y1)))

    assert len(coverages) >= 6
    assert np.median(errors) < 0.01
    assert min(coverages) > 0.4 and max(coverages) <= 1.01


def test_things_in_rows_have_a_place_and_effort_is_passed_on(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [file.name for file in sorted(settings.refs.iterdir())]
    found = [detection(files[0], 4, 4, side=30), replace(detection(files[1]), row=2, column=3)]
    asked = []

    def recognize(self: Recognizer, picture: RGB, **options: Any) -> list[Detection]:
        asked.append(options["effort"])
        return found

    monkeypatch.setattr(Recognizer, "recognize", recognize)
    first, second = post(client, BLANK).json()["masks"]
    assert "row" not in first  # answers stay as they were where there is nothing to say
    assert (second["row"], second["column"]) == (2, 3)
    assert post(client, BLANK, effort="thorough").status_code == 200
    assert asked == ["auto", "thorough"]
    assert post(client, BLANK, effort="some").status_code == 422


def test_a_name_that_is_not_confident_carries_a_question_mark(
    client: TestClient, settings: Settings
) -> None:
    _, view = view_of(settings, 1, seed=1)
    snapshot = client.app.state.context.require_snapshot()
    (detection,) = snapshot.recognizer.recognize(view.image)
    doubtful = replace(detection, confident=False)

    first, second = as_masks([detection, doubtful], (640, 480), snapshot, None)
    assert (first.label, first.confident) == (str(detection.label), True)
    assert (second.label, second.confident) == (f"{detection.label}?", False)


def test_references_that_the_picture_cannot_tell_apart_are_listed(
    client: TestClient, settings: Settings
) -> None:
    _, view = view_of(settings, 1, seed=1)
    snapshot = client.app.state.context.require_snapshot()
    (detection,) = snapshot.recognizer.recognize(view.image)
    ambiguous = replace(detection, ambiguous_with=("one.jpg", "two.jpg"))

    alone, among = as_masks([detection, ambiguous], (640, 480), snapshot, None)
    assert alone.ambiguous_with == []
    assert alone.variants == [detection.reference]
    assert among.ambiguous_with == ["one.jpg", "two.jpg"]
    assert among.variants == [detection.reference, "one.jpg", "two.jpg"]


def guess_of(settings: Settings) -> Detection:
    """A guess that every reference is as near to."""
    assert settings.refs
    files = [file.name for file in sorted(settings.refs.iterdir())]
    return detection(
        files[0], 4, 4, side=30, guess=True, top_k=tuple((file, 0.5) for file in files[:3])
    )


BLANK = encoded(Image.new("RGB", (40, 40)), "PNG")


def test_a_guess_is_given_only_where_it_is_asked_for(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess = guess_of(settings)
    monkeypatch.setattr(Recognizer, "_guess", lambda *_: [guess])
    for answer in (post(client, BLANK), post(client, BLANK, guess="0")):
        assert (answer.json()["count"], answer.json()["masks"]) == (0, [])

    answer = post(client, BLANK, guess="1").json()
    (mask,) = answer["masks"]
    assert answer["count"] == 1
    assert (mask["guess"], mask["confident"], mask["price"]) == (True, False, None)
    assert mask["label"] == f"{guess.label}?"
    labels = [parse_label(file) for file, _ in guess.top_k]
    assert [(near["name"], near["set_code"], near["rarity"]) for near in mask["top_k"]] == [
        (label.name, label.set_code, label.rarity) for label in labels
    ]

    files = {"image": BLANK}
    asked_in_address = client.post("/api/falcon?guess=1", files=files).json()
    assert asked_in_address["masks"] == [mask]


def test_a_picture_with_something_sure_in_it_has_no_guess_and_the_answer_it_always_had(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recognizer, "_guess", lambda *_: [guess_of(settings)])
    picture = encoded(Image.fromarray(view_of(settings, 1, seed=1)[1].image), "PNG")
    plain, asked = (post(client, picture, guess=guess).json() for guess in ("0", "1"))
    assert plain["masks"] == asked["masks"]
    for mask in plain["masks"]:
        assert not {"guess", "first_view", "track_id"} & mask.keys()
        assert all(near.keys() == {"name", "filename", "score"} for near in mask["top_k"])


@pytest.mark.parametrize("guess", ["2", "-1", "yes", "1.5", ""])
def test_a_guess_is_asked_for_by_0_or_1(client: TestClient, guess: str) -> None:
    for answer in (
        post(client, BLANK, guess=guess),
        client.post(f"/api/falcon?guess={guess}", files={"image": BLANK}),
    ):
        if guess == "" and answer.status_code == 200:
            continue  # an empty form field is one that is left out
        assert answer.status_code == 422
        assert "guess" in answer.json()["detail"]


def test_a_session_does_not_guess(client: TestClient) -> None:
    answer = post(client, BLANK, guess="1", session="one")
    assert answer.status_code == 422
    assert "single pictures" in answer.json()["detail"]
    assert post(client, BLANK, guess="0", session="one").status_code == 200


def test_guesses_are_documented_in_openapi(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert "guess" in schema["components"]["schemas"]["Mask"]["properties"]
    body = schema["components"]["schemas"]["Body_falcon_api_falcon_post"]["properties"]["guess"]
    assert (body["minimum"], body["maximum"], body["default"]) == (0, 1, 0)


def test_a_guess_has_no_price_and_a_further_view_names_its_first(
    client: TestClient, settings: Settings
) -> None:
    snapshot = client.app.state.context.require_snapshot()
    first = str(snapshot.index.references[0])
    further = first.replace(".", "__2.")
    index = snapshot.index.with_row(
        Row(further, parse_label(further), "0", snapshot.index.embeddings[0])
    )
    recognizer = copy(snapshot.recognizer)
    recognizer.index = index
    snapshot = replace(snapshot, recognizer=recognizer)

    prices = Everything()
    found = [detection(first), detection(further), replace(guess_of(settings), reference=further)]
    one, other, guess = as_masks(found, (640, 480), snapshot, prices)  # type: ignore[arg-type]
    assert (one.price, other.price, guess.price) == ({"median": 1}, {"median": 1}, None)
    assert "first_view" not in one.model_fields_set
    assert (other.first_view, guess.first_view) == (first, first)


class Everything:
    """A price book that knows a price for all."""

    def price_of(self, *_: object) -> dict[str, int]:
        return {"median": 1}


def test_an_unknown_item_is_not_named_confidently(client: TestClient) -> None:
    for seed in range(3):
        body = post(client, encoded(Image.fromarray(photo_like(640, 480, seed)), "JPEG")).json()
        assert not any(mask["confident"] for mask in body["masks"])


def test_the_size_of_a_rotated_photo_is_that_of_the_upright_one(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = post(client, encoded(Image.fromarray(photo_like(80, 40)), "JPEG", exif=exif)).json()
    assert body["image_size"] == [40, 80]


def test_the_query_is_optional_and_health_shows_it(client: TestClient) -> None:
    picture = encoded(Image.new("RGB", (40, 40)), "PNG")
    assert post(client, picture).json()["query"] == ""
    assert post(client, picture, query="ünïcode 漢字").json()["query"] == "ünïcode 漢字"
    assert client.get("/health").json()["last_query"] == "ünïcode 漢字"


def huge_png() -> bytes:
    file = io.BytesIO()
    Image.new("1", (12000, 12000)).save(file, "PNG")
    return file.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
JPEG = encoded(Image.fromarray(photo_like(200, 200)), "JPEG")


@pytest.mark.parametrize(
    ("picture", "media_type", "status", "says"),
    [
        (b"not a picture", "image/jpeg", 400, "Save it as JPEG"),
        (b"not a picture", "text/plain", 400, "Not a picture"),
        (JPEG[: len(JPEG) // 2], "image/jpeg", 400, "truncated or damaged"),
        (b"", "image/jpeg", 400, "empty"),
        (SVG, "image/jpeg", 415, "SVG"),
        (b"%PDF-1.7", "application/octet-stream", 415, "a PDF"),
        (b"anything", "video/mp4", 415, "video/mp4"),
        (huge_png(), "image/png", 413, "megapixels"),
    ],
    ids=["text", "text-plain", "truncated", "empty", "svg", "pdf", "video", "huge"],
)
def test_bad_pictures_are_refused_and_told_what_to_do(
    client: TestClient, picture: bytes, media_type: str, status: int, says: str
) -> None:
    answer = post(client, picture, media_type)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"data": {"query": "card"}},
        {"data": {"image": "text"}},
        {"json": {"image": "aGk="}},
        {"files": {"file": ("x.jpg", JPEG)}},
        {"content": JPEG, "headers": {"Content-Type": "image/jpeg"}},
    ],
    ids=["nothing", "query-only", "text-field", "json", "other-name", "raw"],
)
def test_a_missing_field_is_named_with_422(client: TestClient, request_: dict) -> None:
    answer = client.post("/api/falcon", **request_)
    assert answer.status_code == 422
    assert "image" in answer.json()["detail"]
    assert "multipart/form-data" in answer.json()["detail"]


# Starlette leaves the file of an unfinished part to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"whatever", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a\xff"\r\n\r\nabc',
            "multipart/form-data; boundary=x",
        ),
        (b"\xff\xfe=%zz&\x00", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"", "multipart/form-data; boundary=" + "x" * 300),
    ],
)
def test_a_malformed_form_is_the_clients_error(
    client: TestClient, body: bytes, content_type: str
) -> None:
    answer = client.post("/api/falcon", content=body, headers={"Content-Type": content_type})
    assert 400 <= answer.status_code < 500
    assert answer.json()["detail"]


def test_the_stages_of_a_recognition_are_measured(client: TestClient) -> None:
    post(client, JPEG)
    text = client.get("/metrics").text
    for stage in ("decode", "wait", "recognize", "encode"):
        assert f'dlf_stage_seconds_count{{stage="{stage}"}}' in text
    assert 'dlf_requests_total{method="POST",path="/api/falcon",status="200"}' in text
    assert "dlf_index_references 9.0" in text
    assert "dlf_queue_depth 0.0" in text
