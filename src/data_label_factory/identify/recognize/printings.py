"""Which printing it is: references of one picture that only their
print tells apart, a set code, a number, a language.

The rule knows no language. Where the references' own texts differ, the
frame is looked at in its full resolution. There the shapes of the
letters have to fit one reference clearly better than the others
(`reading.letters`), or the text that is read has to be nearer to what
it says (`reading.edits`). Where both speak, they have to agree; where
neither does, all printings that are left stay named.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.choices import DEFAULT_READ_MS, ReadMode
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.reading import TextReader, open_reader
from data_label_factory.identify.reading.cutting import LINE_PX, cut_line, pad_region
from data_label_factory.identify.reading.differences import Difference, find_differences
from data_label_factory.identify.reading.edits import which_may_be_read
from data_label_factory.identify.reading.letters import fit_letters
from data_label_factory.identify.reading.texts import PlacedText, read_texts, text_cache_path
from data_label_factory.identify.recognize.appearance import resize_like
from data_label_factory.identify.recognize.features import Floats, Mask
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    find_indistinguishable,
    find_near_duplicates,
)

# By `bench/printings.py`, and 200 frames of its kind: a threshold of 4
# let one wrong printing in (by 4.8), a fit of 0.45 another.
_CLEARLY = 5.0  # log-likelihood by which the letters of others fit worse
_FITS = 0.5  # part of the contrast that the best has to explain

_PICTURE_SIDE_PX = 736  # see `reading.texts`
_PICTURES_HELD, _GROUPS_HELD = 64, 4096
_ONLY_PRINT = 0.5  # of what sets two thumbnails apart, in the regions of print
_DETAIL_PX = 1.5  # sigma below which differences are noise
_FIRST_COST = 0.04  # seconds a region, before one was measured
_COST_FADES = 0.8


@dataclass(frozen=True)
class Told:
    """`number` is the reference whose print is shown, `alike` are those
    that it could be as well, `read` is what it says where they differ.
    """

    number: int
    alike: tuple[int, ...]
    read: str = ""


@dataclass(frozen=True)
class PrintReader:
    """What reads print, for how many ms a frame at most, and the file
    that keeps what it read on references.
    """

    reader: TextReader
    budget_ms: float = DEFAULT_READ_MS
    cache: Path | None = None


class Printings:
    """Tells printings apart in frames. Safe to call from several threads.

    The texts of references that have near-duplicates are read when it is
    made, see `read_texts`.
    """

    def __init__(
        self,
        print_reader: PrintReader,
        index: Index,
        refs: Path,
        references: ReferenceFeatures,
        *,
        quiet: bool = True,
    ) -> None:
        self._reader, self._budget_ms = print_reader.reader, print_reader.budget_ms
        self._index, self._refs, self._references = index, refs, references
        self._cost = _FIRST_COST
        doubtful = references.doubtful
        self._texts: dict[str, list[PlacedText]] = read_texts(
            index,
            refs,
            [int(references.rows[number]) for number in doubtful],
            self._reader,
            cache=print_reader.cache,
            quiet=quiet,
        )

        if doubtful:  # opened now, so that no frame waits for it
            self._reader.read_line(np.zeros((LINE_PX, LINE_PX, 3), np.uint8))
        # Of this object, so that they go when it goes.
        self._picture = lru_cache(_PICTURES_HELD)(self._read_picture)
        self._differences = lru_cache(_GROUPS_HELD)(self._find_differences)

    def tell(self, frame: RGB, pose: ScoredPose, hidden: Collection[int] = ()) -> Told:
        """What `frame` (H, W, 3) shows at a pose, of those references that
        print alone tells apart. Rows in `hidden` do not count.
        """
        own = pose.hypothesis.reference
        doubtful = find_indistinguishable(pose, self._references)
        rivals = [
            other
            for other in find_near_duplicates(pose, self._references)
            if int(self._references.rows[other]) not in hidden
            and self._lines(other) is not None
            and (other in doubtful or self._only_print_differs(own, other))
        ]
        outside = [other for other in doubtful if other not in rivals]
        if not rivals or self._lines(own) is None:
            return Told(own, tuple(doubtful), "")

        group = (own, *sorted(rivals))
        left, looked_at = self._look(frame, pose.quad, group)
        told = group[left[0]]
        alike = [*(group[at] for at in left[1:]), *outside]
        read = _join_texts(looked_at, left) if len(left) < len(group) else ""
        return Told(told, tuple(alike), read)

    def _look(
        self, frame: RGB, quad: Quad, group: tuple[int, ...]
    ) -> tuple[list[int], list[Difference]]:
        """Which of a group it could be, the best first, and the regions
        that were looked at.
        """
        end = time.perf_counter() + self._budget_ms / 1000
        letters = np.zeros(len(group))
        by_text = np.ones(len(group), bool)
        left, looked_at = list(range(len(group))), []
        for difference in self._differences(group):
            begun = time.perf_counter()
            if begun + self._cost > end:
                self._cost *= _COST_FADES  # it may have been a busy moment
                break
            letters += self._fit(frame, quad, difference, group)
            by_text &= self._read(frame, quad, difference)
            looked_at.append(difference)
            self._cost += (time.perf_counter() - begun - self._cost) / 2

            left = _list_left(letters, by_text)
            if len(left) == 1:
                break
        return left, looked_at

    def _fit(
        self, frame: RGB, quad: Quad, difference: Difference, group: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """How much worse than the best each of a group (N,) fits there; 0
        where letters say nothing.
        """
        pictures = [self._picture(number) for number in group]
        readable = [picture for picture in pictures if picture is not None]
        if len(readable) < len(group):
            return np.zeros(len(group))
        found = fit_letters(frame, quad, pad_region(difference.region), readable)
        if found is None or found.fit < _FITS:
            return np.zeros(len(group))
        best = float(found.log_likelihoods.max())
        return np.asarray(found.log_likelihoods - best, np.float64)

    def _read(self, frame: RGB, quad: Quad, difference: Difference) -> Mask:
        """Which of the texts (N,) it may be that stands there; none of them
        if it is surely another one.
        """
        if not difference.is_readable:
            return np.ones(len(difference.texts), bool)
        line = self._reader.read_line(cut_line(frame, quad, difference.region))
        return which_may_be_read(line, difference.folded)

    def _lines(self, number: int) -> list[PlacedText] | None:
        """The lines of a reference; None if it was not read."""
        return self._texts.get(str(self._index.contents[self._references.rows[number]]))

    def _find_differences(self, group: tuple[int, ...]) -> list[Difference]:
        return find_differences([self._lines(number) or [] for number in group])

    def _only_print_differs(self, own: int, other: int) -> bool:
        """Whether two thumbnails differ mainly where their texts do.

        What little of that can be seen at their size is noise in a
        frame; a foil or another picture is not.
        """
        first = self._references.thumbs[own]
        second = resize_like(self._references.thumbs[other], first)
        gap = np.abs(_soften(first) - _soften(second)).sum(axis=2)
        height, width = gap.shape
        inside = np.zeros((height, width), bool)
        for difference in self._differences((own, other)):
            left, top, right, bottom = pad_region(difference.region)
            rows = slice(max(0, int(top * height)), int(np.ceil(bottom * height)))
            inside[rows, max(0, int(left * width)) : int(np.ceil(right * width))] = True
        return float(gap[inside].sum()) >= _ONLY_PRINT * max(float(gap.sum()), 1e-6)

    def _read_picture(self, number: int) -> RGB | None:
        """A reference at its full size; None if its file is gone."""
        row = int(self._references.rows[number])
        try:
            return read_row(self._index, self._refs, row, _PICTURE_SIDE_PX)
        except ImageError:
            return None


def open_print_reader(
    mode: ReadMode, index_file: str | Path, budget_ms: float = DEFAULT_READ_MS
) -> PrintReader | None:
    """What reads print as `mode` says, None where nothing is to be read;
    texts are kept beside the index. Raises MissingExtraError.
    """
    reader = open_reader(mode)
    if reader is None:
        return None
    return PrintReader(reader, budget_ms, text_cache_path(index_file))


def open_printings(
    reader: PrintReader | None,
    index: Index,
    refs: str | Path | None,
    references: ReferenceFeatures | None,
    *,
    quiet: bool = True,
) -> Printings | None:
    """For the references of an index; None where there are none, or
    nothing that reads.
    """
    if reader is None or refs is None or references is None:
        return None
    return Printings(reader, index, Path(refs), references, quiet=quiet)


def tell_printing(
    printings: Printings | None,
    frame: RGB,
    pose: ScoredPose,
    references: ReferenceFeatures,
    hidden: Collection[int] = (),
) -> Told:
    """`Printings.tell`; without any, what the thumbnails tell apart."""
    if printings is not None:
        return printings.tell(frame, pose, hidden)
    return Told(pose.hypothesis.reference, tuple(find_indistinguishable(pose, references)))


def _list_left(letters: NDArray[np.float64], by_text: Mask) -> list[int]:
    """Those that both allow, the best letters first; all of them where
    the two contradict each other.
    """
    both = by_text & (letters > letters.max() - _CLEARLY)
    if not both.any():
        both = np.ones_like(both)
    return [int(at) for at in np.argsort(-letters, kind="stable") if both[at]]


def _join_texts(differences: Sequence[Difference], left: Sequence[int]) -> str:
    """What those that are `left` say where all of them say the same."""
    return " · ".join(
        one.texts[left[0]]
        for one in differences
        if one.texts[left[0]] and len({one.folded[at] for at in left}) == 1
    )


def _soften(thumb: RGB) -> Floats:
    return np.asarray(cv2.GaussianBlur(thumb, (0, 0), _DETAIL_PX), np.float32)
