"""What the tests of training share: a small recipe, and a bank by the fast encoder."""

from pathlib import Path

from conftest import GridEncoder, save_picture

from data_label_factory.identify.encoders import Encoder
from data_label_factory.identify.train.bank import Bank, build_bank
from data_label_factory.identify.train.settings import ViewRecipe

RECIPE = ViewRecipe(views=6, heldout_frames=1, side_px=48)


def draw_refs(folder: Path, count: int) -> Path:
    for seed in range(count):
        save_picture(folder / f"card_{seed}.png", seed)
    return folder


def bank_of(refs: Path, encoder: Encoder | None = None, recipe: ViewRecipe = RECIPE) -> Bank:
    return build_bank(refs, refs.parent / "banks", encoder or GridEncoder(), recipe, quiet=True)
