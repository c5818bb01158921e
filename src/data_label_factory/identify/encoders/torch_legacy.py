"""torch.save files from before torch 1.6, read without torch and
without running anything.

Such a file is a row of pickles: a magic number, the version of the
protocol, what the writing machine was like, and the object itself,
in which tensors are shapes that point at storages. The names of
the storages follow, and then their bytes. Only dictionaries and
tensors are let in; whatever else the pickles ask for is refused,
on the principle of torch's `weights_only=True`.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_LENGTH = struct.Struct("<q")


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Tensor:
    """A tensor before the bytes of its storage are known."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements

    def fill(self, values: NDArray[Any]) -> NDArray[Any]:
        """Its elements out of those of the storage."""
        steps = list(zip(self.shape, self.strides, strict=True))
        if min([self.offset, *self.shape, *self.strides], default=0) < 0:
            raise ValueError("a tensor has a negative shape")
        if 0 in self.shape:
            return np.empty(self.shape, values.dtype)

        last = self.offset + sum((length - 1) * stride for length, stride in steps)
        if last >= len(values) or math.prod(self.shape) > len(values):
            raise ValueError("a tensor reaches beyond its storage")
        start = values[self.offset :]
        strides = [stride * values.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(start, self.shape, strides).copy()


def read_legacy_tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a saved dictionary, float32 or int64, by name.

    Raises nearly anything if the file is damaged or holds something
    other than such a dictionary.
    """
    file = io.BytesIO(data)
    if _load(file) != _MAGIC:
        raise ValueError("it is no torch file of that age")
    if _load(file) != _PROTOCOL:
        raise ValueError("its protocol is unknown")
    _load(file)  # the byte order and sizes of the machine that wrote it

    tensors = _load(file)
    keys = _load(file)
    if not isinstance(tensors, dict) or not all(isinstance(t, _Tensor) for t in tensors.values()):
        raise ValueError("it holds more than named tensors")

    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {str(key): _read_storage(file, dtypes[str(key)]) for key in keys}
    return {str(name): one.fill(storages[one.storage.key]) for name, one in tensors.items()}


def _read_storage(file: io.BytesIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = _LENGTH.unpack(file.read(_LENGTH.size))
    size = count * dtype.itemsize
    if not 0 <= size <= len(file.getbuffer()) - file.tell():
        raise ValueError("it is cut short")
    return np.frombuffer(file.read(size), dtype)


def _load(file: io.BytesIO) -> Any:
    return _TensorUnpickler(file).load()


class _TensorUnpickler(pickle.Unpickler):
    """Plain containers and tensors, nothing that runs code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place among weights")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, _count, part = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or part is not None:
            raise pickle.UnpicklingError(f"unexpected {kind!r}")
        return _Storage(str(key), dtype)


def _rebuild_tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    return _Tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))
