"""The docs say what the program does: help texts are generated, commands have the options that are
written, those of README and start page run, links lead somewhere.
"""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from conftest import calibrate_quickly
from drawn import draw_collection
from website import Site
from yuyutei import SEARCH, product, shop

from data_label_factory.cli import main
from data_label_factory.labels import parse_label
from data_label_factory.project import load_project

ROOT = Path(__file__).parent.parent
IDENTIFY = ROOT / "src" / "data_label_factory" / "identify"
README = ROOT / "README.md"
START = ROOT / "docs" / "start.md"
COMMANDS = ROOT / "docs" / "commands.md"
PAGES = [README, IDENTIFY / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = re.compile(
    r"(?:[A-Z_]+=\S+ )?(?:dlf|data_label_factory|python3? -m data_label_factory)(?=[. ]|$)"
)


def load_script(name: str) -> ModuleType:
    """A script of the docs folder, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_commands_page_is_what_help_prints() -> None:
    script = load_script("make_commands")
    assert script.PAGE.read_text("utf-8") == script.render(), "run: python docs/make_commands.py"


def test_the_picture_of_the_architecture_is_what_its_script_draws() -> None:
    script = load_script("make_architecture_svg")
    assert len(script.BOXES) <= 10
    assert script.FILE.read_text("utf-8") == script.draw(), "run docs/make_architecture_svg.py"


def test_the_glossary_fits_on_a_page() -> None:
    assert len((ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines()) <= 30


def blocks(text: str) -> list[str]:
    """The fenced blocks of a page that name no language: what is typed into a shell."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [block for language, block in fenced if not language]


def commands_in(text: str) -> list[list[str]]:
    """The words of each command of ours, without the program's name, in blocks of `text`."""
    lines = "\n".join(blocks(text)).replace("\\\n", " ").splitlines()
    return [words_of(line) for line in lines if PROGRAM.match(line)]


def words_of(line: str) -> list[str]:
    """`python3 -m data_label_factory.identify index …` → identify, index, …"""
    command = re.split(r" \\?[|>]", line)[0]
    return shlex.split(PROGRAM.sub("", command).removeprefix("."), comments=True)


def options_by_command() -> dict[str, set[str]]:
    """`identify index` → --refs, --out, …; from the page that is what the commands print."""
    text = COMMANDS.read_text("utf-8")
    sections = re.findall(r"^## data_label_factory ?([^\n]*)\n\n```\n(.*?)^```", text, re.M | re.S)
    return {name: set(re.findall(r"--[a-z][a-z-]+", help_)) for name, help_ in sections}


def command_of(words: list[str], known: dict[str, set[str]]) -> str:
    """The command that `words` start with; `identify FILE` is `identify identify`."""
    for count in (2, 1):
        name = " ".join(words[:count])
        if name in known and (name != "identify" or words[1:] in ([], ["--help"])):
            return name
    if words[:1] == ["identify"] and re.search(r"\W", words[1]):
        return "identify identify"
    return "unknown" if words and not words[0].startswith("-") else ""


@pytest.mark.parametrize("page", sorted({*PAGES} - {COMMANDS}), ids=lambda page: page.name)
def test_every_command_has_the_options_that_are_written(page: Path) -> None:
    text = page.read_text("utf-8")
    known = options_by_command()
    inline = [
        words_of(code) for code in re.findall(r"`([^`\n]+ [^`\n]+)`", text) if PROGRAM.match(code)
    ]

    for words in commands_in(text) + inline:
        command = command_of(words, known)
        assert command in known, words
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known[command], (words, options - known[command])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_extras_and_variables_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(re.findall(r"'(?:\.|data_label_factory)\[(\w+)\]'", text))
    assert extras <= set(project["optional-dependencies"])

    variables = set(re.findall(r"(?<!\w)_?(DLF_[A-Z_]*[A-Z])", text))
    assert variables <= {"DLF_CACHE", "DLF_CONTACT", "DLF_COMPLETE"} | variables_of_options()


def variables_of_options() -> set[str]:
    """DLF_IDENTIFY_SERVE_PORT for `identify serve --port` …; of the server DLF_PORT as well."""
    pairs = [(name, option) for name, options in options_by_command().items() for option in options]
    texts = [f"dlf {name} {option.lstrip('-')}" for name, option in pairs]
    texts += [f"dlf {option.lstrip('-')}" for name, option in pairs if name == "identify serve"]
    return {re.sub(r"[ -]+", "_", text).upper() for text in texts}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for all: the views of a card are encoded once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def checkout(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the project files of the checkout beside it."""
    (tmp_path / "projects").symlink_to(ROOT / "projects")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLF_CACHE", str(cache))
    calibrate_quickly(monkeypatch)
    return tmp_path


@pytest.mark.slow
def test_every_readme_command_runs(checkout: Path) -> None:
    draw_collection(checkout / "my-collection", count=6)
    commands = commands_in(README.read_text("utf-8"))
    steps = [words[1] for words in commands if words[0] == "identify"]
    assert steps == ["index", "verify", "train", "index", "serve"]
    for words in commands:
        run(words)


def start_paths() -> dict[str, list[list[str]]]:
    """The headings of the start page and their commands."""
    parts = re.split(r"^## … (.*)\n", START.read_text("utf-8"), flags=re.M)[1:]
    return {
        heading: commands_in(text) for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.slow
@pytest.mark.parametrize("heading", start_paths())
def test_every_path_of_the_start_page_runs(
    heading: str, checkout: Path, website: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(checkout, website)
    monkeypatch.setenv("DLF_FX_URL", website.url)
    for words in start_paths()[heading]:
        if words[0] == "gather":  # its sites are far away: draw what it would have fetched
            buckets = load_project(Path(words[words.index("--project") + 1])).buckets
            folder = Path(words[words.index("--out") + 1], next(iter(buckets)))
            draw_collection(folder, count=3)
        else:
            local = ["--base-url", website.url] if words[1] == "scrape_prices" else []
            run(words + local)


def prepare(folder: Path, website: Site) -> None:
    """What a reader of the start page has: pictures, photos, a price list, a price site."""
    references = draw_collection(folder / "my-collection", count=3)
    draw_collection(folder / "parts" / "1", count=6)
    draw_collection(folder / "visitor-photos", count=3)
    draw_collection(folder / "empty-rooms", count=2, seed=8)
    shutil.copy(references[0], folder / "photo.jpg")

    label = parse_label(references[0].name)
    (folder / "stock.csv").write_text(f"name,price,stock\n{label.name},24.00,3\n")
    website.on(SEARCH, shop(("UR", product(label.set_code, "UR", "札", "480 円"))))


def run(words: list[str]) -> None:
    """Run one command; it must succeed. A server must start, and stop when it is told to."""
    start = serves if "serve" in words else main
    assert start(words) == 0, words


def serves(arguments: list[str]) -> int:
    """Start a server as the README does, but on a free port; its exit code once it was ready
    and told to stop.
    """
    line = [sys.executable, "-m", "data_label_factory", *arguments, "--port", "0"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        assert any("event=ready" in text for text in server.stderr)
        server.terminate()
        server.stderr.read()
    return server.returncode


def test_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text("utf-8"), re.M)
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets)
    assert shutil.which("make")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def anchors(page: Path) -> set[str]:
    """The names that its headings have in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_page_in_the_identify_folder_names_what_lies_there() -> None:
    names = re.findall(r"`([\w/]+(?:/|\.py))`", (IDENTIFY / "README.md").read_text("utf-8"))
    assert names
    for name in names:
        assert (IDENTIFY / name).exists(), name

    here = {path.name + "/" for path in IDENTIFY.iterdir() if (path / "__init__.py").is_file()}
    here |= {path.name for path in IDENTIFY.glob("[a-z]*.py")}
    assert here <= set(names), here - set(names)
