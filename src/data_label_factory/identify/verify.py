"""An Index → a Report: does every reference find itself, what is it most like, and will a camera tell them apart?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.build import decode_ahead
from data_label_factory.identify.camera import live_crop
from data_label_factory.identify.encoders import Embeddings, Encoder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.projection import ProjectionHead
from data_label_factory.progress import Progress

SELF_ID_PASS_RATE = 0.99
SIMULATED_REFERENCES_MAX = 2000
_TIE = 1e-5  # cosines of equal pictures differ by rounding only
_ROW_BLOCK, _COLUMN_BLOCK = 1024, 8192
_CAMERA_SIDE_PX = 288

Floats = NDArray[np.float32]

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
class Simulation:
    """What webcam-like views predict. Rates are shares of all views; strangers are the same views with the true item
    taken out of the index."""

    views: int
    references: int
    top1: float
    accepted_right: float
    accepted_wrong: float
    false_accept_rate: float
    sim_threshold: float
    margin_threshold: float


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


@dataclass(frozen=True)
class Neighbours:
    """Of each of Q queries: its cosine to its own row, and to the best rows of the two nearest other items."""

    own: Floats  # (Q,)
    other: Floats  # (Q,)
    second: Floats  # (Q,)
    other_row: NDArray[np.int64]  # (Q,) the best one; -1 when there is no other item


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
        simulation = _simulate(index, encoder, head, refs, simulate, false_accept_rate, quiet)
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


def nearest_others(queries: Embeddings, truth_rows: NDArray[np.int64], index: Index) -> Neighbours:
    """For Q queries (Q, D) that show the references `truth_rows` (Q,): how alike they are to those and to others.

    "Other" means another item; variants of the true one do not count. Exact, in blocks: Q × N cosines are never held.
    """
    count, items = len(queries), index.items
    other, second = np.zeros(count, np.float32), np.zeros(count, np.float32)
    other_row = np.full(count, -1, np.int64)
    own = np.einsum("qd,qd->q", queries, index.embeddings[truth_rows]).astype(np.float32)
    by_item = np.argsort(items, kind="stable")
    first_of_item = np.searchsorted(items[by_item], np.arange(index.item_count + 1))
    for rows in _blocks(count, _ROW_BLOCK):
        best, runner_up = np.full((2, rows.stop - rows.start), -np.inf, np.float32)
        where, best_item = np.full((2, len(best)), -1, np.int64)
        for columns in _blocks(len(index), _COLUMN_BLOCK):
            cosines = queries[rows] @ index.embeddings[columns].T
            _hide_own_item(cosines, items[truth_rows[rows]], by_item, first_of_item, columns)
            at = cosines.argmax(axis=1)
            top, top_item = cosines[np.arange(len(at)), at], items[at + columns.start]
            # A stranger's margin is its lead over the next item, as in recognition: hide the variants of the best.
            _hide_own_item(cosines, top_item, by_item, first_of_item, columns)
            better = top > best
            loser = np.where(top_item == best_item, -np.inf, np.minimum(top, best))
            runner_up = np.maximum.reduce([runner_up, cosines.max(axis=1), loser.astype(np.float32)])
            where[better] = at[better] + columns.start
            best, best_item = np.maximum(best, top), np.where(better, top_item, best_item)
        # With no other item at all, a query is compared with nothing: cosine 0, the expectation of unlike pictures.
        other[rows], second[rows] = (np.where(np.isfinite(column), column, 0) for column in (best, runner_up))
        other_row[rows] = where
    return Neighbours(own, other, second, other_row)


def choose_thresholds(
    genuine_sim: Floats, genuine_margin: Floats, stranger_sim: Floats, stranger_margin: Floats, rate: float
) -> tuple[float, float]:
    """The cosine and margin thresholds that accept most genuine answers while at most `rate` of strangers pass both.

    All inputs (V,). An answer passes when its cosine and its margin are both above. Tries 64 cosine thresholds, and
    for each the lowest margin that keeps the rate.
    """
    allowed = int(rate * len(stranger_sim))
    best = (-1.0, 1.0, 1.0)
    for sim in np.quantile(np.concatenate([genuine_sim, stranger_sim]), np.linspace(0, 1, 64)):
        passing = np.sort(stranger_margin[stranger_sim > sim])[::-1]
        margin = max(0.0, float(passing[allowed])) if len(passing) > allowed else 0.0
        accepted = float(np.mean((genuine_sim > sim) & (genuine_margin > margin)))
        best = max(best, (accepted, float(sim), margin))
    return _rounded_up(best[1]), _rounded_up(best[2])


def _rounded_up(threshold: float) -> float:
    """To four digits, never down: shown so, it must not let in more than the one that was measured."""
    return math.ceil(threshold * 1e4) / 1e4


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


def _simulate(
    index: Index, encoder: Encoder, head: ProjectionHead | None, refs: Path, views: int, rate: float, quiet: bool
) -> Simulation:
    rows = np.unique(np.linspace(0, len(index) - 1, min(len(index), SIMULATED_REFERENCES_MAX)).astype(np.int64))
    queries, truth = [], []
    with Progress("simulated", len(rows) * views, enabled=not quiet) as progress:
        for row, batch in zip(rows, decode_ahead([refs / str(index.filenames[r]) for r in rows], 1), strict=True):
            if not isinstance(batch[0], ImageError):
                # Seeded by content, so that a picture's views stay the same whatever else is in the folder.
                rng = np.random.default_rng(int(str(index.sha256[row])[:16], 16))
                crops = [live_crop(batch[0], rng, _CAMERA_SIDE_PX) for _ in range(views)]
                encoded = encoder.encode(crops)
                queries.append(head(encoded) if head else encoded)
                truth += [row] * views
            progress.step(views)
    if not queries:
        raise ImageError(f"No reference file in {refs} can be read", "Give the folder that was indexed")
    seen, truth_rows = np.concatenate(queries), np.array(truth)
    near = nearest_others(seen, truth_rows, index)
    variants = np.array(
        [
            float((index.embeddings[index.items == index.items[r]] @ q).max())
            for q, r in zip(seen, truth_rows, strict=True)
        ]
    )
    right = variants > near.other
    margin = np.where(right, variants - near.other, 0).astype(np.float32)
    sim, gap = choose_thresholds(
        np.where(right, variants, -1).astype(np.float32), margin, near.other, near.other - near.second, rate
    )
    wrong = ~right & (near.other > sim) & (near.other - np.maximum(variants, near.second) > gap)
    false = (near.other > sim) & (near.other - near.second > gap)
    return Simulation(
        views=len(seen),
        references=len(queries),
        top1=round(float(right.mean()), 4),
        accepted_right=round(float((right & (variants > sim) & (margin > gap)).mean()), 4),
        accepted_wrong=round(float(wrong.mean()), 4),
        false_accept_rate=round(float(false.mean()), 4),
        sim_threshold=sim,
        margin_threshold=gap,
    )


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
        sim, margin = _rounded_up(sim), _rounded_up(max(0.0, margin))
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


def _hide_own_item(
    cosines: Floats, own_items: NDArray[np.int64], by_item: NDArray[np.int64], first: NDArray[np.int64], columns: slice
) -> None:
    """Set to -inf, in place, each query's cosines to rows of its own item (few, found through the item order)."""
    counts = first[own_items + 1] - first[own_items]
    line = np.repeat(np.arange(len(own_items)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = by_item[np.repeat(first[own_items], counts) + offset]
    inside = (rows >= columns.start) & (rows < columns.stop)
    cosines[line[inside], rows[inside] - columns.start] = -np.inf


def _blocks(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
