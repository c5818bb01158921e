"""The docs say what the program does: help texts are generated, README commands run, links lead
somewhere.
"""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from drawn import draw_collection

from data_label_factory.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


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


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text("utf-8")
    return [
        line
        for block in re.findall(r"```\n(.*?)```", text, re.S)
        for line in block.splitlines()
        if line[:4] == "data"
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_calibration")
def test_every_readme_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-collection").mkdir()
    draw_collection(tmp_path / "my-collection", count=4)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLF_CACHE", str(tmp_path / "cache"))
    commands = readme_commands()
    assert len(commands) >= 2
    for command in commands:
        run = serves if " serve " in command else main
        assert run(shlex.split(command)[1:]) == 0, command


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
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
