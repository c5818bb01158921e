"""Files that `torch.load(weights_only=True)` reads, written without
torch.

Such a file is a zip archive, not compressed: `data.pkl`, a pickle of
protocol 2 in which every tensor refers to its storage, and one file of
raw little-endian values per storage.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FOLDER = "head"
_WRITTEN = (1980, 1, 1, 0, 0, 0)  # equal content makes equal files
_VERSION = b"3\n"

# Opcodes of the pickle protocol, as its documentation names them.
_PROTOCOL_2, _STOP = b"\x80\x02", b"."
_MARK, _TUPLE, _REDUCE, _PERSISTENT = b"(", b"t", b"R", b"Q"
_EMPTY_LIST, _APPENDS, _EMPTY_DICT, _SETITEMS = b"]", b"e", b"}", b"u"
_TEXT, _INT, _LONG, _FLOAT = b"X", b"J", b"\x8a", b"G"
_CONSTANTS = {None: b"N", True: b"\x88", False: b"\x89"}
_TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
_STORAGE = b"ctorch\nFloatStorage\n"
_NO_HOOKS = b"ccollections\nOrderedDict\n)R"


def torch_bytes(value: Any) -> bytes:
    """A file of `value`: dicts, lists, tuples, texts, numbers,
    None, and float arrays.

    Raises TypeError for anything else.
    """
    storages: list[NDArray[np.float32]] = []
    pickled = _PROTOCOL_2 + _encode(value, storages) + _STOP

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, "data.pkl", pickled)
        _add(archive, "byteorder", b"little")
        for key, storage in enumerate(storages):
            _add(archive, f"data/{key}", storage.astype("<f4").tobytes())
        _add(archive, "version", _VERSION)
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(f"{_FOLDER}/{name}", _WRITTEN), data)


def _encode(value: Any, storages: list[NDArray[np.float32]]) -> bytes:
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, int):
        return _encode_int(value)
    if isinstance(value, float):
        return _FLOAT + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        return _TEXT + struct.pack("<I", len(text)) + text

    if isinstance(value, np.ndarray):
        return _encode_tensor(value, storages)
    if isinstance(value, dict):
        pairs = [_encode(part, storages) for pair in value.items() for part in pair]
        return _EMPTY_DICT + _MARK + b"".join(pairs) + _SETITEMS

    if isinstance(value, list | tuple):
        items = _MARK + b"".join(_encode(item, storages) for item in value)
        return items + _TUPLE if isinstance(value, tuple) else _EMPTY_LIST + items + _APPENDS
    raise TypeError(f"A head file cannot hold {type(value).__name__}")


def _encode_int(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return _INT + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return _LONG + bytes([len(data)]) + data


def _encode_tensor(array: NDArray[Any], storages: list[NDArray[np.float32]]) -> bytes:
    """A tensor of its own storage: dense, on the CPU, without a gradient."""
    key = str(len(storages))
    storages.append(np.ascontiguousarray(array, np.float32))
    strides = tuple(int(np.prod(array.shape[axis + 1 :])) for axis in range(array.ndim))

    none: list[NDArray[np.float32]] = []
    storage = [_encode("storage", none), _STORAGE]
    storage += [_encode(part, none) for part in (key, "cpu", int(array.size))]
    reference = _MARK + b"".join(storage) + _TUPLE + _PERSISTENT
    layout = b"".join(_encode(part, none) for part in (0, tuple(array.shape), strides, False))
    return _TENSOR + _MARK + reference + layout + _NO_HOOKS + _TUPLE + _REDUCE
