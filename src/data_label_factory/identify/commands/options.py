"""What the commands share: options, their types, and how options become
objects.

Stages are imported where they are used, so that `--help` and completion
load no numpy.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from data_label_factory.command_line import FILE, FOLDER
from data_label_factory.identify.choices import (
    DEFAULT_ENCODER,
    DEFAULT_READ_MS,
    DEFAULT_SEMANTIC,
    DEFAULT_STRICTNESS,
    DETECTORS,
    EFFORTS,
    SEMANTICS,
    Detector,
    Device,
    Effort,
    ReadMode,
)

if TYPE_CHECKING:
    from data_label_factory.identify.encoders import Embedder
    from data_label_factory.identify.index import Index
    from data_label_factory.identify.recognize import Recognizer
    from data_label_factory.walk import Walk

Function = Callable[..., Any]

_LISTED_MAX = 20  # files named one by one in a message


class Number(click.FloatRange):
    """A finite number. FloatRange itself lets nan pass, and inf where an end is open."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


RATE = Number(0, 1)
COSINE = Number(-1, 1)


# Options that several commands have.

json_option = click.option("--json", "as_json", is_flag=True, help="print the result as JSON")

index_option = click.option(
    "--index",
    metavar="FILE.npz",
    type=FILE,
    required=True,
    help="index of the reference pictures",
)

device_option = click.option(
    "--device",
    type=click.Choice(get_args(Device)),
    default="auto",
    help="device that runs the encoder",
)


encoder_option = click.option(
    "--encoder",
    metavar="ID",
    default=DEFAULT_ENCODER,
    help="encoder, as listed by `identify encoders`",
)

trim_option = click.option(
    "--no-trim",
    "trim",
    flag_value=False,
    default=True,
    show_default="margins that take most of a picture are left out",
    help="take reference pictures with their margins",
)

semantic_option = click.option(
    "--semantic",
    type=click.Choice(SEMANTICS),
    default=DEFAULT_SEMANTIC,
    help="second encoder, for things that are not flat; none: without",
)

# Of commands that read an index: it says what made it.
index_encoder_option = click.option(
    "--encoder",
    metavar="ID",
    default="",
    show_default="the one that made the index",
    help="encoder, as listed by `identify encoders`",
)

projection_option = click.option(
    "--projection",
    metavar="HEAD",
    type=FILE,
    help="trained projection head (.pt)",
)


def ray_option(verb: str) -> Callable[[Function], Function]:
    """The option that has a Ray cluster do the work: its address,
    `LOCAL` where none is named, None without the option.
    """
    return click.option(
        "--ray",
        metavar="[ADDRESS]",
        is_flag=False,
        flag_value="local",
        help=f"{verb} on the machines of the Ray cluster at ADDRESS, such as auto or HOST:6379; "
        "without an address on a Ray that is started here (extra ray)",
    )


@dataclass(frozen=True)
class RecognizerOptions:
    """The options that say what recognizes, and how strictly."""

    index: Path
    refs: Path | None
    encoder: str
    projection: Path | None
    device: Device
    detector: Detector
    strictness: float
    sim_threshold: float | None
    margin_threshold: float | None
    read: ReadMode
    read_ms: float
    effort: Effort

    def open(self, index: Index) -> Recognizer:
        """The recognizer of `index`, which is the file of --index.

        Raises FactoryError if index, weights and head do not fit, or no
        reference can be read.
        """
        from data_label_factory.identify.collection import Collection

        collection = Collection(
            index,
            self.index,
            open_embedder(index, self.encoder, self.projection, self.device),
            self.refs,
            detector=self.detector,
            strictness=self.strictness,
            sim_threshold=self.sim_threshold,
            margin_threshold=self.margin_threshold,
            read=self.read,
            read_ms=self.read_ms,
            quiet=False,
        )
        collection.require_references()
        report_unusable("reference not used", collection.recognizer.unreadable)
        return collection.recognizer


_RECOGNIZER_OPTIONS = (
    index_option,
    click.option(
        "--refs",
        metavar="DIR",
        type=FOLDER,
        help="folder of reference pictures; without it, only embeddings decide",
    ),
    index_encoder_option,
    projection_option,
    device_option,
    click.option(
        "--detector",
        type=click.Choice(DETECTORS),
        default=DETECTORS[0],
        help="how to look for items: flat (flat items anywhere in view), none (only the whole "
        "frame and its center), yolo-world (needs the extra of that name)",
    ),
    click.option(
        "--strictness",
        metavar="RATE",
        type=RATE,
        default=DEFAULT_STRICTNESS,
        help="fraction of unknown items that may be named confidently",
    ),
    click.option(
        "--sim-threshold",
        metavar="X",
        type=COSINE,
        help="also require this cosine to name an item confidently",
    ),
    click.option(
        "--margin-threshold",
        metavar="X",
        type=COSINE,
        help="also require this margin over the next item to name one confidently",
    ),
    click.option(
        "--read",
        type=click.Choice(get_args(ReadMode)),
        default="auto",
        help="read what is printed where references look alike; auto: if the extra ocr is "
        "installed, always: it has to be, never: only pictures decide",
    ),
    click.option(
        "--read-ms",
        metavar="MS",
        type=Number(0),
        default=DEFAULT_READ_MS,
        help="longest time that reading may take of a frame",
    ),
    click.option(
        "--effort",
        type=click.Choice(EFFORTS),
        default=EFFORTS[0],
        help="how closely to search photos for many small things; auto: large ones without a "
        "main thing, fast: none, thorough: all",
    ),
)


def recognizer_options(function: Function) -> Function:
    """Add the options of RecognizerOptions, each as a parameter of its own."""
    for option in reversed(_RECOGNIZER_OPTIONS):
        function = option(function)
    return function


def with_recognizer(function: Function) -> Function:
    """Add the same options, and pass them on as one parameter, `recognizer`."""

    @functools.wraps(function)
    def collected(**values: Any) -> Any:
        names = [field.name for field in fields(RecognizerOptions)]
        options = RecognizerOptions(**{name: values.pop(name) for name in names})
        return function(recognizer=options, **values)

    return recognizer_options(collected)


# From options to objects, and messages.


def open_embedder(index: Index, encoder: str, projection: Path | None, device: Device) -> Embedder:
    """The encoder that the options name, or else the one that made the
    index, with the head.

    Raises EncoderError if they cannot be opened, or did not make
    the index.
    """
    from data_label_factory.identify.index.maker import open_maker

    return open_maker(index, encoder, projection, device=device)


def report_passed_over(walks: Sequence[Walk]) -> None:
    """Print what was passed over in each folder."""
    for walk in walks:
        for line in walk.describe_passed_over():
            print(f"{walk.folder}: {line}", file=sys.stderr)


def report_unusable(what: str, reasons: dict[str, str]) -> None:
    """Print the first 20 files that could not be used, with the
    reasons, and count the others.
    """
    for name, reason in list(reasons.items())[:_LISTED_MAX]:
        print(f"{what}: {name!r}" + (f": {reason}" if reason else ""), file=sys.stderr)
    if len(reasons) > _LISTED_MAX:
        print(f"{what}: {len(reasons) - _LISTED_MAX} more", file=sys.stderr)
