"""The file of an index: numpy reads it, and large arrays are mapped."""

import io
import mmap
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from data_label_factory.identify.index import npz
from data_label_factory.identify.index.npz import Npz, write_npz


def is_mapped(array: NDArray) -> bool:
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return isinstance(array, (mmap.mmap, memoryview))


def read(path: Path) -> dict[str, NDArray]:
    with path.open("rb") as file:
        return Npz(file).arrays


@given(
    arrays.arrays(
        st.sampled_from(["<f4", "<i8", "<U7", "|i1"]), st.sampled_from([(), (0,), (3,), (5, 2)])
    ),
    st.text("abé", min_size=1, max_size=40),
)
def test_numpy_reads_what_is_written(array: NDArray, name: str) -> None:
    file = io.BytesIO()
    write_npz(file, {name: array, "other": np.arange(3), "z" * len(name): array})
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        for each in (name, "z" * len(name)):
            assert stored[each].dtype == array.dtype
            assert np.array_equal(stored[each], array, equal_nan=array.dtype.kind == "f")
        assert stored["other"].tolist() == [0, 1, 2]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, NDArray]:
    monkeypatch.setattr(npz, "MAPPED_FROM_BYTES", 1)
    rng = np.random.default_rng(0)
    held = {
        "meta": np.array("said"),
        "embeddings": rng.normal(size=(50, 16)).astype(np.float32),
        "names": np.array([f"näme {number}" for number in range(50)]),
        "none": np.empty((0, 4), np.int8),
    }
    with (tmp_path / "i.npz").open("wb") as file:
        write_npz(file, held)
    return held


def test_a_large_file_is_mapped(large: dict[str, NDArray], tmp_path: Path) -> None:
    found = read(tmp_path / "i.npz")
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in large.items()
    }
    for name in ("embeddings", "names"):
        assert is_mapped(found[name])
        assert found[name].ctypes.data % 64 == 0
        assert not found[name].flags.writeable
    (tmp_path / "i.npz").unlink()  # what is mapped stays
    assert np.array_equal(found["embeddings"], large["embeddings"])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_of_numpy_is_read(large: dict[str, NDArray], tmp_path: Path, save) -> None:
    save(tmp_path / "n.npz", **large)
    found = read(tmp_path / "n.npz")
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in large.items()
    }


def test_a_damaged_file_says_so(large: dict[str, NDArray], tmp_path: Path) -> None:
    data = bytearray((tmp_path / "i.npz").read_bytes())
    with zipfile.ZipFile(tmp_path / "i.npz") as archive:
        at = archive.getinfo("embeddings.npy").header_offset
    data[at : at + 4] = b"none"
    (tmp_path / "bad.npz").write_bytes(data)
    with pytest.raises(zipfile.BadZipFile):
        read(tmp_path / "bad.npz")


def test_a_small_file_is_read(tmp_path: Path) -> None:
    with (tmp_path / "i.npz").open("wb") as file:
        write_npz(file, {"embeddings": np.ones((4, 4), np.float32)})
    found = read(tmp_path / "i.npz")["embeddings"]
    assert not is_mapped(found)


def test_an_array_grows_and_the_file_stays(large: dict[str, NDArray], tmp_path: Path) -> None:
    before = (tmp_path / "i.npz").read_bytes()
    with (tmp_path / "i.npz").open("rb") as file:
        stored = Npz(file)
        longer = stored.extended("embeddings", 53)
        another = stored.extended("names", 5000)  # more than there is room for
    assert is_mapped(longer)
    longer[50:] = 7
    longer[3] = 8
    another[50:] = "new"
    assert np.array_equal(longer[4:50], large["embeddings"][4:])
    assert another[:50].tolist() == large["names"].tolist()
    assert np.array_equal(stored.arrays["embeddings"], large["embeddings"])
    assert stored.arrays["names"].tolist() == large["names"].tolist()
    assert (tmp_path / "i.npz").read_bytes() == before
