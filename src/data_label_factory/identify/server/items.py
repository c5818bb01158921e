"""The collection over HTTP: its items, their pictures, and (only when allowed) new ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi import Path as PathField
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from data_label_factory.errors import ImageError
from data_label_factory.identify.collection import MAX_SIDE_PX, Collection, locate
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import cut_out
from data_label_factory.identify.server.answers import ref_url
from data_label_factory.identify.server.context import Context, Shared, decode_upload, read_quad
from data_label_factory.identify.server.refs_files import MEDIA_TYPES, version, wanted, width_for
from data_label_factory.identify.server.schemas import Changed, Item, Items, problems
from data_label_factory.labels import Label

router = APIRouter(tags=["collection"])
_Add = Callable[[Collection, RGB], str]  # → the reference that was added
_CACHING = "private, max-age=60"

Picture = Annotated[
    UploadFile, File(description="The picture, or a frame when quad_norm says where in it")
]
Quad = Annotated[
    str,
    Form(description="JSON, [[x, y] × 4] in shares of the picture: cut this out", examples=[""]),
]


@router.get(
    "/api/items", response_model=Items, responses=problems(503), summary="Names and reference files"
)
def items(
    context: Shared,
    q: Annotated[
        str, Query(max_length=200, description="Words that name, set code or file name contain")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Items:
    """In order of file names."""
    snapshot = context.snapshot
    words = q.casefold().split()
    rows = [
        row for row, text in enumerate(snapshot.searchable) if all(word in text for word in words)
    ]
    found = [
        _item(snapshot.index.label(row), str(snapshot.index.references[row]))
        for row in rows[offset:][:limit]
    ]
    return Items(items=found, count=len(found), total=len(rows), offset=offset)


@router.post(
    "/api/items",
    status_code=201,
    responses=problems(400, 403, 408, 409, 413, 415, 429, 503),
    summary="A new item",
)
async def add_item(
    context: Shared,
    image: Picture,
    name: Annotated[str, Form(max_length=200, examples=["Blue Teapot"])],
    set_code: Annotated[str, Form(max_length=40)] = "",
    rarity: Annotated[str, Form(max_length=10)] = "",
    quad_norm: Quad = "",
) -> Changed:
    """The picture becomes the reference of `name`; the next frame is answered with it. Needs `--allow-enroll`."""

    def add(collection: Collection, picture: RGB) -> str:
        return collection.add(picture, name, set_code=set_code, rarity=rarity)

    return await _add(context, image, quad_norm, add, because=f"{name} was added")


@router.post(
    "/api/feedback", status_code=201, responses=problems(400, 403, 404, 408, 409, 413, 415, 429, 503),
    summary="That was really X",
)  # fmt: skip
async def feedback(
    context: Shared,
    image: Picture,
    filename: Annotated[
        str, Form(max_length=1000, description="`filename` of what it really is, from /api/items")
    ],
    quad_norm: Quad = "",
) -> Changed:
    """The crop is kept as a further view of that item, and used at once. Needs `--allow-enroll`."""

    def add(collection: Collection, picture: RGB) -> str:
        return collection.add_view(picture, filename)

    return await _add(context, image, quad_norm, add, because=f"a view of {filename}")


@router.delete(
    "/api/items/{filename:path}",
    responses=problems(403, 404, 409, 429, 503),
    summary="Take one out",
)
async def remove_item(
    context: Shared, filename: Annotated[str, PathField(max_length=1000)]
) -> Changed:
    """Its picture moves to the hidden folder `.removed`. Needs `--allow-enroll`."""
    _require_permission(context)

    def remove() -> Changed:
        label, index = context.engine.change(
            lambda c: c.remove(filename), because=f"{filename} was removed"
        )
        return Changed(filename=filename, label=str(label), index_size=len(index))

    context.snapshot  # noqa: B018 - 503 while it is being read
    return await context.chores.run(remove)


@router.get(
    "/refs/{filename:path}", response_class=Response, summary="A reference picture",
    responses={**problems(403, 404, 429, 503), 200: {"content": {"image/*": {}}}, 206: {}, 304: {}, 416: {}},
)  # fmt: skip
async def reference(
    request: Request,
    context: Shared,
    filename: Annotated[str, PathField(max_length=1000)],
    w: Annotated[
        int | None, Query(ge=1, le=4096, description="Width in px: a JPEG thumbnail about so wide")
    ] = None,
) -> Response:
    """Only files that the index names. With an ETag, and ranges for the whole picture."""
    name = wanted(filename, _raw(request), context.snapshot.index.row_of)
    refs = context.settings.refs
    path = locate(refs, name) if name is not None and refs is not None else None
    if name is None or path is None:
        raise HTTPException(404, "There is no such reference picture. GET /api/items lists them")
    try:
        tag = version(path)
        etag = f'"{tag}"' if w is None else f'"{tag}-{width_for(w)}"'
        headers = {"ETag": etag, "Cache-Control": _CACHING}
        known = request.headers.get("if-none-match", "")
        if known == "*" or etag in [part.strip().removeprefix("W/") for part in known.split(",")]:
            return Response(status_code=304, headers=headers)
        if w is None:
            return FileResponse(
                path, headers=headers, media_type=MEDIA_TYPES.get(Path(name).suffix.lower())
            )
        return Response(
            await _thumbnail(context, path, tag, w), media_type="image/jpeg", headers=headers
        )
    except OSError as exc:  # it went between two looks
        raise HTTPException(404, "The picture cannot be read any more") from exc
    except ImageError as exc:
        raise HTTPException(404, f"There is no thumbnail: {exc}") from exc


async def _thumbnail(context: Context, path: Path, tag: str, width: int) -> bytes:
    return await context.drawing.run(lambda: context.thumbnails.get(path, tag, width))


async def _add(context: Context, image: UploadFile, quad: str, add: _Add, because: str) -> Changed:
    """Decode the upload, cut it out where `quad` says, and hand it to `add`, in the thread of the chores."""
    _require_permission(context)
    context.snapshot  # noqa: B018 - 503 while it is being read
    context.chores.check()
    data, media_type = await image.read(), image.content_type or ""

    def change() -> Changed:
        picture = decode_upload(data, media_type, context.limits)
        corners = read_quad(quad, picture)
        if corners is not None:
            picture = cut_out(picture, corners, MAX_SIDE_PX)

        reference, index = context.engine.change(
            lambda collection: add(collection, picture), because=because
        )
        return Changed(
            filename=reference,
            label=str(index.label(index.row_of[reference])),
            index_size=len(index),
        )

    return await context.chores.run(change)


def _require_permission(context: Context) -> None:
    if not context.settings.allow_enroll:
        raise HTTPException(
            403, "The collection is read-only. Start the server with --allow-enroll to change it"
        )


def _item(label: Label, filename: str) -> Item:
    return Item(
        label=str(label), name=label.name, set_code=label.set_code, rarity=label.rarity, filename=filename,
        ref_url=ref_url(filename),
    )  # fmt: skip


def _raw(request: Request) -> bytes:
    """The path as it was sent, after /refs/."""
    raw: bytes = request.scope.get("raw_path") or b""
    return raw.partition(b"?")[0].partition(b"/refs/")[2]
