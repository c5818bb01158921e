"""What a phone needs to open the tracker: the code to scan, and
the certificate to trust.
"""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from data_label_factory.identify.server.access import Access
from data_label_factory.identify.server.context import (
    Context,
    SharedContext,
)
from data_label_factory.identify.server.schemas import problems

router = APIRouter(tags=["status"])

_NOT_OPEN = "No phone can open this server. Start it with --lan"


class Code(BaseModel):
    size: int = Field(description="Modules on a side, with a margin")
    path: str = Field(description="The dark ones, as an SVG path")


class Phone(BaseModel):
    link: str = Field(description="What the code says; it has the key")
    code: Code
    fingerprint: str = Field(description="SHA-256 of the certificate; empty without one")
    is_own_certificate: bool = Field(description="Made by this server, so that browsers warn once")


@router.get(
    "/api/phone",
    responses=problems(404),
    summary="The address for phones, and a code to scan",
)
async def phone(context: SharedContext, response: Response) -> Phone:
    """Only of a server with `--lan`. The link has the key, which
    whoever asks has sent.
    """
    access = _require_access(context)
    response.headers["Cache-Control"] = "no-store"
    return Phone(
        link=access.links[0],
        code=Code(size=access.code.size, path=access.code.path),
        fingerprint=access.fingerprint,
        is_own_certificate=bool(access.authority),
    )


@router.get("/certificate", include_in_schema=False)
async def certificate(context: SharedContext) -> Response:
    """Who signed the certificate, for a phone to trust."""
    access = _require_access(context)
    if not access.authority:
        raise HTTPException(404, "The certificate is not one that this server made")
    name = "data-label-factory.crt"
    return Response(
        access.authority,
        media_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _require_access(context: Context) -> Access:
    access = context.access
    if access is None or not access.is_for_phones:
        raise HTTPException(404, _NOT_OPEN)
    return access
