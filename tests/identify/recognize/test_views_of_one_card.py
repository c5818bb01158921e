"""Pictures of one item that look the same are views of it, not candidates beside it."""

from pathlib import Path

import numpy as np
from drawn import draw_collection
from PIL import Image

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer


def test_views_that_look_the_same_are_not_ambiguous(tmp_path: Path) -> None:
    refs = tmp_path / "refs"
    card = min(draw_collection(refs, count=4))
    for number in (2, 3):
        picture = Image.fromarray(decode(card))
        picture.save(refs / f"{card.stem}__{number}.jpg", quality=90 - 10 * number)
    twin = refs / f"other_{card.stem}.jpg"
    embedder = Embedder(open_encoder("sscd-small"))
    frame = render_view([decode(card)], np.random.default_rng(0)).image

    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    (alone,) = Recognizer(index, embedder, refs=refs).recognize(frame)
    assert alone.confident
    assert alone.ambiguous_with == ()
    assert str(alone.label) == str(index.label(index.row_of[card.name]))

    Image.fromarray(decode(card)).save(twin, quality=75)  # of another item
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    (among,) = Recognizer(index, embedder, refs=refs).recognize(frame)
    assert not among.confident
    named = {among.reference, *among.ambiguous_with}
    assert twin.name in named
    assert len(named) == 2
