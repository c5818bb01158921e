"""ONNX files of convolutional networks, written without
the package `onnx`.

That package weighs 18 MB, needed once for a handful of
messages. These are protocol buffers, a format of tagged
fields that a few lines write; the numbers of the fields
are those of `onnx.proto3`. Equal networks make equal
bytes, so that a file's hash says what it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_IR_VERSION = 8
_OPSET = 13  # read by every ONNX Runtime since 1.7
_FLOAT = 1  # TensorProto.DataType
_ATTRIBUTE_INT = 2  # AttributeProto.AttributeType
_ATTRIBUTE_INTS = 7


class OnnxGraph:
    """A graph that is built node by node: each call of `add`
    returns the name of what it computes.
    """

    def __init__(self, name: str, input_name: str, shape: Sequence[int | str]) -> None:
        self._name = name
        self._input = _value_info(input_name, shape)
        self._nodes: list[bytes] = []
        self._tensors: list[bytes] = []

    def constant(self, name: str, values: NDArray[np.float32] | float) -> str:
        """Store an array, and return its name."""
        array = np.asarray(values, "<f4")
        shape = b"".join(_number(1, length) for length in array.shape)
        content = shape + _number(2, _FLOAT) + _text(8, name) + _chunk(9, array.tobytes())
        self._tensors.append(content)
        return name

    def add(self, kind: str, inputs: Sequence[str], **attributes: int | Sequence[int]) -> str:
        """Apply the operator `kind` to what the names in `inputs`
        hold. Returns the name of its output.
        """
        output = f"{kind}_{len(self._nodes)}"
        node = b"".join(_text(1, name) for name in inputs)
        node += _text(2, output) + _text(3, output) + _text(4, kind)
        node += b"".join(_chunk(5, _attribute(*item)) for item in attributes.items())
        self._nodes.append(node)
        return output

    def to_bytes(self, output: str, shape: Sequence[int | str]) -> bytes:
        """The ONNX file, with the one output of this name and shape.

        A dimension that is a text may have any length.
        """
        last = self.add("Identity", [output])
        graph = b"".join(_chunk(1, node) for node in self._nodes) + _text(2, self._name)
        graph += b"".join(_chunk(5, tensor) for tensor in self._tensors)
        graph += _chunk(11, self._input) + _chunk(12, _value_info(last, shape))

        opset = _number(2, _OPSET)
        producer = _text(2, "data_label_factory")
        return _number(1, _IR_VERSION) + producer + _chunk(7, graph) + _chunk(8, opset)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    numbers = b"".join(_number(8, number) for number in value)
    return _text(1, name) + numbers + _number(20, _ATTRIBUTE_INTS)


def _value_info(name: str, shape: Sequence[int | str]) -> bytes:
    lengths: list[bytes] = []
    for length in shape:
        is_free = isinstance(length, str)
        lengths.append(_chunk(1, _text(2, str(length)) if is_free else _number(1, int(length))))

    tensor = _number(1, _FLOAT) + _chunk(2, b"".join(lengths))
    return _text(1, name) + _chunk(2, _chunk(1, tensor))


def _number(field: int, value: Any) -> bytes:
    return _varint(field << 3) + _varint(int(value))


def _text(field: int, value: str) -> bytes:
    return _chunk(field, value.encode())


def _chunk(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """A number from 0, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
