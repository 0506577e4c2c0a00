"""Finished work outside the checkout, keyed by everything that determines it.

An entry appears by one rename, so it is whole or absent, and a lock keeps two builds apart.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.steps import Steps


def key(parts: Iterable[str | bytes]) -> str:
    """A short name for a sequence of inputs; lengths are hashed so that borders count."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()[:16]


def root(environ: Mapping[str, str]) -> Path:
    """The cache folder of this user."""
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "/root") / ".cache"
    return Path(home) / "kf-sandbox"


class Cache:
    """Entries `<name>-<key>/` below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entry(self, name: str, entry_key: str) -> Path:
        return self.folder / f"{name}-{entry_key}"

    def fill(self, name: str, entry_key: str, make: Callable[[Path], None]) -> Path:
        """The entry, made by `make` in a folder beside it if it is not there yet."""
        entry = self.entry(name, entry_key)
        if entry.is_dir():
            return entry
        partial = self.folder / f".{name}-{entry_key}.partial"
        partial.mkdir(parents=True, exist_ok=True)
        make(partial)
        partial.rename(entry)
        for abandoned in self.folder.glob(f".{name}-*.partial"):
            shutil.rmtree(abandoned, ignore_errors=True)
        return entry

    @contextmanager
    def lock(self, name: str, steps: Steps) -> Iterator[None]:
        """Held by one process at a time; the kernel frees it when that process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                steps.say(f"waiting for another command that holds the {name} lock")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def place(source: Path, target: Path, mode: int | None = None) -> None:
    """`source` at `target`: a hard link where possible, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".new")
    beside.unlink(missing_ok=True)
    if mode is None:
        try:
            os.link(source, beside)
        except OSError:
            shutil.copy2(source, beside)
    else:
        shutil.copyfile(source, beside)
        beside.chmod(mode)
    beside.rename(target)
