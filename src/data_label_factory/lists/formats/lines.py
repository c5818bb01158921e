"""Lists to paste: one line an entry, such as `2 Blade [NEO] 12`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import Formatter

from data_label_factory.errors import ListError
from data_label_factory.lists.content import Content
from data_label_factory.lists.formats.fields import put_together, take_apart
from data_label_factory.lists.formats.rows import Losses, Skipped, check_rows, write_row
from data_label_factory.lists.formats.shape import Column, Format

_COUNT = r"(?:(?P<quantity>\d{1,5}) ?[x×]? )?(?P<name>\S.*?)"
_PATTERNS: Mapping[str, re.Pattern[str]] = {
    # Other sites write (SET) 12 and *F* for a foil.
    "tcgplayer-mass": re.compile(
        rf"(?:SB: )?{_COUNT}"
        r"(?: (?:\[(?P<set>[^\[\]]+)\]|\((?P<other_set>(?=\d*[A-Z])[A-Z\d]{2,6})\))"
        r"(?: (?P<number>(?!\*)\S+))?)?(?: \*(?P<finish>[FE])\*)?"
    ),
    "pokemon": re.compile(rf"{_COUNT}(?: (?P<set>[A-Z][A-Z0-9-]{{1,7}}) (?P<number>[A-Z]*\d\S*))?"),
}
_PARTS = (Column("", "quantity"), Column("", "name"), Column("", "set"), Column("", "number"))
# What decks have between the cards.
_HEADING = re.compile(
    r"(?:Pok[eé]mon|Trainers?|Energy|Total Cards|Deck|Sideboard|Main(?:deck)?|Commander)"
    r"(?: Energy)?\s*:?\s*-?\s*\d*",
    re.IGNORECASE,
)
_FINISHES = {"F": "foil", "E": "etched"}
_COMMENT = re.compile(r"#|//")


def write_lines(format_: Format, contents: Sequence[Content], losses: Losses) -> bytes:
    """The lines of a format; counts those that read differently."""
    shape = replace(format_, columns=_PARTS)
    lines = []
    for content in contents:
        write_row(shape, content, None, losses)
        lines.append(_write_line(format_, content))
        losses.misread += not _reads_back(format_, lines[-1], content)
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def read_lines(format_: Format, text: str) -> tuple[list[Content], list[Skipped]]:
    """The entries of pasted lines, and the lines that are none."""
    entries, skipped = [], []
    lines = text.split("\n")
    check_rows(len(lines) - 1)
    for number, line in enumerate(lines, 1):
        line = " ".join(line.split())
        if not line:
            continue
        try:
            entries.append(_read_line(format_, line))
        except ListError as exc:
            skipped.append(Skipped(number, str(exc)))
    return entries, skipped


def _write_line(format_: Format, content: Content) -> str:
    parts = {name: " ".join(text.split()) for name, text in take_apart(content).items()}
    for line in format_.lines:
        names = [name for _, name, _, _ in Formatter().parse(line) if name]
        if all(parts[name] for name in names):
            break
    return line.format_map(parts)


def _read_line(format_: Format, line: str) -> Content:
    if _COMMENT.match(line) or _HEADING.fullmatch(line):
        raise ListError("a heading or a comment")
    match = _PATTERNS[format_.id].fullmatch(line)
    if match is None:
        raise ListError("not a line such as: 2 Name")
    parts = {name: text for name, text in match.groupdict().items() if text}
    if "other_set" in parts:
        parts["set"] = parts["other_set"]
    if "finish" in parts:
        parts["finish"] = _FINISHES[parts["finish"]]
    return put_together(parts)


def _reads_back(format_: Format, line: str, content: Content) -> bool:
    try:
        read = _read_line(format_, line)
    except ListError:
        return False
    seen = (read.quantity, read.name, read.set_code.casefold())
    return seen == (content.quantity, content.name, content.set_code.casefold())
