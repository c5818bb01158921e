"""Small helpers that several test files share."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

FOUR_COLOURS = {(16, 12): (220, 30, 30), (48, 12): (30, 180, 40), (16, 36): (30, 60, 210), (48, 36): (240, 240, 240)}


def four_colours(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, white: no two of the eight ways to turn it look alike. 64 x 48 unless asked otherwise."""
    small = np.array(list(FOUR_COLOURS.values()), np.uint8).reshape(2, 2, 3)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


def photo_like(width: int, height: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8: smooth colour noise, in which every shift and every filter shows."""
    noise = np.random.default_rng(seed).integers(0, 256, (-(-height // 7) + 1, -(-width // 7) + 1, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The bytes of `image` saved in `file_format`."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def mean_colour_model(path: Path, *, layout: str, side: int | str = "side", tokens: bool = False) -> Path:
    """Write an ONNX model whose embedding of a picture is its mean colour, (N, 3).

    `layout` as in Preprocess; `side` a number, or a name when the size is free; `tokens` makes the output (N, 2, 3),
    the mean colour in the first token and its negative in the second.
    """
    nhwc = layout == "NHWC-uint8"
    shape = ["batch", side, side, 3] if nhwc else ["batch", 3, side, side]
    kind = TensorProto.UINT8 if nhwc else TensorProto.FLOAT
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], axes=[1, 2] if nhwc else [2, 3], keepdims=0),
    ]
    initializers = []
    if tokens:
        initializers = [helper.make_tensor("one", TensorProto.INT64, [1], [1])]
        nodes += [
            helper.make_node("Neg", ["mean"], ["negative"]),
            helper.make_node("Unsqueeze", ["mean", "one"], ["first"]),
            helper.make_node("Unsqueeze", ["negative", "one"], ["second"]),
            helper.make_node("Concat", ["first", "second"], ["out"], axis=1),
        ]
    else:
        nodes += [helper.make_node("Identity", ["mean"], ["out"])]
    graph = helper.make_graph(
        nodes,
        "mean_colour",
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", 2, 3] if tokens else ["batch", 3])],
        initializers,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path
