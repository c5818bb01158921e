"""How much a site is asked for, unless the user says otherwise."""

from __future__ import annotations

DEFAULT_MAX_PREFIXES = 10  # one request each
DEFAULT_MAX_AGE_HOURS = 12.0
