"""Things without a flat pose: named by both embeddings, with evidence calibrated on the
collection's own items.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder, Embeddings, EncoderIdentity, unit_rows
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.calibrate import is_out_of_date
from data_label_factory.identify.recognize.confidence import Calibration, Spread
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.likeness import put_first

# Of 180, as OpenCV counts. Those beside one another are as near as unknown ones between.
HUES = [0, 15, 45, 60, 90, 105, 135, 150]
# The frames of a calibration teach what local features are worth; here there are none.
quick = pytest.mark.usefixtures("quick_calibration")


class HueEncoder:
    """Tells colors apart and nothing else: a histogram of hues, a little blurred."""

    dim = 36

    def __init__(self, name: str, blur: float) -> None:
        self.identity = EncoderIdentity(name, "cd" * 32, {"side": 32})
        self._blur = blur

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        rows = [self._encode(image) for image in images]
        return unit_rows(np.stack(rows)) if rows else np.empty((0, self.dim), np.float32)

    def _encode(self, image: RGB) -> Embeddings:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        colored = hsv[..., 1] > 60
        counts = np.bincount(hsv[..., 0][colored] // 5, minlength=self.dim).astype(np.float32)
        turned = np.tile(counts, 3)[None]
        smooth = cv2.GaussianBlur(turned, (0, 0), self._blur)
        return np.asarray(smooth[0, self.dim : 2 * self.dim] + 1e-3, np.float32)


def ball(hue: int, seed: int) -> RGB:
    """A smooth ball of one color somewhere on gray: nothing that local features could hold."""
    rng = np.random.default_rng(seed)
    color = cv2.cvtColor(np.uint8([[[hue, 220, 200]]]), cv2.COLOR_HSV2RGB)[0, 0]
    picture = np.full((240, 320, 3), int(rng.integers(90, 160)), np.uint8)
    center = int(rng.integers(140, 180)), int(rng.integers(105, 135))
    cv2.circle(picture, center, int(rng.integers(60, 90)), color.tolist(), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)


def draw_balls(folder: Path, hues: Sequence[int]) -> Path:
    folder.mkdir(parents=True)
    for number, hue in enumerate(hues):
        Image.fromarray(ball(hue, number)).save(folder / f"ball_{chr(97 + number)}.png")
    return folder


def open_balls(folder: Path, hues: Sequence[int], *, semantic: bool = True) -> Recognizer:
    embedder = Embedder(
        HueEncoder("copies", 0.8), semantic=HueEncoder("kinds", 1.2) if semantic else None
    )
    return Collection.open(draw_balls(folder / "refs", hues), embedder=embedder).recognizer


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return open_balls(tmp_path_factory.mktemp("balls"), HUES)


def test_a_thing_without_a_flat_pose_is_named(balls: Recognizer) -> None:
    for number, hue in enumerate(HUES):
        (found,) = balls.recognize(ball(hue, 100 + number))
        assert (found.name, found.confident) == (f"Ball {chr(65 + number)}", True)
        assert found.inliers == 0
        assert found.false_accept_rate <= balls.strictness


def test_an_unknown_thing_of_the_same_kind_is_not_named(balls: Recognizer) -> None:
    for number, hue in enumerate((30, 75, 120, 165)):
        found = balls.recognize(ball(hue, 200 + number))
        assert not any(one.confident for one in found), hue


def test_a_guess_ranks_what_is_near(balls: Recognizer) -> None:
    unknown = ball(75, 300)  # between D and E
    (guess,) = [one for one in balls.recognize(unknown, guess=True) if one.is_guess]
    assert not guess.confident
    names = [reference for reference, _ in guess.top_k]
    assert len(set(names)) == len(names) == 5
    assert set(names[:2]) == {"ball_d.png", "ball_e.png"}
    assert guess.reference == names[0]


def test_there_is_no_guess_where_something_is_sure(balls: Recognizer) -> None:
    assert not [one for one in balls.recognize(ball(HUES[0], 1), guess=True) if one.is_guess]


def test_nothing_is_guessed_where_nothing_is_near(balls: Recognizer) -> None:
    balls = balls.updated(balls.index, Path())
    balls.calibration = replace(balls.calibration, likeness=Spread(3.0, 0.1, 99))
    assert not [one for one in balls.recognize(ball(75, 300), guess=True) if one.is_guess]


def test_an_item_that_is_left_out_is_not_found(balls: Recognizer) -> None:
    row = balls.index.row_of["ball_c.png"]
    found = balls.find_likely(ball(HUES[2], 400), {row})
    assert found is not None
    assert found.row != row
    known = balls.find_likely(ball(HUES[2], 400))
    assert known is not None
    assert known.row == row
    assert known.likeness is not None
    assert found.likeness is not None
    assert known.likeness > found.likeness


@quick
def test_two_items_that_look_the_same_are_not_told_apart(tmp_path: Path) -> None:
    twins = open_balls(tmp_path, [*HUES[:6], HUES[0]])  # A and G
    found = twins.recognize(ball(HUES[0], 500), guess=True)
    assert found
    assert not any(one.confident for one in found)


@quick
def test_without_a_second_embedding_it_does_not_speak(tmp_path: Path) -> None:
    plain = open_balls(tmp_path, HUES, semantic=False)
    assert plain.calibration.likeness is None
    assert plain.find_likely(ball(HUES[0], 600)) is None
    assert not any(one.confident for one in plain.recognize(ball(HUES[0], 600)))


@quick
def test_one_item_alone_has_nothing_to_be_told_from(tmp_path: Path) -> None:
    alone = open_balls(tmp_path, HUES[:1])
    assert alone.find_likely(ball(HUES[0], 700)) is None
    assert alone.calibration.likeness is None


@quick
def test_where_nothing_can_be_compared_nothing_is_sure_and_that_is_settled(tmp_path: Path) -> None:
    refs = draw_balls(tmp_path / "refs", HUES[:1])
    for letter in "bc":
        Image.fromarray(ball(HUES[0], 0)).save(refs / f"ball_{letter}.png", compress_level=1)
    embedder = Embedder(HueEncoder("copies", 0.8), semantic=HueEncoder("kinds", 1.2))
    alike = Collection.open(refs, embedder=embedder).recognizer
    assert alike.calibration.likeness == Spread(0, 0, 0)
    assert alike.calibration.rate_by_likeness(9) == 1
    assert not is_out_of_date(alike.index)


def test_an_index_by_another_second_encoder_does_without(balls: Recognizer) -> None:
    other = Embedder(balls.embedder.encoder, semantic=HueEncoder("others", 1.0))
    assert Recognizer(balls.index, other).find_likely(ball(HUES[0], 1)) is None


def test_a_place_that_local_features_found_is_kept(balls: Recognizer) -> None:
    quad = np.float32([[0, 0], [9, 0], [9, 9], [0, 9]])
    cosines = np.zeros(len(balls.index), np.float32)
    same = Assessment(2, quad, cosines, 0.1, None)
    other = Assessment(3, quad, cosines, 0.1, None)
    likely = Assessment(2, quad + 100, cosines, 0.5, None, likeness=0.9)
    first, second = put_first(likely, [other, same], balls.index)
    assert (first.row, first.likeness, second) == (2, 0.9, other)
    assert np.array_equal(first.quad, quad)
    assert put_first(likely, [other], balls.index) == [likely, other]


@pytest.mark.parametrize(
    ("count", "value", "rate"),
    [  # Student's t in tables, scaled by hand from the prior and the values
        (0, 0.3 + 2.896 * 0.13 * np.sqrt(1.5), 0.01),
        (0, 0.3 + 1.860 * 0.13 * np.sqrt(1.5), 0.05),
        (0, 0.3, 0.5),
    ],
)
def test_with_nothing_seen_the_prior_speaks(count: int, value: float, rate: float) -> None:
    assert Spread(0.0, 0.0, count).above(value) == pytest.approx(rate, rel=0.03)


def test_with_much_seen_the_prior_is_forgotten() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.05, 20_000)
    spread = Spread.of(values.tolist(), len(values))
    assert spread.above(0.8 + 2.326 * 0.05) == pytest.approx(0.01, rel=0.05)
    assert spread.above(0.8 - 2.326 * 0.05) == pytest.approx(0.99, rel=0.01)


def test_few_values_are_believed_less() -> None:
    few, many = Spread(0.2, 0.1, 4), Spread(0.2, 0.1, 400)
    assert few.above(0.6) > 5 * many.above(0.6)


def test_views_of_one_thing_are_no_independent_witnesses() -> None:
    values = np.random.default_rng(0).normal(0.3, 0.1, 40).tolist()
    few, many = Spread.of(values, 8), Spread.of(values, 40)
    assert (few.mean, few.deviation) == (many.mean, many.deviation)
    assert few.above(0.6) > 2 * many.above(0.6)


@pytest.mark.parametrize("count", [4, 8, 20])
def test_the_promised_rate_holds_for_few_items(count: int) -> None:
    rng = np.random.default_rng(count)
    accepted = tried = 0
    for _ in range(4000):
        mean, deviation = rng.uniform(0.15, 0.5), rng.uniform(0.08, 0.2)
        spread = Spread.of(rng.normal(mean, deviation, count).tolist(), count)
        tried += 1
        accepted += spread.above(rng.normal(mean, deviation)) <= 0.01
    assert 0.002 <= accepted / tried <= 0.02


def test_every_view_is_compared_with_the_other_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the number of items is what counts."""
    refs = draw_balls(tmp_path / "refs", HUES[:4])
    for number, hue in enumerate(HUES[:4]):
        view = ball(hue, 300 + number)
        Image.fromarray(view).save(refs / f"ball_{chr(97 + number)}__2.png")
    compared: list[int] = []
    find_likely = Recognizer.find_likely

    def spy(self: Recognizer, frame: RGB, hidden: Sequence[int] = ()) -> Assessment | None:
        compared.append(len(hidden))
        return find_likely(self, frame, hidden)

    monkeypatch.setattr(Recognizer, "find_likely", spy)
    embedder = Embedder(HueEncoder("copies", 0.8), semantic=HueEncoder("kinds", 1.2))
    learned = Collection.open(refs, embedder=embedder).recognizer.calibration.likeness
    assert len(compared) == 8
    assert min(compared) == 2  # the view's own item is taken out, and what looks like it
    assert learned is not None
    assert learned.count == 4


def test_what_was_learned_is_kept_with_the_index(balls: Recognizer) -> None:
    learned = balls.calibration.likeness
    assert learned is not None
    assert learned.count == len(HUES)
    assert Calibration.from_dict(balls.calibration.as_dict()) == balls.calibration
