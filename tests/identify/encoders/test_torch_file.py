"""Files of torch's older format are read without it, and can run no code."""

import pickle
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_label_factory.identify.encoders import torch_file
from data_label_factory.identify.encoders.torch_file import (
    LEGACY_MAGIC,
    LEGACY_VERSION,
    read_torch_legacy,
    read_torch_zip,
)

VALUES = np.arange(12, dtype="<f4")
SYSTEM = {"little_endian": True, "protocol_version": LEGACY_VERSION}
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
NO_HOOKS = b"ccollections\nOrderedDict\n)R"


def plain(value: Any) -> bytes:
    """The opcodes of a value that pickle itself can write, without the frame."""
    return pickle.dumps(value, protocol=2)[2:-1]


def storage(key: str = "7", count: int = 12, kind: str = "FloatStorage", view: Any = None) -> bytes:
    named = plain(key) + plain("cpu") + plain(count) + plain(view)
    return b"(" + plain("storage") + b"ctorch\n" + kind.encode() + b"\n" + named + b"tQ"


def tensor(
    size: Any = (3, 4), stride: Any = (4, 1), *, offset: Any = 0, held: bytes | None = None
) -> bytes:
    held = storage() if held is None else held
    place = plain(offset) + plain(size) + plain(stride)
    return REBUILD + b"(" + held + place + b"\x89" + NO_HOOKS + b"tR"


def state(**tensors: bytes) -> bytes:
    items = b"".join(plain(name) + opcodes for name, opcodes in tensors.items())
    return NO_HOOKS + b"(" + items + b"u"


def legacy(
    value: bytes | None = None,
    *,
    magic: Any = LEGACY_MAGIC,
    version: Any = LEGACY_VERSION,
    system: Any = SYSTEM,
    keys: Sequence[str] = ("7",),
    count: int = 12,
    values: bytes = VALUES.tobytes(),
) -> bytes:
    """A file of the older format; by default a good one of one tensor, `w`."""
    value = state(w=tensor()) if value is None else value
    head = b"".join(pickle.dumps(part, protocol=2) for part in (magic, version, system))
    pickled = b"\x80\x02" + value + b"."
    rest = pickle.dumps(list(keys), protocol=2) + struct.pack("<q", count) + values
    return head + pickled + rest


def test_a_tensor_is_read() -> None:
    read = read_torch_legacy(legacy())
    assert list(read) == ["w"]
    assert np.array_equal(read["w"], VALUES.reshape(3, 4))
    assert read["w"].dtype == np.float32 and read["w"].flags.c_contiguous


def test_steps_and_offsets_are_followed() -> None:
    across = state(a=tensor((4, 3), (1, 4)), b=tensor((3,), (4,), offset=1), c=tensor((), ()))
    read = read_torch_legacy(legacy(across))
    assert np.array_equal(read["a"], VALUES.reshape(3, 4).T)
    assert read["b"].tolist() == [1, 5, 9]
    assert read["c"] == 0 and read["c"].shape == ()
    assert read_torch_legacy(legacy(state(n=tensor((0, 4), (4, 1)))))["n"].shape == (0, 4)


def test_whole_numbers_are_read_as_floats() -> None:
    counted = state(n=tensor((), (), held=storage(count=1, kind="LongStorage")))
    data = legacy(counted, count=1, values=struct.pack("<q", 123))
    assert read_torch_legacy(data)["n"] == 123


@pytest.mark.torch
def test_it_reads_what_torch_writes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    base = torch.randn(6, 5)
    held = {"a": base, "b": base.t(), "c": base[1:3, 2], "d": base.double(), "e": torch.tensor(7)}
    torch.save(held, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    read = read_torch_legacy((tmp_path / "x.pth").read_bytes())
    assert list(read) == list(held)
    for name, value in held.items():
        assert np.array_equal(read[name], value.float().numpy())


RAN: list[str] = []


def call(module: str, name: str, argument: Any) -> bytes:
    return f"c{module}\n{name}\n".encode() + b"(" + plain(argument) + b"tR"


CODE = "__import__('test_torch_file').RAN.append('ran')"
GLOBALS = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("subprocess", "Popen"),
    ("torch", "load"),
    ("torch", "FloatStorage.__init__"),
    ("torch._utils", "_rebuild_tensor"),
    ("collections", "OrderedDict.fromkeys"),
    ("collections", "namedtuple"),
    ("numpy", "dtype"),
    ("data_label_factory.identify.encoders.torch_file", "pickle"),
]


@pytest.mark.parametrize(("module", "name"), GLOBALS)
def test_no_other_name_is_looked_up(module: str, name: str) -> None:
    evil = call(module, name, CODE)
    hidden = {
        "as the value": evil,
        "as a tensor": state(w=evil),
        "as a storage": state(w=tensor(held=evil)),
        "as an argument": state(w=REBUILD + b"(" + storage() + evil + b"tR"),
        "inside a call": NO_HOOKS[:-2] + b"(" + evil + b"tR",
    }
    for value in hidden.values():
        with pytest.raises(pickle.UnpicklingError, match="has no place in a file of tensors"):
            read_torch_legacy(legacy(value))
    assert not RAN


@pytest.mark.parametrize("part", ["magic", "version", "system"])
def test_the_other_pickles_of_the_file_run_no_code_either(part: str) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return eval, (CODE,)

    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        read_torch_legacy(legacy(**{part: Evil()}))
    assert not RAN


@pytest.mark.parametrize(
    "change",
    [
        REBUILD + b"}" + plain("x") + plain(1) + b"sb",
        REBUILD + b"N}" + plain("_reader") + plain(1) + b"s\x86b",
        b"ctorch\nFloatStorage\n}" + plain("x") + plain(1) + b"sb",
        b"ccollections\nOrderedDict\n}" + plain("update") + plain(1) + b"sb",
    ],
)
def test_nothing_outside_of_the_file_is_changed(change: bytes) -> None:
    with pytest.raises((AttributeError, TypeError, ValueError, pickle.UnpicklingError)):
        read_torch_legacy(legacy(change))
    assert np.array_equal(read_torch_legacy(legacy())["w"], VALUES.reshape(3, 4))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (tensor((3, 5), (4, 1)), "outside"),
        (tensor((3, 4), (5, 1)), "outside"),
        (tensor((3, 4), (4, 1), offset=1), "outside"),
        (tensor((2**40,), (0,)), "far too large"),
        (tensor((13,), (0,)), "outside"),
        (tensor((2**62, 2**62), (0, 0)), "far too large"),
        (tensor((3, 4), (4,)), "no valid shape"),
        (tensor((3, 4), (-4, 1)), "no valid shape"),
        (tensor((3, 4), (4, 1), offset=-1), "no valid shape"),
        (tensor((3.0, 4), (4, 1)), "no valid shape"),
        (tensor((3, 4), (4, 1), offset=True), "no valid shape"),
        (tensor(held=storage(count=2**40)), "length"),
        (tensor(held=storage(count=-1)), "unexpected"),
        (tensor(held=storage(count=11)), "length"),
        (tensor(held=storage(kind="ByteStorage")), "no place"),
        (tensor(held=storage(view=("7", 0, 3))), "unexpected"),
        (tensor(held=storage("8")), "storages"),
        (plain([1, 2]), "something else"),
        (plain({"w": 1}), "something else"),
        (storage(), "something else"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(made: bytes, said: str) -> None:
    with pytest.raises((ValueError, pickle.UnpicklingError), match=said):
        read_torch_legacy(legacy(state(w=made)))


def test_many_tensors_of_one_storage_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch_file, "_MAX_BYTES", 4000)
    few = legacy(state(a=tensor(), b=tensor()))
    assert len(few) < 4000 and len(read_torch_legacy(few)) == 2

    monkeypatch.setattr(torch_file, "_MAX_BYTES", len(few))
    wide = tensor((12, 1000), (1, 0))
    with pytest.raises(ValueError, match="far too large"):
        read_torch_legacy(legacy(state(w=wide)))
    with pytest.raises(ValueError, match="far too large"):
        read_torch_legacy(few + b"0")


@pytest.mark.parametrize(
    ("opcodes", "said"),
    [
        (b"r\xff\xff\xff\x7f", "memo is far too large"),
        (b"q\xff", "memo is far too large"),
        (b"\x8c\x02os\x8c\x06system\x93", "SHORT_BINUNICODE has no place"),
        (b"\x82\x01", "EXT1 has no place"),
        (b"ios\nsystem\n", "INST has no place"),
        (b"Pkey\n", "PERSID has no place"),
        (b"\x81", "NEWOBJ has no place"),
        (b"\x8b\xff\xff\xff\x7f", "."),
    ],
)
def test_opcodes_that_torch_does_not_write_are_refused(opcodes: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_torch_legacy(legacy(state(w=tensor()) + opcodes))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (legacy(magic=LEGACY_MAGIC + 1), "older format"),
        (legacy(version=1002), "older format"),
        (legacy(system={"little_endian": False}), "byte order"),
        (legacy(count=13), "length"),
        (legacy(keys=()), "storages"),
        (legacy(keys=("7", "7")), "storages"),
        (legacy(plain([1])), "not a dict"),
        (legacy(state(w=tensor(), v=tensor(held=storage(count=3)))), "two ways"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_torch_legacy(data)


def test_a_file_that_ends_early_is_refused_wherever_it_ends() -> None:
    whole = legacy()
    for length in range(len(whole)):
        with pytest.raises((EOFError, ValueError, pickle.UnpicklingError, struct.error)):
            read_torch_legacy(whole[:length])


def test_damaged_files_raise_and_do_no_harm() -> None:
    whole = bytearray(legacy())
    rng = random.Random(0)
    outcomes = set()
    for _ in range(1000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(whole))] = rng.randrange(256)
        try:
            read_torch_legacy(bytes(damaged))
            outcomes.add("read")
        except Exception:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x02", b"not a pickle", bytes(100)])
def test_other_files_are_refused(data: bytes) -> None:
    for read in (read_torch_legacy, read_torch_zip):
        with pytest.raises(Exception):  # noqa: B017
            read(data)
