"""Lists over HTTP: made, filled, edited and undone by several devices."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as PathField
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from data_label_factory.errors import StaleError
from data_label_factory.identify.server import list_schemas as shapes
from data_label_factory.identify.server.context import SharedContext
from data_label_factory.identify.server.events.taken import tell_taken
from data_label_factory.identify.server.list_entries import read_changes, read_new
from data_label_factory.identify.server.list_schemas import show_entry, show_list
from data_label_factory.identify.server.schemas import problems
from data_label_factory.identify.server.settings import Settings
from data_label_factory.lists.paging import MOST, SORTS
from data_label_factory.lists.paging import Query as EntryQuery
from data_label_factory.lists.steps import Entry
from data_label_factory.lists.store import ListStore

router = APIRouter(tags=["lists"])

Id = Annotated[int, PathField(ge=1, le=2**53)]
Device = Annotated[
    str,
    Header(alias="X-Device", max_length=64, description="Shown in the history"),
]
IfMatch = Annotated[
    str,
    Header(max_length=64, description='The version that was seen, "43"; * overwrites any'),
]
_READ = problems(404, 503)
_POLLED: dict[int | str, dict[str, Any]] = {**_READ, 304: {"description": "As it was"}}
_WRITE = problems(403, 404, 503)
POSTED = problems(400, 403, 404, 408, 409, 413, 415, 429, 503)
_CHANGE = {**POSTED, 412: {"model": shapes.Stale}, **problems(428)}


def may_write(settings: Settings) -> bool:
    """Whether lists may be changed: not where anyone on the network could."""
    return bool(settings.is_local or settings.api_key or settings.allow_enroll)


def allow_writing(context: SharedContext) -> ListStore:
    """The lists, to be changed.

    Raises HTTPException 403 where they may not be: this needs no
    option, so it is stricter than enrolment.
    """
    if not may_write(context.settings):
        raise HTTPException(
            403, "Lists are read-only here. Start the server with --api-key to change them"
        )
    return context.lists.write()


Writable = Annotated[ListStore, Depends(allow_writing)]


@router.get("/api/lists", responses=_POLLED, response_model=shapes.Lists, summary="All lists")
def lists(
    request: Request,
    context: SharedContext,
    deleted: Annotated[int, Query(ge=0, le=1, description="1: the deleted ones")] = 0,
) -> Response:
    """The one that was changed last first."""
    store = context.lists.read()
    infos = store.lists(deleted=bool(deleted)) if store else []
    can_write = may_write(context.settings)
    state = str([can_write, *((info.id, info.version) for info in infos)])
    etag = hashlib.sha256(state.encode()).hexdigest()[:16]
    body = {"lists": [show_list(info) for info in infos], "count": len(infos)}
    return answer(request, etag, {**body, "can_write": can_write})


@router.post(
    "/api/lists",
    status_code=201,
    responses=POSTED,
    response_model=shapes.ListShown,
    summary="A new list",
)
def make_list(store: Writable, body: shapes.ListToMake, device: Device = "") -> dict[str, Any]:
    return show_list(store.create(body.name, device))


@router.get(
    "/api/lists/{list_id}",
    responses=_POLLED,
    response_model=shapes.ListShown,
    summary="One list",
)
def one_list(request: Request, context: SharedContext, list_id: Id) -> Response:
    info = context.lists.require().get(list_id)
    return answer(request, str(info.version), show_list(info))


@router.patch(
    "/api/lists/{list_id}",
    responses=POSTED,
    response_model=shapes.ListShown,
    summary="Rename a list, or bring it back",
)
def change_list(
    store: Writable, list_id: Id, body: shapes.ListChange, device: Device = ""
) -> dict[str, Any]:
    info = store.get(list_id)
    if body.deleted is False:
        info = store.set_deleted(list_id, False, device)
    if body.name is not None:
        info = store.rename(list_id, body.name, device)
    return show_list(info)


@router.delete(
    "/api/lists/{list_id}",
    responses=_WRITE,
    response_model=shapes.ListShown,
    summary="Delete a list",
)
def delete_list(store: Writable, list_id: Id, device: Device = "") -> dict[str, Any]:
    """PATCH with `{"deleted": false}` brings it back."""
    return show_list(store.set_deleted(list_id, True, device))


@router.get(
    "/api/lists/{list_id}/entries",
    responses=_POLLED,
    response_model=shapes.EntriesPage,
    summary="A page of entries",
)
def entries(
    request: Request,
    context: SharedContext,
    list_id: Id,
    q: Annotated[str, Query(max_length=200, description="Words that an entry has")] = "",
    state: Annotated[str, Query(pattern="^(sure|review)?$")] = "",
    sort: Annotated[str, Query(max_length=20, description=", ".join(SORTS))] = "newest",
    cursor: Annotated[str, Query(max_length=4000, description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """Entries that come and go meanwhile neither shift nor double the others."""
    store = context.lists.require()
    version = store.version(list_id)
    if has_seen(request, str(version)):
        return answer(request, str(version), None)

    info, page = store.page(list_id, EntryQuery(q, state, sort, cursor, limit))
    body = {
        "entries": [show_entry(list_id, entry) for entry in page.entries],
        "count": len(page.entries),
        "total": page.total,
        "version": info.version,
        "next": page.next or None,
    }
    return answer(request, str(info.version), body)


@router.post(
    "/api/lists/{list_id}/entries",
    status_code=201,
    responses={**POSTED, 200: {"model": shapes.EntriesAdded, "description": "All were known"}},
    response_model=shapes.EntriesAdded,
    response_model_exclude_defaults=True,
    summary="Add entries",
)
def add_entries(
    context: SharedContext,
    store: Writable,
    list_id: Id,
    body: shapes.EntriesToAdd,
    device: Device = "",
) -> Response:
    """As one step. An entry whose `key` was sent before is not added again."""
    new = [read_new(context, sent) for sent in body.entries]
    device = device or new[0].content.device
    added = store.add(list_id, new, merge=body.merge, device=device)
    tell_taken(context.events, list_id, new, added)

    shown = [show_entry(list_id, entry) for entry in added.entries]
    done = {"step": added.step, "version": added.step, **vars(added), "entries": shown}
    return JSONResponse(done, 200 if added.known == len(new) else 201)


@router.get(
    "/api/lists/{list_id}/entries/{entry_id}",
    responses=_POLLED,
    response_model=shapes.EntryShown,
    summary="One entry",
)
def one_entry(request: Request, context: SharedContext, list_id: Id, entry_id: Id) -> Response:
    entry = context.lists.require().entry(list_id, entry_id)
    return answer(request, str(entry.version), show_entry(list_id, entry))


@router.patch(
    "/api/lists/{list_id}/entries/{entry_id}",
    responses=_CHANGE,
    response_model=shapes.EntryShown,
    summary="Change an entry",
)
def change_entry(
    request: Request,
    context: SharedContext,
    store: Writable,
    list_id: Id,
    entry_id: Id,
    body: shapes.EntryValues,
    if_match: IfMatch = "",
    device: Device = "",
) -> Response:
    """Only the fields that are sent. With an `item` alone, name, set
    code, rarity and price follow it.
    """
    seen = read_version(if_match)
    values = read_changes(context, body)
    try:
        entry = store.edit(list_id, entry_id, values, seen, device)
    except StaleError as exc:
        return _refuse(list_id, exc)
    return answer(request, str(entry.version), show_entry(list_id, entry))


@router.delete(
    "/api/lists/{list_id}/entries/{entry_id}",
    responses=_CHANGE,
    response_model=shapes.StepDone,
    summary="Take an entry out",
)
def remove_entry(
    store: Writable, list_id: Id, entry_id: Id, if_match: IfMatch = "", device: Device = ""
) -> Response:
    seen = read_version(if_match)
    try:
        step = store.remove(list_id, entry_id, seen, device)
    except StaleError as exc:
        return _refuse(list_id, exc)
    return JSONResponse({"step": step, "version": step})


@router.get(
    "/api/lists/{list_id}/entries/{entry_id}/crop",
    response_class=Response,
    responses={**_POLLED, 200: {"content": {"image/jpeg": {}}}},
    summary="The picture of an entry",
)
def crop(request: Request, context: SharedContext, list_id: Id, entry_id: Id) -> Response:
    store = context.lists.require()
    name = store.entry(list_id, entry_id).content.crop
    picture = store.crop(name) if name else None
    if picture is None:
        raise HTTPException(404, "This entry has no picture")
    headers = {"ETag": f'"{name[:32]}"', "Cache-Control": "private, no-cache"}
    if has_seen(request, name[:32]):
        return Response(status_code=304, headers=headers)
    return Response(picture, media_type="image/jpeg", headers=headers)


def read_version(if_match: str) -> int | None:
    """The version that a client has seen, None for any.

    Raises HTTPException 428 if it does not say.
    """
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text:
        raise HTTPException(428, "Send the version that you saw as If-Match, or * for any")
    if text == "*":
        return None
    return int(text) if text.isdecimal() and text.isascii() else -1


def has_seen(request: Request, etag: str) -> bool:
    """Whether the client has the version with this ETag already."""
    header = request.headers.get("if-none-match", "")
    known = [part.strip().removeprefix("W/") for part in header.split(",")]
    return f'"{etag}"' in known


def answer(request: Request, etag: str, body: Any) -> Response:
    """`body` as JSON, or 304 for a client that has it."""
    headers = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}
    if request.method == "GET" and has_seen(request, etag):
        return Response(status_code=304, headers=headers)
    return JSONResponse(body, headers=headers)


def _refuse(list_id: int, error: StaleError) -> Response:
    assert isinstance(error.current, Entry)
    current = show_entry(list_id, error.current)
    return JSONResponse({"detail": str(error), "current": current}, 412)
