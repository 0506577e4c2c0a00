"""What is being waited for, in one line that moves: on a terminal alone, and never in the way of a log."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.live import Live

QUIET_SECONDS = 1.0  # after a line of a log, before the progress is shown again
_shown: list[StatusLine] = []


class StatusLine:
    """Shows `state()` and how long this lasts on stderr, until it is left; nothing of it stays."""

    def __init__(self, state: Callable[[], str]) -> None:
        self._state = state
        self._begun = self._printed = time.monotonic()
        self._lock = threading.RLock()
        self._left = threading.Event()
        self._live: Live | None = None

    def __enter__(self) -> StatusLine:
        if sys.stderr.isatty():
            _shown.append(self)
            threading.Thread(target=self._run, daemon=True, name="progress").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        _shown[:] = [other for other in _shown if other is not self]
        if self._lock.acquire(timeout=1):  # a thread may be in the middle of printing to what nobody reads
            self._erase()
            self._lock.release()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """The terminal without the line, to print something."""
        with self._lock:
            self._erase()
            try:
                yield
            finally:
                self._printed = time.monotonic()

    def _erase(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def _run(self) -> None:
        while not self._left.wait(0.25):
            with self._lock:
                if not self._left.is_set() and time.monotonic() - self._printed > QUIET_SECONDS:
                    self._show()

    def _show(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner
        from rich.text import Text

        lasted = timedelta(seconds=int(time.monotonic() - self._begun))
        text = Text(f"{self._state()} ({lasted})", style="dim", overflow="ellipsis", no_wrap=True)
        if self._live:
            self._live.update(Spinner("dots", text))
            return
        # Redirected, a log on stdout would end up on stderr.
        self._live = Live(
            Spinner("dots", text), console=Console(stderr=True), transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()


def aside() -> contextlib.AbstractContextManager[None]:
    """The terminal without any progress on it, as long as something is printed."""
    return _shown[-1].aside() if _shown else contextlib.nullcontext()
