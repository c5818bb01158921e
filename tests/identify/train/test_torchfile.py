"""Files that torch reads, written without it."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_label_factory.identify.encoders.torch_file import read_torch_zip
from data_label_factory.identify.train.torchfile import torch_bytes

ARRAYS = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=0, max_side=4), elements=st.floats(-9, 9, width=32)
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text() | st.floats()
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def agree(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.shape == tuple(b.shape) and np.array_equal(a, np.asarray(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(agree(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(agree, a, b))
    return type(a) is type(b) and (a == b or a != a)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert agree(value, read_torch_zip(torch_bytes(value)))


@pytest.fixture(scope="module")
def torch() -> Any:
    """Ready to load: what the first import and load take is no example's time."""
    module = pytest.importorskip("torch")
    module.load(io.BytesIO(torch_bytes({"a": np.zeros(1, np.float32)})), weights_only=True)
    return module


@pytest.mark.torch
@given(VALUES)
def test_torch_reads_the_same(
    torch: Any, tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    path = tmp_path_factory.mktemp("torch") / "x.pt"
    path.write_bytes(torch_bytes(value))
    assert agree(value, torch.load(path, weights_only=True))


def test_equal_content_makes_equal_files() -> None:
    value = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": [1, 2.5, "c", None]}
    assert torch_bytes(value) == torch_bytes(value)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", 1j])
def test_other_things_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        torch_bytes({"x": value})
