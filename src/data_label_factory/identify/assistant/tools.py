"""What an assistant can do with a collection and its lists."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_label_factory.errors import (
    FactoryError,
    ImageError,
    ListError,
    UnknownItemError,
    UnknownListError,
)
from data_label_factory.identify.images import RGB, Limits, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.labels import Label
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.content import Content, now
from data_label_factory.lists.formats.exchange import export, find_format
from data_label_factory.lists.store import ListStore
from data_label_factory.prices.book import PriceBook

MAX_PICTURE_BYTES = 20 * 2**20  # as of the server
MAX_FOUND = 100
# About 50,000 tokens, a quarter of what an assistant can hold.
MAX_EXPORT_BYTES = 200_000
_DEVICE = "assistant"


@dataclass
class Tools:
    """The tools of one index. Safe to call from any thread.

    `open_recognizer` is called with the first picture, because it
    takes a while. `lists` is the file of the lists, None for none.
    """

    index: Index
    open_recognizer: Callable[[], Recognizer]
    lists: Path | None = None
    prices: PriceBook | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)
    _recognizer: Recognizer | None = None

    def identify_image(self, path: str, picture: str) -> dict[str, Any]:
        """What a picture shows: of the file `path`, or in base64.

        Raises FactoryError for one that cannot be used.
        """
        image = _read_picture(path, picture)
        found = self._open().recognize(image, guess=True)
        height, width = image.shape[:2]
        return {
            "width": width,
            "height": height,
            "found": [self._tell(one) for one in found if not one.is_guess],
            "guesses": [
                self._describe(reference)
                for one in found
                if one.is_guess
                for reference, _ in one.top_k
            ],
        }

    def search_items(self, words: str, limit: int) -> dict[str, Any]:
        """The items whose name, set code or file has all words, in
        any case.
        """
        wanted = words.casefold().split()
        index = self.index
        rows = []
        for row, columns in enumerate(
            zip(index.names, index.set_codes, index.references, strict=True)
        ):
            text = "\n".join(map(str, columns)).casefold()
            is_first = index.first_views[row] == row
            if is_first and all(word in text for word in wanted):
                rows.append(str(index.references[row]))
        shown = rows[: max(1, min(limit, MAX_FOUND))]
        return {
            "items": [self._describe(reference) for reference in shown],
            "total": len(rows),
        }

    def list_add(
        self,
        name: str,
        reference: str,
        item_name: str,
        quantity: int,
        note: str,
    ) -> dict[str, Any]:
        """Put copies of an item on the list `name`, which is made if
        there is none. The item is a reference of the index, or any
        other thing by its name.

        Raises FactoryError.
        """
        values: dict[str, Any] = {
            "quantity": quantity,
            "note": note,
            "name": item_name,
            "taken_at": now(),
            "device": _DEVICE,
        }
        if reference:
            values |= self._read_item(reference)
        content = Content.read(values)

        with self._open_lists() as store:
            info = store.find(name) or store.create(name, _DEVICE)
            added = store.add(info.id, [NewEntry(content)], merge=True, device=_DEVICE)
            entry = added.entries[0].content
            return {
                "list": info.name,
                "name": entry.name,
                "quantity": entry.quantity,
                "entries": len(store.entries(info.id)),
            }

    def list_export(self, name: str, format_id: str) -> dict[str, Any]:
        """A list as the text of a file of another tool.

        Raises FactoryError, also for what is no text, or too long.
        """
        format_ = find_format(format_id)
        if format_.kind == "xlsx":
            raise ListError(f"{format_.title} is no text", "Choose csv or another format")
        with self._open_lists() as store:
            info = store.find(name)
            if info is None:
                known = ", ".join(repr(one.name) for one in store.lists())
                raise UnknownListError(
                    f"There is no list {name!r}",
                    f"There are: {known[:500] or 'none'}",
                )
            contents = [entry.content for entry in store.entries(info.id)]

        exported = export(contents, format_id)
        if len(exported.data) > MAX_EXPORT_BYTES:
            raise ListError(
                f"The list has {exported.rows} rows, too many to be told",
                f"Run: dlf lists export {name!r} --format {format_id}",
            )
        return {
            "format": format_.title,
            "filename": exported.filename(info.name),
            "rows": exported.rows,
            "warnings": exported.warnings,
            "text": exported.data.decode("utf-8-sig"),
        }

    def _open(self) -> Recognizer:
        with self._opening:
            if self._recognizer is None:
                self._recognizer = self.open_recognizer()
            return self._recognizer

    def _open_lists(self) -> ListStore:
        if self.lists is None:
            raise ListError("No lists are kept", "Name a file with --lists")
        return ListStore(self.lists)

    def _tell(self, found: Detection) -> dict[str, Any]:
        reference = found.reference
        return {
            **self._describe(reference, found.label),
            "sure": found.confident,
            "false_accept_rate": found.false_accept_rate,
            "ambiguous_with": list(found.ambiguous_with),
            "box": [round(float(value)) for value in found.box],
        }

    def _describe(self, reference: str, label: Label | None = None) -> dict[str, Any]:
        index = self.index
        if label is None:
            label = index.label(index.row_of[reference])
        told: dict[str, Any] = {
            "name": label.name,
            "set_code": label.set_code,
            "rarity": label.rarity,
            "reference": reference,
        }
        if price := self._find_price(reference, label):
            told["price"] = price["median"]
            told["currency"] = price["currency"]
        return told

    def _find_price(self, reference: str, label: Label) -> dict[str, Any] | None:
        if self.prices is None:
            return None
        return self.prices.price_of(label, reference, self.index.meta.labels)

    def _read_item(self, given: str) -> dict[str, Any]:
        """What a list keeps of an item of the index."""
        index = self.index
        reference = index.find(given)
        if reference is None:
            raise UnknownItemError(
                f"The index has no item {given!r}",
                "search_items tells the references",
            )
        first = index.first_views[index.row_of[reference]]
        values = self._describe(str(index.references[first]))
        return {"item": values.pop("reference"), **values}


def _read_picture(path: str, picture: str) -> RGB:
    if bool(path) == bool(picture):
        raise FactoryError("Give either a path or a picture in base64")
    data = _read_base64(picture) if picture else _read_file(Path(path))
    return decode(data, limits=Limits(max_bytes=MAX_PICTURE_BYTES))


def _read_file(path: Path) -> bytes:
    try:
        path = path.expanduser()
        if not path.is_file():
            raise ImageError(f"There is no file {path}")
        with path.open("rb") as file:
            # One more than allowed, so that too large shows.
            return file.read(MAX_PICTURE_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as exc:  # ~nobody has no home
        raise ImageError(f"Cannot read {path}: {exc}") from exc


def _read_base64(text: str) -> bytes:
    body = text.partition(",")[2] if text.startswith("data:") else text
    if len(body) > MAX_PICTURE_BYTES * 4 // 3 + 4:
        raise ImageError("The picture is over 20 MB", "Send a smaller one")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ImageError("The picture is not base64") from exc
