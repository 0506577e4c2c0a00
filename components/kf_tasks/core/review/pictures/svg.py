"""SVG from our own elements: numbers and names of classes are ours, and every text is escaped.

Pictures are 360 units wide, so that their letters can be read at 400 pixels. Colours are classes of the page that
holds them; what a colour says, a shape says too.
"""

from __future__ import annotations

from html import escape
from typing import Iterable

from ...log.gate import one_line

WIDTH = 360
LABEL = 44  # characters of a row's label have room


def picture(title: str, height: float, elements: Iterable[str]) -> str:
    """A picture with its description, which is read out in its place."""
    words = escape(one_line(title))
    box = f'viewBox="0 0 {WIDTH} {number(height)}"'
    return f'<svg {box} role="img" aria-label="{words}" xmlns="http://www.w3.org/2000/svg">{"".join(elements)}</svg>'


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A text on one line, cut where it has no room."""
    place = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"'
    return f'<text {place} class="{kind}">{escape(cut(one_line(words)))}</text>'


def rect(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    """A rectangle; `title` is shown by a pointer that rests on it."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {place} class="{kind}">{_title(title)}</rect>'


def path(d: str, kind: str, title: str = "") -> str:
    """A path of our own numbers."""
    return f'<path d="{d}" class="{kind}">{_title(title)}</path>'


def circle(x: float, y: float, radius: float, kind: str, title: str = "") -> str:
    """A circle."""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{kind}">{_title(title)}</circle>'


def cross(x: float, y: float, radius: float, kind: str, title: str = "") -> str:
    """Two strokes through a place."""
    a, b, c, d = (number(value) for value in (x - radius, x + radius, y - radius, y + radius))
    return path(f"M{a} {c}L{b} {d}M{b} {c}L{a} {d}", kind, title)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return path(f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", kind)


def number(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def cut(words: str, longest: int = LABEL) -> str:
    """A label that is no longer than its room."""
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _title(words: str) -> str:
    return f"<title>{escape(one_line(words))}</title>" if words else ""
