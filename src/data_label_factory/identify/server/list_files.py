"""Lists as files over HTTP: import, export, and the table of formats."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import BaseModel
from starlette.responses import JSONResponse

from data_label_factory.identify.server.context import SharedContext
from data_label_factory.identify.server.lists import Device, Id, Writable
from data_label_factory.identify.server.schemas import problems
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.formats.exchange import AUTO, FORMATS, Imported, export, read
from data_label_factory.lists.store import ListStore

router = APIRouter(tags=["lists"])

_SHOWN_SKIPPED = 200
_FormatId = Annotated[str, Query(max_length=40, description=", ".join(FORMATS))]


class FormatShown(BaseModel):
    id: str
    title: str
    suffix: str
    reads: bool
    writes: bool
    about: str


class FormatsShown(BaseModel):
    formats: list[FormatShown]


class SkippedLine(BaseModel):
    line: int
    reason: str


class ListImported(BaseModel):
    format: str
    step: int
    version: int
    added: int
    merged: int
    skipped: list[SkippedLine]
    notes: list[str]


class ExportCheck(BaseModel):
    format: str
    filename: str
    media_type: str
    rows: int
    warnings: list[str]


@router.get(
    "/api/list-formats",
    responses=problems(),
    response_model=FormatsShown,
    summary="The formats of import and export",
)
def list_formats() -> dict[str, Any]:
    shown = [
        {
            "id": one.id,
            "title": one.title,
            "suffix": one.suffix,
            "reads": True,
            "writes": True,
            "about": one.about,
        }
        for one in FORMATS.values()
    ]
    return {"formats": shown}


@router.post(
    "/api/lists/{list_id}/import",
    responses=problems(400, 403, 404, 408, 409, 413, 415, 429, 503),
    response_model=ListImported,
    summary="Add the entries of a file",
)
async def import_file(
    store: Writable,
    list_id: Id,
    file: Annotated[UploadFile, File(description="CSV, text, JSON or XLSX")],
    format: Annotated[str, Form(max_length=40, description=f"{AUTO}, or one of the table")] = AUTO,
    merge: Annotated[int, Form(ge=0, le=1, description="1: equal entries add up")] = 0,
    device: Device = "",
) -> dict[str, Any]:
    """As one step. What a line does not say, or says wrongly, is in `skipped`."""
    data = await file.read()
    return await asyncio.to_thread(_take_in, store, list_id, data, format, bool(merge), device)


@router.get(
    "/api/lists/{list_id}/export",
    response_class=Response,
    responses={
        **problems(404, 503),
        200: {
            "model": ExportCheck,
            "content": {one.media_type.split(";")[0]: {} for one in FORMATS.values()},
        },
    },
    summary="A list as a file of another tool",
)
def export_file(
    context: SharedContext,
    list_id: Id,
    format: _FormatId,
    check: Annotated[int, Query(ge=0, le=1, description="1: only say what it loses")] = 0,
) -> Response:
    store = context.lists.require()
    name = store.get(list_id).name
    exported = export([entry.content for entry in store.entries(list_id)], format)

    filename = exported.filename(name)
    if check:
        told = {"media_type": exported.format.media_type, "rows": exported.rows}
        told |= {"format": format, "filename": filename, "warnings": exported.warnings}
        return JSONResponse(told)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename)}",
        "Cache-Control": "no-store",
        "X-Warnings": str(len(exported.warnings)),
    }
    return Response(exported.data, media_type=exported.format.media_type, headers=headers)


def _take_in(
    store: ListStore, list_id: int, data: bytes, format_id: str, merge: bool, device: str
) -> dict[str, Any]:
    version = store.version(list_id)
    imported: Imported = read(data, format_id)
    entries = [NewEntry(content) for content in imported.entries]
    done = {"step": version, "version": version, "added": 0, "merged": 0}
    if entries:
        added = store.add(list_id, entries, merge=merge, kind="import", device=device)
        done = {
            "step": added.step,
            "version": added.step,
            "added": added.added,
            "merged": added.merged,
        }

    skipped = [vars(one) for one in imported.skipped[:_SHOWN_SKIPPED]]
    notes = list(imported.notes)
    if more := len(imported.skipped) - len(skipped):
        notes.append(f"{more} more lines were skipped")
    return {"format": imported.format.id, **done, "skipped": skipped, "notes": notes}
