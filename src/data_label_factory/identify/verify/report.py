"""An Index → a Report: does every reference find itself, and what is it most similar to?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import embed_files, read_row
from data_label_factory.identify.reference_pictures import Reading
from data_label_factory.identify.verify.margins import Floats, Neighbors, nearest_others, rounded_up
from data_label_factory.identify.verify.pairs import (
    SAME_PICTURE,
    SIMILAR,
    ConfusablePair,
    classify_pair,
    find_confusable_pairs,
)
from data_label_factory.identify.verify.simulation import Simulation, simulate_camera
from data_label_factory.identify.verify.views import ViewCheck, check_views
from data_label_factory.labels import LabelScheme

SELF_ID_PASS_RATE = 0.99
_TIE = 1e-5  # cosines of equal pictures differ by rounding only

# The margin table: (median margin above which it applies, verdict, what to do).
VERDICTS = (
    (
        0.3,
        "ship it",
        "The references are far apart. Serve the index as it is.",
    ),
    (
        0.1,
        "consider training",
        "Some references are close. A projection head would make live answers more confident.",
    ),
    (
        -np.inf,
        "train",
        "The references are too close for this encoder alone. "
        "Train a projection head, then index again.",
    ),
)
# Instead of "ship it", when one view of an item is often not like another.
ADD_VIEWS = (
    "add views",
    "The items are far apart, but one view of an item is often not like another, as of things "
    "that are not flat. Expect candidates rather than names; add views from further sides.",
)
# Instead of "ship it", when the test was not passed.
MEND = (
    "mend",
    "The references are far apart, but some cannot be named: the reason is beside each. "
    "Replace, rename or remove these, then index again.",
)


@dataclass(frozen=True)
class Report:
    """The self-test of an index. Margins are cosine differences;
    thresholds are cosines.

    `reasons` says of each reference in `not_identified` why it is.
    """

    refs: int
    items: int
    dim: int
    encoder: str
    projection: str | None
    basis: str  # "re-encoded" reference files, or "stored" rows
    self_id_rate: float
    not_identified: list[str]
    reasons: dict[str, str]
    unreadable: dict[str, str]
    margins: Floats  # (N,) of each reference against the best other item
    verdict: str
    action: str
    confusable_pairs: list[ConfusablePair]
    thresholds: dict[str, Any]
    variant_separation: dict[str, Any] | None
    simulated: Simulation | None = field(default=None)
    views: ViewCheck | None = field(default=None)
    labels: LabelScheme = "cards"

    @property
    def passed(self) -> bool:
        return self.self_id_rate >= SELF_ID_PASS_RATE

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values, with the quartiles of the margins
        instead of all of them.
        """
        quartiles = np.quantile(self.margins, (0.25, 0.5, 0.75))
        low, median, high = (round(float(margin), 4) for margin in quartiles)
        pairs = [
            vars(pair) | {"similarity": round(pair.similarity, 4)} for pair in self.confusable_pairs
        ]

        values = {
            key: value for key, value in vars(self).items() if key not in ("margins", "labels")
        }
        return values | {
            "self_id_rate": round(self.self_id_rate, 4),
            "median_margin": median,
            "margin_quartiles": [low, high],
            "confusable_pairs": pairs,
            "simulated": self.simulated.as_json() if self.simulated else None,
            "views": vars(self.views) if self.views else None,
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
    """Test an index on itself.

    With `refs` and the embedder that made the index, each file is
    encoded again and searched for. Otherwise the stored rows are
    used. `simulate` camera views per reference predict the live
    behavior; they need both.

    Beyond the index itself, this takes a few hundred megabytes at
    most. Raises EncoderError if another embedder made the index,
    and ImageError if `simulate` finds no readable reference file.
    """
    queries = index.embeddings
    unreadable: dict[str, str] = {}
    simulation = None
    folder = Path(refs) if refs is not None and embedder is not None else None

    if folder is not None and embedder is not None:
        index.require_maker(embedder.identity)
        queries, unreadable = _encode_again(index, embedder, folder, quiet)
        if simulate:
            simulation = simulate_camera(
                index,
                embedder,
                folder,
                views=simulate,
                false_accept_rate=false_accept_rate,
                quiet=quiet,
            )

    near = nearest_others(queries, np.arange(len(index)), index)
    margins = near.own - near.other
    was_read = np.array([str(name) not in unreadable for name in index.references])
    is_identified = was_read & (margins > _TIE)
    self_id_rate = float(is_identified.mean())
    views = check_views(index)
    verdict, action = _choose_verdict(np.median(margins), self_id_rate)
    if verdict == VERDICTS[0][1] and views is not None and views.are_unlike:
        verdict, action = ADD_VIEWS
    reasons = {
        str(index.references[row]): _explain(index, near, row, folder, unreadable)
        for row in map(int, np.flatnonzero(~is_identified))
    }

    return Report(
        refs=len(index),
        labels=index.meta.labels,
        items=index.item_count,
        dim=index.dim,
        encoder=index.meta.encoder.id,
        projection=index.meta.head_sha256 or None,
        basis="stored" if folder is None else "re-encoded",
        self_id_rate=self_id_rate,
        not_identified=list(reasons),
        reasons=reasons,
        unreadable=unreadable,
        margins=margins,
        verdict=verdict,
        action=action,
        confusable_pairs=find_confusable_pairs(index, near, folder, top_confusables),
        thresholds=_recommend_thresholds(near, simulation, false_accept_rate),
        variant_separation=_measure_variant_separation(index),
        simulated=simulation,
        views=views,
    )


def _encode_again(
    index: Index, embedder: Embedder, refs: Path, quiet: bool
) -> tuple[Embeddings, dict[str, str]]:
    """Queries (N, D) from the files, and why some could not be read; those have zero rows."""
    queries = np.zeros_like(index.embeddings)
    unreadable: dict[str, str] = {}

    def read(name: str) -> Reading:
        return Reading(read_row(index, refs, index.row_of[name]))

    for batch in embed_files(embedder, list(index.row_of), read, label="re-encoded", quiet=quiet):
        rows = [index.row_of[name] for name in batch.names]
        queries[rows] = batch.rows
        unreadable |= batch.errors
    return queries, unreadable


def _explain(
    index: Index, near: Neighbors, row: int, refs: Path | None, unreadable: dict[str, str]
) -> str:
    """Why the reference of a row was not identified."""
    name = str(index.references[row])
    if name in unreadable:
        return unreadable[name]
    if nothing := index.meta.nothing.get(str(index.sha256[row])):
        return nothing

    partner = int(near.other_row[row])
    if partner < 0:
        return "nothing is left to compare it with"
    other = str(index.references[partner])
    if near.own[row] < SAME_PICTURE:
        return f"the file has changed since it was indexed; now {other} is as close"
    kind = classify_pair(index, row, partner, float(near.other[row]), refs)
    return f"{other} is as close" if kind == SIMILAR else f"the {kind} as {other}"


def _choose_verdict(median_margin: np.floating[Any], self_id_rate: float) -> tuple[str, str]:
    """The verdict, and what to do."""
    for number, (least_margin, verdict, action) in enumerate(VERDICTS):
        if median_margin > least_margin:
            is_fit = number > 0 or self_id_rate >= SELF_ID_PASS_RATE
            return (verdict, action) if is_fit else MEND
    raise ValueError(f"The median margin is {median_margin}")


def _recommend_thresholds(
    near: Neighbors, simulation: Simulation | None, rate: float
) -> dict[str, Any]:
    """Recommended thresholds, and what they are based on.

    Without a simulation they are rather strict, because a clean
    reference passes for an unknown item more easily than a camera
    view does.
    """
    if simulation:
        sim = simulation.sim_threshold
        margin = simulation.margin_threshold
        basis = "simulated views"
    else:
        # Of what passes the cosine, the margin lets through the same fraction again.
        fraction = float(np.sqrt(rate))
        lowest_sim = float(np.quantile(near.other, 1 - fraction, method="higher"))
        margins = (near.other - near.second)[near.other >= lowest_sim]
        lowest_margin = float(np.quantile(margins, 1 - fraction, method="higher"))
        sim = rounded_up(lowest_sim)
        margin = rounded_up(max(0.0, lowest_margin))
        basis = "the references themselves; --simulate gives better ones"
    return {"sim": sim, "margin": margin, "false_accept_rate": rate, "basis": basis}


def _measure_variant_separation(index: Index) -> dict[str, Any] | None:
    """The median distance (1 - cosine) of the two nearest variants,
    over items that have several; views of one are not told apart.

    None if no item has variants.
    """
    order = np.argsort(index.items, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(index.items[order])) + 1)

    distances = []
    for rows in groups:
        variants = index.variants[rows]
        is_another = variants[:, None] != variants
        if is_another.any():
            cosines = index.embeddings[rows] @ index.embeddings[rows].T
            distances.append(1 - float(cosines[is_another].max()))

    if not distances:
        return None
    return {"items": len(distances), "median": round(float(np.median(distances)), 4)}
