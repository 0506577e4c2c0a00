"""A source folder as a build sees it: what is ignored, what is carried, and one digest for the whole.

The digest is that of a tar file that the same tree gives on every machine: sorted paths, contents,
links, and of a mode only whether the owner may execute, as git keeps it. No times, no owners, no
empty folders (git has none either, and a folder whose files are all ignored would look like one).
So `same digest` means `same build`, and the upload can be checked against it.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence

from . import tar
from .files import Entry, changed, unreadable, walk

CHUNK = 1 << 20
_PREFIX = "app/"  # where the tree lies in the archive


@dataclass(frozen=True)
class Reading:
    """How far the reading of a source is: files and bytes, of how many; none as long as they are listed."""

    files: int
    of_files: int
    bytes: int
    of_bytes: int


Tell = Callable[[Reading], None]


@dataclass(frozen=True)
class Tree:
    """A source folder that has been read: digest and size of its archive, and a digest for each file.

    `outside` are the links that lead out of it: they are carried as they are, and lead nowhere in the build. `sizes`
    are those of its files in bytes. What is in `secret` is left out, because it may hold secrets.
    """

    digest: str
    size: int
    files: Dict[str, str]
    outside: List[str]
    sizes: Dict[str, int]
    secret: List[str]


def _nobody(reading: Reading) -> None:
    """Nobody wants to know."""


def read(folder: Path, tell: Tell = _nobody, ignore: Sequence[str] = ()) -> Tree:
    """Reads the whole folder once, in bounded memory; raises InvalidInput for what cannot be carried.

    `ignore` are lines on top of those of its `.kfignore`.
    """
    files: Dict[str, str] = {}
    secret: List[str] = []
    total, size = hashlib.sha256(), 0
    entries = walk(folder, lambda found: tell(Reading(0, found, 0, 0)), ignore, secret.append)
    for chunk in _archive(folder, entries, tell, files):
        total.update(chunk)
        size += len(chunk)
    outside = [entry.path for entry in entries if entry.link is not None and _leads_out(entry.path, entry.link)]
    sizes = {entry.path: entry.size for entry in entries}
    return Tree(f"sha256:{total.hexdigest()}", size, files, outside, sizes, sorted(secret))


def archive(folder: Path, ignore: Sequence[str] = ()) -> Iterator[bytes]:
    """The tar file of a source folder in chunks, the same for the same tree."""
    yield from _archive(folder, walk(folder, ignore=ignore), _nobody, None)


def _archive(folder: Path, entries: List[Entry], tell: Tell, digests: Optional[Dict[str, str]]) -> Iterator[bytes]:
    """The archive; the digest of each file goes to `digests`, if they are wanted."""
    wanted, done, size = sum(entry.size for entry in entries), 0, 0
    buffer = bytearray()
    for nth, entry in enumerate(entries):
        buffer += tar.header((_PREFIX + entry.path).encode(), entry.size, entry.executable, entry.link)
        kind = "link" if entry.link is not None else int(entry.executable)
        content = hashlib.sha256(f"{kind}\0{entry.link or ''}".encode()) if digests is not None else None
        for chunk in () if entry.link is not None else _content(folder, entry):
            if content is not None:
                content.update(chunk)
            buffer += chunk
            done += len(chunk)
            if len(buffer) >= CHUNK:
                size += len(buffer)
                yield bytes(buffer)
                buffer.clear()
                tell(Reading(nth, len(entries), done, wanted))
        buffer += b"\0" * (-entry.size % tar.BLOCK)
        if content is not None and digests is not None:
            digests[entry.path] = content.hexdigest()[:12]
    buffer += b"\0" * (2 * tar.BLOCK)
    buffer += b"\0" * (-(size + len(buffer)) % tar.RECORD)
    yield bytes(buffer)


def _content(folder: Path, entry: Entry) -> Iterator[bytes]:
    """Exactly as many bytes as the header says; a file that changes meanwhile is an error."""
    try:
        # A file that was exchanged for a link or a pipe meanwhile is neither followed nor waited for.
        number = os.open(f"{folder}/{entry.path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise unreadable(folder, entry.path, error) from None
    try:
        before = os.fstat(number)
        if not stat.S_ISREG(before.st_mode) or before.st_size != entry.size:
            raise changed(folder, entry.path)
        left = entry.size
        while left:
            try:
                chunk = os.read(number, min(CHUNK, left))
            except OSError as error:
                raise unreadable(folder, entry.path, error) from None
            if not chunk:
                raise changed(folder, entry.path)
            left -= len(chunk)
            yield chunk
        after = os.fstat(number)
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            raise changed(folder, entry.path)
    finally:
        os.close(number)


def _leads_out(path: str, link: str) -> bool:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    return target.startswith("/") or target == ".." or target.startswith("../")
