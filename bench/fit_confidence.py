"""Where the weights of `log_odds` come from: evidence of true and false hypotheses, and
their fit.

    python bench/fit_confidence.py --data ../shared/data [--sets books,cards,magic,samples]
                                   [--every N] [--seed N] [--evidence FILE.npz]

Collects hypotheses with the recognizer as it is (see confidence_evidence), fits the six
weights by logistic regression, and prints them beside the ones in the code, with figures
for both on each collection: the fitted ones are then fitted without that collection, while
the present ones may have seen it. Last come the tails of unknown items behind
`LOG_ODDS_PRIOR` and `MARGIN_RATIO_PRIOR`.

DATA holds NAME/refs beside NAME/queries, NAME/frames or NAME/photos, and `negatives`;
"samples" are drawn here. FILE keeps the evidence: when it is there, nothing is collected.
Run it again without FILE after any change to the evidence. Which hypothesis of a place is
kept depends a little on the weights in use, so after a change to them fit once more.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from confidence_evidence import OF_THREE, SAMPLES, Floats, Hypotheses, collect
from numpy.typing import NDArray
from recognize_sets import format_table

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.recognize import confidence
from data_label_factory.identify.recognize.confidence import (
    LOG_ODDS_PRIOR,
    MARGIN_RATIO_PRIOR,
    Tail,
)

NAMES = ("appearance", "correlation", "margin ratio", "color", "inlier ratio", "bias")
_CODE = ("_APPEARANCE", "_CORRELATION", "_MARGIN_RATIO", "_COLOR", "_INLIER_RATIO", "_BIAS")
PRESENT = np.array([getattr(confidence, name) for name in _CODE])
_SETS = ("books", "cards", "magic", SAMPLES)
_RIDGE = 3e-3  # lowest log loss of collections left out, of 1e-4 … 0.1; in standard deviations
_STEPS_MAX = 100
_PRIOR_RATE, _TAIL_RATE = 0.01, 0.1  # where a prior starts; the fraction whose fall gives its scale


def transform(evidence: Floats) -> tuple[Floats, Floats]:
    """Evidence (N, 6) → what the six weights multiply (N, 6), and the hand-set terms (N,)."""
    appearance, correlation, margin_ratio, color, inlier_ratio, outside = evidence.T
    clipped = np.clip(appearance, confidence._APPEARANCE_MIN, confidence._APPEARANCE_MAX)
    features = np.stack(
        [
            clipped / confidence._APPEARANCE_UNIT,
            correlation,
            np.clip(margin_ratio, -1, 1),
            np.maximum(color, confidence._OTHER_COLORS_FROM),
            np.sqrt(inlier_ratio),
            np.ones_like(appearance),
        ],
        axis=1,
    )

    beyond = np.maximum(color, confidence._COLOR_MIN) - confidence._OTHER_COLORS_FROM
    fixed = confidence._OTHER_COLORS * np.minimum(beyond, 0) - confidence._OUTSIDE * outside
    return features, fixed


def fit_weights(
    features: Floats, true: NDArray[np.bool_], fixed: Floats, importance: Floats
) -> Floats:
    """Ridge logistic regression by Newton's method.

    `features` (N, K), the last one constant and its weight free; `fixed` (N,) is added to
    the log-odds; `importance` (N,) sums to 1.
    """
    mean = importance @ features
    spread = np.sqrt(importance @ (features - mean) ** 2)
    ridge = _RIDGE * np.append(spread[:-1] ** 2, 0.0)
    weights = np.zeros(features.shape[1])

    for _ in range(_STEPS_MAX):
        chance = 1 / (1 + np.exp(-np.clip(features @ weights + fixed, -50, 50)))
        gradient = features.T @ (importance * (chance - true)) + ridge * weights
        curvature = (features.T * (importance * chance * (1 - chance))) @ features
        step = np.linalg.solve(curvature + np.diag(ridge + 1e-12), gradient)
        weights -= step / max(1.0, float(np.abs(step).max()) / 2)  # no more than 2 at a time
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(weights, np.float64)


def balance(known: Hypotheses) -> Floats:
    """(N,) how much each hypothesis counts: the same for each collection, and within it
    half for the true ones and half for the false ones.
    """
    importance = np.zeros(len(known.true))
    for name in np.unique(known.collection):
        for true in (True, False):
            part = (known.collection == name) & (known.true == true)
            importance[part] = 1 / max(part.sum(), 1)
    return np.asarray(importance / importance.sum(), np.float64)


def fit(known: Hypotheses, without: str = "") -> Floats:
    """The six weights, fitted `without` a picture set and the small indexes out of it."""
    features, fixed = transform(known.evidence)
    use = np.array([set_of(name) != without for name in known.collection])
    importance = balance(known) * use
    return fit_weights(features, known.true, fixed, importance / importance.sum())


def set_of(collection: str) -> str:
    return str(collection).removesuffix(OF_THREE)


def separate(values: Floats, true: NDArray[np.bool_]) -> tuple[float, float, int]:
    """How well log-odds (N,) tell true from false: area under the ROC curve, the fraction
    of true ones above the 99th percentile of the false, the count of true ones below the
    best false.
    """
    right, wrong = values[true], np.sort(values[~true])
    below = np.searchsorted(wrong, right, "left") + np.searchsorted(wrong, right, "right")
    area = float(below.mean()) / 2 / len(wrong)
    above = float((right > np.quantile(wrong, 0.99)).mean())
    return area, above, int((right <= wrong[-1]).sum())


def measure_left_out_loss(known: Hypotheses) -> tuple[float, float]:
    """The log loss of sets that the weights were not fitted on, and that of the present weights.

    Each set weighs the same; natural logarithm.
    """
    features, fixed = transform(known.evidence)
    importance = balance(known)
    sets = np.array([set_of(name) for name in known.collection])
    names = np.unique(sets)
    losses = []
    for name in names if len(names) > 1 else ():
        part = sets == name
        sign = np.where(known.true[part], -1.0, 1.0)
        for weights in (fit(known, without=str(name)), PRESENT):
            log_odds = (features @ weights + fixed)[part]
            losses.append(np.average(np.logaddexp(0, sign * log_odds), weights=importance[part]))
    fitted, present = np.reshape(losses, (-1, 2)).mean(axis=0) if losses else (np.nan, np.nan)
    return float(fitted), float(present)


def compare(known: Hypotheses) -> str:
    """A row for each collection: the weights fitted without it against the present ones."""
    features, fixed = transform(known.evidence)
    rows, sets = [], {set_of(name) for name in known.collection}
    for name in np.unique(known.collection):
        part = known.collection == name
        true = known.true[part]
        cells = [str(name), str(true.sum()), str((~true).sum())]
        if not true.any() or true.all() or len(sets) == 1:
            rows.append(cells + ["–"] * 6)
            continue

        pairs = [
            separate((features @ weights + fixed)[part], true)
            for weights in (fit(known, without=set_of(name)), PRESENT)
        ]
        cells += [f"{area:.4f}" for area, _, _ in pairs]
        cells += [f"{above:.3f}" for _, above, _ in pairs]
        rows.append(cells + [str(below) for _, _, below in pairs])
    figures = ("AUC", "true above 99 % of false", "true below the best false")
    head = [f"{figure}, {which}" for figure in figures for which in ("fitted", "present")]
    return format_table(["collection", "true", "false", *head], rows)


def learn_prior(values: Floats, collection: NDArray[np.str_]) -> Tail:
    """The upper tail of what unknown items (S,) reach, each collection weighing the same:
    above where one in a hundred is, it falls as the highest tenth does.
    """
    order = np.argsort(-values, kind="stable")
    names, number, count = np.unique(collection, return_inverse=True, return_counts=True)
    importance = (1 / count[number] / len(names))[order]
    ordered, reached = values[order], np.cumsum(importance)

    start = float(ordered[np.searchsorted(reached, _PRIOR_RATE)])
    top = np.isfinite(ordered) & (reached <= _TAIL_RATE)
    if not top.any():
        return Tail(_PRIOR_RATE, start, np.nan)
    excess = ordered[top] - ordered[top].min()
    return Tail(_PRIOR_RATE, start, float(np.average(excess, weights=importance[top])))


def best_of_unknowns(known: Hypotheses, weights: Floats) -> Floats:
    """(S,) the highest log-odds of each unknown item; -inf where it was taken for nothing."""
    features, fixed = transform(known.evidence)
    best = np.full(len(known.unknowns), -np.inf)
    is_unknown = known.unknown >= 0
    np.maximum.at(best, known.unknown[is_unknown], (features @ weights + fixed)[is_unknown])
    return best


def report(known: Hypotheses, source: str) -> str:
    """All that the command prints."""
    fitted = np.round(fit(known), 2)
    rows = [
        [name, f"{new:.2f}", f"{old:.2f}"]
        for name, new, old in zip(NAMES, fitted, PRESENT, strict=True)
    ]
    has_ratio = np.isfinite(known.margin_ratios)
    margin_ratios = learn_prior(known.margin_ratios[has_ratio], known.unknowns[has_ratio])

    priors = []
    for name, weights in (("fitted", fitted), ("present", PRESENT)):
        tail = learn_prior(best_of_unknowns(known, weights), known.unknowns)
        priors.append([f"log-odds, {name} weights", *_cells(tail), *_cells(LOG_ODDS_PRIOR)])
    priors.append(["margin ratio", *_cells(margin_ratios), *_cells(MARGIN_RATIO_PRIOR)])

    return "\n\n".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}, {source}: {known.true.sum()} true and "
            f"{(~known.true).sum()} false hypotheses, {len(known.unknowns)} unknown items",
            format_table(["weight", "fitted", "in the code"], rows),
            compare(known),
            "log loss of sets left out: fitted {:.4f}, present {:.4f}".format(
                *measure_left_out_loss(known)
            ),
            format_table(
                ["prior", "start", "scale", "start in the code", "scale in the code"], priors
            ),
        ]
    )


def _cells(tail: Tail) -> list[str]:
    return [f"{tail.start:.2f}", f"{tail.scale:.2f}"]


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("DLF_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--sets", type=_split, default=_SETS, help=f"default: {','.join(_SETS)}")
    parser.add_argument("--every", type=int, default=1, help="take one photo in so many")
    parser.add_argument("--seed", type=int, default=0, help="of drawn cards and small indexes")
    parser.add_argument("--evidence", type=Path, help="keep the evidence here, or take it from it")
    return parser.parse_args(argv)


def _split(text: str) -> list[str]:
    return text.split(",")


def main(argv: Sequence[str] | None = None) -> int:
    options = parse(argv)
    source = f"sets {','.join(options.sets)}, every {options.every}, seed {options.seed}"
    try:
        if options.evidence and options.evidence.is_file():
            print(report(Hypotheses.load(options.evidence), str(options.evidence)))
            return 0

        with tempfile.TemporaryDirectory() as scratch:
            known = collect(
                options.data,
                options.sets,
                Embedder.open(),
                Path(scratch),
                options.every,
                options.seed,
            )
    except FactoryError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2

    if options.evidence:
        known.save(options.evidence)
    print(report(known, source))
    return 0


if __name__ == "__main__":
    sys.exit(main())
