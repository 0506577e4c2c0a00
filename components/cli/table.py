"""Text for people: aligned columns and spans of time, as kubectl writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, every column as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def span(start: str | None, end: str | None) -> str:
    """The time between two moments (RFC 3339) in at most two units: `12s`, `3m20s`, `5h`, `2d4h`."""
    if not start or not end:
        return ""
    first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (start, end))
    total = max(int((last - first).total_seconds()), 0)
    unit = next((nth for nth, (_, size) in enumerate(_UNITS) if total >= size), len(_UNITS) - 1)
    text = ""
    for name, size in _UNITS[unit : unit + 2]:
        amount, total = divmod(total, size)
        text += f"{amount}{name}" if amount or not text else ""
    return text
