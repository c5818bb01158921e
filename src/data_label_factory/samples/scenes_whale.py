"""Cloud whales: one scene, and the parts of the animal."""

from __future__ import annotations

from data_label_factory.samples.canvas import Canvas, Place, Point, smooth, turned
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import birds, cloud, orb, sky


def whale(c: Canvas) -> None:
    """A whale swimming through the evening sky."""
    sky(c, 0.9, 0.6)
    s = c.side()
    c.sparks(100, c.pal.glow, 0.004, -1, 0.2)
    orb(c, (-s * c.u(0.1, 0.7), c.u(-0.7, -0.35)), c.u(0.15, 0.4), c.n(0, 1) == 0)
    for _ in range(4):
        cloud(c, (c.u(-1, 1), c.u(-0.3, 0.6)), c.u(0.25, 0.45), c.pal.glow, c.pal.low, 0.6)

    _animal(c, s)

    shade = mix(c.pal.low, c.pal.far, 0.3)
    for _ in range(6):
        at = (c.u(-1.2, 1.2), c.u(0.8, 1.0))
        cloud(c, at, c.u(0.3, 0.55), c.pal.glow, shade, 0.85)
    birds(c, c.n(3, 7), (0.5 * s, -0.5), 0.5, c.pal.near)


def _animal(c: Canvas, s: int) -> None:
    """The whale, swimming to side `s`: fluke, flippers, grooved belly, glowing freckles."""
    hide = mix(c.shade(c.pal.far, 0.4), c.pal.accent, c.u(0, 0.3))
    dark = c.shade(hide, 0.5)
    tilt = s * c.u(-0.4, 0.05)
    at = (0.0, c.u(-0.05, 0.15))
    size = c.u(0.85, 1.05)

    def place(points: list[Point]) -> list[Point]:
        return turned([(s * x, y) for x, y in points], tilt, at, size)

    _behind(c, place, hide, dark)
    _body(c, place, hide, dark)
    _near_flipper(c, place, hide, dark)

    eye = place([(0.56, 0.05)])[0]
    c.oval(eye, 0.04, 0.034, c.pal.near)
    c.oval((eye[0] - 0.01, eye[1] - 0.012), 0.013, 0.013, c.pal.glow)

    for _ in range(c.n(8, 16)):
        freckle = place([(c.u(-0.5, 0.65), c.u(-0.22, 0.0))])[0]
        c.glow(freckle, 0.02, c.pal.accent, 0.7)
        c.oval(freckle, 0.011, 0.011, c.pal.glow)


def _behind(c: Canvas, place: Place, hide: Color, dark: Color) -> None:
    """What the body hides in part: the fluke and the far flipper."""
    fluke = [
        (-0.78, 0.0),
        (-1.0, -0.3),
        (-1.14, -0.34),
        (-1.02, -0.08),
        (-1.16, 0.1),
        (-0.98, 0.1),
    ]
    c.shape(place(smooth(fluke, closed=True)), hide, dark, volume=0.4, rim=c.pal.glow)

    flipper = [
        (0.2, 0.2),
        (0.1, 0.55),
        (-0.08, 0.66),
        (0.0, 0.3),
    ]
    c.shape(place(smooth(flipper, closed=True)), dark, c.pal.near, volume=0.3)


def _body(c: Canvas, place: Place, hide: Color, dark: Color) -> None:
    """The body and its pale, grooved belly."""
    outline = [
        (0.86, 0.02),
        (0.7, -0.24),
        (0.2, -0.34),
        (-0.4, -0.16),
        (-0.9, -0.04),
        (-0.88, 0.06),
        (-0.4, 0.16),
        (0.2, 0.34),
        (0.68, 0.28),
    ]
    body = place(smooth(outline, closed=True))
    c.shape(body, c.haze(hide, 0.2), dark, volume=0.45, rim=c.pal.glow)

    belly = [
        (0.85, 0.06),
        (0.45, 0.12),
        (0.0, 0.2),
        (-0.35, 0.16),
        (0.2, 0.33),
        (0.66, 0.27),
    ]
    pale = c.lit(hide, 0.65)
    c.shape(place(smooth(belly, closed=True)), pale, mix(pale, hide, 0.5), volume=0.25)

    for k in range(6):
        end = (0.0, 0.21 + 0.022 * k)
        groove = smooth([(0.76, 0.11 + 0.028 * k), (0.4, 0.16 + 0.03 * k), end])
        c.shape(place(c.ribbon(groove, 0.008, 0.004)), hide)


def _near_flipper(c: Canvas, place: Place, hide: Color, dark: Color) -> None:
    edge = [
        (0.3, 0.16),
        (0.28, 0.5),
        (0.1, 0.74),
        (0.06, 0.5),
        (0.1, 0.2),
    ]
    c.shape(place(smooth(edge, closed=True)), hide, dark, volume=0.4, rim=c.pal.glow)
