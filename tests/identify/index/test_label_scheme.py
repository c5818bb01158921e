"""Plain labels in an index, and what is said of files that share an item."""

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import GridEncoder, save_picture

from data_label_factory.cli import main
from data_label_factory.errors import LabelError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.evaluate.ground_truth import read_queries
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult, build_index
from data_label_factory.identify.index.sharing import find_labels
from data_label_factory.identify.train.bank import build_bank
from data_label_factory.identify.train.sampler import classes_of
from data_label_factory.identify.train.settings import ViewRecipe
from data_label_factory.labels import Label
from data_label_factory.prices.book import PriceBook
from data_label_factory.prices.fx import Rates
from data_label_factory.prices.store import CodePrice, PriceFile

BOLTS = ("M8-20_hex_bolt", "M8-30_hex_bolt", "WD-40_can", "KR-55_can", "model_s")


@pytest.fixture
def refs(tmp_path: Path) -> Path:
    return fill(tmp_path / "refs", *BOLTS)


def fill(folder: Path, *stems: str) -> Path:
    folder.mkdir(exist_ok=True)
    for seed, stem in enumerate(stems):
        save_picture(folder / f"{stem}.png", seed)
    return folder


def build(refs: Path, **options: object) -> BuildResult:
    out = refs.parent / "i.npz"
    return build_index(refs, out, Embedder(GridEncoder()), quiet=True, **options)  # type: ignore[arg-type]


def test_plain_labels_are_kept_in_the_index_until_told_otherwise(refs: Path) -> None:
    assert build(refs).index.item_count == 3
    plain = build(refs, labels="plain")
    assert (plain.encoded, plain.written, plain.index.item_count) == (0, True, 5)
    assert set(plain.index.set_codes) == {""} and "Model S" in plain.index.names

    again = build(refs)
    assert not again.written
    assert Index.load(refs.parent / "i.npz").meta.labels == "plain"
    assert build(refs, labels="cards").index.item_count == 3


def test_a_switch_alone_is_written(tmp_path: Path) -> None:
    refs = fill(tmp_path / "refs", "tea_pot")
    build(refs)
    assert build(refs, labels="plain").written
    assert Index.load(tmp_path / "i.npz").meta.labels == "plain"


def test_a_collection_keeps_to_the_labels_of_its_index(refs: Path, tmp_path: Path) -> None:
    build(refs, labels="plain")
    own = Collection.load(tmp_path / "i.npz", refs, embedder=Embedder(GridEncoder()))
    added = own.add(save_picture(tmp_path / "M8-40_hex_bolt.png", 77))
    assert own.index.label(own.index.row_of[added]) == Label("M8-40 hex bolt")
    with pytest.raises(LabelError, match="plain"):
        own.add(save_picture(tmp_path / "x.png", 78), "X", set_code="NEO-1")
    view = own.add_view(save_picture(tmp_path / "y.png", 79), added)
    assert own.index.label(own.index.row_of[view]) == Label("M8-40 hex bolt")
    assert build(refs).index.item_count == 6


def test_a_collection_of_cards_reads_codes_and_rarities_in_any_case(
    refs: Path, tmp_path: Path
) -> None:
    build(refs)
    own = Collection.load(tmp_path / "i.npz", refs, embedder=Embedder(GridEncoder()))
    for seed, (code, rarity, label) in enumerate(
        (
            ("neo-12", "ur", Label("Bolt", "NEO-12", "UR")),
            ("plst-2xm-129", "Secret Rare", Label("Bolt", "PLST-2XM-129", "ScR")),
            ("633Ph", "Galaxy Foil of 2031", Label("Bolt", "633Ph", "Galaxy Foil of 2031")),
        )
    ):
        picture = save_picture(tmp_path / "x.png", 90 + seed)
        added = own.add(picture, "Bolt", set_code=code, rarity=rarity)
        assert own.index.label(own.index.row_of[added]) == label
        assert build(refs).index.label(build(refs).index.row_of[added]) == label


def test_ground_truth_training_and_prices_honor_plain_labels(refs: Path, tmp_path: Path) -> None:
    index = build(refs, labels="plain").index
    photos = fill(tmp_path / "photos", "M8-30_hex_bolt", "WD-40_can (1)")
    items = {query.name: query.items[0] for query in read_queries(index, photos).photos}
    assert items["M8-30_hex_bolt.png"].label == Label("M8-30 hex bolt")
    assert items["WD-40_can (1).png"].reference == "WD-40_can.png"

    assert find_labels(refs) == "plain"
    bank = build_bank(
        refs, tmp_path / "bank", GridEncoder(), ViewRecipe(1, heldout_frames=1), labels="plain"
    )
    assert len(set(classes_of(bank, "same").tolist())) == 5

    three = Decimal(3)
    file = PriceFile("", "csv", "USD", {"WD-40": CodePrice(three, three, three, 1)})
    book = PriceBook(file, Rates("USD"))
    label = index.label(index.row_of["WD-40_can.png"])
    assert book.price_of(label, "WD-40_can.png", "plain") is None
    assert book.price_of(label, "WD-40_can.png") is not None
    assert book.top(3, index, "plain") == []


def test_an_index_of_another_folder_says_nothing_of_this_one(refs: Path, tmp_path: Path) -> None:
    build(refs, labels="plain")
    assert find_labels(fill(tmp_path / "cards", "dark_magician")) == "cards"
    build_index(refs, tmp_path / "new.npz", Embedder(GridEncoder()), labels="cards", quiet=True)
    os.utime(tmp_path / "i.npz", (1, 1))
    assert find_labels(refs) == "cards"


@pytest.mark.parametrize(
    ("stems", "said"),
    [
        (BOLTS, {"Hex Bolt": "M8-20, M8-30", "Can": "KR-55, WD-40"}),
        (("LEA-161_bolt", "M10-146_bolt", "PLST-2XM-129_bolt"), {}),
        (("LOB-EN001_a_ur", "LOB-EN001_a_sr", "a"), {}),
        (("LOB-EN001_a", "LOB-EN002_a", "OP01-001_a", "OP01-002_a"), {}),
        (("SONY-RX100_camera", "SONY-RX200_camera"), {"Camera": "SONY-RX100, SONY-RX200"}),
        (("photo (1)", "photo (2)", "photo (3)"), {"Photo": "photo (1), photo (2), photo (3)"}),
        (("a", "a (1)"), {}),
        ([f"DIN-{n}_nut" for n in range(10, 16)], {"Nut": "DIN-10, DIN-11, DIN-12, …"}),
    ],
)
def test_files_that_share_an_item_are_said(
    tmp_path: Path, stems: tuple[str, ...], said: dict[str, str]
) -> None:
    shared = build(fill(tmp_path / "refs", *stems)).shared_items
    assert shared.keys() == said.keys()
    for name, names in said.items():
        assert f"({names})" in shared[name]


def test_a_real_copy_is_no_second_thing(tmp_path: Path) -> None:
    refs = fill(tmp_path / "refs", "M8-20_bolt", "tea")
    shutil.copy(refs / "M8-20_bolt.png", refs / "M8-30_bolt.png")
    shutil.copy(refs / "tea.png", refs / "tea (1).png")
    shutil.copy(refs / "tea.png", refs / "tea - Copy.png")
    result = build(refs)
    assert (result.shared_items, result.same_pictures) == ({}, [])
    assert result.index.item_count == 2


def test_the_command_says_it_once_and_how_to_keep_them_apart(
    refs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["identify", "index", "--calibrate", "never", "--refs", str(refs)]
    assert main([*line, "--out", str(tmp_path / "i.npz")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert [text for text in said if "share" in text or "plain" in text] == [
        "the item 'Can' is shared by 2 files, though their codes differ (KR-55, WD-40)",
        "the item 'Hex Bolt' is shared by 2 files, though their codes differ (M8-20, M8-30)",
        "if these are different things, index with --labels plain, or give them other names",
    ]

    assert main([*line, "--out", str(tmp_path / "i.npz"), "--labels", "plain", "--json"]) == 0
    captured = capsys.readouterr()
    assert "share" not in captured.err
    report = json.loads(captured.out)
    assert (report["labels"], report["items"], report["shared_items"]) == ("plain", 5, {})
