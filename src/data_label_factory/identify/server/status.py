"""Is it alive, is it ready, how is it doing? None of these answers waits for work."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from data_label_factory import __version__
from data_label_factory.identify.recognize.calibrate import is_out_of_date
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.server.context import Context, SharedContext
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.schemas import (
    CalibrationState,
    Health,
    Problem,
    State,
    problems,
)

router = APIRouter(tags=["status"])


@router.get("/api/info", response_model=Health, responses=problems(), summary="The same as /health")
@router.get(
    "/health",
    response_model=Health,
    responses=problems(),
    summary="What is served, and how it is doing",
)
async def health(context: SharedContext) -> Health:
    engine = context.engine
    settings = context.settings
    snapshot = engine.snapshot
    return Health(
        phase=context.phase,
        model_loaded=snapshot is not None,
        device=engine.device,
        encoder=engine.embedder.encoder.identity.id,
        index_size=len(snapshot.index) if snapshot else 0,
        items=snapshot.index.item_count if snapshot else 0,
        has_projection=engine.embedder.head is not None,
        has_refs=settings.refs is not None,
        has_prices=engine.prices is not None,
        detector=settings.detector,
        sim_threshold=settings.sim_threshold,
        margin_threshold=settings.margin_threshold,
        strictness=settings.strictness,
        requests_served=context.served,
        errors=context.metrics.errors,
        last_query=context.last_query,
        uptime_seconds=round(time.monotonic() - context.started, 1),
        version=__version__,
        queue_depth=context.work.depth,
        unreadable=len(snapshot.recognizer.unreadable) if snapshot else 0,
        can_enroll=settings.allow_enroll,
        watching=settings.watch,
        problems=engine.problems,
        calibration=describe_calibration(engine),
    )


@router.get("/livez", summary="The process runs")
async def livez() -> dict[str, str]:
    return {"status": "alive"}


@router.get(
    "/readyz",
    responses={503: {"model": Problem}},
    summary="It can answer; 503 while it loads and while it stops",
)
async def readyz(context: SharedContext, response: Response) -> dict[str, str]:
    if context.phase != "ready":
        response.status_code = 503
        response.headers["Retry-After"] = "1"
        return {"detail": f"The server is {context.phase}"}
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses=problems(), summary="For Prometheus")
async def metrics(context: SharedContext) -> Response:
    text = generate_latest(context.metrics.registry)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def describe_calibration(engine: Engine) -> CalibrationState:
    """Whether the confidence rests on this collection, and on how many unknown items."""
    index = engine.collection.index
    calibration = Calibration.from_dict(index.meta.calibration)

    state: State = "up to date"
    if not calibration.unknowns:
        state = "none"
    elif engine.calibrating:
        state = "running"
    elif is_out_of_date(index):
        state = "out of date"
    return CalibrationState(
        state=state, unknown_items=calibration.unknowns, items=calibration.items
    )


def add_gauges(context: Context) -> None:
    """Add what /metrics reads whenever it is asked."""

    def count_references() -> float:
        snapshot = context.engine.snapshot
        return len(snapshot.index) if snapshot else 0

    gauges: list[tuple[str, str, Any]] = [
        ("dlf_queue_depth", "Recognitions that run or wait", lambda: context.work.depth),
        ("dlf_queue_places", "Recognitions that can run or wait", lambda: context.work.places),
        ("dlf_sessions", "Cameras that are followed", lambda: len(context.sessions)),
        ("dlf_listeners", "Who listens to events", lambda: len(context.events)),
        ("dlf_index_references", "References in the index", count_references),
        ("dlf_ready", "1 when it can answer", lambda: float(context.phase == "ready")),
    ]
    for name, description, read in gauges:
        context.metrics.add_gauge(name, description, read)
