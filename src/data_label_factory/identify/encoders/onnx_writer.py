"""A network of plain operations → an ONNX file.

The few messages of ONNX that this takes are written here as
Protocol Buffers, field by field (numbers as in `onnx.proto3`): the
library that also does it would add 36 MB to the install, for one
file written once. A test reads the result with that library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_IR_VERSION = 8
_OPSET = 13
_FLOAT = 1  # TensorProto.DataType
_FLOAT_ATTRIBUTE, _INT_ATTRIBUTE, _INTS_ATTRIBUTE = 1, 2, 7  # AttributeProto.AttributeType

Attribute = int | float | Sequence[int]


@dataclass
class OnnxGraph:
    """A graph that grows by one operation at a time.

    Values have the names "0", "1", …; "input" is (N, *shape)
    float32, N any number.
    """

    shape: tuple[int, ...]
    _nodes: list[bytes] = field(default_factory=list)
    _weights: list[bytes] = field(default_factory=list)

    def add(
        self,
        kind: str,
        inputs: Sequence[str],
        weights: Sequence[NDArray[Any]] = (),
        **attributes: Attribute,
    ) -> str:
        """Append an operation on named values and further constant
        inputs; returns the name of its output.
        """
        names = [*inputs, *(self._constant(array) for array in weights)]
        output = str(len(self._nodes))
        node = [*(_text(1, name) for name in names), _text(2, output), _text(4, kind)]
        node += [_message(5, _attribute(key, value)) for key, value in attributes.items()]
        self._nodes.append(b"".join(node))
        return output

    def encode(self, output: str, dim: int) -> bytes:
        """The file of the graph whose `output` is (N, dim)."""
        graph = [_message(1, node) for node in self._nodes]
        graph += [_text(2, "network"), *(_message(5, weight) for weight in self._weights)]
        graph += [
            _message(11, _value("input", self.shape)),
            _message(12, _value(output, (dim,))),
        ]
        opset = _text(1, "") + _number(2, _OPSET)
        return _number(1, _IR_VERSION) + _message(7, b"".join(graph)) + _message(8, opset)

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"w{len(self._weights)}"
        values = np.ascontiguousarray(array, "<f4")
        dims = b"".join(_number(1, length) for length in values.shape)
        data = _number(2, _FLOAT) + _text(8, name) + _message(9, values.tobytes())
        self._weights.append(dims + data)
        return name


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        number = bytes([2 << 3 | 5]) + np.float32(value).tobytes()
        return _text(1, name) + number + _number(20, _FLOAT_ATTRIBUTE)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT_ATTRIBUTE)
    numbers = b"".join(_number(8, one) for one in value)
    return _text(1, name) + numbers + _number(20, _INTS_ATTRIBUTE)


def _value(name: str, shape: Sequence[int]) -> bytes:
    """ValueInfoProto of a float32 tensor (N, *shape)."""
    dims = [_text(2, "N"), *(_number(1, length) for length in shape)]
    tensor_shape = b"".join(_message(1, dim) for dim in dims)
    tensor = _number(1, _FLOAT) + _message(2, tensor_shape)
    return _text(1, name) + _message(2, _message(1, tensor))


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _message(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; the highest bit says that
    more follow.
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
