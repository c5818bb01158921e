"""Sizes of frames for property tests: from one pixel to a strip of thousands."""

import numpy as np
from hypothesis import strategies as st

_LONGEST = 6000
_AREA = 1_500_000  # keeps an example quick


@st.composite
def frame_shapes(draw: st.DrawFn) -> tuple[int, int]:
    """Widths and heights of every order of magnitude, as likely as one another."""
    one = round(2 ** draw(st.floats(0, np.log2(_LONGEST))))
    other = round(2 ** draw(st.floats(0, np.log2(min(_LONGEST, _AREA / one)))))
    return draw(st.permutations((one, other)))
