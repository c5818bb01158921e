"""The work of one frame: the bytes of a picture → the JSON of its answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from data_label_factory.identify.choices import Effort
from data_label_factory.identify.images import RGB
from data_label_factory.identify.server.answers import as_masks, as_tracked_masks
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.engine import Snapshot
from data_label_factory.identify.server.schemas import Answer, Mask
from data_label_factory.identify.server.uploads import decode_upload

MAX_QUERY_LENGTH = 200


@dataclass(frozen=True)
class Frame:
    """A picture as it was sent.

    `session` names the camera that it comes from; empty: it
    stands for itself. `number` is the client's count of the
    frames of that camera. `guess` asks what a picture that stands
    for itself is nearest to, where nothing in it is sure, and
    `effort` says how closely to search it.
    """

    data: bytes
    media_type: str = ""
    query: str = ""
    session: str = ""
    number: int = 0
    guess: bool = False
    effort: Effort = "auto"
    received: float = field(default_factory=time.perf_counter)
    queued: float = field(default_factory=time.perf_counter)


def answer_frame(context: Context, frame: Frame) -> bytes:
    """The answer to a frame, as JSON. Raises HTTPException for
    one that cannot be used.
    """
    stages = context.metrics.stages
    stages.labels("wait").observe(time.perf_counter() - frame.queued)
    snapshot = context.require_snapshot()

    with stages.labels("decode").time():
        picture = decode_upload(frame.data, frame.media_type, context.limits)
    was_partial = snapshot.recognizer.watch_gaps()
    with stages.labels("recognize").time():
        masks = _name(context, snapshot, frame, picture)

    with stages.labels("encode").time():
        answer = Answer(
            image_size=(picture.shape[1], picture.shape[0]),
            count=len(masks),
            masks=masks,
            query=frame.query,
            elapsed_seconds=round(time.perf_counter() - frame.received, 4),
        )
        if was_partial():
            answer.partial = True
        if frame.session:
            answer.session, answer.frame = frame.session, frame.number
        return answer.model_dump_json(exclude_unset=True).encode()


def _name(context: Context, snapshot: Snapshot, frame: Frame, picture: RGB) -> list[Mask]:
    prices = context.engine.prices
    size = picture.shape[1], picture.shape[0]
    if not frame.session:
        recognize = snapshot.recognizer.recognize
        found = recognize(picture, guess=frame.guess, effort=frame.effort)
        return as_masks(found, size, snapshot, prices)

    session = context.sessions.open(frame.session)
    tracked = session.see(picture, snapshot.recognizer)
    masks = as_tracked_masks(tracked, size, snapshot, prices)
    context.sightings.take_in(frame.session, masks)
    return masks
