"""The recogniser on drawn cards and simulated views: names, outlines, and silence about what it
does not know.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_collection
from PIL import Image

from data_label_factory.errors import EncoderError
from data_label_factory.identify.camera import View, render_view
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.identify.recognize import recognizer as recognizer_module
from data_label_factory.identify.recognize.scoring import (
    keep_best_per_place,
    score_pose,
    swap_reference,
)
from data_label_factory.identify.recognize.search import FrameSearch

CARDS = 24


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_collection(tmp_path_factory.mktemp("cards"), count=CARDS)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.open("sscd-small")


def index_of(files: list[Path], embedder: Embedder, folder: Path) -> tuple[Index, Path]:
    refs = folder / "refs"
    refs.mkdir()
    for file in files:
        (refs / file.name).write_bytes(file.read_bytes())
    return build_index(refs, folder / "index.npz", embedder, quiet=True).index, refs


@pytest.fixture(scope="module")
def recognizer(
    cards: list[Path], embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Recognizer:
    index, refs = index_of(cards, embedder, tmp_path_factory.mktemp("all"))
    return Recognizer(index, embedder, refs=refs)


def views(cards: list[Path], count: int, seed: int) -> list[tuple[list[Path], View]]:
    rng = np.random.default_rng(seed)
    shown = [
        [cards[i] for i in rng.choice(len(cards), 1 + k % 3, replace=False)] for k in range(count)
    ]
    return [(files, render_view([decode(file) for file in files], rng)) for files in shown]


def name(file: Path) -> str:
    return file.stem.split("_")[1]


def sure(detections: list[Detection]) -> list[Detection]:
    return [detection for detection in detections if detection.confident]


def test_items_are_named_and_located_and_nothing_else_is(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    right, wrong, shown, errors = 0, 0, 0, []
    for files, view in views(cards, 12, seed=5):
        found = sure(recognizer.recognize(view.image))
        known = {name(file) for file in files}
        wrong += sum(name(Path(detection.reference)) not in known for detection in found)
        for file, quad in zip(files, view.quads, strict=True):
            shown += 1
            hits = [d for d in found if name(Path(d.reference)) == name(file)]
            right += bool(hits)
            size = np.sqrt(np.ptp(quad, axis=0).prod())
            errors += [np.linalg.norm(d.quad - quad, axis=1).max() / size for d in hits[:1]]
    assert wrong == 0
    assert right >= 0.8 * shown
    # In the reference's own order of corners, so this fails too when an upside-down card is
    # outlined as it lies.
    assert np.median(errors) < 0.03


def test_items_cut_in_half_by_the_edge_of_the_frame_are_still_named(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    rng, named, confident, errors = np.random.default_rng(9), 0, 0, []
    for number, file in enumerate([cards[3], cards[8], cards[14], cards[20]] * 2):
        view = render_view([decode(file)], rng)
        edge = np.zeros(2)
        edge[number // 4] = int(view.quads[0].mean(axis=0)[number // 4])
        found = recognizer.recognize(
            np.ascontiguousarray(view.image[int(edge[1]) :, int(edge[0]) :])
        )
        assert {name(Path(detection.reference)) for detection in sure(found)} <= {name(file)}
        named += name(Path(found[0].reference)) == name(file) if found else 0
        confident += bool(sure(found))
        errors += [np.abs(d.quad + edge - view.quads[0]).max() for d in sure(found)]
    assert named >= 7
    assert confident >= 5
    assert np.median(errors) < 8  # px, also of the corners that are out of sight


def test_what_differs_only_outside_the_frame_is_not_told_apart(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    """Two items with one upper half: cut there, the frame fits both, unlike as they are."""
    refs = tmp_path / "refs"
    refs.mkdir()
    for card in cards[:12]:
        (refs / card.name).write_bytes(card.read_bytes())
    first, other = decode(cards[0]), decode(cards[7])
    half = len(first) // 2
    other = np.asarray(Image.fromarray(other).resize((first.shape[1], first.shape[0])))
    Image.fromarray(np.concatenate([first[:half], other[half:]])).save(refs / "chimera.png")
    recognizer = Recognizer(
        build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index, embedder, refs=refs
    )
    scene = np.full((700, 640, 3), 90, np.uint8)
    for shown, named in ((first, cards[0].name), (decode(refs / "chimera.png"), "chimera.png")):
        card = np.asarray(Image.fromarray(shown).resize((300, 420)))
        scene[60:480, 150:450] = card
        (whole,) = recognizer.recognize(scene)
        assert (whole.reference, whole.confident) == (named, True)
        (cut,) = recognizer.recognize(scene[:260])
        assert not cut.confident
        assert {cut.reference, *cut.ambiguous_with} == {cards[0].name, "chimera.png"}


def test_an_item_is_told_by_its_lines_of_text_alone(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    """Only the lower half of a card is in view; cell by cell its text looks like any other's."""
    for card in (cards[3], cards[8], cards[10], cards[16]):
        scene = np.full((640, 480, 3), 90, np.uint8)
        scene[60:564, 60:420] = np.asarray(Image.fromarray(decode(card)).resize((360, 504)))
        (detection,) = recognizer.recognize(scene[312:])
        assert (detection.reference, detection.confident) == (card.name, True)
        assert detection.ambiguous_with == ()


def test_unknown_items_that_share_the_template_get_no_confident_name(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    known = {name(file) for file in cards[:12]}
    index, refs = index_of(cards[:12], embedder, tmp_path)
    recognizer = Recognizer(index, embedder, refs=refs)
    unknowns = [file for file in cards[12:] if name(file) not in known]
    for _, view in views(unknowns, 8, seed=6):
        assert sure(recognizer.recognize(view.image)) == []


def test_an_index_of_one_item_can_say_yes_and_no(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    index, refs = index_of(cards[:1], embedder, tmp_path)
    recognizer = Recognizer(index, embedder, refs=refs)
    rng = np.random.default_rng(1)
    yes = [sure(recognizer.recognize(render_view([decode(cards[0])], rng).image)) for _ in range(4)]
    assert sum(map(len, yes)) >= 2
    for file in [file for file in cards if name(file) != name(cards[0])][:8]:
        assert sure(recognizer.recognize(render_view([decode(file)], rng).image)) == []


def test_an_index_of_one_item_names_it_on_each_side_of_a_cut(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    """With one reference each detail is paired with many of the same one; most of those pairs
    are wrong.
    """
    index, refs = index_of(cards[:1], embedder, tmp_path)
    recognizer = Recognizer(index, embedder, refs=refs)
    for shown, named in ((cards[0], {cards[0].name}), (cards[9], set())):
        view = render_view([decode(shown)], np.random.default_rng(4))
        x, y = view.quads[0].mean(axis=0).astype(int)
        for part in (view.image[:, x:], view.image[y:], view.image[:, :x], view.image[:y]):
            assert {
                d.reference for d in sure(recognizer.recognize(np.ascontiguousarray(part)))
            } == named


@pytest.mark.parametrize("shape", [(16, 16), (1, 500), (500, 1), (480, 640), (3000, 4000)])
def test_frames_without_items_of_any_shape_are_met_with_silence(
    recognizer: Recognizer, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(2)
    for frame in (
        np.full((*shape, 3), 90, np.uint8),
        rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
    ):
        assert sure(recognizer.recognize(frame)) == []


def test_without_reference_pictures_a_frame_is_judged_whole(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    index, _ = index_of(cards[:6], embedder, tmp_path)
    recognizer = Recognizer(index, embedder)
    upside_down = np.ascontiguousarray(decode(cards[3])[::-1, ::-1])
    (detection,) = recognizer.recognize(upside_down)
    assert (detection.reference, detection.confident, detection.inliers) == (cards[3].name, True, 0)
    assert detection.score > 0.95
    (unsure,) = recognizer.recognize(np.full((480, 640, 3), 200, np.uint8))
    assert not unsure.confident


@pytest.mark.parametrize(("cosine", "confident"), [(0.3, False), (0.6, True)])
def test_a_margin_among_items_that_are_all_unlike_the_frame_is_not_enough(
    cards: list[Path], embedder: Embedder, tmp_path: Path, cosine: float, confident: bool
) -> None:
    """One of two items is nearer to the frame by the same cosine, 0.2, in both cases."""
    index, _ = index_of(cards[:2], embedder, tmp_path)
    frame = np.full((240, 320, 3), 200, np.uint8)  # the same however it is cropped and turned

    # Embeddings with the cosines wanted, in the basis that starts with the frame's own.
    factors = np.linalg.qr(np.stack([embedder.encode([frame])[0], *index.embeddings]).T)
    basis = (factors.Q * np.sign(np.diag(factors.R))).T
    other = cosine - 0.2
    wanted = np.array([[1, cosine, other], [cosine, 1, 0.75], [other, 0.75, 1]])
    embeddings = np.asarray(np.linalg.cholesky(wanted)[1:] @ basis, np.float32)

    (detection,) = Recognizer(replace(index, embeddings=embeddings), embedder).recognize(frame)
    assert (detection.score, detection.margin) == pytest.approx((cosine, 0.2), abs=0.01)
    assert detection.confident is confident


def test_missing_and_blank_references_leave_the_others_working(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    index, refs = index_of(cards[:6], embedder, tmp_path)
    (refs / cards[0].name).unlink()
    recognizer = Recognizer(index, embedder, refs=refs)
    assert list(recognizer.unreadable) == [cards[0].name]
    found = sure(
        recognizer.recognize(render_view([decode(cards[4])], np.random.default_rng(3)).image)
    )
    assert {detection.reference for detection in found} <= {cards[4].name}


def test_references_without_any_detail_give_no_answer_and_no_error(
    embedder: Embedder, tmp_path: Path
) -> None:
    refs = tmp_path / "refs"
    refs.mkdir()
    for shade in (20, 120, 220):
        Image.new("RGB", (200, 300), (shade, shade, shade)).save(refs / f"shade_{shade}.png")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs)
    frame = np.random.default_rng(4).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert sure(recognizer.recognize(frame)) == []


def test_an_index_of_another_encoder_is_refused(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    index, refs = index_of(cards[:2], embedder, tmp_path)
    with pytest.raises(EncoderError, match=r"sscd-small.*not by sscd"):
        Recognizer(index, Embedder.open("sscd"), refs=refs)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_quad_starts_at_the_items_own_top_left_however_it_lies(
    recognizer: Recognizer, cards: list[Path], turns: int
) -> None:
    frame = np.full((720, 720, 3), 70, np.uint8)
    card = Image.fromarray(decode(cards[2]))
    card.thumbnail((400, 400))
    lying = np.rot90(np.asarray(card), -turns)
    height, width = lying.shape[:2]
    frame[150 : 150 + height, 200 : 200 + width] = lying
    corners = np.add([[0, 0], [width, 0], [width, height], [0, height]], [200, 150])
    (detection,) = sure(recognizer.recognize(frame))
    assert detection.reference == cards[2].name
    assert detection.quad == pytest.approx(np.roll(corners, -turns, axis=0), abs=4)
    assert detection.box == pytest.approx((200, 150, 200 + width, 150 + height), abs=4)


def test_detections_carry_their_evidence_and_share_no_place(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    for _, view in views(cards, 6, seed=8):
        found = recognizer.recognize(view.image)
        for detection in sure(found):
            assert detection.inliers >= 5
            assert detection.quad.shape == (4, 2)
            cosines = [cosine for _, cosine in detection.top_k]
            assert len(cosines) == 5
            assert cosines == sorted(cosines, reverse=True)
            assert (
                dict(detection.top_k).get(detection.reference, detection.score) == detection.score
            )
        centers = [detection.quad.mean(axis=0) for detection in sure(found)]
        gaps = [float(np.linalg.norm(a - b)) for i, a in enumerate(centers) for b in centers[:i]]
        assert min(gaps, default=999) > 50


def test_large_frames_are_located_in_their_own_pixels(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    view = render_view([decode(cards[5])], np.random.default_rng(11))
    small = sure(recognizer.recognize(view.image))
    large = Image.fromarray(view.image).resize((4000, 3000), Image.Resampling.BICUBIC)
    found = sure(recognizer.recognize(np.asarray(large)))
    assert (
        [detection.reference for detection in found]
        == [detection.reference for detection in small]
        != []
    )
    assert found[0].quad / 6.25 == pytest.approx(small[0].quad, abs=5)


@pytest.mark.slow
def test_an_embedding_that_names_another_item_makes_less_sure(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    index, refs = index_of(cards, embedder, tmp_path)
    shown = int(np.flatnonzero(index.references == cards[3].name)[0])
    other = int((index.embeddings @ index.embeddings[shown]).argmin())
    swapped = index.embeddings.copy()
    swapped[[shown, other]] = swapped[[other, shown]]
    frame = render_view([decode(cards[3])], np.random.default_rng(12)).image
    (honest,) = Recognizer(index, embedder, refs=refs).recognize(frame)
    (misled,) = Recognizer(replace(index, embeddings=swapped), embedder, refs=refs).recognize(frame)
    assert honest.reference == cards[3].name and honest.confident
    assert misled.margin < 0
    assert misled.false_accept_rate > 20 * honest.false_accept_rate


def test_what_the_embedding_finds_nearer_takes_over_when_it_also_looks_more_like_it(
    recognizer: Recognizer, cards: list[Path]
) -> None:
    references = recognizer._references
    assert references is not None
    frame = render_view([decode(cards[3])], np.random.default_rng(12)).image
    (right,) = keep_best_per_place(
        FrameSearch(frame, references, hidden=np.zeros(0, np.int64)).by_votes(), references
    )
    number = next(i for i in range(len(cards)) if i != right.hypothesis.reference)
    wrong = score_pose(frame, swap_reference(right.hypothesis, number, references), references)
    assert wrong.score < right.score
    (assessed,) = recognizer._assess_poses(frame, [wrong], hidden=())
    assert str(recognizer.index.references[assessed.row]) == cards[3].name
    assert assessed.margin_ratio > 0


def test_variants_that_look_the_same_are_one_item_with_its_candidates(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    refs = tmp_path / "refs"
    refs.mkdir()
    for file in cards[4:8]:
        (refs / file.name).write_bytes(file.read_bytes())
    picture = Image.open(cards[0])
    picture.save(refs / "AAAA-001_lone_star_sr.png")  # two prints, pixel by pixel the same
    picture.save(refs / "AAAA-001_lone_star_ur.png", compress_level=1)
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs)
    (seen,) = recognizer.recognize(render_view([decode(cards[0])], np.random.default_rng(3)).image)
    assert seen.confident
    assert (seen.label.name, seen.label.set_code, seen.label.rarity) == (
        "Lone Star",
        "AAAA-001",
        "",
    )
    assert {seen.reference, *seen.ambiguous_with} == {
        "AAAA-001_lone_star_sr.png",
        "AAAA-001_lone_star_ur.png",
    }


def test_variants_that_differ_are_told_apart(
    cards: list[Path], embedder: Embedder, tmp_path: Path
) -> None:
    refs = tmp_path / "refs"
    refs.mkdir()
    plain, stamped = Image.open(cards[0]).convert("RGB"), Image.open(cards[0]).convert("RGB")
    width, height = stamped.size
    badge = Image.open(cards[9]).convert("RGB").crop((60, 60, 60 + width // 3, 60 + height // 5))
    stamped.paste(badge, (width // 2, height // 2))
    plain.save(refs / "lone_star_sr.png")
    stamped.save(refs / "lone_star_ur.png")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs)
    for picture, rarity in ((plain, "SR"), (stamped, "UR")):
        (seen,) = recognizer.recognize(
            render_view([np.asarray(picture)], np.random.default_rng(5)).image
        )
        assert (seen.label.name, seen.label.rarity, seen.ambiguous_with) == (
            "Lone Star",
            rarity,
            (),
        )


@pytest.mark.slow
def test_variants_of_an_item_leave_the_checks_of_a_frame_to_other_items(
    cards: list[Path], embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first variant seen clearly ends the search in its place; the others are scored there."""
    monkeypatch.setattr(recognizer_module, "MOST_CHECKED", 3)  # so that four variants are more
    refs = tmp_path / "refs"
    refs.mkdir()
    item, other = (
        Image.open(card).convert("RGB").resize((300, 420)) for card in (cards[5], cards[20])
    )
    # Equally bright, so that local features and votes cannot tell them apart.
    colors = {
        "red": (255, 60, 75),
        "green": (40, 170, 72),
        "blue": (70, 125, 229),
        "brown": (150, 115, 66),
    }
    for color, rgb in colors.items():
        item.paste(rgb, (30, 200, 150, 260))
        item.save(refs / f"item_{color}.png")
    other.save(refs / "other.png")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs)

    for color in colors:
        frame = Image.new("RGB", (640, 480), (90, 90, 90))
        frame.paste(Image.open(refs / f"item_{color}.png"), (20, 20))
        frame.paste(other.resize((150, 210)), (400, 200))
        found = sure(recognizer.recognize(np.asarray(frame)))
        assert {one.reference for one in found} == {f"item_{color}.png", "other.png"}
