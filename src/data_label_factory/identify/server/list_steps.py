"""Whole steps of a list over HTTP: merge, history, undo."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from data_label_factory.identify.server import list_schemas as shapes
from data_label_factory.identify.server.context import SharedContext
from data_label_factory.identify.server.list_schemas import show_entry, show_step
from data_label_factory.identify.server.lists import POSTED, Device, Id, Writable
from data_label_factory.identify.server.schemas import problems

router = APIRouter(tags=["lists"])

_MOST_STEPS = 200


@router.post(
    "/api/lists/{list_id}/merge",
    responses=POSTED,
    response_model=shapes.Merged,
    summary="Merge two lists, or what is equal",
)
def merge(
    store: Writable, list_id: Id, body: shapes.MergeOrder, device: Device = ""
) -> dict[str, Any]:
    """With `from`, a copy of every entry of that list; without, entries
    that are equal become one.
    """
    if body.from_ is None:
        added = store.join_equal(list_id, device)
    else:
        added = store.merge_from(list_id, body.from_, device)
    return {**vars(added), "version": added.step}


@router.get(
    "/api/lists/{list_id}/history",
    responses=problems(404, 503),
    response_model=shapes.History,
    summary="The steps of a list",
)
def history(
    context: SharedContext,
    list_id: Id,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_STEPS)] = 50,
) -> dict[str, Any]:
    """The newest first."""
    steps, following = context.lists.require().history(list_id, before, limit)
    return {"steps": [show_step(step) for step in steps], "next": following}


@router.post(
    "/api/lists/{list_id}/undo",
    responses=POSTED,
    response_model=shapes.StepUndone,
    response_model_exclude_defaults=True,
    summary="Take a step back",
)
def undo(
    store: Writable, list_id: Id, body: shapes.UndoOrder, device: Device = ""
) -> dict[str, Any]:
    """By default the newest that is not taken back. 409 where an entry
    is no longer as the step left it.
    """
    undone = store.undo(list_id, body.step, device)
    entries = [show_entry(list_id, entry) for entry in undone.entries]
    return {**vars(undone), "version": undone.step, "entries": entries}
