"""A head trained with torch is applied without it, and its file can run no code."""

import collections
import io
import math
import pickle
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_label_factory.errors import EncoderError
from data_label_factory.identify.encoders import head as head_module
from data_label_factory.identify.encoders.head import ProjectionHead, check_head_fits

RNG = np.random.default_rng(0)
STATE = {
    "0.weight": RNG.normal(size=(7, 5)).astype(np.float32),
    "0.bias": RNG.normal(size=7).astype(np.float32),
    "2.weight": RNG.normal(size=(4, 7)).astype(np.float32),
    "2.bias": RNG.normal(size=4).astype(np.float32),
}
EMBEDDINGS = RNG.normal(size=(6, 5)).astype(np.float32)
STORAGES = {"f4": "FloatStorage", "f2": "HalfStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


def save_as_torch(path: Path, saved: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """What torch.save(saved, path) writes, without torch: arrays become tensors."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in STORAGES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_: Any) -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = (
        "torch._utils",
        "_rebuild_tensor_v2",
    )
    torch._utils, utils._rebuild_tensor_v2 = utils, _rebuild_tensor_v2

    class Storage:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

    class Pickler(pickle.Pickler):
        def reducer_override(self, thing: Any) -> Any:
            if not isinstance(thing, np.ndarray):
                return NotImplemented
            stride = tuple(step // thing.itemsize for step in thing.strides)
            return _rebuild_tensor_v2, (
                Storage(thing),
                0,
                thing.shape,
                stride,
                False,
                collections.OrderedDict(),
            )

        def persistent_id(self, thing: Any) -> Any:
            if not isinstance(thing, Storage):
                return None
            storages.append(thing.array.tobytes("A"))
            kind = getattr(torch, STORAGES[thing.array.dtype.str[1:]])
            return "storage", kind, str(len(storages) - 1), "cpu", thing.array.size

    storages: list[bytes] = []
    file = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", torch)
        patch.setitem(sys.modules, "torch._utils", utils)
        Pickler(file, protocol=2).dump(saved)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("head/data.pkl", file.getvalue())
        for key, data in enumerate(storages):
            archive.writestr(f"head/data/{key}", data)
        archive.writestr("head/version", "3\n")
    return path


Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    """Write a head file; `changes` replace parts of a good one's state."""

    def save(**changes: Any) -> Path:
        state = collections.OrderedDict(
            {**STATE, **{k.replace("_", "."): v for k, v in changes.items()}}
        )
        saved = {"state_dict": state, "in_dim": 5, "hidden": 7, "out_dim": 4, "model": "sscd"}
        return save_as_torch(tmp_path / "head.pt", saved, monkeypatch)

    return save


def naive_projection(embedding: np.ndarray) -> list[float]:
    """Linear · GELU · Linear · unit length, one number at a time."""
    hidden = []
    for weights, bias in zip(STATE["0.weight"].tolist(), STATE["0.bias"].tolist(), strict=True):
        x = sum(w * e for w, e in zip(weights, embedding.tolist(), strict=True)) + bias
        hidden.append(0.5 * x * (1 + math.erf(x / math.sqrt(2))))
    out = [
        sum(w * h for w, h in zip(weights, hidden, strict=True)) + bias
        for weights, bias in zip(STATE["2.weight"].tolist(), STATE["2.bias"].tolist(), strict=True)
    ]
    length = math.sqrt(sum(value * value for value in out))
    return [value / length for value in out]


def test_gelu_is_the_exact_one_with_erf() -> None:
    x = np.linspace(-8, 8, 4001).astype(np.float32)
    exact = [0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x.tolist()]
    assert np.abs(head_module._gelu(x) - exact).max() < 1e-6
    assert head_module._gelu(x).dtype == np.float32


def test_a_head_gives_what_a_naive_loop_gives(save: Save) -> None:
    head = ProjectionHead.load(save())
    assert (head.in_dim, head.w2.shape[0], head.encoder) == (5, 4, "sscd")
    projected = head(EMBEDDINGS)
    assert projected == pytest.approx(
        np.array([naive_projection(row) for row in EMBEDDINGS]), abs=1e-5
    )
    assert projected.dtype == np.float32
    assert np.linalg.norm(projected, axis=1) == pytest.approx(np.ones(6), abs=1e-6)
    assert head(EMBEDDINGS[:0]).shape == (0, 4)


@pytest.mark.parametrize(("kind", "tolerance"), [(np.float16, 1e-2), (np.float64, 1e-5)])
def test_half_and_double_tensors_are_read_as_float32(
    kind: type, tolerance: float, save: Save
) -> None:
    head = ProjectionHead.load(
        save(**{name.replace(".", "_"): array.astype(kind) for name, array in STATE.items()})
    )
    assert head.w1.dtype == head.b2.dtype == np.float32
    assert head(EMBEDDINGS[:1])[0] == pytest.approx(naive_projection(EMBEDDINGS[0]), abs=tolerance)


def test_two_files_of_one_head_share_their_hash_and_another_does_not(
    save: Save, tmp_path: Path
) -> None:
    first = ProjectionHead.load(save()).sha256
    (tmp_path / "copy.pt").write_bytes((tmp_path / "head.pt").read_bytes())
    assert len(first) == 64 and ProjectionHead.load(tmp_path / "copy.pt").sha256 == first
    assert ProjectionHead.load(save(**{"2_bias": STATE["2.bias"] + 1})).sha256 != first


class Evil:
    """Pickles as a call of os.system."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        import os

        return os.system, (self.command,)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr(
            "evil/data.pkl",
            pickle.dumps({"state_dict": Evil(f"touch '{tmp_path}/ran'")}, protocol=2),
        )
    with pytest.raises(EncoderError, match="has no place in a file of tensors"):
        ProjectionHead.load(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "torch load",
        "torch._utils _rebuild_tensor",
        "collections UserDict",
        "numpy load",
    ],
)
def test_only_the_names_a_head_needs_are_looked_up(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("evil/data.pkl", b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n.")
    with pytest.raises(
        EncoderError, match=f"{name.replace(' ', '.')} has no place in a file of tensors"
    ):
        ProjectionHead.load(tmp_path / "evil.pt")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"0_weight": STATE["0.weight"][:, 0].copy()}, "not a projection head"),
        ({"0_weight": STATE["0.weight"][:6].copy()}, "do not fit together"),
        ({"2_bias": STATE["2.bias"][:3].copy()}, "do not fit together"),
        ({"4_weight": STATE["2.weight"]}, "not a projection head"),
        ({"0_bias": "text"}, "not a projection head"),
        ({"0_bias": np.full(7, np.nan, np.float32)}, "not finite"),
        ({"2_weight": np.full((4, 7), np.inf, np.float32)}, "not finite"),
        ({"0_bias": np.arange(7)}, "LongStorage has no place"),
    ],
)
def test_a_state_that_is_not_a_head_is_refused(
    changes: dict[str, Any], said: str, save: Save
) -> None:
    with pytest.raises(EncoderError, match=said):
        ProjectionHead.load(save(**changes))


def test_a_tensor_that_was_transposed_is_read_as_it_is(save: Save) -> None:
    head = ProjectionHead.load(save(**{"0_weight": np.asfortranarray(STATE["0.weight"])}))
    assert np.array_equal(head.w1, STATE["0.weight"])


@pytest.mark.parametrize("saved", [{}, [1, 2], {"state_dict": None}, {"state_dict": {}}, 7])
def test_other_things_saved_with_torch_are_refused(
    saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EncoderError, match="not a projection head"):
        ProjectionHead.load(save_as_torch(tmp_path / "x.pt", saved, monkeypatch))


def test_a_missing_file_a_folder_and_a_non_zip_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no zip")
    (tmp_path / "empty.pt").touch()
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("a.txt", "no tensors")
    for name, said in [("missing", "No such file"), ("", "directory")]:
        with pytest.raises(EncoderError, match=f"Cannot read.*{said}"):
            ProjectionHead.load(tmp_path / name)
    for name, said in [
        ("text.pt", "not a zip"),
        ("empty.pt", "not a zip"),
        ("other.pt", "no tensors"),
    ]:
        with pytest.raises(EncoderError, match=f"not a projection head.*{said}.*identify train"):
            ProjectionHead.load(tmp_path / name)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(
        tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as archive:
        for number in range(9):
            archive.writestr(f"head/data/{number}", bytes(32 * 2**20))
    with pytest.raises(EncoderError, match="far too large"):
        ProjectionHead.load(tmp_path / "bomb.pt")


def test_a_damaged_file_raises_only_encoder_errors(save: Save, tmp_path: Path) -> None:
    path = save()
    good, damage = path.read_bytes(), np.random.default_rng(1)
    for _ in range(400):
        broken = bytearray(
            good[: damage.integers(len(good)) if damage.random() < 0.2 else len(good)]
        )
        for _ in range(damage.integers(0, 5) if broken else 0):
            broken[damage.integers(len(broken))] = damage.integers(256)
        path.write_bytes(broken)
        try:
            head = ProjectionHead.load(path)
        except EncoderError:
            continue
        assert head(EMBEDDINGS).shape == (6, 4)


def test_a_head_of_another_encoder_is_refused_and_both_are_named(save: Save) -> None:
    head = ProjectionHead.load(save())
    check_head_fits(head, "sscd", 5)
    check_head_fits(head, "sscd", None)
    with pytest.raises(
        EncoderError, match=r"trained on encoder sscd \(5 .*not on clip \(512\).*--encoder sscd"
    ):
        check_head_fits(head, "clip", 512)
    with pytest.raises(EncoderError, match=r"sscd \(5 dimensions\), not on sscd \(512\)"):
        check_head_fits(head, "sscd", 512)


@pytest.mark.torch
def test_a_head_gives_what_the_torch_module_gives(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.GELU(), torch.nn.Linear(7, 4))
    saved = {
        "state_dict": module.state_dict(),
        "in_dim": 5,
        "hidden": 7,
        "out_dim": 4,
        "model": "clip",
    }
    torch.save(saved, tmp_path / "head.pt")
    head = ProjectionHead.load(tmp_path / "head.pt")
    expected = (
        torch.nn.functional.normalize(module(torch.from_numpy(EMBEDDINGS)), dim=1).detach().numpy()
    )
    assert head.encoder == "clip"
    assert head(EMBEDDINGS) == pytest.approx(expected, abs=1e-5)
