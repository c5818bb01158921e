"""The one walk through a folder of the user's: its pictures, and
all that is passed over.

What the machine put there, a thumbnail or a deleted file, is not
what the user put there. Whatever else is not taken is kept as well,
so that callers can say it.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

from data_label_factory.errors import ImageError
from data_label_factory.labels import IMAGE_SUFFIXES

# Names that systems give to what no user looks at → who does. In any case; a name that
# begins with a dot is hidden everywhere (.Trashes, .dropbox.cache, .stversions, ._x.jpg).
SYSTEM_NAMES = {
    "@eaDir": "Synology: thumbnails",
    "#recycle": "Synology: deleted files",
    "#snapshot": "Synology: older states",
    "@tmp": "Synology: unfinished uploads",
    "SYNOPHOTO_*": "Synology: thumbnails, copied out of @eaDir",
    "SYNOINDEX_MEDIA_INFO": "Synology: media index",
    "@Recycle": "QNAP: deleted files",
    "@Recently-Snapshot": "QNAP: older states",
    "@Transcode": "QNAP: converted videos",
    "$RECYCLE.BIN": "Windows: deleted files",
    "RECYCLER": "Windows XP: deleted files",
    "System Volume Information": "Windows: restore points",
    "FOUND.[0-9][0-9][0-9]": "Windows: what chkdsk recovered",
    "Thumbs.db": "Windows: thumbnails",
    "ehthumbs*.db": "Windows Media Center: thumbnails",
    "desktop.ini": "Windows: how a folder is shown",
    "AlbumArtSmall.jpg": "Windows Media Player: cover thumbnails",
    "AlbumArt_{*}_*.jpg": "Windows Media Player: cover thumbnails",
    "~$*": "Microsoft Office: lock files",
    "__MACOSX": "macOS: metadata in zip files",
    "Network Trash Folder": "macOS: deleted files on a share",
    "TheVolumeSettingsFolder": "macOS: settings of a share",
    "Temporary Items": "macOS: unfinished files on a share",
    "Icon\r": "macOS: a folder's icon",
    "lost+found": "ext file systems: what fsck recovered",
    "LOST.DIR": "Android: what was recovered on a card",
    "_gsdata_": "GoodSync: state and deleted files",
}
_SYSTEM = re.compile("|".join(map(translate, SYSTEM_NAMES)), re.IGNORECASE)
_WILDCARD = re.compile(r"[*?[]")

_EXAMPLES = 3  # named one by one in a line


@dataclass
class Walk:
    """What lies in a folder and its subfolders. Paths are below it,
    with `/`, sorted.

    `pictures` are the files with a picture's suffix. Passed over
    are `others` (files not pictures by their name), `hidden`
    (pictures whose name begins with a dot), `system` (see
    SYSTEM_NAMES; a folder counts once) and `links` to folders.
    `locked` maps the folders that cannot be entered to the reason.
    """

    folder: Path
    pictures: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    locked: dict[str, str] = field(default_factory=dict)

    def describe_passed_over(self) -> list[str]:
        """One line for each kind of what was passed over, with examples."""
        kinds = (
            (self.others, "file", "passed over, not pictures by their name"),
            (self.hidden, "picture", "passed over, hidden by a dot"),
            (self.system, "entry", "passed over, put there by a system"),
            (self.links, "link", "to a folder, not followed"),
            (list(self.locked), "folder", "that cannot be entered"),
        )
        return [
            f"{_count(len(names), noun)} {what}: {_list_some(names)}"
            for names, noun, what in kinds
            if names
        ]

    def passed_over(self) -> dict[str, list[str]]:
        """Everything that was passed over, by kind, as JSON values."""
        return {
            "not_pictures": self.others,
            "hidden": self.hidden,
            "system": self.system,
            "links": self.links,
            "locked": list(self.locked),
        }

    def no_picture(self, what: str = "picture") -> str:
        """The message that there is no picture here, and what there is
        instead.
        """
        found = "; ".join(self.describe_passed_over()) or "it is empty"
        return f"There is no {what} in {self.folder}: {found}"


def walk_folder(
    folder: str | Path,
    suffixes: frozenset[str] = IMAGE_SUFFIXES,
    *,
    known: Iterable[str] = (),
) -> Walk:
    """Look through `folder` and its subfolders for files with one of
    `suffixes`, in lower case.

    Links to files are followed; links to folders are not, because
    they can form loops. Files `known` by their names are neither
    taken nor mentioned. Raises ImageError if `folder` is not a
    folder or cannot be entered; a subfolder that cannot be is
    `locked`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder", "Name the folder that holds the pictures")

    walk = Walk(folder)
    silent = frozenset(known)
    for root, folders, files in os.walk(folder, onerror=lambda exc: _lock(walk, exc)):
        below = Path(root).relative_to(folder)
        folders[:] = _enterable(walk, below, folders)
        for name in files:
            if name not in silent:
                _sort_file(walk, below, name, suffixes)

    for names in (walk.pictures, walk.others, walk.hidden, walk.system, walk.links):
        names.sort()
    return walk


def expand_wildcards(paths: Sequence[str | Path]) -> Iterator[Path]:
    """The paths, with wildcards replaced by what they match,
    sorted, as a shell does.

    Windows' own shells leave that to the program. A path that exists is
    taken as it is, and one that matches nothing is left as it is.
    """
    for path in map(str, paths):
        matches: list[str] = []
        if _WILDCARD.search(path) and not os.path.lexists(path):
            found = glob.glob(path, recursive=True)  # noqa: PTH207 - Path has it only relative
            matches = [match for match in found if not _is_inside(match, path)]
        yield from map(Path, sorted(matches) or [path])


def has_wildcard(path: str | Path) -> bool:
    return bool(_WILDCARD.search(str(path)))


def is_system(name: str) -> bool:
    """Whether a system gave this name to a file or folder, see SYSTEM_NAMES."""
    return _SYSTEM.match(name) is not None


def _enterable(walk: Walk, below: Path, folders: list[str]) -> list[str]:
    """Those of the `folders` in `below` to walk through; the others
    go into the walk.
    """
    entered = []
    for name in sorted(folders):
        path = walk.folder / below / name
        if name.startswith("."):
            continue
        if is_system(name):
            walk.system.append((below / name).as_posix() + "/")
        elif path.is_symlink() or _is_junction(path):
            walk.links.append((below / name).as_posix())
        else:
            entered.append(name)
    return entered


def _sort_file(walk: Walk, below: Path, name: str, suffixes: frozenset[str]) -> None:
    path = (below / name).as_posix()
    is_picture = Path(name).suffix.lower() in suffixes
    if name.startswith("."):
        # An AppleDouble file `._x.jpg` holds metadata of x.jpg, and no picture.
        if is_picture and not name.startswith("._"):
            walk.hidden.append(path)
    elif is_system(name):
        walk.system.append(path)
    else:
        (walk.pictures if is_picture else walk.others).append(path)


def _lock(walk: Walk, exc: OSError) -> None:
    folder = Path(str(exc.filename))
    reason = exc.strerror or str(exc)
    if folder == walk.folder:
        raise ImageError(
            f"Cannot read the folder {folder}: {reason}", "Check its permissions"
        ) from exc
    walk.locked[folder.relative_to(walk.folder).as_posix() + "/"] = (
        f"The folder cannot be entered: {reason}"
    )


def _is_junction(path: Path) -> bool:
    """Whether a folder of Windows leads elsewhere, as links do."""
    is_junction = getattr(os.path, "isjunction", None)  # since Python 3.12
    return bool(is_junction and is_junction(path))


def _is_inside(path: str, pattern: str) -> bool:
    """Whether a wildcard of `pattern` matched something of a system in `path`."""
    named = Path(pattern).parts
    return any(is_system(part) and part not in named for part in Path(path).parts)


def _count(number: int, noun: str) -> str:
    plural = "entries" if noun == "entry" else f"{noun}s"
    return f"1 {noun}" if number == 1 else f"{number} {plural}"


def _list_some(names: Sequence[str]) -> str:
    return ", ".join(names[:_EXAMPLES]) + (" …" if len(names) > _EXAMPLES else "")
