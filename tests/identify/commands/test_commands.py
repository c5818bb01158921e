"""The command line: help, exit codes, output for people and for programs."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from conftest import save_picture
from drawn import draw_collection

from data_label_factory.cli import main
from data_label_factory.identify.cli import COMMANDS
from data_label_factory.identify.commands.serve import command as serve
from data_label_factory.identify.index import Index
from data_label_factory.identify.server.settings import TRACKER_ORIGINS

Run = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = ("numpy", "onnxruntime", "cv2", "torch", "PIL", "requests", "jinja2", "fastapi")


def python(
    code: str, *arguments: str | Path, **options: object
) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, **options)


def index_line(refs: Path, out: Path) -> list[str]:
    """The arguments that index `refs`, without the slow calibration."""
    line = ["identify", "index", "--calibrate", "never"]
    return [*line, "--refs", str(refs), "--out", str(out)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six sample cards in refs/ and their index i.npz, made by the command."""
    folder = tmp_path_factory.mktemp("made")
    draw_collection(folder / "refs", count=6)
    assert main(index_line(folder / "refs", folder / "i.npz")) == 0
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", command, "--help"]) == 0
    assert f"Usage: data_label_factory identify {command}" in capsys.readouterr().out


@pytest.mark.parametrize("before", [[], ["identify"]])
def test_help_lists_the_commands(before: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*before, "--help"]) == 0
    assert ("verify" if before else "identify") in capsys.readouterr().out


@pytest.mark.parametrize("before", [[], ["identify"]])
def test_no_command_shows_the_help_as_an_error(
    before: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(before) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage:" in captured.err


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (["identfy"], "identify"),
        (["identify", "indx"], "index"),
        (["identify", "scrape-prices"], "scrape_prices"),
        (["identify", "verify", "--indx", "x"], "--index"),
    ],
)
def test_a_mistyped_word_is_refused_with_what_was_meant(
    line: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line) == 2
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


def test_the_version_is_shown(dlf: Run) -> None:
    assert re.fullmatch(r"data_label_factory \d+\.\d+\S*\n", dlf("--version").stdout)


HELP = [["--help"], ["gather", "--help"], ["web", "--help"], ["identify", "--help"]]
HELP += [["identify", command, "--help"] for command in COMMANDS]


@pytest.mark.parametrize("arguments", [*HELP, ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from data_label_factory.cli import main; main(sys.argv[1:]); "
        "print('|', *sys.modules)"
    )
    loaded = python(code, *arguments).stdout.rpartition("|")[2].split()
    assert "data_label_factory.cli" in loaded
    assert not {*HEAVY} & {*loaded}


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = python("import sys, data_label_factory; print(*sys.modules)").stdout.split()
    assert "data_label_factory" in loaded
    assert not {*HEAVY} & {*loaded}


@pytest.mark.timed
def test_help_is_instant(dlf: Run) -> None:
    def seconds() -> float:
        start = time.perf_counter()
        assert dlf("--help").returncode == 0
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.15


def test_an_error_is_one_line_without_a_traceback(tmp_path: Path, dlf: Run) -> None:
    done = dlf("identify", "verify", "--index", tmp_path / "none.npz")
    assert done.returncode == 2
    assert done.stdout == ""
    path = f"{tmp_path}/none.npz"
    hint = f"Make one: identify index --refs DIR --out {path}"
    assert done.stderr == f"error: There is no index at {path}. {hint}\n"


def test_indexing_twice_says_what_was_done(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made / "refs", tmp_path / "refs")
    (tmp_path / "refs" / "empty.jpg").touch()
    line = index_line(tmp_path / "refs", tmp_path / "i.npz")
    assert main(line) == 0
    captured = capsys.readouterr()
    assert "6 encoded, 0 unchanged, 0 dropped, 1 not readable; written" in captured.out
    assert "not indexed: 'empty.jpg': The file is empty" in captured.err
    assert main([*line, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["encoded"], values["reused"], values["written"]) == (0, 6, False)
    assert list(values["unreadable"]) == ["empty.jpg"]
    assert main([*line, "--strict"]) == 1


def test_a_damaged_older_index_is_mentioned(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "i.npz").write_bytes(b"damaged")
    assert main(index_line(made / "refs", tmp_path / "i.npz")) == 0
    assert "older index was not used" in capsys.readouterr().err


def test_verify_passes_distinct_pictures_with_0(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["identify", "verify", "--index", str(made / "i.npz"), "--refs", str(made / "refs")]
    assert main([*line, "--top-confusables", "3", "--simulate", "1", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["self_id_rate"], values["basis"], values["simulated"]["views"]) == (
        1.0,
        "re-encoded",
        6,
    )
    assert len(values["confusable_pairs"]) == 3
    assert main(line[:4]) == 0
    assert "self-identification  100.00%" in capsys.readouterr().out


def test_verify_fails_doubles_with_1_and_names_them(made: Path, tmp_path: Path, dlf: Run) -> None:
    card = next((made / "refs").iterdir())
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / "refs").mkdir(exist_ok=True)
        shutil.copy(card, tmp_path / "refs" / name)
    dlf(*index_line(tmp_path / "refs", tmp_path / "i.npz"))
    done = dlf("identify", "verify", "--index", tmp_path / "i.npz")
    assert done.returncode == 1
    assert "one.jpg  ~  two.jpg   (same file)" in done.stdout
    assert "not identified: two.jpg" in done.stdout


@pytest.mark.parametrize(
    "options",
    [["--simulate", "1"], ["--simulate", "-1"], ["--far", "2"], ["--far", "nan"], ["--top", "3"]],
)
def test_verify_refuses_options_that_make_no_sense_with_2(
    made: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "verify", "--index", str(made / "i.npz"), *options]) == 2
    assert options[0] in capsys.readouterr().err


def test_the_page_is_self_contained_shows_pictures_and_escapes_names(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refs, html = tmp_path / "refs", tmp_path / "report.html"
    first, second, *_ = sorted((made / "refs").iterdir())
    refs.mkdir()
    for name in ("<script>alert(1)<∕script>&.jpg", "same.jpg"):
        shutil.copy(first, refs / name)
    shutil.copy(second, refs / '"><img src=x onerror=alert(1)>.jpg')
    main(index_line(refs, tmp_path / "i.npz"))
    line = ["identify", "verify", "--index", str(tmp_path / "i.npz"), "--html", str(html)]
    assert main([*line, "--refs", str(refs)]) == 1
    page = html.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"https?://|<link|@import|url\(", page)
    pictures = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert (
        len(pictures) == 4
    )  # two pairs: the doubles are one item's nearest, the third has one of them
    assert all(source.startswith("data:image/jpeg;base64,") for source in pictures)
    assert "same file" in page
    assert main(line) == 1
    assert "no picture" in html.read_text("utf-8")
    capsys.readouterr()


def test_a_page_that_cannot_be_written_does_not_lose_the_report(made: Path, dlf: Run) -> None:
    done = dlf(
        "identify", "verify", "--index", made / "i.npz", "--html", made / "missing" / "x.html"
    )
    assert done.returncode == 2
    assert "self-identification  100.00%" in done.stdout
    assert done.stderr.startswith("error: Could not write")


def test_five_encoders_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "encoders", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == ["sscd", "sscd-small", "lite0", "clip", "onnx"]
    assert rows[0]["ready"] == "ready"
    assert main(["identify", "encoders"]) == 0
    assert (
        sum(
            line.split()[0] in {row["id"] for row in rows}
            for line in capsys.readouterr().out.splitlines()
        )
        == 5
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["identify", "encoders"], ["identify", "index", "--help"]]
)
def test_a_reader_that_is_gone_causes_no_error(arguments: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    line = [sys.executable, "-m", "data_label_factory", *arguments]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(line, stdout=write_end, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(write_end)
    assert done.stderr == ""
    assert done.returncode == 0


def test_names_the_terminal_cannot_show_do_not_end_the_program(tmp_path: Path, dlf: Run) -> None:
    save_picture(tmp_path / "refs" / "漢字.png", 0)
    out, plain = tmp_path / "ü.npz", {**os.environ, "PYTHONIOENCODING": "ascii"}
    assert dlf(*index_line(tmp_path / "refs", out), env=plain).returncode == 0
    assert len(Index.load(out)) == 1
    done = dlf("identify", "verify", "--index", out, env=plain)
    assert done.returncode == 0, done.stderr
    json.loads(dlf("identify", "verify", "--index", out, "--json", env=plain).stdout)


BASE_INSTALL = """
import sys
for name in ("numpy", "onnxruntime", "cv2", "jinja2", "fastapi"):
    sys.modules[name] = None
from data_label_factory.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_base_install_gives_help_and_says_what_to_install(tmp_path: Path) -> None:
    assert python(BASE_INSTALL, "--help").returncode == 0
    assert "encoders" in python(BASE_INSTALL, "identify", "--help").stdout
    assert "--refs" in python(BASE_INSTALL, "identify", "index", "--help").stdout
    done = python(
        BASE_INSTALL, "identify", "index", "--refs", tmp_path, "--out", tmp_path / "i.npz"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "pip install 'data_label_factory[identify]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_command_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("data_label_factory.identify.commands.encoders.command", interrupted)
    assert main(["identify", "encoders"]) == 130
    assert capsys.readouterr().err.startswith("interrupted")


def test_a_full_disk_behind_stdout_or_a_file_for_a_folder_is_one_clean_line(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    command = [sys.executable, "-m", "data_label_factory", "identify"]
    demo = subprocess.run(
        [*command, "demo", "--out", str(taken / "x")], capture_output=True, text=True
    )
    assert demo.returncode == 2
    assert demo.stderr.startswith("error: ") and demo.stderr.count("\n") == 1
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            shown = subprocess.run(
                [*command, "--help"], stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert shown.returncode == 2
        assert shown.stderr.startswith("error: ") and "Traceback" not in shown.stderr


def test_options_come_from_the_environment_too(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DLF_IDENTIFY_VERIFY_INDEX", str(made / "i.npz"))
    monkeypatch.setenv("DLF_IDENTIFY_VERIFY_TOP_CONFUSABLES", "2")
    assert main(["identify", "verify", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["confusable_pairs"]) == 2
    assert main(["identify", "verify", "--json", "--top-confusables", "1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["confusable_pairs"]) == 1
    monkeypatch.setenv("DLF_IDENTIFY_VERIFY_TOP_CONFUSABLES", "many")
    assert main(["identify", "verify"]) == 2
    assert "'--top-confusables': 'many' is not a valid integer" in capsys.readouterr().err


def test_a_wrong_value_in_the_environment_of_the_server_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "web")
    assert main(["identify", "serve", "--index", "x"]) == 2
    assert "(env var: 'DLF_PORT', 'PORT'): 'web' is not a valid" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [["a", "b", "--port", "1"], ["a", "--cors", "b", "--port", "1"]], ids=str
)
def test_several_values_may_follow_one_option(given: list[str]) -> None:
    arguments = ["--index", "x", "--cors", *given]
    context = serve.make_context("serve", arguments)
    assert context.params["cors"] == ("a", "b")
    assert context.params["port"] == 1
    assert serve.make_context("serve", ["--index", "x"]).params["cors"] == TRACKER_ORIGINS


COMPLETIONS = {
    "": ["gather", "identify", "lists", "mcp", "web"],
    "identify s": ["serve", "scrape_prices"],
    "identify index --ba": ["--batch-size"],
    "identify index --device c": ["cpu", "cuda", "coreml"],
    "gather --source y": ["ygoprodeck", "yugipedia"],
}


@pytest.mark.parametrize("typed", COMPLETIONS)
def test_the_shell_completes(typed: str) -> None:
    """As the script of `_DLF_COMPLETE=bash_source dlf` asks."""
    words = ["dlf", *typed.split(" ")]
    asked = {
        "_DATA_LABEL_FACTORY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    line = [sys.executable, "-m", "data_label_factory"]
    done = subprocess.run(line, env=os.environ | asked, capture_output=True, text=True)
    assert [answer.split(",")[1] for answer in done.stdout.split()] == COMPLETIONS[typed]


def test_help_of_both_names_is_their_own(tmp_path: Path) -> None:
    scripts = Path(sys.executable).parent
    for name in ("dlf", "data_label_factory"):
        if (scripts / name).exists():
            done = subprocess.run([scripts / name, "--help"], capture_output=True, text=True)
            assert done.stdout.startswith(f"Usage: {name} ")
