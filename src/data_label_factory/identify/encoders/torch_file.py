"""Files of `torch.save`, read without torch: plain containers and
float tensors, nothing that runs code.

torch has written two formats. The newer one is a zip of raw tensors and
a pickle that says where they are; the older one, until torch 1.6, is
five pickles in a row (magic number, version, byte order, the value, the
keys of its storages) and then the raw storages. Either value is read
with an allow-list of the few names that such a file needs, on the
principle of torch's `weights_only=True`. Everything else is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),  # how many batches a batch norm has seen
}
_MAX_BYTES = 256 * 2**20

# torch/serialization.py: MAGIC_NUMBER and PROTOCOL_VERSION of the older format.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001


def read_torch_zip(data: bytes) -> Any:
    """What a file of `torch.save` holds, with its tensors as
    float32 arrays.

    Raises nearly anything if it is damaged, too large, or holds
    anything but plain containers and tensors of numbers.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
            raise ValueError("it is far too large")
        name = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
        if name is None:
            raise ValueError("it holds no tensors")

        prefix = name.removesuffix("data.pkl")
        return _ZipUnpickler(io.BytesIO(archive.read(name)), archive, prefix).load()


def read_torch_legacy(data: bytes) -> Any:
    """What a file in torch's older format holds, with its tensors
    as float32 arrays.

    Raises nearly anything if it is damaged, too large, or holds
    anything but plain containers and tensors of numbers.
    """
    if len(data) > _MAX_BYTES:
        raise ValueError("it is far too large")
    file = io.BytesIO(data)
    if _read_plain(file) != LEGACY_MAGIC or _read_plain(file) != LEGACY_VERSION:
        raise ValueError("it is no file of torch's older format")
    if not _read_plain(file).get("little_endian"):
        raise ValueError("its byte order is not that of this program")

    unpickler = _LegacyUnpickler(file)
    value = unpickler.load()
    keys = _read_plain(file)
    if sorted(keys) != sorted(unpickler.storages):
        raise ValueError("its storages are not those that its tensors name")

    arrays = {key: _read_storage(file, unpickler.storages[key]) for key in keys}
    return _fill_in(value, arrays)


class _TensorUnpickler(pickle.Unpickler):
    """Knows the names that every file of tensors needs, and no other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.rebuild_tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of tensors")

    def rebuild_tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
        return view_tensor(storage, offset, size, stride)


class _PlainUnpickler(pickle.Unpickler):
    """Numbers, texts, lists and dicts only."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of tensors")


class _ZipUnpickler(_TensorUnpickler):
    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, prefix: str) -> None:
        super().__init__(file)
        self._archive = archive
        self._prefix = prefix

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        kind, dtype, key, _location, count = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"unexpected {kind!r}")
        return np.frombuffer(self._archive.read(f"{self._prefix}data/{key}"), dtype, count=count)


@dataclass(frozen=True)
class _Storage:
    """A storage whose values follow later in the file."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A tensor whose storage follows later in the file."""

    storage: _Storage
    offset: Any
    size: Any
    stride: Any


class _LegacyUnpickler(_TensorUnpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view is not None:
            raise pickle.UnpicklingError(f"unexpected {kind!r}")
        storage = self.storages.setdefault(key, _Storage(key, dtype, count))
        if storage != _Storage(key, dtype, count):
            raise ValueError("a storage is described in two ways")
        return storage

    def rebuild_tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
        if not isinstance(storage, _Storage):
            raise ValueError("a tensor has no storage")
        return _Tensor(storage, offset, size, stride)


def view_tensor(storage: NDArray[Any], offset: Any, size: Any, stride: Any) -> NDArray[np.float32]:
    """The tensor of this place in its storage, copied, as float32.

    `offset`, `size` and `stride` count values, not bytes. Raises
    ValueError if any of the tensor lies outside of its storage, or
    one value of the storage would be used twice.
    """
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError("a tensor has no valid shape")

    count = math.prod(size)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if count == 0 or count > len(storage) or last >= len(storage):
        raise ValueError("a tensor lies outside of its storage")

    steps = [step * storage.itemsize for step in stride]
    view = np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)
    return np.array(view, np.float32, order="C")


def _read_plain(file: io.BytesIO) -> Any:
    return _PlainUnpickler(file).load()


def _read_storage(file: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    """The values of a storage: how many, as eight bytes, then
    themselves.
    """
    (count,) = struct.unpack("<q", file.read(8))
    if count != storage.count:
        raise ValueError("a storage has not the length that it should")
    values = file.read(count * storage.dtype.itemsize)
    return np.frombuffer(values, storage.dtype, count=count)


def _fill_in(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """`value` with arrays for its tensors, through dicts, lists and tuples."""
    if isinstance(value, _Tensor):
        return view_tensor(arrays[value.storage.key], value.offset, value.size, value.stride)
    if isinstance(value, dict):
        return {key: _fill_in(held, arrays) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_fill_in(held, arrays) for held in value]
    return value
