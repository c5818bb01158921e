"""What happens in front of the cameras, told to who listens: over
`GET /api/events`, and by webhooks.
"""

from data_label_factory.identify.server.events.hub import (
    KINDS,
    Event,
    Events,
    Kind,
    Listener,
)
from data_label_factory.identify.server.events.sightings import Sightings

__all__ = ["KINDS", "Event", "Events", "Kind", "Listener", "Sightings"]
