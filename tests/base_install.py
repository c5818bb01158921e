"""Checks of an install without any extra; run by that install's own Python, without pytest."""

import importlib.util
import subprocess
import sys
import tempfile
import threading
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path

from PIL import Image

from data_label_factory.errors import ProjectError
from data_label_factory.labels import Label, format_label, parse_label
from data_label_factory.project import load_project
from data_label_factory.web.proxy import WebServer
from data_label_factory.web.target import Target


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "data_label_factory", *arguments], capture_output=True, text=True
    )


def gather_a_picture() -> None:
    """Fetch a picture from a local server: gathering needs no extra."""
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", (8, 8), "red").save(Path(folder) / "x.png")
        handler = partial(SimpleHTTPRequestHandler, directory=folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (Path(folder) / "list.csv").write_text(
            f"M8 Bolt,http://127.0.0.1:{server.server_address[1]}/x.png\n"
        )

        project = Path(folder) / "p.yaml"
        project.write_text(
            "project_name: a\nbuckets: {parts: {source: urls, queries: [list.csv]}}\n"
        )
        done = run("gather", "--project", str(project), "--out", str(Path(folder) / "out"))
        server.shutdown()

        assert done.returncode == 0, done
        assert (Path(folder) / "out/parts/m8_bolt.png").is_file()


def serve_the_page() -> None:
    """Load the tracker page: it and its server are part of the base install."""
    server = WebServer("127.0.0.1", 0, Target.parse("http://127.0.0.1:9"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for path in ("canvas/live", "canvas/js/main.js", "canvas/live.css"):
        with urllib.request.urlopen(
            f"http://127.0.0.1:{server.server_address[1]}/{path}"
        ) as answer:
            assert answer.read(), path
    server.shutdown()


def keep_a_list() -> None:
    """Import and export a list: both need no extra, but workbooks do."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.csv").write_text("quantity,name\n2,Blade\n")
        lists = ["--lists", str(Path(folder) / "l.sqlite")]
        done = run("lists", "import", "Binder", str(Path(folder) / "in.csv"), *lists)
        assert done.returncode == 0, done
        done = run("lists", "export", "Binder", *lists, "--format", "moxfield")
        assert "Blade" in done.stdout, done
        refused = run("lists", "export", "Binder", *lists, "--format", "xlsx")
        assert "pip install 'data_label_factory[xlsx]'" in refused.stderr, refused


def main() -> None:
    for heavy in ("numpy", "onnxruntime", "cv2", "torch"):
        assert importlib.util.find_spec(heavy) is None, f"the base install brought {heavy}"
    base = sorted(
        line.split(">")[0].lower()
        for line in requires("data_label_factory") or []
        if "extra ==" not in line
    )
    assert base == ["click", "pillow", "pyyaml", "requests"], base

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
        path.write_text(
            "project_name: cards\ntarget_object: card\nbuckets: {positive/cards: [Dark Magician]}\n"
        )
        assert load_project(path).buckets["positive/cards"].queries == ("Dark Magician",)
        path.write_text("project_name: cards\nbukets: {}\n")
        try:
            load_project(path)
        except ProjectError as exc:
            assert "line 2" in str(exc), exc
        else:
            raise AssertionError("an unknown key was accepted")
    gather_a_picture()
    serve_the_page()
    keep_a_list()
    print("base install: ok")


if __name__ == "__main__":
    main()
