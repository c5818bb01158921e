"""The JSON of lists: what `docs/lists.md` describes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from data_label_factory.identify.server.schemas import Problem
from data_label_factory.lists.content import (
    LONGEST,
    MOST_CANDIDATES,
    MOST_COPIES,
    MOST_EXTRA,
    MOST_PRICE,
)
from data_label_factory.lists.crops import MOST_BYTES
from data_label_factory.lists.history import PastStep
from data_label_factory.lists.listing import LONGEST_NAME, ListInfo
from data_label_factory.lists.steps import Entry

MOST_ENTRIES = 200  # of one request
KEY = r"^[A-Za-z0-9_-]{1,64}$"
State = Literal["sure", "review"]
Price = Annotated[float, Field(ge=0, le=MOST_PRICE, allow_inf_nan=False)]
Number = Annotated[int, Field(ge=1, le=1_000_000)]
Quantity = Annotated[int, Field(ge=1, le=MOST_COPIES)]


def _text(name: str) -> Any:
    return Field(default="", max_length=LONGEST[name])


class Candidate(BaseModel):
    """What an entry in review may be."""

    item: str = _text("item")
    name: str = _text("name")
    set_code: str = _text("set_code")
    rarity: str = _text("rarity")
    score: Annotated[float, Field(allow_inf_nan=False)] = 0


class EntryValues(BaseModel):
    """The fields of an entry that a client sends; each may be left out."""

    model_config = ConfigDict(extra="forbid")

    item: str = _text("item")
    name: str = _text("name")
    set_code: str = _text("set_code")
    rarity: str = _text("rarity")
    finish: str = _text("finish")
    condition: str = _text("condition")
    language: str = _text("language")
    quantity: Quantity = 1
    price: Price | None = None
    currency: str = Field(default="", pattern="^([A-Za-z]{3})?$", examples=["EUR"])
    note: str = _text("note")
    extra: dict[str, str] = Field(default_factory=dict, max_length=MOST_EXTRA)
    state: State = "sure"
    page: str = _text("page")
    row: Number | None = None
    column: Number | None = None
    taken_at: str = Field(default="", max_length=LONGEST["taken_at"])
    session: str = _text("session")
    device: str = _text("device")
    candidates: list[Candidate] = Field(default_factory=list, max_length=MOST_CANDIDATES)


class EntryToAdd(EntryValues):
    key: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        description="Yours, one for each take: sent twice, it counts once",
    )
    crop: str = Field(
        default="",
        max_length=MOST_BYTES * 4 // 3 + 4,
        description="A JPEG in base64; kept at up to 480 px a side",
    )


class EntriesToAdd(BaseModel):
    model_config = ConfigDict(extra="forbid")

    entries: list[EntryToAdd] = Field(min_length=1, max_length=MOST_ENTRIES)
    merge: bool = Field(default=False, description="Copies of an equal entry join it")


class ListToMake(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["Binder"])


class ListChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=LONGEST_NAME)
    deleted: Literal[False] | None = Field(default=None, description="false brings it back")


class MergeOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_: int | None = Field(default=None, alias="from", ge=1, le=2**53)


class UndoOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    step: int | None = Field(default=None, ge=1, le=2**53)


class TotalShown(BaseModel):
    currency: str
    amount: float
    copies: int


class ListShown(BaseModel):
    id: int
    name: str
    version: int = Field(description="The step that changed it last")
    created_at: str
    updated_at: str
    deleted: bool
    entries: int
    copies: int
    review: int = Field(description="Entries that a person has to look at")
    totals: list[TotalShown]


class Lists(BaseModel):
    lists: list[ListShown]
    count: int
    can_write: bool


class EntryShown(BaseModel):
    id: int
    version: int
    state: State
    item: str
    name: str
    set_code: str
    rarity: str
    finish: str
    condition: str
    language: str
    quantity: int
    price: float | None
    currency: str
    note: str
    extra: dict[str, str]
    page: str
    row: int | None
    column: int | None
    taken_at: str
    session: str
    device: str
    candidates: list[Candidate]
    crop_url: str
    removed: bool = Field(default=False, description="Only of one that was taken out since")


class EntriesPage(BaseModel):
    entries: list[EntryShown]
    count: int
    total: int
    version: int
    next: str | None = Field(description="The cursor of the next page")


class EntriesAdded(BaseModel):
    step: int
    version: int
    added: int
    merged: int
    known: int
    entries: list[EntryShown]


class StepDone(BaseModel):
    step: int
    version: int


class Merged(StepDone):
    added: int
    merged: int


class StepUndone(StepDone):
    undone: int
    kind: str
    entries: list[EntryShown]
    removed: list[int]


class ChangeShown(BaseModel):
    entry: int | None = Field(description="null where the list's name was changed")
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class StepShown(BaseModel):
    id: int
    kind: str
    at: str
    device: str
    undoes: int | None
    undone_by: int | None
    changed: int
    changes: list[ChangeShown]


class History(BaseModel):
    steps: list[StepShown]
    next: int | None


class Stale(Problem):
    current: EntryShown


def show_list(info: ListInfo) -> dict[str, Any]:
    return {**vars(info), "totals": [vars(total) for total in info.totals]}


def show_entry(list_id: int, entry: Entry) -> dict[str, Any]:
    """An entry as JSON; `removed` only where it is."""
    values = dict(vars(entry.content))
    has_crop = values.pop("crop")
    values["candidates"] = list(values["candidates"])
    values["crop_url"] = f"/api/lists/{list_id}/entries/{entry.id}/crop" if has_crop else ""
    shown = {"id": entry.id, "version": entry.version, **values}
    return {**shown, "removed": True} if entry.removed else shown


def show_step(step: PastStep) -> dict[str, Any]:
    changes = [
        {"entry": entry, "before": before, "after": after} for entry, before, after in step.changes
    ]
    return {**vars(step), "changes": changes}
