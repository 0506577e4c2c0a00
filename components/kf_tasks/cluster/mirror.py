"""Objects as a watch tells of them, by their names, from one list on that was asked for while the watch was there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from .watch import Watch, is_newer

T = TypeVar("T")
Listed = tuple[str, str, T]  # name, resourceVersion, and what is kept of it


class Mirror(Generic[T]):
    """What there is of one kind; of each name the newest state counts, in whichever order they are told."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._lock, self._filling = threading.Lock(), threading.Lock()
        self._states: dict[str, tuple[str, T | None]] = {}  # by name the version, and None for what is gone
        self._filled = -1  # the epoch of the watch in which it was listed

    @property
    def is_whole(self) -> bool:
        """Whether all that there is is known, but for the moment that an event takes."""
        return self.watch.live and self.watch.epoch == self._filled

    def take(self, name: str, version: str, state: T | None) -> None:
        """A state that an object has at a version; None: it is gone."""
        with self._lock:
            known = self._states.get(name)
            if known is None or is_newer(version, known[0]):
                self._states[name] = version, state

    def drop(self, name: str, version: str) -> None:
        """An object is gone that was deleted at this very version of it."""
        with self._lock:
            if self._states.get(name, ("",))[0] == version:
                self._states[name] = version, None

    def complete(self, ask: Callable[[], Iterable[Listed[T]]]) -> None:
        """Fills it where it is not whole; of those who need it at once, one asks for all."""
        if not self.watch.live:
            self.fill(ask)
            return
        with self._filling:
            if not self.is_whole:
                self.fill(ask)

    def fill(self, ask: Callable[[], Iterable[Listed[T]]]) -> None:
        """Asks for all that there is; what is told meanwhile is newer."""
        with self._lock:
            before = dict(self._states)
        epoch = self.watch.epoch
        found = {name: (version, state) for name, version, state in ask()}
        with self._lock:
            for name, known in list(self._states.items()):
                if name not in found and known is before.get(name) and known[1] is not None:
                    del self._states[name]  # it went while nobody watched
            for name, listed in found.items():
                if name not in self._states or is_newer(listed[0], self._states[name][0]):
                    self._states[name] = listed
            self._filled = epoch

    def get(self, name: str) -> T | None:
        """One of them, None if there is none."""
        return self._states.get(name, ("", None))[1]

    def all(self) -> list[T]:
        """All of them, by their names."""
        with self._lock:
            return [state for _, (_, state) in sorted(self._states.items()) if state is not None]
