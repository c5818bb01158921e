"""An address → a code that a phone's camera reads."""

from __future__ import annotations

from dataclasses import dataclass

from data_label_factory.extras import need

_QUIET = 4  # modules, as ISO/IEC 18004 asks for
# Two modules, one above the other, in one character.
_BLOCKS = {
    (True, True): "█",
    (True, False): "▀",
    (False, True): "▄",
    (False, False): " ",
}


@dataclass(frozen=True)
class QrCode:
    """`rows` of modules, True for dark, without a quiet zone."""

    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules on a side, with a quiet zone."""
        return len(self.rows) + 2 * _QUIET

    @property
    def path(self) -> str:
        """The dark modules as the `d` of an SVG path, in a square
        of `size`.
        """
        return "".join(
            f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
            for y, row in enumerate(self.rows)
            for x, is_dark in enumerate(row)
            if is_dark
        )

    def as_text(self) -> str:
        """The code in block characters, for a terminal.

        Light modules are drawn and dark ones are left out: most
        terminals are dark, and the colors of others can be read
        reversed by every phone.
        """
        width = self.size
        margin = [(False,) * width] * _QUIET
        side = (False,) * _QUIET
        rows = [*margin, *((*side, *row, *side) for row in self.rows), *margin]
        if len(rows) % 2:
            rows.append((False,) * width)

        lines = []
        for upper, lower in zip(rows[::2], rows[1::2], strict=True):
            pairs = zip(upper, lower, strict=True)
            lines.append("".join(_BLOCKS[not a, not b] for a, b in pairs))
        return "\n".join(lines)


def draw_code(text: str) -> QrCode:
    """The smallest code of `text`.

    Raises MissingExtraError without the extra `lan`.
    """
    segno = need("segno", extra="lan")
    code = segno.make(text, error="l", micro=False)
    return QrCode(tuple(tuple(map(bool, row)) for row in code.matrix))
