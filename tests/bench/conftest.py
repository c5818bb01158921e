"""What the tests of the benches share: a drawn set laid out like the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_collection
from PIL import Image

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import RGB, decode


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five references, three frames with their ground truth, two negatives."""
    drawn = tmp_path / "drawn"
    cards = draw_collection(drawn / "refs", count=5)
    rng = np.random.default_rng(3)
    truth = []
    for number, shown in enumerate([cards[:1], cards[1:3], cards[4:]]):
        view = render_view([decode(card) for card in shown], rng)
        save(view.image, drawn / "frames" / f"{number}.jpg")
        items = []
        for card, quad in zip(shown, view.quads, strict=True):
            items.append({"ref": card.name, "quad": quad.tolist()})
        truth.append({"file": f"{number}.jpg", "items": items})
    (drawn / "frames" / "truth.json").write_text(json.dumps(truth))

    for number in range(2):
        noise = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        picture = np.asarray(Image.fromarray(noise).resize((640, 480)))
        save(picture, tmp_path / "negatives" / f"{number}.jpg")
    return tmp_path


def save(picture: RGB, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path)
