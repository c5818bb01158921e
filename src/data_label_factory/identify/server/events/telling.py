"""What runs beside the answers: what is gone is noticed, and
webhooks are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.events.webhooks import Webhook

_SWEEP_SECONDS = 0.5


@asynccontextmanager
async def telling(context: Context) -> AsyncIterator[None]:
    """Tell of events until the block ends."""
    settings = context.settings
    webhooks = [
        Webhook(
            url,
            settings.webhook_secret,
            context.events,
            context.engine.problem,
            number,
        )
        for number, url in enumerate(settings.webhook, 1)
    ]
    sweeping = asyncio.create_task(_sweep(context))
    try:
        yield
    finally:
        sweeping.cancel()
        for webhook in webhooks:
            webhook.stop()


async def _sweep(context: Context) -> None:
    """Tell what is gone, also where no frame follows."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        context.sightings.expire()
