"""A source folder file by file: what is ignored, what is carried, and what no build can be given."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

from ..errors import InvalidInput
from . import exclusions
from .exclusions import IGNORE_FILES, Exclusions, Reason

_PLACEHOLDER = ".gitignore"
_COUNTED = 1000
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}


@dataclass(frozen=True)
class Entry:
    """One file or symbolic link; `path` is relative, with slashes."""

    path: str
    size: int
    executable: bool
    link: Optional[str] = None


def walk(
    folder: Path, count: Callable[[int], None] = lambda found: None, ignore: Sequence[str] = (),
    secret: Callable[[str], None] = lambda path: None,
) -> List[Entry]:  # fmt: skip
    """Every file and link of a source folder that is not left out, sorted by path; raises InvalidInput.

    `count` is told how many so far, `secret` what is left out because it may hold secrets; `ignore` are lines on top
    of those of its `.kfignore`.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InvalidInput(f"source {_shown(folder)} {what}: name a folder, relative to the program's")
    found: List[Entry] = []
    placeholders: List[Entry] = []
    for entry, reason in _walk(folder, exclusions.read(folder, ignore)):
        if reason is None:
            found.append(entry)
            if len(found) % _COUNTED == 0:
                count(len(found))
        elif reason is Reason.SECRET:
            secret(entry.path)
        else:
            placeholders.append(entry)
    found += _kept(placeholders, found)
    found.sort(key=lambda entry: entry.path)
    if not found:
        raise InvalidInput(f"source {_shown(folder)} has no files, or all of them are ignored: name another folder")
    return found


def _kept(placeholders: List[Entry], found: List[Entry]) -> Iterator[Entry]:
    """The `.gitignore` of folders that would else be gone: somebody has put it there to keep them."""
    there = {above for entry in found for above in _above(entry.path)}
    for entry in sorted(placeholders, key=lambda entry: -entry.path.count("/")):
        folder = entry.path.rpartition("/")[0]
        if folder and folder not in there:
            there.update(_above(entry.path))
            yield entry


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _walk(folder: Path, excluded: Exclusions) -> Iterator[Tuple[Entry, Optional[Reason]]]:
    """What is carried, what is left out for its secrets, and each `.gitignore` that keeps a folder, perhaps."""
    left = [""]
    while left:
        below = left.pop()
        try:
            inside = list(os.scandir(f"{folder}/{below}"))
        except OSError as error:
            raise unreadable(folder, below or ".", error) from None
        for item in inside:
            path = f"{below}/{item.name}" if below else item.name
            if item.is_dir(follow_symlinks=False):
                if not excluded.of_folder(path):
                    left.append(path)
                    _check_name(folder, path)
                continue
            reason = excluded.of_file(path, lambda: exclusions.beginning(f"{folder}/{path}"))  # noqa: B023
            if reason is Reason.RULE and (item.name != _PLACEHOLDER or excluded.own_of_file(path)):
                continue
            _check_name(folder, path)
            try:
                yield _entry(folder, path, item.stat(follow_symlinks=False)), reason
            except OSError as error:
                raise unreadable(folder, path, error) from None


def _check_name(folder: Path, path: str) -> None:
    if not path.isascii() and not _is_utf8(path):
        raise InvalidInput(
            f"source {_shown(folder)}: the name {os.fsencode(path)!r} is not UTF-8: rename it, or ignore it "
            f"in {IGNORE_FILES[0]}"
        )


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
