"""A source folder as a build sees it: what is ignored, what is carried, and one digest for the whole.

The digest is that of a tar file that the same tree gives on every machine: sorted paths, contents,
links, and of a mode only whether the owner may execute, as git keeps it. No times, no owners, no
empty folders (git has none either, and a folder whose files are all ignored would look like one).
So `same digest` means `same build`, and the upload can be checked against it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Optional

from . import tar
from .errors import InvalidInput
from .ignore import Rules

IGNORE_FILES = (".kfignore", ".cfignore")  # the first one that is there, as in Kf's pkg/sourceimage/create.go
ALWAYS_IGNORED = (
    ".cfignore", ".kfignore", "/manifest.yml", ".gitignore", ".git", ".hg", ".svn", "_darcs", ".DS_Store",
)  # fmt: skip
CHUNK = 1 << 20
_PREFIX = "app/"  # where the tree lies in the archive
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}


@dataclass(frozen=True)
class Progress:
    """How far the reading of a source is: files and bytes, of how many."""

    files: int
    of_files: int
    bytes: int
    of_bytes: int


Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Entry:
    """One file or symbolic link; `path` is relative, with slashes."""

    path: str
    size: int
    executable: bool
    link: Optional[str] = None


class Ignore:
    """Which paths are left out; nothing brings back what is always left out."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._own, self._always = Rules(lines), Rules(ALWAYS_IGNORED)

    def __call__(self, path: str, folder: bool) -> bool:
        """Whether a path is ignored; what lies in an ignored folder is not asked for."""
        return self._own.ignores(path, folder) or self._always.ignores(path, folder)


def ignore_rules(folder: Path) -> Ignore:
    """The rules of a source folder: those of its `.kfignore`, else of its `.cfignore`."""
    for name in IGNORE_FILES:
        try:
            text = (folder / name).read_text("utf-8-sig")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"source {_shown(folder)}: {name} cannot be read ({_why(error)}): repair or remove it"
            ) from None
        return Ignore(text.splitlines())
    return Ignore(())


def walk(folder: Path) -> List[Entry]:
    """Every file and link of a source folder that is not ignored, sorted by path."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InvalidInput(f"source {_shown(folder)} {what}: name a folder, relative to the program's")
    found = sorted(_walk(folder, ignore_rules(folder)), key=lambda entry: entry.path)
    if not found:
        raise InvalidInput(f"source {_shown(folder)} has no files, or all of them are ignored: name another folder")
    return found


def _walk(folder: Path, ignored: Ignore) -> Iterator[Entry]:
    left = [""]
    while left:
        below = left.pop()
        try:
            inside = list(os.scandir(f"{folder}/{below}"))
        except OSError as error:
            raise _unreadable(folder, below or ".", error) from None
        for item in inside:
            path = f"{below}/{item.name}" if below else item.name
            is_folder = item.is_dir(follow_symlinks=False)
            if ignored(path, is_folder):
                continue
            if not path.isascii() and not _is_utf8(path):
                raise InvalidInput(
                    f"source {_shown(folder)}: the name {os.fsencode(path)!r} is not UTF-8: rename it, or ignore it "
                    f"in {IGNORE_FILES[0]}"
                )
            if is_folder:
                left.append(path)
                continue
            try:
                yield _entry(folder, path, item.stat(follow_symlinks=False))
            except OSError as error:
                raise _unreadable(folder, path, error) from None


def _entry(folder: Path, path: str, status: os.stat_result) -> Entry:
    if stat.S_ISLNK(status.st_mode):
        link = str((folder / path).readlink())
        if not _is_utf8(link):
            raise InvalidInput(
                f"source {_shown(folder)}: the link {path} leads to {os.fsencode(link)!r}, which is not UTF-8: remove "
                f"it, or ignore it in {IGNORE_FILES[0]}"
            )
        return Entry(path, 0, False, link)
    if not stat.S_ISREG(status.st_mode):
        what = _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
        raise InvalidInput(
            f"source {_shown(folder)}: {path} is {what}, which no build can be given: remove it, or ignore it in "
            f"{IGNORE_FILES[0]}"
        )
    return Entry(path, status.st_size, bool(status.st_mode & stat.S_IXUSR))


@dataclass(frozen=True)
class Tree:
    """A source folder that has been read: digest and size of its archive, a digest for each file, and the links
    that lead out of it: they are carried as they are, and lead nowhere in the build.
    """

    digest: str
    size: int
    files: Dict[str, str]
    outside: List[str]


def _nobody(progress: Progress) -> None:
    """Nobody wants to know."""


def read(folder: Path, tell: Tell = _nobody) -> Tree:
    """Reads the whole folder once, in bounded memory; raises InvalidInput for what cannot be carried."""
    files: Dict[str, str] = {}
    total, size = hashlib.sha256(), 0
    entries = walk(folder)
    for chunk in _archive(folder, entries, tell, files):
        total.update(chunk)
        size += len(chunk)
    outside = [entry.path for entry in entries if entry.link is not None and _leads_out(entry.path, entry.link)]
    return Tree(f"sha256:{total.hexdigest()}", size, files, outside)


def archive(folder: Path) -> Iterator[bytes]:
    """The tar file of a source folder in chunks, the same for the same tree."""
    yield from _archive(folder, walk(folder), _nobody, None)


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
                tell(Progress(nth, len(entries), done, wanted))
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
        raise _unreadable(folder, entry.path, error) from None
    try:
        before = os.fstat(number)
        if not stat.S_ISREG(before.st_mode) or before.st_size != entry.size:
            raise _changed(folder, entry.path)
        left = entry.size
        while left:
            try:
                chunk = os.read(number, min(CHUNK, left))
            except OSError as error:
                raise _unreadable(folder, entry.path, error) from None
            if not chunk:
                raise _changed(folder, entry.path)
            left -= len(chunk)
            yield chunk
        after = os.fstat(number)
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            raise _changed(folder, entry.path)
    finally:
        os.close(number)


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _leads_out(path: str, link: str) -> bool:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    return target.startswith("/") or target == ".." or target.startswith("../")


def _shown(folder: Path) -> str:
    return repr(os.fspath(folder))


def _why(error: Exception) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(getattr(error, "strerror", error))


def _unreadable(folder: Path, path: str, error: OSError) -> InvalidInput:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) or error.errno == errno.ELOOP:
        return _changed(folder, path)
    return InvalidInput(
        f"source {_shown(folder)}: {path} cannot be read ({_why(error)}): change its permissions, or ignore it in "
        f"{IGNORE_FILES[0]}"
    )


def _changed(folder: Path, path: str) -> InvalidInput:
    return InvalidInput(f"source {_shown(folder)}: {path} changed while it was read: repeat when nothing writes there")
