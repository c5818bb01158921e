"""Checks of a wheel with the extra `identify`: every step, from a folder outside the checkout.

Run by that install's own Python in an empty folder, without pytest. `.ci/wheel` does that.
"""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from base_install import gather_a_picture

import data_label_factory
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

SOURCE = Path(__file__).parent.parent / "src" / "data_label_factory"
INSTALLED = Path(data_label_factory.__file__).parent
COUNT = 6
IDENTIFY = (sys.executable, "-m", "data_label_factory.identify")


def check_files() -> None:
    """The wheel has every file of the source, of which its README alone is for readers only."""
    assert INSTALLED.is_relative_to(sys.prefix), f"{INSTALLED} is not what was installed"
    names = {
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".md") and not path.name.startswith(".")
    }

    missing = sorted(str(name) for name in names if not (INSTALLED / name).is_file())
    assert not missing, f"the wheel lacks {missing}"
    assert {".py", ".html", ".js", ".css", ".svg"} <= {name.suffix for name in names}
    assert (INSTALLED / "py.typed").is_file()
    assert shutil.which("dlf", path=str(Path(sys.executable).parent))


def identify(*arguments: str) -> None:
    """Run one step as the README does, its output below ours."""
    print("$ identify", *arguments, flush=True)
    subprocess.run([*IDENTIFY, *arguments], check=True)


def install_weights() -> None:
    """Below Python 3.12, run the one line that `index` prints; from 3.12 on, nothing is missing."""
    if sys.version_info >= (3, 12):
        return

    line = [*IDENTIFY, "index", "--refs", "my-collection", "--out", "my.npz"]
    refused = subprocess.run(line, capture_output=True, text=True)
    assert refused.returncode == 2, refused
    command = re.search(r"Run: (.*)", refused.stderr)
    assert command, refused.stderr
    subprocess.run(command[1], shell=True, check=True, stdout=subprocess.DEVNULL)


def run_steps() -> None:
    refs = ("--refs", "my-collection")
    uncalibrated = ("--calibrate", "never")  # half a minute; the tests of the checkout have it
    identify("index", *refs, "--out", "my.npz", *uncalibrated)
    identify("verify", "--index", "my.npz", *refs, "--simulate", "1", "--html", "report.html")
    # So few cards need no head; what is checked is that one is made.
    identify("train", *refs, "--out", "head.pt", "--epochs", "2", "--force")
    head = ("--projection", "head.pt")
    identify("index", *refs, "--out", "my-trained.npz", *head, *uncalibrated)

    Path("prices.csv").write_text(f"name,price\n{photo_name()},3.50\n")
    shop = ("--site", "csv", "--csv", "prices.csv", "--currency", "USD")
    identify("scrape_prices", *refs, "--out", "prices.json", *shop)
    assert "<html" in Path("report.html").read_text("utf-8")


def photo() -> Path:
    return min(Path("my-collection").glob("*.jpg"))


def photo_name() -> str:
    return parse_label(photo().name).name


@contextmanager
def started(*arguments: str) -> Iterator[str]:
    """Start a server on a free port; yields its address once it is ready. It must stop with 0."""
    line = [*arguments, "--port", "0"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        log = ""
        while "event=ready" not in log:
            text = server.stderr.readline()
            assert text, f"{line} stopped:\n{log}"
            log += text

        # From here on only to keep the pipe from filling up.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        try:
            address = re.search(r"url=(http://[^/\s]+)", log)
            assert address, log
            yield address[1]
        finally:
            server.terminate()
    assert server.returncode == 0, server.returncode


def check_pages(url: str, *paths: str) -> None:
    for path in paths:
        answer = requests.get(url + path, timeout=30)
        assert answer.ok and answer.content, (path, answer)


def check_answer(url: str) -> None:
    """A reference held up as a photo is named."""
    picture = {"image": photo().read_bytes()}
    answer = requests.post(f"{url}/api/falcon", files=picture, timeout=60).json()
    names = [mask["name"] for mask in answer["masks"]]
    assert names == [photo_name()], answer


def serve() -> None:
    collection = ("--index", "my-trained.npz", "--projection", "head.pt", "--refs", "my-collection")
    with started(*IDENTIFY, "serve", *collection, "--prices", "prices.json") as url:
        check_answer(url)
        check_pages(url, "/", "/docs", "/docs/assets/swagger-ui-bundle.js", "/openapi.json")
        check_pages(url, "/canvas/live", "/canvas/js/main.js", "/canvas/live.css")

        dlf = str(Path(sys.executable).with_name("dlf"))
        with started(dlf, "web", "--falcon-url", f"{url}/api/falcon") as page:
            check_pages(page, "/canvas/live", "/canvas/js/main.js")
            check_answer(page)


def main() -> None:
    check_files()
    draw_collection(Path("my-collection"), count=COUNT)
    install_weights()
    run_steps()
    serve()
    gather_a_picture()
    print(f"wheel on Python {sys.version_info[0]}.{sys.version_info[1]}: ok")


if __name__ == "__main__":
    main()
