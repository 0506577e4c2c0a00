"""Shows a log while it grows, within bounds: a task that prints a gigabyte must not fill a terminal or the engine.

The first lines are shown as they come, after that a status line at most twice a second, and at the
end the last lines and how to read the rest. Counted and digested is the whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..core.log.masking import Masker
from ..core.log.reader import LogReader

FOLLOW, TAIL, NONE = "follow", "tail", "none"
SHOWN_LINES = 500
LAST_LINES = 50
STATUS_SECONDS = 0.5

Say = Callable[..., None]


class Display:
    """The log of one run; `mode` says what of it is shown: all within bounds, only the last lines, or nothing."""

    def __init__(self, run: str, say: Say, masker: Masker, mode: str) -> None:
        self.reader = LogReader(masker)
        self._run, self._say, self._mode = run, say, mode
        self._lock = threading.Lock()
        self._closed = False
        self._shown = 0
        self._last_status = 0.0

    def receive(self, chunk: bytes) -> bool:
        """Takes a chunk of the log; False once the display is closed."""
        with self._lock:
            if self._closed:
                return False
            self._show(self.reader.feed(chunk))
            self._show_status()
            return True

    def close(self) -> None:
        """Shows what is left: the last line and, if lines were held back, the last ones and where the others are."""
        with self._lock:
            self._closed = True
            self._show(self.reader.finish())
        total = self.reader.lines
        if self._mode == NONE or total <= self._shown:
            return
        rest = self.reader.last(min(LAST_LINES, total - self._shown))
        hidden = total - self._shown - len(rest)
        if hidden:
            self._say(
                f"… {hidden} lines are not shown here; all of them: kf logs --task --run {self._run} -n 0 --recent"
            )
        for line in rest:
            self._say(line)

    def _show(self, lines: list[str]) -> None:
        for line in lines[: SHOWN_LINES - self._shown] if self._mode == FOLLOW else ():
            self._say(line)
            self._shown += 1

    def _show_status(self) -> None:
        now = time.monotonic()
        if self._mode != FOLLOW or now - self._last_status < STATUS_SECONDS:
            return
        status = f"{self.reader.lines} lines so far" if self._shown >= SHOWN_LINES else self.reader.current
        if status.strip():
            self._last_status = now
            self._say(status, ephemeral=True)
