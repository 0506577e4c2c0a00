"""The headers of a tar file (POSIX pax), to the byte: no times, no owners, and nothing that a version decides.

Python's own tarfile writes some fields otherwise in other versions, and each byte counts: the digest
of the archive decides about builds.
"""

from __future__ import annotations

import functools
from typing import Optional, Tuple

BLOCK, RECORD = 512, 10240


def header(name: bytes, size: int, executable: bool, link: Optional[str] = None) -> bytes:
    """What stands before a file's content, or for a link."""
    target = (link or "").encode()
    more = b""
    for key, value in (("path", name), ("linkpath", target)):
        if len(value) > 100 or not value.isascii():
            more += _record(key, value)
    if size >= 8**11:
        more += _record("size", str(size).encode())
    kind, mode = (b"2", 0o777) if link is not None else (b"0", 0o755 if executable else 0o644)
    ahead = _block(b"././@PaxHeader", 0o644, len(more), b"x") + more + b"\0" * (-len(more) % BLOCK) if more else b""
    return ahead + _block(name[:100], mode, size if size < 8**11 else 0, kind, target[:100])


def _block(name: bytes, mode: int, size: int, kind: bytes, link: bytes = b"") -> bytes:
    front = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0" % (name.ljust(100, b"\0"), mode, 0, 0, size, 0)
    rest, of_rest = _rest(kind, link)
    return b"%s%06o\0 %s" % (front, sum(front) + of_rest + 8 * 32, rest)


@functools.lru_cache(maxsize=64)
def _rest(kind: bytes, link: bytes) -> Tuple[bytes, int]:
    """What follows the checksum, and the sum of its bytes: the same for all files."""
    rest = b"%s%sustar\x0000%s" % (kind, link.ljust(100, b"\0"), bytes(247))
    return rest, sum(rest)


def _record(key: str, value: bytes) -> bytes:
    """A pax record, which begins with its own length."""
    text = b" %s=%s\n" % (key.encode(), value)
    length = len(text) + len(str(len(text)))
    length = len(text) + len(str(length))
    return str(length).encode() + text
