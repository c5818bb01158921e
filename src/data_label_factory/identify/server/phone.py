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


class Code(BaseModel):
    size: int = Field(description="Modules on a side, with a margin")
    path: str = Field(description="The dark ones, as an SVG path")


class Phone(BaseModel):
    link: str = Field(
        default="",
        description="What the code says; it has the key. Empty: the "
        "server was started without `--lan`",
    )
    code: Code | None = None
    fingerprint: str = Field(
        default="",
        description="SHA-256 of the certificate; empty without one",
    )
    is_own_certificate: bool = Field(
        default=False,
        description="Made by this server, so that browsers warn once",
    )


@router.get(
    "/api/phone",
    responses=problems(),
    summary="The address for phones, and a code to scan",
)
async def phone(context: SharedContext, response: Response) -> Phone:
    """The link has the key, which whoever asks has sent."""
    response.headers["Cache-Control"] = "no-store"
    access = _find_access(context)
    if access is None:
        return Phone()
    return Phone(
        link=access.links[0],
        code=Code(size=access.code.size, path=access.code.path),
        fingerprint=access.fingerprint,
        is_own_certificate=bool(access.authority),
    )


@router.get("/certificate", include_in_schema=False)
async def certificate(context: SharedContext) -> Response:
    """Who signed the certificate, for a phone to trust."""
    access = _find_access(context)
    if access is None or not access.authority:
        raise HTTPException(404, "There is no certificate that this server made")
    name = "data-label-factory.crt"
    return Response(
        access.authority,
        media_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _find_access(context: Context) -> Access | None:
    """How phones get in; None if they cannot."""
    access = context.access
    return access if access is not None and access.is_for_phones else None
