"""The shape of the code: no module too long, no line too wide, no function too dense."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

DENSE = "def work():\n" + "    x = 1\n" * 15
AIRY = "def work():\n" + "    x = 1\n" * 8 + "\n" + "    x = 1\n" * 7


def run_structure(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench" / "structure.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_source_keeps_the_limits() -> None:
    result = run_structure("--check", ROOT / "src")

    assert result.returncode == 0, result.stdout


def test_no_bench_is_longer_than_a_module_may_be() -> None:
    lengths = {f.name: len(f.read_text("utf-8").splitlines()) for f in ROOT.glob("bench/*.py")}
    assert lengths and max(lengths.values()) <= 300, lengths


def test_a_table_row_per_package_and_one_for_all(tmp_path: Path) -> None:
    (tmp_path / "top" / "part").mkdir(parents=True)
    (tmp_path / "top" / "part" / "dense.py").write_text(DENSE)
    (tmp_path / "top" / "airy.py").write_text(AIRY)

    result = run_structure(tmp_path)

    lines = [line.split() for line in result.stdout.splitlines()[1:]]
    rows = {name: " ".join(cells) for name, *cells in lines}
    assert result.returncode == 0
    assert list(rows) == ["top", "top.part", "all"]
    assert rows["top.part"] == "1 16 16 16 16 1 16 16 16 9.1 0.00% 1 100%"
    assert rows["all"] == "2 33 16 17 17 2 16 17 17 9.1 0.00% 2 50%"


def test_check_names_what_is_over_a_limit(tmp_path: Path) -> None:
    (tmp_path / "dense.py").write_text(DENSE)
    (tmp_path / "long.py").write_text("x = 1\n" * 301)
    (tmp_path / "wide.py").write_text(f"# {'x' * 90}\n" * 300)

    result = run_structure("--check", tmp_path)

    assert result.returncode == 1
    assert f"{tmp_path / 'long.py'} has 301 lines" in result.stdout
    assert f"{tmp_path / 'wide.py'}: 92.0" in result.stdout
    assert f"{tmp_path / 'dense.py'}:1 work" in result.stdout


def test_check_passes_what_keeps_the_limits(tmp_path: Path) -> None:
    (tmp_path / "airy.py").write_text(AIRY)

    assert run_structure("--check", tmp_path).returncode == 0
