"""A log on its way into the archive: masked, compressed and counted while it comes, in a file of this machine.

The pod of a cancelled run goes while its log is read, so this file may be all that is left of it. It
has a name until the log is stored: whoever comes after one that was killed, or that met an archive
that could not be written, finds it. What is never stored is thrown away after a month.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import IO

import zstandard

from ..core.log.masked_stream import MaskedStream
from ..core.log.masking import Masker
from ..core.log.stored import Place, attempt_line

LEVEL = 3
IN_MEMORY = 1024 * 1024
CHUNK = 256 * 1024
PART, WHOLE = ".part", ".zst"
FLUSH_SECONDS = 1.0
KEPT_SECONDS = 30 * 86400


class Spool:
    """The log of one run; what is taken is what is stored, but for its compression.

    With a `place` it is kept in the user's state folder until `discard`, else in a temporary file. A disk that is
    full is no reason for whoever follows the run to stop: `trouble` says what happened.
    """

    def __init__(self, masker: Masker, place: Place | None = None) -> None:
        self.bytes = self.lines = self.attempts = 0
        self.trouble = ""
        self._stream = MaskedStream(masker)
        self._digest = hashlib.sha256()
        self._ends_with_newline = True
        self._closed = False
        self._flushed = time.monotonic()
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._file: IO[bytes] = self._named(place) if place else _temporary()
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
                if time.monotonic() - self._flushed > FLUSH_SECONDS:
                    self._flush(zstandard.FLUSH_BLOCK)

    def close(self) -> None:
        """Ends the log; nothing that comes later is taken."""
        with self._lock:
            if not self._closed:
                self._write(self._stream.finish())
                self._closed = True
                self.lines += 0 if self._ends_with_newline else 1
                self._flush(zstandard.FLUSH_FRAME)
                if self._path and not self.trouble:
                    self._path = self._path.rename(self._path.with_suffix(WHOLE))

    def discard(self) -> None:
        """Throws it away."""
        if self._path:
            self._path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Leaves its file to whoever stores the run's log later."""
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

    def _named(self, place: Place) -> IO[bytes]:
        try:
            folder = _folder()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sweep(folder)
            path = folder / f"{place.run}.{place.uid}.{uuid.uuid4().hex[:8]}{PART}"
            file = path.open("x+b")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as long as this process lives
        except OSError:  # a machine without such a folder
            return _temporary()
        self._path = path
        return file

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

    def _flush(self, how: int) -> None:
        self._flushed = time.monotonic()
        try:
            self._packed.flush(how)
            self._file.flush()
        except OSError as error:
            self.trouble = self.trouble or str(error)


def left(place: Place) -> list[Path]:
    """The files that others have left of a run's log: those whose process has ended."""
    found = []
    for path in sorted(_folder().glob(f"*.{place.uid}.*")):
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.append(path)
    return found


def restored(path: Path) -> tuple[Spool, bool]:
    """The log in a file that was left (masked as it is), and whether its end is there."""
    spool, complete = Spool(Masker()), path.suffix == WHOLE
    spool.begin("")
    try:
        with path.open("rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file)
            while piece := reader.read(CHUNK):
                spool.write(piece)
    except (OSError, zstandard.ZstdError):
        complete = False
    spool.close()
    return spool, complete


def _temporary() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="kf-log-")


def _folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kf" / "logs"


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
