"""A whole archive of pictures and PDFs → entries of a list.

What is sure becomes an entry, in the order of the detections, with
its place. What is not goes to review, with its candidates. A file
is one step, so it can be undone as one, and is taken only once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from data_label_factory.errors import ImageError
from data_label_factory.identify.batch import RecognizedFrame, Source, Unreadable
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import cut_out
from data_label_factory.identify.recognize import Detection
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.content import MOST_CANDIDATES, REVIEW, SURE, Content, now
from data_label_factory.lists.crops import MOST_SIDE, bound_crop
from data_label_factory.lists.store import ListStore
from data_label_factory.prices.book import PriceBook

Place = tuple[int | None, int | None]

_DEVICE = "identify"
_CHUNK_BYTES = 2**20
_QUALITY = 80


@dataclass
class Taken:
    """What came of it, counted. `known` are the files that were on the
    list already, `videos` those that show a thing many times.
    """

    files: int = 0
    sure: int = 0
    review: int = 0
    known: list[str] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)


class Archive:
    """Takes files into one list, each as a whole or not at all."""

    def __init__(
        self, store: ListStore, list_id: int, index: Index, prices: PriceBook | None = None
    ) -> None:
        self.taken = Taken()
        self._store = store
        self._list_id = list_id
        self._index = index
        self._prices = prices
        self._digests: dict[Source, str] = {}

    def choose(self, sources: Iterable[Source], *, again: bool) -> list[Source]:
        """The files to recognize: not those that are on the list
        already, unless `again`. Of two equal files one counts.
        """
        chosen: list[Source] = []
        seen: set[str] = set()
        for source in sources:
            if source.is_video:
                self.taken.videos.append(str(source.path))
                continue
            try:
                digest = _hash(source)
            except OSError:
                chosen.append(source)  # recognition says what is wrong with it
                continue
            is_known = digest in seen or self._store.has_source(self._list_id, digest)
            if is_known and not again:
                self.taken.known.append(str(source.path))
                continue
            seen.add(digest)
            self._digests[source] = digest
            chosen.append(source)
        return chosen

    def take(
        self, frames: Iterable[RecognizedFrame | Unreadable]
    ) -> Iterator[RecognizedFrame | Unreadable]:
        """Pass `frames` on, and add what each file shows once it is
        complete.
        """
        document: Source | None = None  # of several pages
        entries: list[NewEntry] = []
        for frame in frames:
            if frame.source != document:
                self._add(document, entries)
                document, entries = None, []
            if isinstance(frame, Unreadable):
                document, entries = None, []  # else its first pages would be taken again
            elif frame.number is None:
                self._add(frame.source, read_frame(frame, self._index, self._prices))
            else:
                document = frame.source
                entries += read_frame(frame, self._index, self._prices)
            yield frame
        self._add(document, entries)

    def _add(self, source: Source | None, entries: Sequence[NewEntry]) -> None:
        digest = self._digests.get(source) if source else None
        if source is None or digest is None or not entries:
            return
        self._store.add(
            self._list_id,
            entries,
            kind="scan",
            device=_DEVICE,
            source=(digest, source.inside),
        )
        review = sum(one.content.state == REVIEW for one in entries)
        self.taken.files += 1
        self.taken.review += review
        self.taken.sure += len(entries) - review


def read_frame(
    frame: RecognizedFrame,
    index: Index,
    prices: PriceBook | None = None,
    places: Sequence[Place] | None = None,
) -> list[NewEntry]:
    """The entries of one picture, in the order of its detections.

    `places` are row and column of each, from 1. A guess counts only
    where nothing else was found.
    """
    detections = frame.found or frame.guesses
    places = places or [(None, None)] * len(detections)
    page = frame.source.inside
    if frame.source.is_pdf:
        page = f"{page}, page {frame.number}"

    entries = []
    for detection, (row, column) in zip(detections, places, strict=True):
        values = _describe(detection, index, prices)
        values |= {"page": page[-300:], "row": row, "column": column, "taken_at": now()}
        content = Content.read({**values, "device": _DEVICE})
        entries.append(NewEntry(content, crop=_crop(frame.image, detection)))
    return entries


def _describe(detection: Detection, index: Index, prices: PriceBook | None) -> dict[str, Any]:
    first = _first_view(detection.reference, index)
    label = detection.label
    values: dict[str, Any] = {
        "item": first,
        "name": label.name,
        "set_code": label.set_code,
        "rarity": label.rarity,
        "state": SURE if detection.confident else REVIEW,
    }
    if not detection.confident:
        values["candidates"] = _list_candidates(detection, index)
    elif prices and (found := prices.price_of(label, first, index.meta.labels)):
        values |= {"price": found["median"], "currency": found["currency"]}
    return values


def _list_candidates(detection: Detection, index: Index) -> list[dict[str, Any]]:
    """What it may be, the best first, each item once."""
    scores = dict(detection.top_k)
    named = [detection.reference, *detection.ambiguous_with, *scores]
    candidates: dict[str, dict[str, Any]] = {}
    for reference in named:
        first = _first_view(reference, index)
        label = index.label(index.row_of[first])
        candidates.setdefault(
            first,
            {
                "item": first,
                "name": label.name,
                "set_code": label.set_code,
                "rarity": label.rarity,
                "score": scores.get(reference, detection.score),
            },
        )
    return list(candidates.values())[:MOST_CANDIDATES]


def _first_view(reference: str, index: Index) -> str:
    return str(index.references[index.first_views[index.row_of[reference]]])


def _crop(image: RGB, detection: Detection) -> bytes:
    """A small JPEG of what was seen."""
    picture = cut_out(image, detection.quad, MOST_SIDE)
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    is_good, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), options)
    if not is_good:
        raise ImageError("The picture of an entry cannot be written")
    return bound_crop(data.tobytes())


def _hash(source: Source) -> str:
    digest = hashlib.sha256()
    with source.path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
