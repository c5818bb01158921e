"""An Index → a Report: does every reference find itself, what is it most like, and will a camera tell them apart?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import embed_files
from data_label_factory.identify.verify.margins import Floats, Neighbors, nearest_others, rounded_up
from data_label_factory.identify.verify.simulation import Simulation, simulate_camera

SELF_ID_PASS_RATE = 0.99
_TIE = 1e-5  # cosines of equal pictures differ by rounding only

# The margin table: (median margin above which it applies, verdict, what to do).
VERDICTS = (
    (0.3, "ship it", "The references are far apart. Serve the index as it is."),
    (
        0.1,
        "consider training",
        "Some references are close. A projection head would make live answers surer.",
    ),
    (
        -np.inf,
        "train",
        "The references are too close for this encoder alone. Train a projection head, then index again.",
    ),
)


@dataclass(frozen=True)
class ConfusablePair:
    """Two items that look alike. `kind`: "same file", "same picture" (equal pixels), or "similar"."""

    a: str
    b: str
    similarity: float
    kind: str


@dataclass(frozen=True)
class Report:
    """The self-test of an index. Margins are cosine differences; thresholds cosines. See `as_json` for the keys."""

    refs: int
    items: int
    dim: int
    encoder: str
    projection: str | None
    basis: str  # "re-encoded" reference files, or "stored" rows
    self_id_rate: float
    not_identified: list[str]
    unreadable: dict[str, str]
    margins: Floats  # (N,) of each reference against the best other item
    verdict: str
    action: str
    confusable_pairs: list[ConfusablePair]
    thresholds: dict[str, Any]
    variant_separation: dict[str, Any] | None
    simulated: Simulation | None = field(default=None)

    @property
    def passed(self) -> bool:
        return self.self_id_rate >= SELF_ID_PASS_RATE

    def as_json(self) -> dict[str, Any]:
        low, median, high = (
            round(float(q), 4) for q in np.quantile(self.margins, (0.25, 0.5, 0.75))
        )
        values = {key: value for key, value in vars(self).items() if key != "margins"}
        return values | {
            "self_id_rate": round(self.self_id_rate, 4),
            "median_margin": median,
            "margin_quartiles": [low, high],
            "confusable_pairs": [
                vars(pair) | {"similarity": round(pair.similarity, 4)}
                for pair in self.confusable_pairs
            ],
            "simulated": self.simulated.as_json() if self.simulated else None,
        }


def verify_index(
    index: Index,
    embedder: Embedder | None = None,
    *,
    refs: str | Path | None = None,
    top_confusables: int = 10,
    simulate: int = 0,
    false_accept_rate: float = 0.01,
    quiet: bool = False,
) -> Report:
    """Self-test of `index`. With `refs` and the embedder that made it, each file is encoded again and searched for;
    without, the stored rows are used. `simulate` views per reference predict live behavior, and need both.

    Memory stays within a few hundred megabytes beyond the index whatever N. Raises EncoderError when the embedder did
    not make the index, and ImageError when `simulate` finds no reference file that it can read.
    """
    queries = index.embeddings
    unreadable: dict[str, str] = {}
    simulation = None
    refs = Path(refs) if refs is not None and embedder is not None else None
    if refs is not None and embedder is not None:
        index.require_maker(embedder.identity)
        queries, unreadable = _encode_again(index, embedder, refs, quiet)
    if simulate and refs is not None and embedder is not None:
        simulation = simulate_camera(
            index, embedder, refs, views=simulate, false_accept_rate=false_accept_rate, quiet=quiet
        )

    near = nearest_others(queries, np.arange(len(index)), index)
    margins = near.own - near.other
    was_read = np.array([str(name) not in unreadable for name in index.references])
    identified = was_read & (margins > _TIE)
    _, verdict, action = next(row for row in VERDICTS if np.median(margins) > row[0])
    return Report(
        refs=len(index),
        items=index.item_count,
        dim=index.dim,
        encoder=index.meta.encoder.id,
        projection=index.meta.head_sha256 or None,
        basis="stored" if refs is None else "re-encoded",
        self_id_rate=float(identified.mean()),
        not_identified=[str(name) for name in index.references[~identified]],
        unreadable=unreadable,
        margins=margins,
        verdict=verdict,
        action=action,
        confusable_pairs=_confusable_pairs(index, near, refs, top_confusables),
        thresholds=_thresholds(near, simulation, false_accept_rate),
        variant_separation=_variant_separation(index),
        simulated=simulation,
    )


def _encode_again(
    index: Index, embedder: Embedder, refs: Path, quiet: bool
) -> tuple[Embeddings, dict[str, str]]:
    """Queries (N, D) from the files themselves; a file that cannot be read gives a zero row and its reason."""
    queries = np.zeros_like(index.embeddings)
    unreadable: dict[str, str] = {}
    for batch in embed_files(embedder, refs, list(index.row_of), label="re-encoded", quiet=quiet):
        queries[[index.row_of[name] for name in batch.names]] = batch.rows
        unreadable |= batch.errors
    return queries, unreadable


def _thresholds(near: Neighbors, simulation: Simulation | None, rate: float) -> dict[str, Any]:
    """Recommended thresholds, and what they rest on. Clean references make better strangers than a camera does, so
    without a simulation the thresholds are on the strict side."""
    if simulation:
        sim, margin, basis = (
            simulation.sim_threshold,
            simulation.margin_threshold,
            "simulated views",
        )
    else:
        # Split the rate between the two: of the strangers that pass one, as small a share passes the other.
        share = float(np.sqrt(rate))
        sim = float(np.quantile(near.other, 1 - share, method="higher"))
        passing = (near.other - near.second)[near.other >= sim]
        margin = float(np.quantile(passing, 1 - share, method="higher"))
        sim, margin = rounded_up(sim), rounded_up(max(0.0, margin))
        basis = "the references themselves; --simulate gives better ones"
    return {"sim": sim, "margin": margin, "false_accept_rate": rate, "basis": basis}


def _confusable_pairs(
    index: Index, near: Neighbors, refs: Path | None, count: int
) -> list[ConfusablePair]:
    """The most similar pairs of items, each once: every reference with its nearest other item, highest first."""
    pairs: dict[frozenset[int], ConfusablePair] = {}
    for row in np.argsort(-near.other, kind="stable"):
        partner = int(near.other_row[row])
        key = frozenset((int(index.items[row]), int(index.items[partner])))
        if len(pairs) >= count or partner < 0:
            break
        if key not in pairs:
            a, b = sorted((int(row), partner))
            kind = _kind(index, a, b, float(near.other[row]), refs)
            pairs[key] = ConfusablePair(
                str(index.references[a]), str(index.references[b]), float(near.other[row]), kind
            )
    return list(pairs.values())


def _kind(index: Index, a: int, b: int, similarity: float, refs: Path | None) -> str:
    if index.sha256[a] == index.sha256[b]:
        return "same file"
    if similarity > 1 - 1e-4 and refs is not None:
        try:
            if np.array_equal(
                decode(refs / str(index.references[a])), decode(refs / str(index.references[b]))
            ):
                return "same picture"
        except ImageError:
            pass
    return "similar"


def _variant_separation(index: Index) -> dict[str, Any] | None:
    """How far apart the two nearest variants of an item lie (1 - cosine): the median over items that have several."""
    order = np.argsort(index.items, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(index.items[order])) + 1)

    apart = []
    for rows in groups:
        if len(rows) > 1:
            cosines = index.embeddings[rows] @ index.embeddings[rows].T
            apart.append(1 - float(cosines[np.triu_indices(len(rows), k=1)].max()))
    return {"items": len(apart), "median": round(float(np.median(apart)), 4)} if apart else None
