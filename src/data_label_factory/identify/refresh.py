"""A folder → an index that is up to date and calibrated.

The command, the demo, the server and `Collection` use it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.approximate import update_graph
from data_label_factory.identify.index.build import BuildResult, build_index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.calibrate import calibrate, is_out_of_date
from data_label_factory.identify.recognize.feature_store import feature_store_path
from data_label_factory.identify.recognize.printings import open_print_reader
from data_label_factory.identify.recognize.reference_reader import read_references
from data_label_factory.identify.recognize.reference_writer import ReferenceWriter
from data_label_factory.labels import LabelScheme

Calibrate = Literal["auto", "always", "never"]


def refresh_index(
    refs: str | Path,
    out: str | Path,
    embedder: Embedder,
    *,
    calibrate: Calibrate = "auto",
    negatives: str | Path | None = None,
    trim: bool | None = None,
    labels: LabelScheme | None = None,
    full: bool = False,
    batch_size: int = 32,
    quiet: bool = False,
) -> BuildResult:
    """Build or update the index at `out`, and calibrate it where
    needed.

    "auto" calibrates an index that never was, that has grown or
    shrunk by a quarter since, or for which `negatives` (a folder of
    pictures that show none of your items) are given. Raises as
    `build_index` and `calibrate`.
    """
    with ReferenceWriter(feature_store_path(out)) as writer:
        result = build_index(
            refs,
            out,
            embedder,
            trim=trim,
            labels=labels,
            full=full,
            batch_size=batch_size,
            keep=writer.take,
            quiet=quiet,
        )
    return finish(
        result, refs, out, embedder, calibrate=calibrate, negatives=negatives, quiet=quiet
    )


def finish(
    result: BuildResult,
    refs: str | Path,
    out: str | Path,
    embedder: Embedder,
    *,
    calibrate: Calibrate = "auto",
    negatives: str | Path | None = None,
    quiet: bool = False,
) -> BuildResult:
    """What follows on a build: the references' local features, and where
    needed the calibration. See `refresh_index`.
    """
    read_references(result.index, Path(refs), folder=feature_store_path(out), quiet=quiet)

    is_needed = calibrate == "always" or negatives is not None or is_out_of_date(result.index)
    if is_needed and calibrate != "never":
        result.index = calibrate_index(
            result.index, out, embedder, refs, negatives=negatives, quiet=quiet
        )
        result.written = True
    update_graph(result.index, Path(out))
    return result


def read_prints(
    index: Index, out: str | Path, embedder: Embedder, refs: str | Path, *, quiet: bool = False
) -> None:
    """Read the print of references that look alike, and leave it beside the
    index at `out`, with the references' local features.

    Does nothing without the extra `ocr`.
    """
    reader = open_print_reader("auto", out)
    if reader is not None:
        cache = feature_store_path(out)
        Recognizer(index, embedder, refs=refs, cache=cache, reader=reader, quiet=quiet)


def calibrate_index(
    index: Index,
    out: str | Path,
    embedder: Embedder,
    refs: str | Path,
    *,
    negatives: str | Path | None = None,
    quiet: bool = False,
) -> Index:
    """Calibrate an index and write it to `out`; the references' local
    features are left beside it.

    Raises as `calibrate`, and FactoryError when the disk is full.
    """
    recognizer = Recognizer(index, embedder, refs=refs, cache=feature_store_path(out), quiet=quiet)
    learned = calibrate(
        recognizer, Path(refs), negatives=Path(negatives) if negatives else None, quiet=quiet
    )
    calibrated = index.with_calibration(learned.as_dict())
    calibrated.save(out)
    return calibrated
