"""Joins the small chunks of a fast log: the kubelet sends every line by itself.

What is done for a chunk costs more than a short line does. So of a fast log a thread takes the chunks as they come,
and what has come while the last ones were being handled is handled together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

AHEAD_BYTES = 1024 * 1024
ENOUGH_BYTES = AHEAD_BYTES // 4
SLOW_SECONDS = 0.01  # that the next chunk of a log takes which rests
PAUSE_SECONDS = 0.02  # after a batch of several chunks: more of them are on their way


def batched(stream: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces, as soon as they come; about a mebibyte is read ahead.

    There is a thread only once a chunk need not be waited for: most logs rest most of the time, and are many.
    """
    batch = None
    try:
        while not batch:
            asked = time.monotonic()
            chunk = next(stream, None)
            if chunk is None:
                return
            if time.monotonic() - asked < SLOW_SECONDS:
                batch = _Batch(stream, chunk)
            elif chunk:
                yield chunk
    finally:
        if not batch:
            _close(stream)
    try:
        while chunks := batch.take():
            yield b"".join(chunks)
            if len(chunks) > 1:
                batch.grow()
    finally:
        batch.drop()


class _Batch:
    def __init__(self, stream: Iterator[bytes], first: bytes) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._chunks = [first] if first else []
        self._size = len(first)
        self._ended = self._dropped = False
        self._error: Exception | None = None
        threading.Thread(target=self._run, daemon=True, name="chunks of a log").start()

    def take(self) -> list[bytes]:
        """All chunks that have come, at least one; none at the end, or the error that ended it."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._ended)
            chunks, self._chunks, self._size = self._chunks, [], 0
            self._changed.notify()
            if not chunks and self._error:
                raise self._error
        return chunks

    def grow(self) -> None:
        """Waits a moment for more."""
        with self._changed:
            self._changed.wait_for(lambda: self._size >= ENOUGH_BYTES or self._ended, PAUSE_SECONDS)

    def drop(self) -> None:
        """Nobody takes any more: the thread lets go of the stream with its next chunk."""
        with self._changed:
            self._dropped = True
            self._changed.notify()

    def _run(self) -> None:
        try:
            for chunk in self._stream:
                if chunk and not self._put(chunk):
                    return
        except Exception as error:  # for whoever takes
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
            _close(self._stream)

    def _put(self, chunk: bytes) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._size < AHEAD_BYTES or self._dropped)
            self._chunks.append(chunk)
            self._size += len(chunk)
            if len(self._chunks) == 1 or self._size >= ENOUGH_BYTES:
                self._changed.notify()
            return not self._dropped


def _close(stream: Iterator[bytes]) -> None:
    close = getattr(stream, "close", None)  # a generator's
    if close:
        close()
