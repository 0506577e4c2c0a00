"""When it is time to look again at what the watches of a namespace tell of, for whoever shows more than single runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

IDLE_SECONDS = 10  # after which whoever is told of every change looks all the same: for what time alone changes
SOON_SECONDS, LATE_SECONDS, GROWTH = 1, 10, 0.05  # between two looks of whoever is told nothing


class Listener:
    """`changed` is set when something may have changed; `is_told` says whether every change does that."""

    def __init__(self, is_told: Callable[[], bool]) -> None:
        self.changed = threading.Event()
        self.changed.set()
        self._is_told = is_told
        self._looked = self._moved = time.monotonic()

    def is_due(self) -> bool:
        """Whether to look now, which counts as looked."""
        now = time.monotonic()
        late = min(max(SOON_SECONDS, (now - self._moved) * GROWTH), LATE_SECONDS)
        if not self.changed.is_set() and now - self._looked < (IDLE_SECONDS if self._is_told() else late):
            return False
        self.changed.clear()
        self._looked = now
        return True

    def move(self) -> None:
        """Something had changed: what nobody tells of is looked at soon again."""
        self._moved = time.monotonic()
