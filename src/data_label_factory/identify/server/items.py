"""The collection over HTTP: its items, their pictures and, if allowed, changes to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi import Path as PathField
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from data_label_factory.errors import ImageError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import cut_out
from data_label_factory.identify.reference_files import MAX_SIDE_PX, locate
from data_label_factory.identify.server.answers import reference_url
from data_label_factory.identify.server.context import Context, SharedContext
from data_label_factory.identify.server.engine import Snapshot
from data_label_factory.identify.server.reference_files import (
    MEDIA_TYPES,
    compute_version,
    resolve_reference,
    thumbnail_width,
)
from data_label_factory.identify.server.schemas import Changed, Item, Items, problems
from data_label_factory.identify.server.uploads import decode_upload, read_quad
from data_label_factory.spelling import normalize, titled

router = APIRouter(tags=["collection"])

# Of 25 household things, all were told from unknown ones by three pictures each.
_ENOUGH_VIEWS = 3
_CACHING = "private, max-age=60"
_REFERENCE_RESPONSES = {
    **problems(403, 404, 429, 503),
    200: {"content": {"image/*": {}}},
    206: {},
    304: {},
    416: {},
}

# Returns the reference that was added.
AddPicture = Callable[[Collection, RGB], str]
Picture = Annotated[
    UploadFile,
    File(description="The picture, or a frame when quad_norm says where in it"),
]
QuadText = Annotated[
    str,
    Form(
        description="JSON, [[x, y] × 4] in fractions of the picture: cut this out",
        examples=[""],
    ),
]
ItemName = Annotated[str, Form(max_length=200, examples=["Blue Teapot"])]
SetCode = Annotated[str, Form(max_length=40)]
Rarity = Annotated[str, Form(max_length=200)]
ViewOf = Annotated[
    str,
    Form(max_length=1000, description="`filename` of what it really is, from /api/items"),
]
Filename = Annotated[str, PathField(max_length=1000)]
SearchWords = Annotated[
    str,
    Query(max_length=200, description="Words that name, set code or file name contain"),
]
ThumbnailWidth = Annotated[
    int | None,
    Query(ge=1, le=4096, description="Width in px: a JPEG thumbnail of about that width"),
]


@router.get(
    "/api/items",
    response_model=Items,
    responses=problems(503),
    summary="Names and reference files",
)
def items(
    context: SharedContext,
    q: SearchWords = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    views: Annotated[int, Query(ge=0, le=1, description="0: without further views")] = 1,
) -> Items:
    """In order of file names."""
    snapshot = context.require_snapshot()
    words = q.casefold().split()

    rows = []
    for row, text in enumerate(snapshot.searchable):
        is_listed = views or snapshot.index.first_views[row] == row
        if is_listed and all(word in text for word in words):
            rows.append(row)

    page = [_describe_item(snapshot, row) for row in rows[offset:][:limit]]
    return Items(items=page, count=len(page), total=len(rows), offset=offset)


@router.post(
    "/api/items",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(400, 403, 408, 409, 413, 415, 429, 503),
    summary="A new item",
)
async def add_item(
    context: SharedContext,
    image: Picture,
    name: ItemName,
    set_code: SetCode = "",
    rarity: Rarity = "",
    quad_norm: QuadText = "",
) -> Changed:
    """Make the picture the reference of a new item, used from the next
    frame on; a further view, if there is one of this name, set code and
    rarity.

    A name without capitals gets title case, as that of a file does. A
    picture that is there already gets a 409 that says what it shows.
    Needs `--allow-enroll`.
    """
    written = titled(normalize(name))

    def add(collection: Collection, picture: RGB) -> str:
        return collection.add(picture, written, set_code=set_code, rarity=rarity, as_view=True)

    return await _add_picture(context, image, quad_norm, add, because=f"{written} was added")


@router.post(
    "/api/feedback",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(400, 403, 404, 408, 409, 413, 415, 429, 503),
    summary="That was really X",
)
async def feedback(
    context: SharedContext,
    image: Picture,
    filename: ViewOf,
    quad_norm: QuadText = "",
) -> Changed:
    """Keep the picture as a further view of an item, used from the next
    frame on.

    Needs `--allow-enroll`.
    """

    def add(collection: Collection, picture: RGB) -> str:
        return collection.add_view(picture, filename)

    return await _add_picture(context, image, quad_norm, add, because=f"a view of {filename}")


@router.delete(
    "/api/items/{filename:path}",
    response_model_exclude_unset=True,
    responses=problems(403, 404, 409, 429, 503),
    summary="Take one out",
)
async def remove_item(context: SharedContext, filename: Filename) -> Changed:
    """Move its picture to the hidden folder `.removed`. Needs `--allow-enroll`."""
    _require_permission(context)
    reference = context.require_snapshot().index.find(filename) or filename

    def remove() -> Changed:
        label, index = context.engine.change(
            lambda collection: collection.remove(reference),
            because=f"{reference} was removed",
        )
        return Changed(filename=reference, label=str(label), index_size=len(index))

    return await context.changes.run(remove)


@router.get(
    "/refs/{filename:path}",
    response_class=Response,
    responses=_REFERENCE_RESPONSES,
    summary="A reference picture",
)
async def reference(
    request: Request,
    context: SharedContext,
    filename: Filename,
    w: ThumbnailWidth = None,
) -> Response:
    """Only files that the index names. With an ETag, and ranges for the whole picture."""
    path, media_type = _find_picture(request, context, filename)
    try:
        version = compute_version(path)
        etag = f'"{version}"' if w is None else f'"{version}-{thumbnail_width(w)}"'
        headers = {"ETag": etag, "Cache-Control": _CACHING}
        if _has_current(request, etag):
            return Response(status_code=304, headers=headers)
        if w is None:
            return FileResponse(path, headers=headers, media_type=media_type)

        thumbnail = await context.thumbnail_work.run(
            lambda: context.thumbnails.get(path, version, w)
        )
        return Response(thumbnail, media_type="image/jpeg", headers=headers)
    except OSError as exc:  # deleted since it was found
        raise HTTPException(404, "The picture cannot be read any more") from exc
    except ImageError as exc:
        raise HTTPException(404, f"There is no thumbnail: {exc}") from exc


async def _add_picture(
    context: Context, image: UploadFile, quad_text: str, add: AddPicture, because: str
) -> Changed:
    """Decode the upload, cut out the quad if there is one, and pass the picture to `add`."""
    _require_permission(context)
    context.require_snapshot()
    context.changes.check()
    data = await image.read()
    media_type = image.content_type or ""

    def decode_and_add() -> Changed:
        picture = decode_upload(data, media_type, context.limits)
        quad = read_quad(quad_text, picture)
        if quad is not None:
            picture = cut_out(picture, quad, MAX_SIDE_PX)

        added, index = context.engine.change(
            lambda collection: add(collection, picture), because=because
        )
        label = index.label(index.row_of[added])
        changed = Changed(filename=added, label=str(label), index_size=len(index))
        if hint := _suggest_views(index, added):
            changed.hint = hint
        return changed

    return await context.changes.run(decode_and_add)


def _suggest_views(index: Index, added: str) -> str:
    """Whether a further view would help, where there are several already."""
    row = index.row_of[added]
    views = int((index.variants == index.variants[row]).sum())
    if views == 1:
        return ""
    more = "Enough for most things" if views >= _ENOUGH_VIEWS else "One from another side may help"
    return f"It has {views} pictures now. {more}"


def _require_permission(context: Context) -> None:
    if not context.settings.allow_enroll:
        raise HTTPException(
            403, "The collection is read-only. Start the server with --allow-enroll to change it"
        )


def _describe_item(snapshot: Snapshot, row: int) -> Item:
    label = snapshot.index.label(row)
    filename = str(snapshot.index.references[row])
    return Item(
        label=str(label),
        name=label.name,
        set_code=label.set_code,
        rarity=label.rarity,
        filename=filename,
        ref_url=reference_url(filename),
    )


def _find_picture(request: Request, context: Context, filename: str) -> tuple[Path, str | None]:
    """A reference picture and its media type. Raises HTTPException 404 if there is none."""
    index = context.require_snapshot().index
    refs = context.settings.refs
    name = resolve_reference(filename, _read_raw_path(request), index)
    path = locate(refs, name) if refs is not None and name is not None else None
    if path is None or name is None:
        raise HTTPException(404, "There is no such reference picture. GET /api/items lists them")
    return path, MEDIA_TYPES.get(Path(name).suffix.lower())


def _read_raw_path(request: Request) -> bytes:
    """The path after /refs/, as it was sent."""
    raw: bytes = request.scope.get("raw_path") or b""
    return raw.partition(b"?")[0].partition(b"/refs/")[2]


def _has_current(request: Request, etag: str) -> bool:
    """Whether the client has the version with this ETag already."""
    header = request.headers.get("if-none-match", "")
    known = [part.strip().removeprefix("W/") for part in header.split(",")]
    return header == "*" or etag in known
