"""A log on its way into the archive: masked, compressed and counted while it comes, in a temporary file.

The file has no name, so that nothing of it is left whatever ends this process.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from typing import IO

import zstandard

from .core.archived import attempt_line
from .core.masking import Masker
from .core.stream import MaskedStream

LEVEL = 3
IN_MEMORY = 1024 * 1024


class Spool:
    """The log of one run; what is taken is what is stored, but for its compression.

    A disk that is full is no reason for whoever follows the run to stop: `trouble` says what happened.
    """

    def __init__(self, masker: Masker) -> None:
        self.bytes = self.lines = self.attempts = 0
        self.trouble = ""
        self._stream = MaskedStream(masker)
        self._digest = hashlib.sha256()
        self._ends_with_newline = True
        self._closed = False
        self._lock = threading.Lock()
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="kf-log-")  # noqa: SIM115 - outlives this
        self._packed = zstandard.ZstdCompressor(LEVEL, write_checksum=True).stream_writer(self._file, closefd=False)

    def begin(self, pod: str) -> None:
        """The log of a pod begins; every one but the first is told from the one before it."""
        with self._lock:
            self.attempts += 1
            if self.attempts > 1:
                self._write(self._stream.finish())
                self._write(b"" if self._ends_with_newline else b"\n")
                self._write(attempt_line(self.attempts, pod))

    def write(self, chunk: bytes) -> None:
        """Takes a chunk of the log."""
        with self._lock:
            if not self._closed:
                self._write(self._stream.feed(chunk))

    def close(self) -> None:
        """Ends the log; nothing that comes later is taken."""
        with self._lock:
            if self._closed:
                return
            self._write(self._stream.finish())
            self._closed = True
            if not self._ends_with_newline:
                self.lines += 1
            try:
                self._packed.flush(zstandard.FLUSH_FRAME)
            except OSError as error:
                self.trouble = self.trouble or str(error)

    def discard(self) -> None:
        """Throws it away."""
        self._closed = True
        self._file.close()

    @property
    def digest(self) -> str:
        """SHA-256 of what was taken."""
        return f"sha256:{self._digest.hexdigest()}"

    def packed(self) -> IO[bytes]:
        """The compressed log, from its beginning."""
        self._file.seek(0)
        return self._file

    def _write(self, data: bytes) -> None:
        if not data or self.trouble:
            return
        try:
            self._packed.write(data)
        except OSError as error:
            self.trouble = str(error)
            return
        self._digest.update(data)
        self.bytes += len(data)
        self.lines += data.count(b"\n")
        self._ends_with_newline = data.endswith(b"\n")
