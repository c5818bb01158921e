"""The start page `/`: what the server knows and how it is doing, in
words for its owner.

All links are relative, so that the page also works below a prefix of a
reverse proxy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data_label_factory.identify.pages import render
from data_label_factory.identify.pages.figures import Figure
from data_label_factory.identify.server.access import halve
from data_label_factory.identify.server.answers import reference_url
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.engine import Snapshot
from data_label_factory.identify.server.status import describe_calibration
from data_label_factory.lan import QrCode
from data_label_factory.prices.book import PriceBook

_SHOWN = 8
_THUMBNAIL_PX = 240
_OLD_PRICES_DAYS = 30

_LINKS = {
    "health": "what is served, and its state",
    "api/items": "the items it knows",
    "api/top-prices": "the most expensive of them",
    "openapi.json": "all requests and answers (OpenAPI)",
    "metrics": "counters and times for Prometheus",
    "readyz": "whether it can answer, for supervisors",
}
_PHASES = {
    "ready": ("good", "Ready: it names what a camera or a photo shows."),
    "loading": ("fair", "It is reading the reference pictures. This page looks again by itself."),
    "draining": ("fair", "It is being stopped."),
    "failed": ("poor", "It could not read the references. Its log says why."),
}


@dataclass(frozen=True)
class _State:
    """One line about the server: `tone` is good, fair, poor, or "" for what is no matter."""

    tone: str
    name: str
    text: str


@dataclass(frozen=True)
class _Phone:
    link: str
    code: QrCode
    fingerprint: list[str]
    is_own: bool  # the certificate: browsers warn


def render_start_page(context: Context, base_url: str, tracker: str) -> str:
    """The page as text.

    `base_url` is this server's address as the visitor wrote it,
    `tracker` the relative address of the live tracker, "" without
    one.
    """
    snapshot = context.engine.snapshot
    prices = context.engine.prices
    tone, summary = _PHASES[context.phase]
    needs_key = bool(context.settings.api_key)
    key = "-H 'X-API-Key: KEY' " if needs_key else ""

    return render(
        "start.html",
        title=_count(snapshot) if snapshot else context.phase.capitalize(),
        tone=tone,
        summary=summary,
        is_loading=context.phase == "loading",
        tracker=tracker,
        phone=_show_phone(context),
        states=list(_list_states(context)),
        newest=_show_newest(snapshot) if snapshot else [],
        valuable=_show_valuable(snapshot, prices) if snapshot and prices else [],
        command=f"curl {key}-F image=@photo.jpg {base_url}api/falcon",
        needs_key=needs_key,
        links=_LINKS,
    )


def _show_phone(context: Context) -> _Phone | None:
    """What a phone has to open; None without `--lan`."""
    access = context.access
    if access is None or not access.is_for_phones:
        return None
    return _Phone(
        access.links[0],
        access.code,
        halve(access.fingerprint),
        bool(access.authority),
    )


def _count(snapshot: Snapshot) -> str:
    items = snapshot.index.item_count
    pictures = len(snapshot.index)
    return (
        f"{items:,} {'item' if items == 1 else 'items'}, "
        f"{pictures:,} {'picture' if pictures == 1 else 'pictures'}"
    )


def _list_states(context: Context) -> Iterator[_State]:
    engine = context.engine
    encoder = engine.embedder.encoder.identity.id
    head = "with a trained head" if engine.embedder.head else "without a trained head"

    yield _describe_pictures(context)
    yield _describe_confidence(context)
    yield _describe_prices(context)
    yield _State("", "Encoder", f"{encoder}, {head}, on {engine.device}.")
    yield _describe_changes(context)
    for source, reason in engine.problems.items():
        what = "Not told" if source.startswith("webhook") else "Not taken over"
        yield _State("poor", f"{what}: {source}.", reason)


def _describe_pictures(context: Context) -> _State:
    snapshot = context.engine.snapshot
    if context.settings.refs is None:
        text = "Not at hand, so only embeddings decide. Start the server with --refs."
        return _State("fair", "Reference pictures", text)
    if snapshot is None:
        return _State("fair", "Reference pictures", "Not read yet.")

    if unreadable := len(snapshot.recognizer.unreadable):
        text = f"{unreadable} of {len(snapshot.index)} cannot be read."
        return _State("poor", "Reference pictures", text)
    return _State("good", "Reference pictures", "All were read.")


def _describe_confidence(context: Context) -> _State:
    """How far the word "confident" can be trusted, see `describe_calibration`."""
    calibration = describe_calibration(context.engine)
    unknown = f"{calibration.unknown_items} unknown items that were tried on this collection"
    texts = {
        "none": (
            "fair",
            "Not calibrated on this collection, so it rests on others. "
            "Run identify index with --calibrate always.",
        ),
        "up to date": ("good", f"Calibrated: it rests on {unknown}."),
        "out of date": ("fair", "The collection has changed a lot since it was calibrated."),
        "running": ("fair", "It is being calibrated again. Answers go on meanwhile."),
    }
    tone, text = texts[calibration.state]
    return _State(tone, "Confidence", text)


def _describe_prices(context: Context) -> _State:
    prices = context.engine.prices
    if context.settings.prices is None:
        return _State("", "Prices", "None. Start the server with --prices to show them.")
    if prices is None:
        return _State("fair", "Prices", "Not read yet.")

    file = prices.file
    days = _count_days(file.scraped_at)
    age = {None: "of unknown age", 0: "from today", 1: "1 day old"}.get(days, f"{days} days old")
    tone = "fair" if days is None or days > _OLD_PRICES_DAYS else "good"
    return _State(tone, "Prices", f"{len(prices):,} in {file.currency} from {file.site}, {age}.")


def _describe_changes(context: Context) -> _State:
    settings = context.settings
    folder = "Follows the folder" if settings.watch else "Does not follow the folder (--watch)"
    pages = "takes" if settings.allow_enroll else "takes no"
    return _State("", "Changes", f"{folder}, and {pages} new items from the live tracker.")


def _count_days(timestamp: str) -> int | None:
    """Whole days since an ISO 8601 time, taken as UTC if it names no
    zone; None if it is not one.
    """
    try:
        then = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0, (datetime.now(UTC) - then).days)


def _show_newest(snapshot: Snapshot) -> list[Figure]:
    """The newest picture of each of the newest items, with its date."""
    index = snapshot.index
    newest: dict[Any, Figure] = {}
    for reference, changed in snapshot.newest:
        row = index.row_of[reference]
        if index.items[row] not in newest:
            day = f"{datetime.fromtimestamp(changed):%Y-%m-%d}"
            url = _thumbnail_url(snapshot, reference)
            newest[index.items[row]] = Figure(url, str(index.label(row)), day)
        if len(newest) == _SHOWN:
            break
    return list(newest.values())


def _show_valuable(snapshot: Snapshot, prices: PriceBook) -> list[Figure]:
    """The most expensive items, with their prices."""
    rows = prices.top(_SHOWN, snapshot.index, snapshot.index.meta.labels)
    return [
        Figure(_thumbnail_url(snapshot, row["ref_filename"]), row["name"], _spell_price(row))
        for row in rows
    ]


def _spell_price(row: dict[str, Any]) -> str:
    """A row of `PriceBook.top` as `3,100 JPY ($20.77)`."""
    median = row["median"]
    dollars = row["usd_median"]

    amount = f"{median:,} {row['currency']}"
    if isinstance(median, float):
        amount = f"{median:,.2f} {row['currency']}"
    if dollars is None or row["currency"] == "USD":
        return amount
    return f"{amount} (${dollars:,.2f})"


def _thumbnail_url(snapshot: Snapshot, reference: str) -> str | None:
    """None if there is no picture to show."""
    if snapshot.refs is None or reference in snapshot.recognizer.unreadable:
        return None
    return f"{reference_url(reference).removeprefix('/')}?w={_THUMBNAIL_PX}"
