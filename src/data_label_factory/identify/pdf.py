"""A PDF → its pages as pictures, through PDFium."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import ImageError, ImageUnsupportedError
from data_label_factory.extras import need
from data_label_factory.identify.images import RGB
from data_label_factory.progress import Progress

PDF_SUFFIXES = frozenset({".pdf"})
# A card on a page of nine has 500 × 700 px then: as much as recognition uses.
_DPI = 200
_POINTS_PER_INCH = 72
# A poster is rendered smaller. An A3 page has 7.7 megapixels at 200 dpi.
_MAX_PIXELS = 24_000_000
_MAX_SIDE_PX = 16_000  # a page can claim to be a hair wide and miles long


def can_read_pdf() -> bool:
    """Whether the extra `pdf` is installed."""
    return importlib.util.find_spec("pypdfium2") is not None


def read_pdf(path: Path, progress: Progress | None = None) -> Iterator[tuple[int, RGB]]:
    """The number, from 1, and the picture, (H, W, 3) uint8 RGB, of each
    page, at 200 dpi.

    Adds the pages to the total of `progress`. Raises ImageError if
    the file is missing, encrypted or damaged, MissingExtraError if
    the extra `pdf` is not installed.
    """
    pdfium = need("pypdfium2", extra="pdf")
    if not path.is_file():
        what = "A folder or device" if path.exists() else "There is no such file"
        raise ImageError(what, "Name a PDF")

    document = _open(pdfium, path)
    try:
        count = len(document)
        if progress is not None:
            progress.total += count
        for number in range(count):
            yield number + 1, _render(pdfium, document, number)
    finally:
        document.close()


def _open(pdfium: Any, path: Path) -> Any:
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as exc:
        if "password" in str(exc).lower():
            raise ImageUnsupportedError(
                "The PDF needs a password", "Print it into a new PDF without one"
            ) from exc
        raise ImageUnsupportedError(
            "Not a PDF that can be read", "Copy or export it again"
        ) from exc


def _render(pdfium: Any, document: Any, number: int) -> RGB:
    try:
        page = document[number]
        try:
            width, height = page.get_size()
            bitmap = page.render(scale=_scale_for(width, height), rev_byteorder=True)
            return _as_rgb(bitmap.to_numpy())
        finally:
            page.close()
    except (pdfium.PdfiumError, ValueError, MemoryError) as exc:
        raise ImageError(f"Page {number + 1} of the PDF cannot be read", "Export it again") from exc


def _scale_for(width: float, height: float) -> float:
    """Pixels per point for a page of that size in points."""
    area, longest = max(width * height, 1.0), max(width, height, 1.0)
    return min(_DPI / _POINTS_PER_INCH, math.sqrt(_MAX_PIXELS / area), _MAX_SIDE_PX / longest)


def _as_rgb(pixels: Any) -> RGB:
    """Gray, RGB or RGBA pixels as RGB."""
    array = np.asarray(pixels, np.uint8)
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array[..., :3])
