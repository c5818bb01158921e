"""Any ONNX image model as an encoder, with threads that suit the machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import EncoderError
from data_label_factory.extras import need
from data_label_factory.identify.choices import Device
from data_label_factory.identify.encoders.base import (
    Embeddings,
    EncoderIdentity,
    EncoderSpec,
    Preprocess,
    unit_rows,
)
from data_label_factory.identify.images import RGB

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
_CHOICES = {
    "fit": ("squash", "crop"),
    "resample": ("bilinear", "bicubic"),
    "layout": ("NHWC-uint8", "NCHW-float32"),
}
_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


class OnnxEncoder:
    """An Encoder that runs one ONNX file.

    Nothing is loaded before the first picture, so asking for the
    identity is cheap. On the CPU each picture runs alone on one
    core, and as many run at once as there are cores. That is
    faster, as measured, than batches, which overflow the caches,
    and than many threads per picture. A single picture gets all
    cores.
    """

    def __init__(
        self,
        encoder_id: str,
        path: Path,
        recipe: Preprocess,
        *,
        device: Device = "auto",
        batch_size: int = 16,
    ) -> None:
        self.path = path
        self.recipe = recipe
        self._id = encoder_id
        self._device = device
        self._batch_size = batch_size
        self._sessions: dict[int, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Id, SHA-256 of the model file, and preprocessing. Raises EncoderError."""
        return EncoderIdentity.of(self._id, file_sha256(self.path), self.recipe)

    @cached_property
    def dim(self) -> int:
        """D, the number of dimensions; the first use opens the model. Raises EncoderError."""
        black = np.zeros((self.recipe.side, self.recipe.side, 3), np.uint8)
        return int(self.encode([black]).shape[1])

    @cached_property
    def device(self) -> str:
        """The device the model runs on: "cpu", "cuda" or "coreml"."""
        return choose_device(self._device)

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        """N pictures, (H, W, 3) uint8 RGB of any size → (N, D) float32
        unit rows.

        Raises EncoderError if the model cannot be opened or does
        not take its input.
        """
        if not images:
            return np.empty((0, self.dim), np.float32)
        if self.device != "cpu":
            step = self._batch_size
            batches = (list(images[i : i + step]) for i in range(0, len(images), step))
            return np.concatenate([self._run(batch, threads=0) for batch in batches])
        if len(images) == 1:
            return self._run(images, threads=cpu_count())

        rows = self._pool.map(lambda image: self._run([image], threads=1), images)
        return np.concatenate(list(rows))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(cpu_count(), thread_name_prefix="encode")

    def _run(self, images: Sequence[RGB], threads: int) -> Embeddings:
        session = self._session(threads)
        batch = np.stack([self.recipe(image) for image in images])
        inputs = {session.get_inputs()[0].name: batch}
        outputs = [session.get_outputs()[0].name]
        try:
            output = np.asarray(session.run(outputs, inputs)[0])
        except Exception as exc:  # ONNX Runtime has no public base class for its errors
            raise EncoderError(
                f"The model {self.path.name} does not take this input ({exc})"
            ) from exc

        # (N, tokens, D) is the output of a transformer; its first token describes the
        # picture.
        vectors = output[:, 0] if output.ndim == 3 else output.reshape(len(images), -1)
        return unit_rows(vectors)

    def _session(self, threads: int) -> Any:
        with self._lock:
            if threads not in self._sessions:
                self._sessions[threads] = open_session(self.path, self.device, threads)
            return self._sessions[threads]


def open_session(path: Path, device: str, threads: int) -> Any:
    """An onnxruntime.InferenceSession.

    Raises EncoderError if ONNX Runtime cannot run the file.
    """
    ort = need("onnxruntime", extra="identify")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads take the core that decoding, or the camera's browser, needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3

    try:
        return ort.InferenceSession(str(path), options, providers=[_PROVIDERS[device]])
    except Exception as exc:
        reason = "" if "INVALID_PROTOBUF" in str(exc) else f" ({exc})"
        raise EncoderError(f"{path} is no ONNX model that can run on {device}{reason}") from exc


def choose_device(wanted: Device) -> str:
    """The device to run on. "auto" is CUDA if the installed ONNX
    Runtime has it, else the CPU.

    Raises EncoderError if the installed ONNX Runtime does not have the
    wanted device.
    """
    available = need("onnxruntime", extra="identify").get_available_providers()
    if wanted == "auto":
        return "cuda" if _PROVIDERS["cuda"] in available else "cpu"
    if _PROVIDERS[wanted] not in available:
        package = "onnxruntime-gpu" if wanted == "cuda" else "onnxruntime on a Mac"
        raise EncoderError(
            f"The installed ONNX Runtime has no {wanted}", f"Install {package}, or use --device cpu"
        )
    return wanted


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, as hex digits. Raises EncoderError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise EncoderError(f"Cannot read the model {path}: {exc.strerror}") from exc


def read_recipe(model: Path) -> Preprocess:
    """The recipe of the user's own model, from the model's input and
    MODEL.json beside it.

    By default the side is the input's height (224 if it is free), uint8
    input gets the pixels unchanged, and float input is normalized with
    the mean and deviation of ImageNet. The JSON may set any field of
    Preprocess. Raises EncoderError if either does not describe an image
    model.
    """
    recipe = _recipe_from_input(model)
    sidecar = Path(f"{model}.json")
    if sidecar.exists():
        recipe |= _read_sidecar(sidecar, recipe)
    return Preprocess(**recipe)


def _recipe_from_input(model: Path) -> dict[str, Any]:
    inputs = open_session(model, "cpu", 1).get_inputs()
    shape = inputs[0].shape
    kind = inputs[0].type
    if len(inputs) != 1 or len(shape) != 4 or kind not in ("tensor(uint8)", "tensor(float)"):
        raise EncoderError(
            f"{model.name} wants {[(i.name, i.shape, i.type) for i in inputs]}",
            "An image model takes one input: (batch, height, width, 3) uint8 "
            "or (batch, 3, height, width) float32",
        )

    is_bytes = kind == "tensor(uint8)"
    height = shape[1] if is_bytes else shape[2]
    recipe: dict[str, Any] = {
        "side": height if isinstance(height, int) else 224,
        "fit": "squash",
        "resample": "bilinear",
        "layout": "NHWC-uint8" if is_bytes else "NCHW-float32",
    }
    return recipe if is_bytes else recipe | _IMAGENET


def _read_sidecar(path: Path, known: dict[str, Any]) -> dict[str, Any]:
    allowed = {*known, "mean", "std"}
    try:
        values = json.loads(path.read_text("utf-8"))
        if not isinstance(values, dict):
            raise ValueError("it is not a JSON object")

        if unknown := set(values) - allowed:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        if invalid := [key for key, value in values.items() if not _is_valid(key, value)]:
            raise ValueError(f"{invalid[0]} cannot be {values[invalid[0]]!r}")
        return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    except (OSError, ValueError, TypeError) as exc:
        raise EncoderError(
            f"{path} is not a preprocessing recipe: {exc}",
            f"Its keys are {sorted(allowed)}",
        ) from exc


def _is_valid(key: str, value: Any) -> bool:
    if key in _CHOICES:
        return value in _CHOICES[key]
    if key == "side":
        return isinstance(value, int) and value > 0

    is_triple = isinstance(value, list) and len(value) == 3
    return is_triple and all(isinstance(v, int | float) for v in value)


def _locate(argument: str) -> Path:
    path = Path(argument).expanduser()
    if not path.is_file():
        raise EncoderError(
            f"There is no model at {argument or '(no path)'}",
            "Write --encoder onnx:path/to/model.onnx",
        )
    return path


OWN_MODEL = EncoderSpec(
    id="onnx",
    dim=None,
    recipe=None,
    locate=_locate,
    license="the model's own",
    why="your own ONNX image model: --encoder onnx:PATH",
)
