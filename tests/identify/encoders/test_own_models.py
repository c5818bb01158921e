"""`onnx:PATH`: the recipe comes from the model or its JSON; the embedding is its output."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from drawn import mean_color_model
from onnx import TensorProto, helper

from data_label_factory.errors import EncoderError
from data_label_factory.identify.encoders import OnnxEncoder, open_encoder
from data_label_factory.identify.encoders.onnx import _PROVIDERS

COLOR = np.array([200, 100, 50], np.uint8)
PLAIN = np.full((5, 9, 3), COLOR)
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # ImageNet's


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def test_a_uint8_model_of_free_size_gets_224_pixels_as_they_are(tmp_path: Path) -> None:
    encoder = open_encoder(f"onnx:{mean_color_model(tmp_path / 'bytes.onnx', layout='NHWC-uint8')}")
    assert encoder.identity.id == "onnx:bytes.onnx"
    assert encoder.recipe.side == 224 and encoder.recipe.layout == "NHWC-uint8"
    assert encoder.dim == 3
    assert encoder.encode([PLAIN])[0] == pytest.approx(unit(COLOR.astype(float)), abs=1e-4)


def test_a_float_model_of_fixed_size_gets_that_size_with_imagenet_scaling(tmp_path: Path) -> None:
    encoder = open_encoder(
        f"onnx:{mean_color_model(tmp_path / 'a.onnx', layout='NCHW-float32', side=32)}"
    )
    assert (encoder.recipe.side, encoder.recipe.fit) == (32, "squash")
    assert encoder.encode([PLAIN, PLAIN])[1] == pytest.approx(
        unit((COLOR / 255 - MEAN) / DEVIATION), abs=1e-4
    )


def test_of_a_token_output_the_first_token_is_the_embedding(tmp_path: Path) -> None:
    model = mean_color_model(tmp_path / "tokens.onnx", layout="NHWC-uint8", tokens=True)
    encoder = open_encoder(f"onnx:{model}")
    assert encoder.encode([PLAIN]).shape == (1, 3)
    assert encoder.encode([PLAIN])[0] == pytest.approx(unit(COLOR.astype(float)), abs=1e-4)


def test_other_weights_or_another_recipe_make_another_identity(tmp_path: Path) -> None:
    model = mean_color_model(tmp_path / "a.onnx", layout="NHWC-uint8")
    plain = open_encoder(f"onnx:{model}").identity
    assert open_encoder(f"onnx:{model}").identity == plain
    Path(f"{model}.json").write_text('{"side": 100}')
    assert open_encoder(f"onnx:{model}").identity != plain
    Path(f"{model}.json").unlink()
    mean_color_model(model, layout="NHWC-uint8", tokens=True)
    assert open_encoder(f"onnx:{model}").identity != plain


def test_a_json_beside_the_model_overrides_the_recipe(tmp_path: Path) -> None:
    model = mean_color_model(tmp_path / "a.onnx", layout="NCHW-float32")
    recipe = {
        "side": 48,
        "fit": "crop",
        "resample": "bicubic",
        "mean": [0, 0, 0],
        "std": [1, 1, 0.5],
    }
    Path(f"{model}.json").write_text(json.dumps(recipe))
    encoder = open_encoder(f"onnx:{model}")
    assert encoder.recipe(PLAIN).shape == (3, 48, 48)
    assert encoder.recipe.fit == "crop" and encoder.recipe.resample == "bicubic"
    assert encoder.encode([PLAIN])[0] == pytest.approx(unit(np.array([200, 100, 100.0])), abs=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"size": 3}, r"unknown keys \['size'\].*Its keys are.*'side'"),
        ({"fit": "stretch"}, "fit cannot be 'stretch'"),
        ({"resample": "lanczos"}, "resample cannot be"),
        ({"layout": "NHWC"}, "layout cannot be"),
        ({"side": "224"}, "side cannot be '224'"),
        ({"side": 0}, "side cannot be 0"),
        ({"mean": 0.5}, "mean cannot be"),
        ({"std": [1, 2]}, "std cannot be"),
        ([], "not a JSON object"),
        (7, "not a JSON object"),
    ],
)
def test_an_invalid_recipe_says_what_is_wrong(content: Any, said: str, tmp_path: Path) -> None:
    model = mean_color_model(tmp_path / "a.onnx", layout="NHWC-uint8")
    Path(f"{model}.json").write_text(json.dumps(content))
    with pytest.raises(EncoderError, match=said):
        open_encoder(f"onnx:{model}")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_a_recipe_that_is_not_json_is_an_error(content: bytes, tmp_path: Path) -> None:
    model = mean_color_model(tmp_path / "a.onnx", layout="NHWC-uint8")
    Path(f"{model}.json").write_bytes(content)
    with pytest.raises(EncoderError, match="not a preprocessing recipe"):
        open_encoder(f"onnx:{model}")


def test_a_picture_the_model_does_not_take_is_an_encoder_error(tmp_path: Path) -> None:
    model = mean_color_model(tmp_path / "a.onnx", layout="NHWC-uint8", side=32)
    Path(f"{model}.json").write_text('{"side": 48}')
    with pytest.raises(EncoderError, match=r"a\.onnx does not take this input"):
        open_encoder(f"onnx:{model}").encode([PLAIN])


def test_a_model_that_takes_no_pictures_is_refused(tmp_path: Path) -> None:
    for shape, kind in [(["n", 10], TensorProto.FLOAT), (["n", 3, 8, 8], TensorProto.DOUBLE)]:
        graph = helper.make_graph(
            [helper.make_node("Identity", ["text"], ["out"])],
            "echo",
            [helper.make_tensor_value_info("text", kind, shape)],
            [helper.make_tensor_value_info("out", kind, shape)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, str(tmp_path / "a.onnx"))
        with pytest.raises(EncoderError, match=r"wants .*text.*one input"):
            open_encoder(f"onnx:{tmp_path}/a.onnx")


def test_batches_on_a_device_keep_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = mean_color_model(tmp_path / "a.onnx", layout="NHWC-uint8", side=16)
    pictures = [np.full((8, 8, 3), (100, green, 10), np.uint8) for green in (10, 90, 50, 70, 30)]
    alone = open_encoder(f"onnx:{model}").encode(pictures)
    sizes: list[int] = []
    run = OnnxEncoder._run
    monkeypatch.setattr(OnnxEncoder, "device", "cuda")
    monkeypatch.setitem(_PROVIDERS, "cuda", "CPUExecutionProvider")
    monkeypatch.setattr(
        OnnxEncoder,
        "_run",
        lambda self, batch, **k: sizes.append(len(batch)) or run(self, batch, **k),
    )
    assert open_encoder(f"onnx:{model}", batch_size=2).encode(pictures) == pytest.approx(
        alone, abs=1e-6
    )
    assert sizes == [2, 2, 1]
