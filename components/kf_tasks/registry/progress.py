"""How far a long reading is, as a status line that the next one replaces: for people who wait at a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from ..core.say import Say
from ..core.source.tree import Reading, Tell

PATIENCE_SECONDS, STATUS_SECONDS = 1.5, 0.5
_WIDTH = 20


class Status:
    """Says a line at most twice a second, and nothing of what takes less than one and a half seconds."""

    def __init__(self, say: Say) -> None:
        self._say, self._following = say, time.monotonic() + PATIENCE_SECONDS

    def show(self, words: Callable[[], str]) -> None:
        """Says `words` if it is time for it."""
        now = time.monotonic()
        if now >= self._following:
            self._following = now + STATUS_SECONDS
            self._say(words(), ephemeral=True)


def hashing(source: str, say: Say) -> Tell:
    """For `listing source 'app': 12,000 files`, then `hashing source 'app': 20,000 of 100,000 files, 12 of 95 MiB`."""
    status = Status(say)

    def words(done: Reading) -> str:
        if not done.bytes:
            return f"listing source {source!r}: {done.of_files:,} files"
        amounts = _amounts(done.bytes, done.of_bytes)
        return f"hashing source {source!r}: {done.files:,} of {done.of_files:,} files, {amounts}"

    return lambda done: status.show(lambda: words(done))


def uploading(content: Iterable[bytes], size: int, say: Say) -> Iterator[bytes]:
    """The content, with `uploading [####................] 410 of 2,048 MiB` while it is read."""
    status, done = Status(say), 0
    for chunk in content:
        yield chunk
        done += len(chunk)
        filled = min(_WIDTH * done // max(size, 1), _WIDTH)
        status.show(lambda: f"uploading [{'#' * filled}{'.' * (_WIDTH - filled)}] {_amounts(done, size)}")  # noqa: B023


def _amounts(done: int, total: int) -> str:
    return f"{done / 2**20:,.0f} of {total / 2**20:,.0f} MiB"
