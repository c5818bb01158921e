"""Training a head: it helps or says that it does not, and can be repeated and resumed."""

import errno
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GridEncoder, save_picture
from drawn import draw_collection, mean_color_model
from markup import assert_inert
from train_bank import RECIPE, bank_of, draw_refs

from data_label_factory.cli import main
from data_label_factory.errors import EncoderError, FactoryError
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.encoders.torch_file import read_torch_zip
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.index.index import Index
from data_label_factory.identify.output.train_html import as_html
from data_label_factory.identify.train import bank as bank_module
from data_label_factory.identify.train import fit
from data_label_factory.identify.train import sampler as sampler_module
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.fit import TrainResult, check_destination, train_head
from data_label_factory.identify.train.init_weights import start_weights
from data_label_factory.identify.train.network import forward
from data_label_factory.identify.train.sampler import BatchSampler, classes_of
from data_label_factory.identify.train.settings import TrainSettings, ViewRecipe
from data_label_factory.identify.train.torchfile import torch_bytes
from data_label_factory.identify.train.validation import Figures, Validator, worst_rows
from data_label_factory.identify.train.views import draw_views

SHORT = TrainSettings(epochs=4, steps_per_epoch=20)
NO_HELP = TrainSettings(
    epochs=1, steps_per_epoch=1, lr=1e-12
)  # stays at the encoder, which it starts from


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return bank_of(draw_refs(tmp_path_factory.mktemp("train") / "refs", 17))


def train(bank: Bank, out: Path, settings: TrainSettings = SHORT, **options: Any) -> TrainResult:
    return train_head(bank, out, settings, quiet=True, **options)


# Batches


def test_files_of_one_name_are_one_class_or_each_its_own_and_equal_files_always_one(
    refs: Path,
) -> None:
    save_picture(refs / "LOCH-JP001_card_0_ur.png", 30)
    shutil.copy(refs / "card_1.png", refs / "copy of one.png")
    shutil.copy(refs / "card_2.png", refs / "LOCH-JP009_card_0_sr.png")
    save_picture(refs / "LOCH-JP001_card_0_ur__2.png", 31)
    save_picture(refs / "card_3__2.png", 32)
    bank = bank_of(refs)
    for variants, count in (("same", 4), ("apart", 6)):
        of = dict(zip(bank.references, classes_of(bank, variants).tolist(), strict=True))  # type: ignore[arg-type]
        assert sorted(set(of.values())) == list(range(count))
        assert of["card_1.png"] == of["copy of one.png"] != of["card_3.png"]
        assert of["card_2.png"] == of["LOCH-JP009_card_0_sr.png"]
        assert of["card_3.png"] == of["card_3__2.png"]
        assert of["LOCH-JP001_card_0_ur.png"] == of["LOCH-JP001_card_0_ur__2.png"]
        assert (of["card_0.png"] == of["LOCH-JP001_card_0_ur.png"] == of["card_2.png"]) == (
            variants == "same"
        )


@pytest.mark.parametrize("hard", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("anchor", [False, True])
@pytest.mark.parametrize("k", [1, 6, 17, 40])
def test_a_batch_has_distinct_classes_and_their_own_views(
    hard: float, anchor: bool, k: int, bank: Bank
) -> None:
    classes, references = classes_of(bank, "same"), bank.reference_features()
    sampler = BatchSampler(bank, classes, references, k=k, m=3, anchor=anchor, hard=hard)
    batch = sampler.draw(np.random.default_rng(0))
    assert batch.features.shape == (3 * min(k, 17), 48)
    assert len(set(batch.labels.tolist())) == min(k, 17)
    for at, number in enumerate(batch.labels):
        row = int(np.flatnonzero(classes == number)[0])
        own = references[[row]] if anchor and at % 3 == 0 else bank.training(row)
        assert (np.abs(own - batch.features[at]).max(axis=1) == 0).any()


def test_a_class_with_fewer_views_than_asked_for_gives_some_twice(bank: Bank) -> None:
    sampler = BatchSampler(bank, classes_of(bank, "same"), bank.reference_features(), k=2, m=9)
    batch = sampler.draw(np.random.default_rng(0))
    assert batch.features.shape == (18, 48)
    assert len(np.unique(batch.features, axis=0)) <= 2 * RECIPE.views


def test_hard_batches_hold_items_that_are_alike(bank: Bank) -> None:
    references = bank.reference_features()
    likeness = {}
    for hard in (0.0, 0.5):
        sampler = BatchSampler(bank, classes_of(bank, "same"), references, k=4, m=2, hard=hard)
        rng, cosines = np.random.default_rng(1), []
        for _ in range(200):
            rows = references[sampler.draw(rng).labels[::2]]
            cosines.append(np.sort((rows @ rows.T)[np.triu_indices(4, 1)])[-1])
        likeness[hard] = np.mean(cosines)
    assert likeness[0.5] > likeness[0.0] + 0.01


def test_a_bank_too_large_to_hold_is_read_as_it_is_used(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> np.ndarray:
        sampler = BatchSampler(bank, classes_of(bank, "same"), bank.reference_features(), k=8, m=2)
        rng = np.random.default_rng(0)
        return np.concatenate([sampler.draw(rng).features for _ in range(5)])

    held = drawn()
    monkeypatch.setattr(sampler_module, "_HELD_BYTES_MAX", 2 * bank.training(0).nbytes)
    assert np.array_equal(drawn(), held)


# The start


def test_a_head_that_starts_as_the_encoder_keeps_every_cosine(bank: Bank) -> None:
    w1, b1, w2, b2 = start_weights(bank, "encoder", 512, 256, np.random.default_rng(0))
    head = ProjectionHead(w1, b1, w2, b2, "grid", "")
    rows = bank.read(3)
    assert (w1.shape, w2.shape) == ((512, 48), (48, 512)) or (w1.shape, w2.shape) == (
        (512, 48),
        (256, 512),
    )
    assert head(rows) @ head(rows).T == pytest.approx(rows @ rows.T, abs=1e-4)


def test_fewer_dimensions_keep_the_longest_and_too_few_hidden_units_start_random(
    bank: Bank,
) -> None:
    w1, b1, w2, b2 = start_weights(bank, "encoder", 64, 16, np.random.default_rng(0))
    rows = np.concatenate([bank.read(row) for row in range(len(bank))])
    kept = np.linalg.norm(rows @ w1[:16].T, axis=1) / 3
    assert (w1.shape, b1.shape, w2.shape, b2.shape) == ((64, 48), (64,), (16, 64), (16,))
    random = np.linalg.qr(np.random.default_rng(1).normal(size=(48, 16)))[0]
    assert np.mean(kept**2) > np.mean(np.linalg.norm(rows @ random, axis=1) ** 2) + 0.2
    few = start_weights(bank, "encoder", 20, 16, np.random.default_rng(0))
    same = start_weights(bank, "random", 20, 16, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(few, same, strict=True))
    assert np.abs(same[0]).max() <= 48**-0.5


# Validation


def test_figures_of_the_encoder_alone_are_what_a_naive_loop_counts(bank: Bank) -> None:
    validation = Validator(bank, classes_of(bank, "same"), bank.reference_features()).validate(None)
    right, margins = [], []
    for row in range(len(bank)):
        for view in bank.heldout(row):
            cosines = bank.reference_features() @ view
            margin = cosines[row] - max(c for other, c in enumerate(cosines) if other != row)
            right.append(margin > 0)
            margins.append(margin)
    assert validation.figures.top1 == pytest.approx(np.mean(right))
    assert validation.figures.top1_tight == pytest.approx(np.mean(right[0::2]))
    assert validation.figures.top1_loose == pytest.approx(np.mean(right[1::2]))
    assert validation.figures.margin_views == pytest.approx(np.median(margins), abs=1e-5)
    assert validation.margins == pytest.approx(np.array(margins), abs=1e-5)
    assert validation.score_reference(4) == pytest.approx(
        (np.mean(right[8:10]), np.mean(margins[8:10])), abs=1e-5
    )
    worst = worst_rows(validation, validation, 5)
    assert validation.score_reference(worst[0]) == min(
        validation.score_reference(row) for row in range(len(bank))
    )


def test_more_right_answers_count_before_a_wider_margin() -> None:
    base = Figures(0.9, 0.9, 0.9, 0.8, 0.3, 0.3)
    assert replace(base, top1=0.91, margin_views=0.1).is_better_than(base)
    assert replace(base, accepted_right=0.81).is_better_than(base)
    assert not replace(base, top1=0.89, margin_views=0.9).is_better_than(base)
    assert replace(base, margin_views=0.33).is_better_than(base)
    assert not replace(base, margin_views=0.31).is_better_than(base)


# Training


def test_training_helps_and_the_written_head_is_the_validated_one(
    bank: Bank, tmp_path: Path
) -> None:
    result = train(bank, tmp_path / "h.pt")
    assert result.helped and result.written
    before, after = result.before.figures, result.after.figures
    assert after.top1 >= before.top1
    assert after.margin_views > 1.5 * before.margin_views
    assert len(result.history) == 4
    head = ProjectionHead.load(tmp_path / "h.pt")
    assert (head.in_dim, head.encoder) == (48, "grid")
    again = Validator(bank, classes_of(bank, "same"), bank.reference_features()).validate(head)
    assert again.figures == after
    best = max(
        result.history,
        key=lambda line: (round(line["top1"] + line["accepted_right"], 4), line["margin_views"]),
    )
    assert best["epoch"] == result.best_epoch
    assert best["top1"] == after.top1
    assert list(tmp_path.iterdir()) == [tmp_path / "h.pt"]


@pytest.mark.torch
def test_the_file_is_a_torch_file_and_torch_agrees_with_the_head(
    bank: Bank, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    train(bank, tmp_path / "h.pt")
    saved = torch.load(tmp_path / "h.pt", weights_only=True)
    assert {"state_dict", "in_dim", "hidden", "out_dim", "model"} <= saved.keys()
    assert (saved["in_dim"], saved["hidden"], saved["out_dim"], saved["model"]) == (
        48,
        512,
        256,
        "grid",
    )
    module = torch.nn.Sequential(
        torch.nn.Linear(48, 512), torch.nn.GELU(), torch.nn.Linear(512, 256)
    )
    module.load_state_dict(saved["state_dict"])
    rows = bank.read(0)
    expected = torch.nn.functional.normalize(module(torch.from_numpy(rows)), dim=1).detach().numpy()
    assert ProjectionHead.load(tmp_path / "h.pt")(rows) == pytest.approx(expected, abs=1e-5)
    weights = tuple(saved["state_dict"][name].numpy() for name in saved["state_dict"])
    assert forward(weights, rows).embeddings == pytest.approx(expected, abs=1e-6)


def test_one_seed_gives_one_head_and_another_seed_another(bank: Bank, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(bank, tmp_path / name, replace(SHORT, seed=seed))
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_the_plain_recipe_is_there_by_its_settings(bank: Bank, tmp_path: Path) -> None:
    plain = TrainSettings(epochs=2, k=16, m=4, anchor=False, hard=0, start="random", lr=5e-4)
    result = train(bank, tmp_path / "h.pt", plain, force=True)
    assert result.written
    assert result.history[1]["loss"] < result.history[0]["loss"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_references_are_trained_or_it_is_said_that_it_does_not_help(
    count: int, tmp_path: Path
) -> None:
    bank = bank_of(draw_refs(tmp_path / "refs", count))
    result = train(bank, tmp_path / "h.pt")
    assert result.items == count
    assert result.written == result.helped == (tmp_path / "h.pt").exists()
    assert result.helped == (
        count > 1 and result.after.figures.is_better_than(result.before.figures)
    )
    assert result.helped or count < 5
    assert all(np.isfinite(list(line.values())).all() for line in result.history)


def test_two_identical_files_are_one_item_and_do_no_harm(tmp_path: Path) -> None:
    draw_refs(tmp_path / "refs", 5)
    shutil.copy(tmp_path / "refs" / "card_0.png", tmp_path / "refs" / "copy.png")
    bank = bank_of(tmp_path / "refs")
    result = train(bank, tmp_path / "h.pt", replace(SHORT, variants="apart"))
    assert (len(bank), result.items) == (6, 5)
    assert result.helped
    head = ProjectionHead.load(tmp_path / "h.pt")
    assert head(bank.reference_features()[[0]]) @ head(
        bank.reference_features()[[5]]
    ).T == pytest.approx(1, abs=1e-5)


def test_what_does_not_help_is_not_written_unless_forced(bank: Bank, tmp_path: Path) -> None:
    (tmp_path / "h.pt").write_text("the old one")
    result = train(bank, tmp_path / "h.pt", NO_HELP)
    assert not result.helped and not result.written
    assert (tmp_path / "h.pt").read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [tmp_path / "h.pt"]
    assert train(bank, tmp_path / "h.pt", NO_HELP, force=True).written
    assert ProjectionHead.load(tmp_path / "h.pt").in_dim == 48


def test_a_training_that_diverges_says_so_and_writes_nothing(bank: Bank, tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match=r"diverged.*lower --lr"):
        train(bank, tmp_path / "h.pt", replace(SHORT, lr=1e38), force=True)
    assert not list(tmp_path.iterdir())


# Interrupted


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Press Ctrl-C in the given step of a training to `out`."""

    def interrupted(bank: Bank, out: Path, step: int, **options: Any) -> None:
        steps: list[int] = []

        def loss(*arguments: Any) -> Any:
            steps.append(1)
            if len(steps) == step:
                raise KeyboardInterrupt
            return supcon(*arguments)

        supcon = fit.supcon_loss
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(fit, "supcon_loss", loss)
            train(bank, out, **options)

    return interrupted


def test_a_resumed_training_ends_as_if_it_had_never_stopped(
    bank: Bank, tmp_path: Path, interrupt: Callable[..., None]
) -> None:
    whole = train(bank, tmp_path / "whole.pt")
    interrupt(bank, tmp_path / "h.pt", 50)
    interrupt(bank, tmp_path / "h.pt", 25, resume=True)
    result = train(bank, tmp_path / "h.pt", resume=True)
    assert (tmp_path / "h.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert result.history == whole.history
    assert not (tmp_path / "h.pt.partial").exists()


def test_an_interruption_leaves_the_old_head_and_the_best_so_far(
    bank: Bank, tmp_path: Path, interrupt: Callable[..., None]
) -> None:
    (tmp_path / "h.pt").write_text("the old one")
    interrupt(bank, tmp_path / "h.pt", 50)
    assert (tmp_path / "h.pt").read_text() == "the old one"
    head = ProjectionHead.load(tmp_path / "h.pt.partial")
    validator = Validator(bank, classes_of(bank, "same"), bank.reference_features())
    assert validator.validate(head).figures.is_better_than(validator.validate(None).figures)


def test_with_nothing_left_to_resume_a_training_starts_anew(
    bank: Bank, tmp_path: Path, interrupt: Callable[..., None]
) -> None:
    interrupt(bank, tmp_path / "h.pt", 3)
    assert not (tmp_path / "h.pt.partial").exists()
    assert len(train(bank, tmp_path / "h.pt", resume=True).history) == 4


def test_another_training_is_not_resumed(
    bank: Bank, tmp_path: Path, interrupt: Callable[..., None]
) -> None:
    interrupt(bank, tmp_path / "h.pt", 50)
    with pytest.raises(FactoryError, match=r"other lr, temperature.*without --resume"):
        train(bank, tmp_path / "h.pt", replace(SHORT, lr=1e-3, temperature=0.2), resume=True)
    other = bank_of(draw_refs(tmp_path / "refs", 3))
    with pytest.raises(FactoryError, match="other pictures"):
        train(other, tmp_path / "h.pt", resume=True)
    assert (tmp_path / "h.pt.partial").exists()


class Evil:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_partial_file_that_runs_code_is_refused_and_does_not_run(
    bank: Bank, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "h.pt.partial", "w") as archive:
        archive.writestr(
            "h/data.pkl", pickle.dumps({"resume": Evil(f"touch '{tmp_path}/ran'")}, protocol=2)
        )
    with pytest.raises(EncoderError, match="has no place in a file of tensors"):
        train(bank, tmp_path / "h.pt", resume=True)
    assert not (tmp_path / "ran").exists()


def test_a_partial_file_with_parts_missing_or_odd_is_refused(
    bank: Bank, tmp_path: Path, interrupt: Callable[..., None]
) -> None:
    interrupt(bank, tmp_path / "h.pt", 50)
    partial = tmp_path / "h.pt.partial"
    good = read_torch_zip(partial.read_bytes())
    nan = [w * np.nan for w in good["resume"]["weights"]]
    for change in (
        {"weights": good["resume"]["weights"][:3]},
        {"weights": nan},
        {"moments": [[np.zeros(1)] * 3] * 4},
        {"history": []},
        {"history": [{"epoch": 1}, {"epoch": 2}]},
        {"epoch": -1},
        {"epoch": "2"},
        {"purpose": None},
        {"unknown": 1},
    ):
        partial.write_bytes(torch_bytes(good | {"resume": good["resume"] | change}))
        with pytest.raises(EncoderError, match=r"cannot be resumed.*without --resume"):
            train(bank, tmp_path / "h.pt", resume=True)
    partial.write_bytes(b"PK damaged")
    with pytest.raises(EncoderError):
        train(bank, tmp_path / "h.pt", resume=True)
    assert train(bank, tmp_path / "h.pt").written  # without --resume it is replaced


def test_a_full_disk_is_a_clean_error_and_the_old_head_stays(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "h.pt").write_text("the old one")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FactoryError, match="No space left on device"):
        train(bank, tmp_path / "h.pt")
    assert (tmp_path / "h.pt").read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [tmp_path / "h.pt"]


def test_a_destination_that_cannot_be_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match="is a folder"):
        check_destination(tmp_path)
    with pytest.raises(FactoryError, match="name of an index"):
        check_destination(tmp_path / "my.npz")
    with pytest.raises(FactoryError, match="There is no folder"):
        check_destination(tmp_path / "none" / "h.pt")


def test_an_index_takes_the_head_and_another_encoder_refuses_it(bank: Bank, tmp_path: Path) -> None:
    train(bank, tmp_path / "h.pt")
    head = ProjectionHead.load(tmp_path / "h.pt")
    refs = draw_refs(tmp_path / "refs", 5)
    assert (
        build_index(refs, tmp_path / "i.npz", Embedder(GridEncoder(), head), quiet=True).index.dim
        == 256
    )
    with pytest.raises(EncoderError, match=r"trained on encoder grid.*not on other"):
        Embedder(GridEncoder("other"), head)


def test_the_page_has_the_figures_the_epochs_and_the_hardest_items(
    bank: Bank, tmp_path: Path
) -> None:
    result = train(bank, tmp_path / "h.pt")
    refs = draw_refs(tmp_path / "refs", 17)
    html = as_html(result, bank, tmp_path / "h.pt", refs)
    page = assert_inert(html)

    assert "Training helps" in page.text
    assert f"{result.before.figures.top1:.1%}" in page.text
    assert f"{result.after.figures.margin_views:.3f}" in page.text
    dots = [tag for tag, _ in page.elements if tag == "circle"]
    assert len(dots) == 4 + 2 * 5 + 2 * 5  # loss of each epoch; two figures from epoch 0 on, twice
    assert f"epoch {result.best_epoch} (kept): top-1" in page.text
    assert html.count("data:image/jpeg;base64,") == 12
    assert as_html(result, bank, tmp_path / "h.pt", None).count("no picture") == 12


# The command


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collection")
    draw_collection(folder / "refs", count=4)
    (folder / "refs" / "broken.jpg").write_bytes(b"no picture")
    return folder


def run(folder: Path, *more: str) -> int:
    line = ["identify", "train", "--refs", f"{folder}/refs", "--out", f"{folder}/head.pt"]
    return main([*line, "--bank", f"{folder}/banks", "--views", "4", "--epochs", "2", *more])


@pytest.mark.slow
def test_the_command_trains_and_the_others_take_its_head(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(collection, "--json", "--plot", str(collection / "training.html")) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert "not trained on: 'broken.jpg'" in captured.err
    assert (report["refs"], report["encoded_refs"], report["helped"], report["written"]) == (
        4,
        4,
        True,
        True,
    )
    assert report["after"]["margin_views"] > report["before"]["margin_views"]
    assert len(report["worst"]) == 4 and len(report["epochs"]) == 2
    assert list(report["unreadable"]) == ["broken.jpg"]
    assert "Training helps" in (collection / "training.html").read_text("utf-8")

    refs, index, head = (str(collection / name) for name in ("refs", "i.npz", "head.pt"))
    line = ["identify", "index", "--calibrate", "never", "--refs", refs, "--out", index]
    assert main([*line, "--projection", head]) == 0
    assert Index.load(Path(index)).dim == 256
    line = ["identify", "verify", "--index", index, "--refs", refs]
    assert main([*line, "--projection", head]) == 0
    capsys.readouterr()
    assert main(line) == 2
    assert "with head" in capsys.readouterr().err

    assert run(collection) == 0
    shown = capsys.readouterr().out
    assert "views of 0 encoded" in shown
    assert "accepted right, 1 % unknown" in shown and "worst items" in shown
    assert "index again with --projection" in shown


@pytest.mark.parametrize(("side", "used"), [(40, 40), ("side", 224)])
def test_the_views_have_the_input_side_of_the_encoder(
    side: int | str, used: int, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    def draw(reference: np.ndarray, recipe: ViewRecipe, sha256: str) -> list[np.ndarray]:
        drawn.append(recipe.side_px)
        return draw_views(reference, recipe, sha256)

    monkeypatch.setattr(bank_module, "draw_views", draw)
    model = mean_color_model(collection / f"{used}.onnx", layout="NHWC-uint8", side=side)
    run(collection, "--encoder", f"onnx:{model}", "--views", "1")
    assert set(drawn) == {used}


def test_the_bank_of_the_default_encoder_keeps_its_name() -> None:
    recipe = ViewRecipe(24, seed=0, side_px=Embedder.open("sscd").crop_side)
    assert recipe == ViewRecipe()
    assert recipe.hash.startswith("710ac52b025fe83f")


def test_the_command_says_when_training_does_not_help(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (collection / "head.pt").write_text("the old one")
    assert run(collection, "--lr", "1e-12", "--start", "random") == 3
    shown = capsys.readouterr().out
    assert "does not help" in shown and "not written (--force" in shown
    assert (collection / "head.pt").read_text() == "the old one"
    assert run(collection, "--lr", "1e-12", "--start", "random", "--force") == 0


@pytest.mark.parametrize("option", ["--html", "--plot"])
def test_a_picture_as_page_is_refused_before_the_work(
    option: str, collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(collection, option, "plot.PNG") == 2
    told = capsys.readouterr().err
    assert "the plot is now a page" in told and "Name a .html file" in told


@pytest.mark.parametrize(
    "wrong", [["--m", "1"], ["--lr", "0"], ["--hard", "1"], ["--seed", "-1"], ["--k", "0"]]
)
def test_wrong_values_are_refused(
    wrong: list[str], collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(collection, *wrong) == 2
    assert wrong[0] in capsys.readouterr().err
