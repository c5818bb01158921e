"""Building an index: only new content costs an encode, and nothing that goes wrong spoils the
old file.
"""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GridEncoder, pixels, save_picture
from drawn import draw_collection
from PIL import Image

from data_label_factory.errors import EncoderError
from data_label_factory.identify.encoders import Embedder, OnnxEncoder, open_encoder
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult, build_index


def build(
    refs: Path,
    encoder: GridEncoder | OnnxEncoder | None = None,
    head: ProjectionHead | None = None,
    **options: Any,
) -> BuildResult:
    embedder = Embedder(encoder or GridEncoder(), head)
    return build_index(refs, refs.parent / "i.npz", embedder, quiet=True, **options)


def counts(result: BuildResult) -> tuple[int, int, int]:
    return result.encoded, result.reused, result.dropped


def head_for(encoder: str, dim: int = 48) -> ProjectionHead:
    rng = np.random.default_rng(0)
    w1, w2 = (rng.normal(size=shape).astype(np.float32) for shape in ((16, dim), (8, 16)))
    return ProjectionHead(
        w1, np.zeros(16, np.float32), w2, np.zeros(8, np.float32), encoder, "cd" * 32
    )


def test_the_first_run_encodes_every_picture_and_labels_it_by_its_name(
    refs: Path, encoder: GridEncoder
) -> None:
    save_picture(refs / "LOCH-JP001_dark_magician_pscr.png", 9)
    result = build(refs, encoder)
    assert counts(result) == (6, 0, 0)
    assert result.written
    stored = Index.load(refs.parent / "i.npz")
    assert stored.references[0] == "LOCH-JP001_dark_magician_pscr.png"
    assert (stored.names[0], stored.set_codes[0], stored.rarities[0]) == (
        "Dark Magician",
        "LOCH-JP001",
        "PScR",
    )
    assert np.allclose(stored.embeddings[0], GridEncoder().encode([pixels(9)])[0])
    assert stored.meta.encoder == encoder.identity
    assert stored.meta.created


def test_a_second_run_encodes_nothing_and_does_not_touch_the_file(
    refs: Path, encoder: GridEncoder
) -> None:
    out = refs.parent / "i.npz"
    build(refs)
    before, stat = out.read_bytes(), out.stat()
    result = build(refs, encoder)
    assert encoder.encoded == 0
    assert counts(result) == (0, 5, 0)
    assert not result.written
    assert out.read_bytes() == before
    assert (out.stat().st_mtime_ns, out.stat().st_ino) == (stat.st_mtime_ns, stat.st_ino)


def test_one_new_file_costs_one_encode(refs: Path, encoder: GridEncoder) -> None:
    build(refs)
    save_picture(refs / "new.png", 50)
    assert counts(build(refs, encoder)) == (1, 5, 0)
    assert encoder.encoded == 1


def test_a_changed_file_is_encoded_again(refs: Path, encoder: GridEncoder) -> None:
    build(refs)
    save_picture(refs / "card_2.png", 51)
    result = build(refs, encoder)
    assert counts(result) == (1, 4, 0)
    assert np.allclose(result.index.embeddings[2], GridEncoder().encode([pixels(51)])[0])


def test_a_deleted_file_is_dropped(refs: Path, encoder: GridEncoder) -> None:
    build(refs)
    (refs / "card_1.png").unlink()
    assert counts(build(refs, encoder)) == (0, 4, 1)
    assert "card_1.png" not in Index.load(refs.parent / "i.npz").references


def test_a_renamed_file_gets_its_new_label_without_an_encode(
    refs: Path, encoder: GridEncoder
) -> None:
    build(refs)
    (refs / "card_1.png").rename(refs / "blue_dragon.png")
    result = build(refs, encoder)
    assert encoder.encoded == 0
    assert result.written
    assert "Blue Dragon" in Index.load(refs.parent / "i.npz").names


def test_copies_are_encoded_once(refs: Path, encoder: GridEncoder) -> None:
    for number in range(3):
        shutil.copy(refs / "card_0.png", refs / f"copy_{number}.png")
    result = build(refs, encoder)
    assert encoder.encoded == 5
    assert len(result.index) == 8


def test_another_encoder_encodes_all_again_and_says_why(refs: Path) -> None:
    build(refs)
    result = build(refs, other := GridEncoder("other"))
    assert other.encoded == 5
    assert "made by grid" in result.rebuilt
    assert Index.load(refs.parent / "i.npz").meta.encoder.id == "other"


def test_a_head_encodes_all_again_and_is_noted(refs: Path, encoder: GridEncoder) -> None:
    build(refs)
    result = build(refs, encoder, head=head_for("grid"))
    assert encoder.encoded == 5
    assert result.index.dim == 8
    assert Index.load(refs.parent / "i.npz").meta.head_sha256 == "cd" * 32


def test_a_head_of_another_encoder_is_refused_naming_both(refs: Path) -> None:
    with pytest.raises(EncoderError, match=r"clip.*grid"):
        build(refs, head=head_for("clip"))
    assert not (refs.parent / "i.npz").exists()


def test_full_encodes_known_pictures_again(refs: Path, encoder: GridEncoder) -> None:
    build(refs)
    assert counts(build(refs, encoder, full=True)) == (5, 0, 0)


def test_subfolders_count_and_hidden_ones_do_not(refs: Path) -> None:
    save_picture(refs / "set one" / "deep" / "card.jpg", 20)
    save_picture(refs / ".thumbnails" / "card.jpg", 21)
    assert "set one/deep/card.jpg" in (names := build(refs).index.references)
    assert len(names) == 6


def test_a_link_to_a_picture_is_followed(refs: Path, tmp_path: Path) -> None:
    save_picture(tmp_path / "elsewhere" / "x.png", 30)
    (refs / "linked.png").symlink_to(tmp_path / "elsewhere" / "x.png")
    index = build(refs).index
    row = index.references.tolist().index("linked.png")
    assert np.allclose(index.embeddings[row], GridEncoder().encode([pixels(30)])[0])


def test_two_files_of_one_name_are_variants_of_one_item(refs: Path) -> None:
    save_picture(refs / "LOCH-JP001_dragon_ur.png", 31)
    save_picture(refs / "other" / "dragon.jpg", 32)
    index = build(refs).index
    assert (len(index), index.item_count) == (7, 6)


def test_a_damaged_older_index_is_built_anew_and_that_is_reported(
    refs: Path, encoder: GridEncoder
) -> None:
    (refs.parent / "i.npz").write_bytes(b"PK damaged")
    result = build(refs, encoder)
    assert encoder.encoded == 5
    assert "no index of this program" in result.rebuilt
    assert len(Index.load(refs.parent / "i.npz")) == 5


def interrupt(refs: Path, encoder: GridEncoder) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(refs, encoder, batch_size=2)


def test_an_interrupted_run_keeps_the_old_index_and_what_it_encoded(refs: Path) -> None:
    out, partial = refs.parent / "i.npz", refs.parent / "i.npz.partial"
    build(refs)
    before = out.read_bytes()
    for seed in range(10, 16):
        save_picture(refs / f"new_{seed}.png", seed)
    interrupt(refs, GridEncoder(interrupt_after=2))
    assert out.read_bytes() == before
    assert len(Index.load(partial)) == 7

    result = build(refs, encoder := GridEncoder(), batch_size=2)
    assert encoder.encoded == 4
    assert len(result.index) == 11
    assert sorted(path.name for path in refs.parent.iterdir()) == ["i.npz", "refs"]


def test_interruptions_add_up(refs: Path) -> None:
    interrupt(refs, GridEncoder(interrupt_after=0))
    assert not (refs.parent / "i.npz.partial").exists()
    interrupt(refs, GridEncoder(interrupt_after=2))
    interrupt(refs, GridEncoder(interrupt_after=2))
    interrupt(refs, GridEncoder(interrupt_after=0))  # encodes nothing, and must not lose the rest
    assert not (refs.parent / "i.npz").exists()
    assert counts(build(refs)) == (1, 4, 0)


def test_full_does_not_trust_what_an_interrupted_run_left(refs: Path) -> None:
    interrupt(refs, GridEncoder(interrupt_after=2))
    assert counts(build(refs, full=True)) == (5, 0, 0)


def test_what_another_encoder_left_unfinished_is_not_used(refs: Path) -> None:
    interrupt(refs, GridEncoder("other", interrupt_after=2))
    assert counts(build(refs)) == (5, 0, 0)
    assert not (refs.parent / "i.npz.partial").exists()


@pytest.mark.slow
def test_a_killed_run_leaves_the_old_index_or_the_new_one(tmp_path: Path) -> None:
    refs, out = tmp_path / "refs", tmp_path / "i.npz"
    encoder = open_encoder("sscd-small")
    for seed in range(60):
        save_picture(refs / f"card_{seed}.png", seed)
    new = build(refs, encoder).index
    (tmp_path / "old").mkdir()
    for seed in range(8):
        shutil.copy(refs / f"card_{seed}.png", tmp_path / "old")
    old = build_index(tmp_path / "old", tmp_path / "old.npz", Embedder(encoder), quiet=True).index
    line = [
        sys.executable,
        "-m",
        "data_label_factory.identify",
        "index",
        "--calibrate",
        "never",
        "--encoder",
        "sscd-small",
        "--refs",
        refs,
        "--out",
        out,
    ]

    survivors = set()
    for moment in (0.05, 0.3, 0.5, 0.7, 0.9, 1.2, 1.5, "while writing"):
        shutil.copy(tmp_path / "old.npz", out)
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if moment == "while writing":
            while process.poll() is None and not list(tmp_path.glob(".i.npz.*.part")):
                time.sleep(0.0005)
        else:
            time.sleep(float(moment))
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = Index.load(out)
        expected = old if len(left) == 8 else new
        assert left.references.tolist() == expected.references.tolist()
        assert np.allclose(left.embeddings, expected.embeddings, atol=1e-5)
        survivors.add(len(left))
    assert 8 in survivors

    shutil.copy(tmp_path / "old.npz", out)
    subprocess.run(line, check=True, capture_output=True)
    assert Index.load(out).references.tolist() == new.references.tolist()
    assert [path.name for path in tmp_path.glob("*i.npz*")] == ["i.npz"]
    assert not list(tmp_path.glob(".*"))


def test_the_default_encoder_knows_a_small_recompressed_copy(
    tmp_path: Path, sscd: OnnxEncoder
) -> None:
    refs = tmp_path / "refs"
    cards = draw_collection(refs, count=4)
    index = build(refs, sscd).index
    assert index.dim == 512
    assert np.allclose(np.linalg.norm(index.embeddings, axis=1), 1, atol=1e-5)
    with Image.open(cards[2]) as card:
        card.resize((200, 280)).save(tmp_path / "query.jpg", quality=50)
    scores, rows = index.search(sscd.encode([decode(tmp_path / "query.jpg")]), 2)
    assert index.references[rows[0, 0]] == cards[2].name
    assert scores[0, 0] > max(0.8, scores[0, 1] + 0.1)
