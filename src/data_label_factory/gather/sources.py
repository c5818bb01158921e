"""The table of sources. A new one is a class in its own file, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data_label_factory.errors import ProjectError
from data_label_factory.gather.base import Source
from data_label_factory.gather.coverart import CoverArt
from data_label_factory.gather.duckduckgo import DuckDuckGo
from data_label_factory.gather.folder import Folder
from data_label_factory.gather.met import Met
from data_label_factory.gather.pokemontcg import PokemonTcg
from data_label_factory.gather.scryfall import Scryfall
from data_label_factory.gather.tmdb import Tmdb
from data_label_factory.gather.urls import Urls
from data_label_factory.gather.wikimedia import Wikimedia
from data_label_factory.gather.ygoprodeck import Ygoprodeck
from data_label_factory.gather.yugipedia import Yugipedia
from data_label_factory.http.fetch import Fetcher
from data_label_factory.labels import LabelScheme
from data_label_factory.project import Bucket

SOURCES: dict[str, type[Source]] = {
    source.name: source
    for source in (
        Ygoprodeck,
        Scryfall,
        PokemonTcg,
        CoverArt,
        Wikimedia,
        Met,
        Yugipedia,
        Tmdb,
        DuckDuckGo,
        Urls,
        Folder,
    )
}


def open_source(
    name: str,
    bucket: Bucket,
    fetcher: Fetcher,
    *,
    folder: Path,
    override: str = "",
    limit: int | None = None,
    labels: LabelScheme = "cards",
    base_urls: Mapping[str, str] | None = None,
) -> Source:
    """Return the source that fills the bucket `name`, ready for its
    queries.

    `override` replaces the bucket's source, and `limit` its `max`;
    `folder`, `labels` and `base_urls` are as for `gather`. A
    bucket's options are for its own source, so they do not reach
    another one that overrides it.

    Raises ProjectError, with the bucket's line, if the source or an
    option does not exist, or if the source lacks its key.
    """
    where = f"line {bucket.line}: the bucket {name}"
    chosen = _choose_source(override or bucket.source, where)

    options = bucket.options if bucket.source in ("", chosen) else {}
    wanted = str(options.get("max", 1) if limit is None else limit)
    if not wanted.isdecimal() or int(wanted) < 1:
        raise ProjectError(f"{where}: max must be a number from 1 up, not {wanted!r}")

    base_url = (base_urls or {}).get(chosen, "")
    try:
        source = SOURCES[chosen](
            fetcher, base_url, options, folder=folder, limit=int(wanted), labels=labels
        )
        source.check()
    except ProjectError as exc:
        raise ProjectError(f"{where}: {exc.message}", exc.hint) from exc
    return source


def _choose_source(name: str, where: str) -> str:
    """Return `name` if there is such a source. Raises ProjectError."""
    if not name:
        raise ProjectError(
            f"{where} names no source",
            "Add source: … to it, or choose one with --source",
        )
    if name not in SOURCES:
        raise ProjectError(
            f"{where}: there is no source {name!r}",
            f"Choose one of: {', '.join(SOURCES)}",
        )
    return name
