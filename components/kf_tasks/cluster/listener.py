"""When it is time to look again at what the watches of a namespace tell of, for whoever shows more than single runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..core import polling

IDLE_SECONDS = 10  # after which whoever is told of every change looks all the same: for what time alone changes


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
        pause = IDLE_SECONDS if self._is_told() else polling.pause(now - self._moved)
        if not self.changed.is_set() and now - self._looked < pause:
            return False
        self.changed.clear()
        self._looked = now
        return True

    def move(self) -> None:
        """Something had changed: what nobody tells of is looked at soon again."""
        self._moved = time.monotonic()
