"""The fit behind the recognizer's confidence: known weights come back, and the command runs."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from drawn import draw_collection

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.recognize.confidence import log_odds
from data_label_factory.identify.recognize.encoder_constants import learn_constants

BENCH = Path(__file__).parents[2] / "bench"
EVIDENCE = ("appearance", "correlation", "margin_ratio", "color", "inlier_ratio", "outside")
LOWEST, HIGHEST = [-30, 0, -1.2, -1.5, 0, 0], [90, 1, 1.2, 0.2, 0.8, 0.6]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, quick_calibration: None) -> ModuleType:
    """The script as a module, with a small encoder, a dozen cards, and two frames to
    calibrate.
    """
    monkeypatch.syspath_prepend(str(BENCH))
    import confidence_evidence  # type: ignore[import-not-found, unused-ignore]
    import fit_confidence  # type: ignore[import-not-found, unused-ignore]

    small = Embedder.open("sscd-small")
    monkeypatch.setattr(fit_confidence.Embedder, "open", lambda: small)
    monkeypatch.setattr(confidence_evidence, "draw_collection", draw_collection)
    monkeypatch.setattr(confidence_evidence, "_CARDS", 12)
    monkeypatch.setattr(confidence_evidence, "_TRIOS", 1)
    monkeypatch.setattr(confidence_evidence, "_UNKNOWNS_PER_TRIO", 2)
    return fit_confidence


def draw_evidence(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(LOWEST, HIGHEST, (count, 6))


def test_the_features_are_those_of_the_log_odds(bench: ModuleType) -> None:
    evidence = draw_evidence(200)
    features, fixed = bench.transform(evidence)
    weighed = features @ bench.PRESENT + fixed
    assert weighed == pytest.approx(
        np.array([log_odds(**dict(zip(EVIDENCE, row, strict=True))) for row in evidence])
    )


def test_the_regression_recovers_known_weights(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "_RIDGE", 0.0)  # which shrinks them
    features, fixed = bench.transform(draw_evidence(40_000))
    weights = np.array([0.5, 1.0, 2.0, 3.0, 4.0, -3.0])
    chance = 1 / (1 + np.exp(-(features @ weights + fixed)))
    true = np.random.default_rng(1).random(len(chance)) < chance
    importance = np.full(len(chance), 1 / len(chance))
    fitted = bench.fit_weights(features, true, fixed, importance)
    assert fitted == pytest.approx(weights, abs=0.25)


def test_every_collection_weighs_the_same(bench: ModuleType) -> None:
    true = np.array([True, False, False, False, True, True, True, False])
    names = np.array(["books"] * 4 + ["cards"] * 4)
    none = np.zeros(0)
    known = bench.Hypotheses(np.zeros((8, 6)), true, names, np.full(8, -1), none, none)
    importance = bench.balance(known)
    for name in ("books", "cards"):
        for side in (True, False):
            part = (names == name) & (true == side)
            assert importance[part].sum() == pytest.approx(0.25)


def test_a_prior_starts_where_one_unknown_item_in_a_hundred_is_above(bench: ModuleType) -> None:
    values = np.random.default_rng(2).exponential(0.5, 50_000)
    tail = bench.learn_prior(values, np.repeat(["books", "cards"], 25_000))
    assert tail.start == pytest.approx(0.5 * np.log(100), rel=0.05)
    assert tail.scale == pytest.approx(0.5, rel=0.05)


@pytest.mark.slow
def test_the_command_fits_a_drawn_set_and_its_evidence_alike(
    bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--sets", "samples", "--every", "2", "--evidence", str(tmp_path / "known.npz")]
    assert bench.main(arguments) == 0
    collected = capsys.readouterr().out
    for word in (*bench.NAMES, "samples of three", "AUC", "margin ratio"):
        assert word in collected

    assert bench.main(arguments) == 0
    kept = capsys.readouterr().out
    assert kept.split("\n\n")[1:] == collected.split("\n\n")[1:]


def test_encoder_constants_of_drawn_embeddings() -> None:
    """Twenty unlike items, views of eight at cosine 0.8 with a small error, and unrelated
    pictures.
    """
    rng = np.random.default_rng(3)
    directions, _ = np.linalg.qr(rng.normal(size=(64, 64)))
    references, rest = directions[:20], directions[20:]
    errors = 0.01 * rng.normal(size=(8, 50, 64))
    views = 0.8 * references[:8, None] + 0.6 * rest[:8, None] + errors
    unrelated = 0.2 * references[:10] + np.sqrt(1 - 0.2**2) * rest[10:20]

    learned = learn_constants(
        references.astype(np.float32),
        np.arange(20),
        unrelated.astype(np.float32),
        views.astype(np.float32),
        np.arange(8),
    )
    assert learned.unrelated_cosine == pytest.approx(0.5, abs=0.02)
    assert learned.crop_noise == pytest.approx(3 * 0.01 * np.sqrt(2), rel=0.1)
