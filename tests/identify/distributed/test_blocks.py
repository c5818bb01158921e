"""Blocks, where they are kept, and options that only Ray has: no cluster is needed."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import GridEncoder

from data_label_factory import cpu
from data_label_factory.errors import FactoryError, MissingExtraError
from data_label_factory.identify.distributed import build, encoding
from data_label_factory.identify.distributed.block import Block, unpack_block
from data_label_factory.identify.distributed.build import build_on_ray
from data_label_factory.identify.distributed.encoding import Job, encode_block
from data_label_factory.identify.distributed.serve import prepare
from data_label_factory.identify.distributed.storage import Storage
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.index.meta import IndexMeta
from data_label_factory.identify.recognize.feature_store import load_store
from data_label_factory.identify.recognize.reference_writer import ReferenceWriter
from data_label_factory.identify.recognize.store_writer import describe, key_of
from data_label_factory.identify.server.settings import Settings

FILES = {f"sha {number}": f"card_{number}.png" for number in range(5)}


def open_embedder() -> Embedder:
    return Embedder(GridEncoder())


@pytest.fixture
def job(refs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(cpu, "_most", None)  # put back what a worker sets for its process
    opening = pickle.dumps(open_embedder)
    return Job(refs, str(tmp_path / "shared"), opening, None, trim=True, batch_size=2, cores=1)


def read(job: Job, name: str) -> Block:
    return unpack_block(Storage(job.storage).read(name))


def test_a_block_has_what_the_pictures_show(job: Job, refs: Path) -> None:
    (refs / "card_3.png").write_bytes(b"no picture")
    assert encode_block(job, "one", FILES) == 4

    block = read(job, "one")
    assert [entry.sha256 for entry in block.entries] == ["sha 0", "sha 1", "sha 2", "sha 4"]
    assert list(block.unreadable) == ["sha 3"]
    picture = decode(refs / "card_1.png")
    entry = block.entries[1]
    np.testing.assert_array_equal(entry.embedding, open_embedder().encode([picture])[0])
    expected = describe(0, picture)
    np.testing.assert_array_equal(entry.reference.thumb, expected.thumb)
    np.testing.assert_array_equal(entry.reference.tiny, expected.tiny)
    for name in ("xy", "size", "angle", "descriptors"):
        ours, theirs = entry.reference.features, expected.features
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert entry.reference.features.shape == expected.features.shape


def test_a_block_of_nothing_readable_is_one(job: Job, refs: Path) -> None:
    (refs / "card_0.png").write_bytes(b"no picture")
    assert encode_block(job, "one", {"sha 0": "card_0.png"}) == 0
    assert read(job, "one").entries == []


def test_a_block_that_is_there_is_not_made_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    encode_block(job, "one", FILES)
    monkeypatch.setattr(encoding, "_encode", None)
    assert encode_block(job, "one", FILES) == 0


def test_a_machine_without_the_folder_says_so(job: Job, tmp_path: Path) -> None:
    blind = replace(job, refs=tmp_path / "elsewhere")
    with pytest.raises(FactoryError, match="does not see the folder"):
        encode_block(blind, "one", FILES)
    assert "one" not in Storage(job.storage)


def encode_here(job: Job, folder: Path) -> tuple[list[str], dict[str, str], list[str]]:
    """What an index and a store take in of FILES, and the blocks that had to be made."""
    made: list[str] = []

    def run(_ray: object, job: Job, blocks: dict[str, dict[str, str]]) -> Iterator[str]:
        for name, files in blocks.items():
            encode_block(job, name, files)
            made.append(name)
            yield name

    with pytest.MonkeyPatch.context() as patch, ReferenceWriter(folder) as writer:
        patch.setattr(build, "_run", run)
        workers = build._Workers(sys, job, Storage(job.storage), writer, quiet=True)
        meta = IndexMeta(open_embedder().identity.encoder, trim=True)
        known: list[str] = []
        unreadable: dict[str, str] = {}
        for found, errors in workers.encode(meta, FILES, len(FILES)):
            known += found
            unreadable |= errors
    return known, unreadable, made


def test_blocks_that_are_whole_are_taken_and_damaged_ones_made_again(
    job: Job, refs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_LEAST", 2)
    (refs / "card_3.png").write_bytes(b"no picture")
    known, unreadable, made = encode_here(job, tmp_path / "first")
    assert known == ["sha 0", "sha 1", "sha 2", "sha 4"]
    assert list(unreadable) == ["card_3.png"]
    assert len(made) == 3
    assert load_store(tmp_path / "first")["keys"].tolist() == list(map(key_of, known))

    storage = Storage(job.storage)
    storage.write(made[0], storage.read(made[0])[:1000])
    again, unreadable, made_again = encode_here(job, tmp_path / "second")
    assert sorted(again) == known
    assert list(unreadable) == ["card_3.png"]  # it was tried again, with those of the damaged one
    assert len(made_again) == 2
    assert sorted(load_store(tmp_path / "second")["keys"]) == sorted(map(key_of, known))


def test_files_are_kept_in_a_bucket_as_in_a_folder() -> None:
    bucket = Storage("memory://bucket/blocks")
    bucket.write("a", b"1")
    assert "a" in bucket
    assert "b" not in bucket
    assert Storage("memory://bucket/blocks").read("a") == b"1"
    bucket.remove()
    assert "a" not in bucket


def test_an_address_of_no_kind_is_refused() -> None:
    with pytest.raises(FactoryError, match="Cannot store anything at nowhere://"):
        Storage("nowhere://bucket")


def test_without_the_extra_the_command_to_install_it_is_said(
    refs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"data_label_factory\[ray\]"):
        build_on_ray(refs, tmp_path / "i.npz", open_embedder, address="local", quiet=True)


def test_one_process_does_not_load_ray() -> None:
    code = (
        "import sys; import data_label_factory.identify.server.run, "
        "data_label_factory.identify.refresh; sys.exit('ray' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("options", "replicas", "shards", "reason"),
    [
        ({"lan": True}, 1, 1, "--lan"),
        ({"allow_enroll": True}, 2, 1, "Only one replica"),
        ({"watch": True}, 1, 2, "keep to what they started with"),
        ({"refs": None}, 1, 2, "Shards need --refs"),
    ],
)
def test_what_only_one_process_can_do_is_refused(
    refs: Path, tmp_path: Path, options: dict[str, object], replicas: int, shards: int, reason: str
) -> None:
    build_index(refs, tmp_path / "i.npz", open_embedder(), quiet=True)
    settings = replace(Settings(tmp_path / "i.npz", refs), **options)
    with pytest.raises(FactoryError, match=reason):
        prepare(settings, replicas, shards)


def test_several_replicas_keep_no_lists_of_their_own(refs: Path, tmp_path: Path) -> None:
    build_index(refs, tmp_path / "i.npz", open_embedder(), quiet=True)
    settings = Settings(tmp_path / "i.npz", refs)
    assert prepare(settings, 1).lists_path is not None
    assert prepare(settings, 2).lists_path is None
    assert prepare(replace(settings, port=0), 1).port > 0
