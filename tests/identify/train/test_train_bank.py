"""The bank encodes every view once, whatever happens on the way."""

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import GridEncoder, save_picture
from train_bank import RECIPE, bank_of

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.images import decode
from data_label_factory.identify.train import bank as bank_module
from data_label_factory.identify.train.views import draw_views

ROWS = 1 + RECIPE.views + RECIPE.heldout


def test_a_bank_holds_reference_training_and_heldout_features(refs: Path) -> None:
    bank = bank_of(refs)
    assert (len(bank), bank.encoded, bank.dim) == (5, 5, 48)
    picture = decode(refs / bank.references[2])
    expected = GridEncoder().encode([picture, *draw_views(picture, RECIPE, bank.sha256[2])])
    stored = bank.read(2)
    assert np.abs(stored @ stored.T - expected @ expected.T).max() < 5e-4
    assert np.linalg.norm(stored, axis=1) == pytest.approx(np.ones(ROWS), abs=1e-6)
    assert np.array_equal(bank.reference_features()[2], stored[0])
    assert np.array_equal(bank.training(2), stored[1 : 1 + RECIPE.views])
    assert np.array_equal(bank.heldout(2), stored[1 + RECIPE.views :])


def test_only_what_is_new_is_encoded(refs: Path) -> None:
    bank_of(refs)
    assert bank_of(refs, again := GridEncoder()).encoded == again.encoded == 0
    for seed in (20, 21):
        save_picture(refs / "more" / f"new_{seed}.png", seed)
    (refs / "card_0.png").rename(refs / "renamed.png")
    (refs / "card_1.png").unlink()
    bank = bank_of(refs, added := GridEncoder())
    assert (len(bank), bank.encoded, added.encoded) == (6, 2, 2 * ROWS)


def test_another_encoder_recipe_or_seed_has_another_bank(refs: Path) -> None:
    first = bank_of(refs)
    for encoder, recipe in [
        (GridEncoder("other"), RECIPE),
        (GridEncoder(), replace(RECIPE, seed=1)),
        (GridEncoder(), replace(RECIPE, views=7)),
    ]:
        other = bank_of(refs, encoder, recipe)
        assert other.encoded == 5 and other.folder != first.folder
    assert bank_of(refs).encoded == 0


def test_two_identical_files_are_encoded_once(refs: Path) -> None:
    shutil.copy(refs / "card_0.png", refs / "copy.png")
    bank = bank_of(refs, encoder := GridEncoder())
    assert (len(bank), encoder.encoded) == (6, 5 * ROWS)
    assert np.array_equal(bank.read(0), bank.read(5))


def test_an_unreadable_picture_is_reported_and_the_rest_goes_on(refs: Path) -> None:
    (refs / "broken.png").write_bytes((refs / "card_0.png").read_bytes()[:60])
    (refs / "copy.png").write_bytes((refs / "card_0.png").read_bytes()[:60])
    (refs / "empty.jpg").touch()
    bank = bank_of(refs)
    assert (len(bank), bank.encoded) == (5, 5)
    assert sorted(bank.unreadable) == ["broken.png", "copy.png", "empty.jpg"]


def test_no_picture_that_can_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    with pytest.raises(FactoryError, match=r"There is no picture in .*: it is empty"):
        bank_of(tmp_path / "refs")
    (tmp_path / "refs" / "empty.jpg").touch()
    with pytest.raises(FactoryError, match=r"no readable picture.*empty"):
        bank_of(tmp_path / "refs")
    with pytest.raises(ImageError, match="is not a folder"):
        bank_of(tmp_path / "none")


def test_an_interruption_keeps_what_was_encoded(refs: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        bank_of(refs, GridEncoder(interrupt_after=2 * ROWS))
    assert bank_of(refs, encoder := GridEncoder()).encoded == 3
    assert encoder.encoded == 3 * ROWS


def test_a_full_disk_is_a_clean_error_and_keeps_what_was_encoded(
    refs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    fsync = os.fsync

    def fills(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fills)
        with pytest.raises(FactoryError, match="No space left on device"):
            bank_of(refs)
    assert not list((refs.parent / "banks").rglob("*.part"))
    assert bank_of(refs).encoded == 2


def test_a_file_in_the_way_of_the_bank_is_a_clean_error(refs: Path) -> None:
    (refs.parent / "banks").touch()
    with pytest.raises(FactoryError, match=r"Cannot make the folder.*--bank"):
        bank_of(refs)


@pytest.mark.parametrize("damage", ["short", "long", "numbers", "infinite", "empty"])
def test_a_damaged_file_of_the_bank_is_encoded_again(damage: str, refs: Path) -> None:
    bank = bank_of(refs)
    good = bank.read(3)
    path = bank.folder / bank.sha256[3][:2] / f"{bank.sha256[3]}.f16"
    data = path.read_bytes()
    path.write_bytes(
        {
            "short": data[:-2],
            "long": data + b"\0\0",
            "numbers": bytes(np.random.default_rng(0).integers(0, 256, len(data), np.uint8)),
            "infinite": np.full(len(data) // 2, np.inf, "<f2").tobytes(),
            "empty": b"",
        }[damage]
    )
    with pytest.raises(FactoryError, match="was changed"):
        bank.read(3)
    again = bank_of(refs)
    assert again.encoded == 1
    assert np.array_equal(again.read(3), good)


def test_views_are_drawn_only_a_little_ahead(refs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(5, 16):
        save_picture(refs / f"card_{seed}.png", seed)
    drawn, ahead = [], []

    def counted(*arguments: object) -> list[np.ndarray]:
        drawn.append(1)
        return draw_views(*arguments)  # type: ignore[arg-type]

    class Watching(GridEncoder):
        def encode(self, images: list[np.ndarray]) -> np.ndarray:
            ahead.append(len(drawn) - self.encoded // ROWS)
            return super().encode(images)

    monkeypatch.setattr(bank_module, "draw_views", counted)
    bank_of(refs, Watching())
    assert len(drawn) == 16
    assert max(ahead) <= cpu_count() + 1
