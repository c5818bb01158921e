"""Pictures and picture files drawn for the tests, and a tiny model to embed them."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

from data_label_factory.samples import SampleCard, draw_card, sample_cards

FOUR_COLORS = {
    (16, 12): (220, 30, 30),
    (48, 12): (30, 180, 40),
    (16, 36): (30, 60, 210),
    (48, 36): (240, 240, 240),
}


def four_colors(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, white: no two of the eight ways to turn it look alike."""
    small = np.array(list(FOUR_COLORS.values()), np.uint8).reshape(2, 2, 3)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


def photo_like(width: int, height: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8: smooth color noise, in which every shift and filter is visible."""
    shape = (height // 7 + 2, width // 7 + 2, 3)
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return np.array(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def draw_collection(folder: Path, count: int, seed: int = 7) -> list[Path]:
    """The cards of `samples.draw_collection`, each of them drawn once in all tests."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for card in sample_cards(count, seed):
        files.append(folder / card.filename)
        files[-1].write_bytes(_drawn(card))
    return files


@cache
def _drawn(card: SampleCard) -> bytes:
    return encoded(draw_card(card), "JPEG", quality=92, subsampling=0)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The bytes of `image` saved in `file_format`."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def png(width: int, height: int, *, bits: int, color: int, samples: bytes = b"") -> bytes:
    """A PNG of a kind that Pillow does not write.

    `samples` holds the rows without their filter bytes.
    """
    rows = b""
    if samples:
        stride = len(samples) // height
        rows = b"".join(b"\0" + samples[y * stride : (y + 1) * stride] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)

    chunks = [
        png_chunk(b"IHDR", header),
        png_chunk(b"IDAT", zlib.compress(rows, 9)),
        png_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def mean_color_model(
    path: Path, *, layout: str, side: int | str = "side", tokens: bool = False
) -> Path:
    """Write an ONNX model whose embedding of a picture is its mean color, (N, 3).

    `layout` is as in Preprocess; `side` is a number, or a name if the size is free. `tokens` makes
    the output (N, 2, 3), with the mean color in the first token and its negative in the second.
    """
    nhwc = layout == "NHWC-uint8"
    shape = ["batch", side, side, 3] if nhwc else ["batch", 3, side, side]
    pixel_type = TensorProto.UINT8 if nhwc else TensorProto.FLOAT
    axes = [1, 2] if nhwc else [2, 3]
    output = "tokens" if tokens else "mean"

    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("Neg", ["mean"], ["negative"]),
        helper.make_node("Unsqueeze", ["mean", "one"], ["first"]),
        helper.make_node("Unsqueeze", ["negative", "one"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["tokens"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "mean_color",
        [helper.make_tensor_value_info("pixels", pixel_type, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path
