"""The JSON of requests and answers.

Existing clients rely on these names: keys may be added, but none
removed or renamed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Unit = Annotated[float, Field(ge=0, le=1)]
Point = tuple[float, float]
Price = dict[str, Any]
SESSION_NAME = r"^[A-Za-z0-9_-]{1,64}$"

_EXAMPLE: dict[str, Any] = {
    "image_size": [640, 480],
    "count": 1,
    "masks": [
        {
            "bbox_norm": {"x1": 0.31, "y1": 0.12, "x2": 0.66, "y2": 0.91},
            "area_fraction": 0.2711,
            "label": "Dark Magician (PScR)",
            "name": "Dark Magician",
            "rarity": "PScR",
            "set_code": "LOCH-JP001",
            "score": 0.8123,
            "margin": 0.3312,
            "confident": True,
            "top_k": [
                {
                    "name": "Dark Magician",
                    "filename": "LOCH-JP001_dark_magician_pscr.jpg",
                    "score": 0.8123,
                }
            ],
            "ref_filename": "LOCH-JP001_dark_magician_pscr.jpg",
            "ref_url": "/refs/LOCH-JP001_dark_magician_pscr.jpg",
            "quad_norm": [[0.31, 0.13], [0.65, 0.12], [0.66, 0.9], [0.32, 0.91]],
            "inliers": 64,
            "price": None,
            "ambiguous_with": [],
            "variants": ["LOCH-JP001_dark_magician_pscr.jpg"],
            "false_accept_rate": 0.0004,
        }
    ],
    "query": "card",
    "elapsed_seconds": 0.121,
}


class Box(BaseModel):
    x1: Unit
    y1: Unit
    x2: Unit
    y2: Unit


class Neighbor(BaseModel):
    name: str
    filename: str
    score: float
    set_code: str = Field(default="", description="Only of a guess")
    rarity: str = Field(default="", description="Only of a guess")


class Mask(BaseModel):
    """One item in the picture.

    `bbox_norm` is its box, clipped to the picture. `quad_norm` is
    its corners, clockwise from the item's own top left; they may
    lie outside. `label` ends in `?` unless `confident`. Of a guess,
    they are those of what was compared, and `top_k` says it.
    """

    bbox_norm: Box
    area_fraction: Unit
    label: str
    name: str
    rarity: str
    set_code: str
    score: float
    margin: float
    confident: bool
    top_k: list[Neighbor]
    ref_filename: str
    ref_url: str = Field(description="Path of the reference picture on this server, quoted")
    quad_norm: list[Point] = Field(min_length=4, max_length=4)
    inliers: int = Field(description="Local features that match; 0 without reference pictures")
    price: Price | None
    ambiguous_with: list[str] = Field(
        description="Other references that the picture cannot tell apart from this one"
    )
    variants: list[str] = Field(description="ref_filename and ambiguous_with")
    false_accept_rate: float = Field(
        description="The strictest rate at which it would still be confident"
    )
    guess: bool = Field(
        default=False,
        description="With `guess=1`: nothing is sure, and `top_k` are the items that the "
        "picture's main thing is nearest to. Left out otherwise",
    )
    first_view: str = Field(
        default="",
        description="The first picture of what `ref_filename` is a further view of. "
        "Left out where it is the first itself",
    )
    read: str | None = Field(
        default=None,
        description="What is printed on it where its printings differ, if that was read",
    )
    row: int | None = Field(
        default=None, description="Its row, from 1 on, where several things stand in rows"
    )
    column: int | None = Field(default=None, description="Its place in that row, from 1 on")
    track_id: int | None = Field(
        default=None, description="In a session: the lasting number of the thing"
    )
    lost_seconds: float | None = Field(
        default=None,
        description="In a session: 0 if in view, else how long ago it was seen, at `quad_norm`",
    )


class Answer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    image_size: tuple[int, int] = Field(
        description="Width and height of the picture in px, its EXIF orientation applied"
    )
    count: int
    masks: list[Mask]
    query: str
    elapsed_seconds: float
    partial: bool = Field(
        default=False,
        description="Some of the references could not be compared just now: what may be one of "
        "them is not `confident`. Left out otherwise",
    )
    session: str | None = Field(default=None, description="As asked for")
    frame: int | None = Field(default=None, description="The number of the session's frame, from 0")


State = Literal["none", "up to date", "out of date", "running"]


class CalibrationState(BaseModel):
    state: State = Field(
        description="none: never calibrated, so strictness rests on other collections"
    )
    unknown_items: int = Field(description="The number of unknown items it rests on")
    items: int = Field(description="The number of items that the index had then")


class Health(BaseModel):
    phase: str = Field(description="loading, ready, draining or failed")
    model_loaded: bool
    device: str
    encoder: str
    index_size: int
    items: int
    has_projection: bool
    has_refs: bool
    has_prices: bool
    detector: str
    sim_threshold: float | None = Field(description="As given; null leaves it to the recognizer")
    margin_threshold: float | None = Field(description="As given; null leaves it to the recognizer")
    strictness: float
    requests_served: int
    errors: int
    last_query: str | None
    uptime_seconds: float
    version: str
    queue_depth: int
    unreadable: int = Field(description="References of the index whose picture cannot be read")
    can_enroll: bool
    watching: bool
    problems: dict[str, str] = Field(
        description="Changes on disk that could not be adopted, and why"
    )
    calibration: CalibrationState


class Item(BaseModel):
    label: str
    name: str
    set_code: str
    rarity: str
    filename: str
    ref_url: str


class Items(BaseModel):
    items: list[Item]
    count: int
    total: int = Field(description="References that match the search")
    offset: int


class Changed(BaseModel):
    filename: str
    label: str
    index_size: int
    hint: str = Field(default="", description="What to do next. Left out where there is nothing")


class TopPrice(BaseModel):
    code: str
    name: str
    name_jp: str
    median: float | None
    currency: str
    jpy_median: float | None
    usd_median: float | None
    ref_filename: str | None


class TopPrices(BaseModel):
    top: list[TopPrice]
    count: int
    fx: dict[str, Any]


class Problem(BaseModel):
    detail: str = Field(description="What went wrong and what to do about it")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an endpoint, for OpenAPI; any request can get a 401, 421 or 422 too."""
    return {status: {"model": Problem} for status in (*statuses, 401, 421, 422)}
