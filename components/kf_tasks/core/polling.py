"""How often to look at what nobody tells of: the less often the longer nothing has changed."""

from __future__ import annotations

LATE_SECONDS = 10  # between two looks at most
GROWTH = 0.05  # of the time in which nothing has changed


def pause(waited: float, soon: float = 1) -> float:
    """Seconds until the next look after `waited` seconds without a change; at first it is `soon`."""
    return min(max(soon, waited * GROWTH), LATE_SECONDS)
