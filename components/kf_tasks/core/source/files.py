"""A source folder file by file: what is ignored, what is carried, and what no build can be given."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Optional

from ..errors import InvalidInput
from .ignore import Rules

IGNORE_FILES = (".kfignore", ".cfignore")  # the first one that is there, as in Kf's pkg/sourceimage/create.go
ALWAYS_IGNORED = (
    ".cfignore", ".kfignore", "/manifest.yml", ".gitignore", ".git", ".hg", ".svn", "_darcs", ".DS_Store",
)  # fmt: skip
_COUNTED = 1000
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}


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
        try:
            return Ignore(text.splitlines())
        except InvalidInput as error:
            raise InvalidInput(f"source {_shown(folder)}: {name}: {error}") from None
    return Ignore(())


def walk(folder: Path, count: Callable[[int], None] = lambda found: None) -> List[Entry]:
    """Every file and link of a source folder that is not ignored, sorted by path; `count` is told how many so far."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InvalidInput(f"source {_shown(folder)} {what}: name a folder, relative to the program's")
    found: List[Entry] = []
    for entry in _walk(folder, ignore_rules(folder)):
        found.append(entry)
        if len(found) % _COUNTED == 0:
            count(len(found))
    found.sort(key=lambda entry: entry.path)
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
            raise unreadable(folder, below or ".", error) from None
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
                raise unreadable(folder, path, error) from None


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


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(folder: Path) -> str:
    return repr(os.fspath(folder))


def _why(error: Exception) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(getattr(error, "strerror", error))


def unreadable(folder: Path, path: str, error: OSError) -> InvalidInput:
    """The error about something that cannot be read."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) or error.errno == errno.ELOOP:
        return changed(folder, path)
    return InvalidInput(
        f"source {_shown(folder)}: {path} cannot be read ({_why(error)}): change its permissions, or ignore it in "
        f"{IGNORE_FILES[0]}"
    )


def changed(folder: Path, path: str) -> InvalidInput:
    """The error about something that changes meanwhile."""
    return InvalidInput(f"source {_shown(folder)}: {path} changed while it was read: repeat when nothing writes there")
