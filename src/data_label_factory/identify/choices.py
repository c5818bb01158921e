"""What the options of recognition may be, and what they are by default.

Kept apart from the code that acts on them, and free of numpy, so that the
command line knows them at once.
"""

from __future__ import annotations

from typing import Literal

Device = Literal["auto", "cpu", "cuda", "coreml"]
Detector = Literal["flat", "none", "yolo-world"]

DETECTORS: tuple[Detector, ...] = ("flat", "none", "yolo-world")
DEFAULT_ENCODER = "sscd"
SEMANTICS = ("lite0", "clip", "none")
DEFAULT_SEMANTIC = "lite0"
DEFAULT_STRICTNESS = 0.01  # fraction of unknown items that may be named confidently

# How closely a photo is searched: as its size and content ask for, as a frame of a
# camera, or always in its own resolution.
Effort = Literal["auto", "fast", "thorough"]
EFFORTS: tuple[Effort, ...] = ("auto", "fast", "thorough")

# Reading what tells look-alikes apart: if something is installed that reads, by all means,
# or not.
ReadMode = Literal["auto", "always", "never"]
DEFAULT_READ_MS = 150.0  # of a frame; several times what it costs to look at one region
