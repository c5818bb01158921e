"""What each package of an environment weighs on disk: PYTHON bench/install_size.py

Run it with that environment's own Python; it needs nothing else.
"""

from __future__ import annotations

from importlib.metadata import Distribution, distributions
from pathlib import Path

_BLOCK_BYTES = 512  # the unit of st_blocks, by POSIX


def main() -> None:
    sizes = {part.metadata["Name"]: size_of(part) for part in distributions()}
    for name, size in sorted(sizes.items(), key=lambda row: -row[1]):
        print(f"{size / 1e6:7.1f} MB  {name}")
    print(f"{sum(sizes.values()) / 1e6:7.1f} MB  all")


def size_of(part: Distribution) -> int:
    """Bytes on disk of the files that pip installed for `part`, byte code included."""
    files = [Path(str(part.locate_file(file))) for file in part.files or []]
    return sum(file.stat().st_blocks * _BLOCK_BYTES for file in files if file.is_file())


if __name__ == "__main__":
    main()
