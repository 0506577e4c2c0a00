"""Joins the small chunks of a fast log: the kubelet sends every line by itself.

What is done for a chunk costs more than a short line does. So a thread takes the chunks as they come,
and what has come while the last ones were being handled is handled together.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

AHEAD_BYTES = 1024 * 1024


def batched(stream: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces, none later than before; at most a mebibyte is read ahead."""
    batch = _Batch(stream)
    try:
        while chunks := batch.take():
            yield chunks
    finally:
        batch.drop()


class _Batch:
    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = self._dropped = False
        self._error: Exception | None = None
        threading.Thread(target=self._run, daemon=True, name="chunks of a log").start()

    def take(self) -> bytes:
        """All that has come, at least one byte; nothing at the end, or the error that ended it."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._ended)
            chunks, self._chunks, self._size = self._chunks, [], 0
            self._changed.notify()
            if not chunks and self._error:
                raise self._error
        return b"".join(chunks)

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
            close = getattr(self._stream, "close", None)  # a generator's
            if close:
                close()

    def _put(self, chunk: bytes) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._size < AHEAD_BYTES or self._dropped)
            self._chunks.append(chunk)
            self._size += len(chunk)
            if len(self._chunks) == 1:
                self._changed.notify()
            return not self._dropped
