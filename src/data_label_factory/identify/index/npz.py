"""An `.npz` whose large arrays can be mapped straight out of the file.

The members of a numpy archive lie in it as they are. If their data
start at a multiple of 64 bytes, an array can be a view of the file:
opening it reads nothing, and all processes share the pages. Numpy
reads such a file as any other.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# Of the header of an `.npy`, so that the data behind it are aligned as well (NEP 1).
_ALIGNMENT = 64

# Android's zipalign pads with an extra field of this id, and other tools pass over it.
_PADDING_ID = 0xD935
_FIELD_HEADER = struct.Struct("<HH")  # id, length

# The local header of a member (APPNOTE.TXT, 4.3.7): 30 bytes, then name and extra fields,
# whose lengths stand at 26. zipfile adds a field of 20 bytes for sizes above 4 GiB.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ZIP64_BYTES = 20

# A smaller file is read: that takes a few ms, and whoever copies another over it in
# place does not change what a running server has mapped.
MAPPED_FROM_BYTES = 16 * 2**20

_ENDING = ".npy"


def write_npz(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write `arrays` into an empty `file` that can seek, uncompressed
    and aligned.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = secrets.token_hex(8).encode()  # tells it from an equal one
        for name, array in arrays.items():
            info = zipfile.ZipInfo(name + _ENDING)
            info.extra = _pad(file.tell() + _LOCAL_HEADER.size + len(info.filename) + _ZIP64_BYTES)
            with archive.open(info, "w", force_zip64=True) as member:
                npy.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


class Npz:
    """The arrays of an open file.

    Of a large file they are read-only views of it, where their data
    are aligned and not compressed. Raises what zipfile and numpy
    raise for a damaged file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self._file = file
        self._starts: dict[str, int] = {}  # where data begin, of those that are views
        with np.load(file, allow_pickle=False) as stored:
            is_large = os.fstat(file.fileno()).st_size >= MAPPED_FROM_BYTES
            if is_large and os.name != "nt":  # there, nothing could replace a mapped file
                self._map(stored.zip)
            self.arrays |= {name: stored[name] for name in stored.files if name not in self.arrays}
            self.fingerprint = _fingerprint(stored.zip)

    def extended(self, name: str, count: int) -> NDArray[Any]:
        """An array (N, …) with `count` ≥ N rows, to be written into,
        while the file is open; those from N on hold anything.

        A view stays one: what follows it in the file gives way in
        memory, page by page as it is written to, and the file stays
        as it is.
        """
        array = self.arrays[name]
        shape = (count, *array.shape[1:])
        size = int(np.prod(shape, dtype=np.int64)) * array.itemsize
        start = self._starts.get(name)
        if start is None or start + size > os.fstat(self._file.fileno()).st_size:
            larger = np.empty(shape, array.dtype)
            larger[: len(array)] = array
            return larger
        skipped = start % mmap.ALLOCATIONGRANULARITY
        private = mmap.mmap(
            self._file.fileno(), skipped + size, access=mmap.ACCESS_COPY, offset=start - skipped
        )
        return np.frombuffer(private, array.dtype, size // array.itemsize, skipped).reshape(shape)

    def _map(self, archive: zipfile.ZipFile) -> None:
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        for info in archive.infolist():
            view = _view(mapped, info)
            if view is not None:
                name = info.filename.removesuffix(_ENDING)
                self.arrays[name], self._starts[name] = view


def _fingerprint(archive: zipfile.ZipFile) -> bytes:
    """32 bytes that no other archive has: of its comment and its
    directory, with the checksums of its members.
    """
    members = [(one.filename, one.file_size, one.CRC) for one in archive.infolist()]
    return hashlib.sha256(repr((archive.comment, members)).encode()).digest()


def _pad(start: int) -> bytes:
    """An extra field after which `start` is a multiple of the alignment."""
    length = -(start + _FIELD_HEADER.size) % _ALIGNMENT
    return _FIELD_HEADER.pack(_PADDING_ID, length) + bytes(length)


def _view(mapped: mmap.mmap, info: zipfile.ZipInfo) -> tuple[NDArray[Any], int] | None:
    """A member as a view, and where its data begin; None if it has
    to be read.
    """
    if info.compress_type != zipfile.ZIP_STORED:
        return None
    magic, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(mapped, info.header_offset)
    start = info.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    if magic != b"PK\3\4" or start + info.file_size > len(mapped):
        raise zipfile.BadZipFile(f"no member {info.filename} at {info.header_offset}")

    mapped.seek(start)
    version = npy.read_magic(mapped)
    if version != (1, 0):
        return None
    shape, is_fortran, dtype = npy.read_array_header_1_0(mapped)
    count = int(np.prod(shape, dtype=np.int64))
    data = mapped.tell()
    if is_fortran or dtype.hasobject or not count or data % _ALIGNMENT:
        return None
    if data + count * dtype.itemsize != start + info.file_size:
        raise ValueError(f"{info.filename} is cut short")
    return np.frombuffer(mapped, dtype, count, data).reshape(shape), data
