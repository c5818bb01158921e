"""An Index → a Report: does every reference find itself, what is it most like, and will a camera tell them apart?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import Embeddings, Encoder
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import decode_ahead
from data_label_factory.identify.verify.margins import Floats, Neighbours, nearest_others, rounded_up
from data_label_factory.identify.verify.simulation import Simulation, simulate_camera
from data_label_factory.progress import Progress

SELF_ID_PASS_RATE = 0.99
_TIE = 1e-5  # cosines of equal pictures differ by rounding only

# The margin table: (median margin above which it applies, verdict, what to do).
VERDICTS = (
    (0.3, "ship it", "The references are far apart. Serve the index as it is."),
    (0.1, "consider training", "Some references are close. A projection head would make live answers surer."),
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
        low, median, high = (round(float(q), 4) for q in np.quantile(self.margins, (0.25, 0.5, 0.75)))
        values = {key: value for key, value in vars(self).items() if key != "margins"}
        return values | {
            "self_id_rate": round(self.self_id_rate, 4),
            "median_margin": median,
            "margin_quartiles": [low, high],
            "confusable_pairs": [
                vars(pair) | {"similarity": round(pair.similarity, 4)} for pair in self.confusable_pairs
            ],
            "simulated": vars(self.simulated) if self.simulated else None,
        }


def verify_index(
    index: Index,
    encoder: Encoder | None = None,
    head: ProjectionHead | None = None,
    *,
    refs: Path | None = None,
    top_confusables: int = 10,
    simulate: int = 0,
    false_accept_rate: float = 0.01,
    quiet: bool = False,
) -> Report:
    """Self-test of `index`. With `refs` (and the encoder that made it) each file is encoded again and searched for;
    without, the stored rows are used. `simulate` views a reference predict live behaviour, and need both.

    Memory stays within a few hundred megabytes beyond the index whatever N. Raises EncoderError when encoder or head
    are not the index's own, and ImageError when `simulate` finds no reference file that it can read.
    """
    queries = index.embeddings
    unreadable: dict[str, str] = {}
    if refs is not None and encoder is not None:
        index.require_maker(encoder.identity, head.sha256 if head else "")
        queries, unreadable = _encode_again(index, encoder, head, refs, quiet)
    near = nearest_others(queries, np.arange(len(index)), index)
    read = np.array([name not in unreadable for name in map(str, index.filenames)])
    identified = read & (near.own > near.other + _TIE)
    margins = near.own - near.other
    simulation = None
    if simulate and refs is not None and encoder is not None:
        simulation = simulate_camera(
            index, encoder, head, refs, views=simulate, false_accept_rate=false_accept_rate, quiet=quiet
        )
    _, verdict, action = next(row for row in VERDICTS if np.median(margins) > row[0])
    return Report(
        refs=len(index),
        items=index.item_count,
        dim=index.dim,
        encoder=index.meta.encoder.id,
        projection=index.meta.head_sha256 or None,
        basis="re-encoded" if refs is not None and encoder is not None else "stored",
        self_id_rate=float(identified.mean()),
        not_identified=[str(name) for name in index.filenames[~identified]],
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
    index: Index, encoder: Encoder, head: ProjectionHead | None, refs: Path, quiet: bool
) -> tuple[Embeddings, dict[str, str]]:
    """Queries (N, D) from the files themselves; a file that cannot be read gives a zero row and its reason."""
    names = [str(name) for name in index.filenames]
    queries = np.zeros_like(index.embeddings)
    unreadable: dict[str, str] = {}
    with Progress("re-encoded", len(names), enabled=not quiet) as progress:
        for batch in decode_ahead([refs / name for name in names], 32):
            at = np.arange(progress.done, progress.done + len(batch))
            good = [(row, image) for row, image in zip(at, batch, strict=True) if not isinstance(image, ImageError)]
            unreadable |= {names[r]: str(e) for r, e in zip(at, batch, strict=True) if isinstance(e, ImageError)}
            if good:
                rows = encoder.encode([image for _, image in good])
                queries[[row for row, _ in good]] = head(rows) if head else rows
            progress.step(len(batch))
    return queries, unreadable


def _thresholds(near: Neighbours, simulation: Simulation | None, rate: float) -> dict[str, Any]:
    """Recommended thresholds, and what they rest on. Clean references make better strangers than a camera does, so
    without a simulation the thresholds are on the strict side."""
    if simulation:
        sim, margin, basis = simulation.sim_threshold, simulation.margin_threshold, "simulated views"
    else:
        # Split the rate between the two: of the strangers that pass one, as small a share passes the other.
        share = float(np.sqrt(rate))
        sim = float(np.quantile(near.other, 1 - share, method="higher"))
        passing = (near.other - near.second)[near.other >= sim]
        margin = float(np.quantile(passing, 1 - share, method="higher"))
        sim, margin = rounded_up(sim), rounded_up(max(0.0, margin))
        basis = "the references themselves; --simulate gives better ones"
    return {"sim": sim, "margin": margin, "false_accept_rate": rate, "basis": basis}


def _confusable_pairs(index: Index, near: Neighbours, refs: Path | None, count: int) -> list[ConfusablePair]:
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
            pairs[key] = ConfusablePair(str(index.filenames[a]), str(index.filenames[b]), float(near.other[row]), kind)
    return list(pairs.values())


def _kind(index: Index, a: int, b: int, similarity: float, refs: Path | None) -> str:
    if index.sha256[a] == index.sha256[b]:
        return "same file"
    if similarity > 1 - 1e-4 and refs is not None:
        try:
            if np.array_equal(decode(refs / str(index.filenames[a])), decode(refs / str(index.filenames[b]))):
                return "same picture"
        except ImageError:
            pass
    return "similar"


def _variant_separation(index: Index) -> dict[str, Any] | None:
    """How far variants of one item lie apart (1 - cosine): the median over items that have several."""
    order = np.argsort(index.items, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(index.items[order])) + 1)
    apart = [1 - float(index.embeddings[g[:-1]].dot(index.embeddings[g[1:]].T).max()) for g in groups if len(g) > 1]
    return {"items": len(apart), "median": round(float(np.median(apart)), 4)} if apart else None
