"""The table of encoders, and how to open one."""

from __future__ import annotations

from data_label_factory.errors import EncoderError
from data_label_factory.identify.choices import DEFAULT_ENCODER, DEFAULT_SEMANTIC, Device
from data_label_factory.identify.encoders.base import EncoderSpec
from data_label_factory.identify.encoders.clip import CLIP
from data_label_factory.identify.encoders.lite0 import LITE0
from data_label_factory.identify.encoders.onnx import OWN_MODEL, OnnxEncoder, read_recipe
from data_label_factory.identify.encoders.sscd import SSCD, SSCD_SMALL

ENCODERS: dict[str, EncoderSpec] = {
    spec.id: spec for spec in (SSCD, SSCD_SMALL, LITE0, CLIP, OWN_MODEL)
}


def open_encoder(
    name: str = DEFAULT_ENCODER, *, device: Device = "auto", batch_size: int = 16
) -> OnnxEncoder:
    """Open `sscd`, `sscd-small`, `lite0`, `clip`,
    `clip:DIR` or `onnx:PATH`.

    Raises EncoderError, which says what to do.
    """
    kind, _, argument = name.partition(":")
    spec = ENCODERS.get(kind)
    if spec is None:
        raise EncoderError(f"There is no encoder {name!r}", f"Choose one of: {', '.join(ENCODERS)}")
    if argument and spec in (SSCD, SSCD_SMALL, LITE0):
        raise EncoderError(
            f"{kind} takes no path",
            f"Write --encoder {kind}, or --encoder onnx:PATH for your own model",
        )

    path = spec.locate(argument)
    recipe = spec.recipe or read_recipe(path)
    # The id of the user's own model is its file name; its hash says what it is.
    encoder_id = f"{kind}:{path.name}" if spec is OWN_MODEL else kind
    return OnnxEncoder(encoder_id, path, recipe, device=device, batch_size=batch_size)


def open_semantic(name: str = DEFAULT_SEMANTIC, *, device: Device = "auto") -> OnnxEncoder | None:
    """The encoder that knows kinds of things, beside the one that
    knows copies: `lite0`, `clip`, `clip:DIR`, `onnx:PATH`; None for
    `none`.

    Raises EncoderError, which says what to do.
    """
    return None if name == "none" else open_encoder(name, device=device)
