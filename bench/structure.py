"""Measure the shape of Python code: how long modules, functions and lines are, and how dense.

    python bench/structure.py [DIR ...] [--check]

A function is long if its body, without the docstring, has at least 15 lines. A long function is
dense if that body has neither a blank line nor a comment on its own line.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

LONG_BODY, LONG_LINE = 15, 100
MOST_LINES, MOST_MEAN, MOST_DENSE = 300, 44, 0.25  # of a module, of all lines, of long functions

HEAD = [
    *("", "modules", "lines", "p50", "p90", "max", "functions", "p50", "p90", "max"),
    *("mean line", f"over {LONG_LINE}", "long functions", "dense"),
]


@dataclass
class Module:
    path: Path
    package: str
    lines: int
    widths: list[int]  # of the lines that are not blank
    function_lengths: list[int]
    long_functions: int
    dense_functions: list[str]  # PATH:LINE NAME


def measure(path: Path, folder: Path) -> Module:
    """Measure one module under `folder`. Raises SyntaxError if it is not Python."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    widths = [len(line) for line in lines if line.strip()]
    package = ".".join(path.parent.relative_to(folder).parts[:2]) or folder.name
    module = Module(path, package, len(lines), widths, [], 0, [])

    for node in ast.walk(ast.parse(text, str(path))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        end = node.end_lineno or node.lineno
        module.function_lengths.append(end - node.lineno + 1)

        statements = node.body[ast.get_docstring(node) is not None :]
        body = lines[statements[0].lineno - 1 : end] if statements else []
        if len(body) >= LONG_BODY:
            module.long_functions += 1
            if all(line.strip() and not line.strip().startswith("#") for line in body):
                module.dense_functions.append(f"{path}:{node.lineno} {node.name}")
    return module


def make_row(name: str, modules: Sequence[Module]) -> list[str]:
    widths = [width for module in modules for width in module.widths]
    lengths = [length for module in modules for length in module.function_lengths]
    long = sum(module.long_functions for module in modules)
    dense = sum(len(module.dense_functions) for module in modules)
    over = sum(width > LONG_LINE for width in widths) / max(1, len(widths))

    row = [name, str(len(modules)), str(sum(module.lines for module in modules))]
    row += _spread([module.lines for module in modules])
    row += [str(len(lengths)), *_spread(lengths), f"{fmean(widths or [0]):.1f}", f"{over:.2%}"]
    return [*row, str(long), f"{dense / max(1, long):.0%}"]


def _spread(lengths: Sequence[int]) -> list[str]:
    """The median, the 90th percentile and the largest of the lengths."""
    low = sorted(lengths or [0])
    return [f"{median(low):.0f}", str(low[round(0.9 * (len(low) - 1))]), str(low[-1])]


def find_offenders(modules: Sequence[Module]) -> list[str]:
    """Return what is over the limits; for the mean line, the ten modules that add most."""
    found = [f"{m.path} has {m.lines} lines" for m in modules if m.lines > MOST_LINES]

    mean = fmean([width for m in modules for width in m.widths] or [0])
    if mean > MOST_MEAN:
        found.append(f"The mean line has {mean:.1f} characters, more than {MOST_MEAN}:")
        wide = sorted(modules, key=lambda m: len(m.widths) * MOST_MEAN - sum(m.widths))
        found += [f"  {m.path}: {fmean(m.widths):.1f}" for m in wide[:10] if m.widths]

    dense = [place for m in modules for place in m.dense_functions]
    long = sum(m.long_functions for m in modules)
    if len(dense) > MOST_DENSE * long:
        found.append(f"{len(dense)} of {long} long functions are dense:")
        found += [f"  {place}" for place in dense]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure the shape of Python code.")
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("src")], metavar="DIR")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a limit is exceeded")
    options = parser.parse_args(argv)

    modules = [measure(p, folder) for folder in options.folders for p in folder.rglob("*.py")]
    packages = sorted({module.package for module in modules})
    rows = [make_row(name, [m for m in modules if m.package == name]) for name in packages]
    table = [HEAD, *rows, make_row("all", modules)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print(*(cell.rjust(width) for cell, width in zip(row, widths, strict=True)), sep="  ")

    offenders = find_offenders(modules) if options.check else []
    for offender in offenders:
        print(offender)
    return 1 if offenders else 0


if __name__ == "__main__":
    raise SystemExit(main())
