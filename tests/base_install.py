"""Checks of an install without any extra; run by that install's own Python, without pytest."""

import importlib.util
import subprocess
import sys
import tempfile
from importlib.metadata import requires
from pathlib import Path

from data_label_factory.errors import ProjectError
from data_label_factory.labels import Label, format_label, parse_label
from data_label_factory.project import load_project


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "data_label_factory", *arguments], capture_output=True, text=True)


def main() -> None:
    for heavy in ("numpy", "onnxruntime", "cv2", "torch"):
        assert importlib.util.find_spec(heavy) is None, f"the base install brought {heavy}"
    base = sorted(line.split(">")[0].lower() for line in requires("data_label_factory") or [] if "extra ==" not in line)
    assert base == ["pillow", "pyyaml", "requests"], base

    assert run("--help").returncode == 0
    assert "identify" in run("--help").stdout
    assert run("identify", "--help").returncode == 0
    refused = run("identify", "index", "--refs", ".", "--out", "x.npz")
    assert refused.returncode == 2, refused
    assert "pip install 'data_label_factory[identify]'" in refused.stderr, refused.stderr
    assert "Traceback" not in refused.stderr, refused.stderr

    label = Label("Dark Magician", "LOCH-JP001", "PScR")
    assert parse_label("LOCH-JP001_dark_magician_pscr.jpg") == label
    assert parse_label(format_label(label) + ".png") == label

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project.yaml"
        path.write_text("project_name: cards\ntarget_object: card\nbuckets: {positive/cards: [Dark Magician]}\n")
        assert load_project(path).buckets["positive/cards"].queries == ("Dark Magician",)
        path.write_text("project_name: cards\nbukets: {}\n")
        try:
            load_project(path)
        except ProjectError as exc:
            assert "line 2" in str(exc), exc
        else:
            raise AssertionError("an unknown key was accepted")
    print("base install: ok")


if __name__ == "__main__":
    main()
