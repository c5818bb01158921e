"""Files of `torch.save`, read without torch: plain
containers and float tensors, nothing that runs code.

torch has written two formats. The newer one is a zip of
raw tensors and a pickle that says where they are; the
older one, until torch 1.6, is five pickles in a row
(magic number, version, byte order, the value, the keys
of its storages) and then the raw storages. Either value
is read with an allow-list of the few names that such a
file needs, on the principle of torch's
`weights_only=True`. Everything else is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOATS: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
}
# How many batches a batch norm has seen is a whole number.
_NUMBERS = _FLOATS | {"LongStorage": np.dtype("<i8")}
_MAX_BYTES = 256 * 2**20

# What torch.save writes, with protocol 2.
_OPCODES = (
    {"PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"}
    | {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
    | {"BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
    | {"EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS"}
    | {"BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
)

# torch/serialization.py: MAGIC_NUMBER and PROTOCOL_VERSION of the older format.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001


def read_torch_zip(data: bytes) -> Any:
    """What a file of `torch.save` holds, with its tensors as
    float32 arrays.

    Raises nearly anything if it is damaged, too large, or holds
    anything but plain containers and float tensors.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
            raise ValueError("it is far too large")
        name = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
        if name is None:
            raise ValueError("it holds no tensors")

        prefix = name.removesuffix("data.pkl")
        return _ZipUnpickler(io.BytesIO(archive.read(name)), archive, prefix).load()


def read_torch_legacy(data: bytes) -> dict[str, NDArray[np.float32]]:
    """The tensors of a state dict in a file of torch's older
    format, by name, as float32 arrays.

    Raises nearly anything if it is damaged, too large, or holds
    anything but a dict of tensors.
    """
    if len(data) > _MAX_BYTES:
        raise ValueError("it is far too large")
    file = io.BytesIO(data)
    if _read_plain(file) != LEGACY_MAGIC or _read_plain(file) != LEGACY_VERSION:
        raise ValueError("it is no file of torch's older format")
    if _read_plain(file)["little_endian"] is not True:
        raise ValueError("its byte order is not that of this program")

    unpickler = _LegacyUnpickler(file)
    state = unpickler.load()
    tensors = _check_state(state)
    keys = _read_plain(file)
    if sorted(keys) != sorted(unpickler.storages):
        raise ValueError("its storages are not those that its tensors name")

    arrays = {key: _read_storage(file, unpickler.storages[key]) for key in keys}
    return {name: tensor.read_from(arrays) for name, tensor in tensors.items()}


class _PlainUnpickler(pickle.Unpickler):
    """Numbers, texts, lists and dicts only."""

    def __init__(self, file: io.BytesIO) -> None:
        _check_opcodes(file)
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of tensors")


class _TensorUnpickler(_PlainUnpickler):
    """Knows the names that a file of tensors needs as well.

    What it returns for them has nothing that a pickle could change
    for the next file: a type of storage is its name.
    """

    dtypes = _FLOATS

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Rebuild(type(self))
        if module == "torch" and name in self.dtypes:
            return name
        return super().find_class(module, name)

    def read_pid(self, pid: Any) -> _Storage:
        """The storage that a persistent id of either format describes."""
        kind, name, key, _location, count, *view = pid
        is_valid = kind == "storage" and name in self.dtypes and type(key) is str
        if not is_valid or type(count) is not int or count < 0 or view not in ([], [None]):
            raise pickle.UnpicklingError(f"unexpected {kind!r}")
        return _Storage(key, self.dtypes[name], count)

    @staticmethod
    def rebuild(storage: Any, offset: Any, size: Any, stride: Any) -> Any:
        return view_tensor(storage, offset, size, stride)


class _Rebuild:
    """Stands for torch's function of this purpose."""

    __slots__ = ("_reader",)

    def __init__(self, reader: type[_TensorUnpickler]) -> None:
        self._reader = reader

    def __call__(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
        return self._reader.rebuild(storage, offset, size, stride)


class _ZipUnpickler(_TensorUnpickler):
    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, prefix: str) -> None:
        super().__init__(file)
        self._archive = archive
        self._prefix = prefix

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        storage = self.read_pid(pid)
        values = self._archive.read(f"{self._prefix}data/{storage.key}")
        return np.frombuffer(values, storage.dtype, count=storage.count)


class _LegacyUnpickler(_TensorUnpickler):
    """Reads the value, whose tensors lie further on in the file."""

    dtypes = _NUMBERS

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def persistent_load(self, pid: Any) -> _Storage:
        storage = self.read_pid(pid)
        if self.storages.setdefault(storage.key, storage) != storage:
            raise ValueError("a storage is described in two ways")
        return storage

    @staticmethod
    def rebuild(storage: Any, offset: Any, size: Any, stride: Any) -> Any:
        return _Tensor(storage, offset, size, stride)


@dataclass(frozen=True)
class _Storage:
    """Numbers that follow later in the file, or in another one."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A tensor whose storage has not been read yet; nothing of it
    is checked.
    """

    storage: Any
    offset: Any
    size: Any
    stride: Any

    def read_from(self, arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        return view_tensor(arrays[self.storage.key], self.offset, self.size, self.stride)


def view_tensor(storage: Any, offset: Any, size: Any, stride: Any) -> NDArray[np.float32]:
    """The tensor at this place of its storage, copied, as float32.

    `offset`, `size` and `stride` count numbers, not bytes. Raises
    ValueError if any of the tensor lies outside of its storage, or
    if it has more numbers than that.
    """
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError("a tensor has no valid shape")

    count = math.prod(size)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if count and (count > len(storage) or last >= len(storage)):
        raise ValueError("a tensor lies outside of its storage")
    if not count:
        return np.empty(size, np.float32)

    steps = [step * storage.itemsize for step in stride]
    view = np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)
    return np.array(view, np.float32, order="C")


def _check_opcodes(file: io.BytesIO) -> None:
    """Raises ValueError if the pickle that `file` is at is not made
    of the opcodes that torch writes, or would fill the memory.
    """
    start = file.tell()
    for count, (opcode, argument, _place) in enumerate(pickletools.genops(file)):
        if opcode.name not in _OPCODES:
            raise ValueError(f"{opcode.name} has no place in a file of tensors")
        # Python makes its memo as long as the largest number in it, used or not.
        if opcode.name.endswith("PUT") and int(argument or 0) > count:
            raise ValueError("its memo is far too large")
    file.seek(start)


def _check_state(state: Any) -> dict[str, _Tensor]:
    """Raises ValueError if `state` is no dict of tensors, or they
    are far too large.
    """
    if not isinstance(state, dict):
        raise ValueError("it is not a dict")
    if not all(type(name) is str and isinstance(held, _Tensor) for name, held in state.items()):
        raise ValueError("it holds something else than tensors")

    # One storage may serve many tensors, of which each is copied.
    count = sum(math.prod(tensor.size) for tensor in state.values())
    if count * np.dtype(np.float32).itemsize > _MAX_BYTES:
        raise ValueError("it is far too large")
    return state


def _read_plain(file: io.BytesIO) -> Any:
    return _PlainUnpickler(file).load()


def _read_storage(file: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    """The numbers of a storage: how many, as eight bytes, then
    themselves. Raises if there are fewer, or more are announced.
    """
    (count,) = struct.unpack("<q", file.read(8))
    if count != storage.count:
        raise ValueError("a storage has not the length that it should")

    values = file.read(count * storage.dtype.itemsize)
    return np.frombuffer(values, storage.dtype, count=count)
