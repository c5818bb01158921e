"""Requests generated from the API's own document, and mutated pictures: none breaks the server."""

import io
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from drawn import encoded, photo_like
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from serving import Server, make_collection, served
from starlette.testclient import TestClient

from data_label_factory.identify.server.settings import Settings

# The long, random runs are in bench/serve.py.
BOUNDED = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "response_schema_conformance",
    "content_type_conformance",
)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("fuzzed"), count=2)


@pytest.mark.slow
def test_generated_requests_meet_no_server_error_and_get_documented_answers(
    collection: Settings, tmp_path: Path
) -> None:
    with Server(collection, "--allow-enroll") as server:
        command = [Path(sys.executable).with_name("schemathesis"), "run"]
        command += [f"{server.url}/openapi.json", "--checks", ",".join(CHECKS)]
        command += ["--max-examples", "12", "--seed", "1", "--no-color"]
        command += ["--phases", "examples,coverage,fuzzing"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    generated = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert generated and generated[1] == generated[2]
    assert int(generated[1]) > 100
    assert not any("level=error" in line for line in server.log)


@pytest.fixture(scope="module")
def client(collection: Settings) -> Iterator[TestClient]:
    with served(replace(collection, refs=None)) as client:
        yield client


def pictures() -> list[bytes]:
    image = Image.fromarray(photo_like(48, 40))
    kinds = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
    return [encoded(image, "JPEG", progressive=True), *(encoded(image, kind) for kind in kinds)]


PICTURES = pictures()


@settings(BOUNDED, max_examples=250)
@given(
    which=st.integers(0, len(PICTURES) - 1), seed=st.integers(0, 2**32), changes=st.integers(1, 12)
)
def test_mutated_pictures_are_answered_or_refused(
    client: TestClient, which: int, seed: int, changes: int
) -> None:
    answer = client.post(
        "/api/falcon", files={"image": io.BytesIO(mutated(PICTURES[which], seed, changes))}
    )
    assert answer.status_code in (200, 400, 413, 415), answer.text
    assert answer.status_code == 200 or answer.json()["detail"]


def mutated(data: bytes, seed: int, changes: int) -> bytes:
    """`data` with bytes changed, cut out or doubled, or with its end missing."""
    rng = random.Random(seed)
    out = bytearray(data)

    for _ in range(changes):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(5):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del out[at : at + rng.randrange(1, 40)]
            case 2:
                out[at:at] = out[at : at + rng.randrange(1, 200)]
            case 3:
                out[at : at + 4] = rng.choice(
                    [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"]
                )
            case _:
                if rng.random() < 0.2:
                    del out[at:]

    return bytes(out)
