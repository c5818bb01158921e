"""Pages of PDFs as pictures; what cannot be one says what to do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_label_factory.errors import ImageError, MissingExtraError
from data_label_factory.identify import pdf
from data_label_factory.identify.batch import walk_paths
from data_label_factory.identify.pdf import read_pdf
from data_label_factory.progress import Progress


def save_pdf(path: Path, *pages: Image.Image, dpi: float = 200) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pages[0].save(path, save_all=True, append_images=list(pages[1:]), resolution=dpi)
    return path


def write_pdf(path: Path, *objects: str, trailer: str = "") -> Path:
    """A PDF made by hand: `objects` are numbered from 1, the first is the catalog."""
    body, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    size = len(objects) + 1
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(body)}\n%%EOF\n"
    path.write_bytes(f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode("latin-1"))
    return path


def page_of(width: float, height: float) -> tuple[str, ...]:
    return (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] >>",
    )


def test_pages_come_at_200_dpi_in_rgb_and_in_order(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (300, 420), color) for color in ("red", "lime", "blue")]
    file = save_pdf(tmp_path / "album.pdf", *pages, dpi=100)
    progress = Progress("pages", 0, enabled=False)
    read = list(read_pdf(file, progress))
    assert [number for number, _ in read] == [1, 2, 3]
    assert progress.total == 3
    for channel, (_, picture) in enumerate(read):
        assert picture.shape == (840, 600, 3)
        assert picture.dtype == np.uint8
        assert picture[420, 300].argmax() == channel


@pytest.mark.parametrize(
    ("width", "height"), [(14400, 14400), (20, 14400), (1, 1), (0.5, 500), (595, 842)]
)
def test_a_page_of_any_size_stays_within_bounds(
    tmp_path: Path, width: float, height: float
) -> None:
    ((_, picture),) = read_pdf(write_pdf(tmp_path / "p.pdf", *page_of(width, height)))
    assert picture.shape[0] * picture.shape[1] <= 24_100_000
    assert max(picture.shape) <= 16_001
    assert min(picture.shape[:2]) >= 1


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    text = tmp_path / "text.pdf"
    text.write_text("no PDF")
    whole = save_pdf(tmp_path / "whole.pdf", Image.effect_noise((300, 300), 80))
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(whole.read_bytes()[:60])
    secret = "<< /Filter /Standard /V 1 /R 2 /O (" + "o" * 32 + ") /U (" + "u" * 32 + ") /P -4 >>"
    locked = write_pdf(
        tmp_path / "locked.pdf",
        *page_of(100, 100),
        secret,
        trailer="/Encrypt 4 0 R /ID [<00> <00>]",
    )
    for file, message in (
        (text, "Not a PDF .* again"),
        (cut, "Not a PDF"),
        (locked, "needs a password.*without one"),
        (tmp_path / "gone.pdf", "no such file"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(ImageError, match=message):
            list(read_pdf(file))


def test_without_the_package_a_named_pdf_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save_pdf(tmp_path / "in" / "a.pdf", Image.new("RGB", (20, 20)))
    sources, _ = walk_paths([tmp_path / "in"])
    assert [source.is_pdf for source in sources] == [True]

    def missing(module: str, *, extra: str) -> None:
        raise MissingExtraError(module, f"[{extra}]")

    monkeypatch.setattr(pdf, "need", missing)
    with pytest.raises(MissingExtraError, match=r"\[pdf\]"):
        list(read_pdf(file))
    monkeypatch.setattr("data_label_factory.identify.batch.can_read_pdf", lambda: False)
    sources, (walk,) = walk_paths([tmp_path / "in"])
    assert (sources, walk.others) == ([], ["a.pdf"])
