"""A watch of one kind of objects in a namespace, for as long as somebody needs it.

A list costs what there is, and a watch what changes. It goes on from the version that it has reached; where the server
has forgotten that one (410), where it breaks, and where nothing comes of it although bookmarks should, nobody knows
what was missed: then another epoch begins, and whoever keeps objects asks for them anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

import msgspec
import urllib3

from ..core import api
from ..core.api import Object
from ..errors import ClusterError, Denied
from .transport import Transport

WATCH_SECONDS = 300  # the server ends a watch then, and a thread that nobody needs any more with it
SILENCE_SECONDS = 90  # a watch that is alive brings a bookmark each minute
READY_SECONDS = 2  # that whoever needs a watch waits for it
SOON_SECONDS, LATE_SECONDS = 0.5, 10  # between two attempts
DELETED = "DELETED"


class Watch:
    """One watch; `take` is given the type and the object of each event, and `ring` called when it comes or goes.

    It lasts as long as `is_wanted` says so, which is asked whenever the server ends it. `accept` is that of a single
    object, whole or its metadata.
    """

    def __init__(
        self,
        http: Transport,
        path: str,
        selector: str,
        take: Callable[[str, Object], None],
        ring: Callable[[], None],
        is_wanted: Callable[[], bool],
        accept: str = api.JSON,
    ) -> None:
        self.live = False  # whether every change comes by itself
        self.denied = False
        self.epoch = 0  # how often something may have been missed
        self._http, self._path, self._accept = http, path, accept
        self._selector = [("labelSelector", selector)] if selector else []
        self._take, self._ring, self._is_wanted = take, ring, is_wanted
        self._moved = threading.Condition()
        self._running = self._tried = False
        self._reached = ""

    def start(self) -> None:
        """Lets it begin, unless it runs or may not be used; what is wanted must be so already."""
        with self._moved:
            if self._running or self.denied:
                return
            self._running = True
        threading.Thread(target=self._run, daemon=True, name=f"watch of {self._path.rpartition('/')[2]}").start()

    def await_start(self) -> bool:
        """Whether it is there; waits for the end of the first attempt."""
        with self._moved:
            self._moved.wait_for(lambda: self._tried, READY_SECONDS)
            return self.live

    def reach(self, version: str) -> bool:
        """Waits until it has told everything up to this version; whether it has."""
        with self._moved:
            self._moved.wait_for(lambda: not self.live or not is_newer(version, self._reached), READY_SECONDS)
            return self.live and not is_newer(version, self._reached)

    def _run(self) -> None:
        try:
            self._watch()
        finally:  # also where an object is none that can be understood
            with self._moved:
                self._running = self.live = False
            self._ring()

    def _watch(self) -> None:
        version, pause = "", SOON_SECONDS
        while self._goes_on():
            try:
                version = version or self._begin()
                for event in self._events(version):
                    self._settle(live=True)
                    pause = SOON_SECONDS
                    version = self._hear(event) if event else version
            except Denied:
                self._settle(live=False, denied=True)
            except (ClusterError, urllib3.exceptions.HTTPError, msgspec.MsgspecError, OSError, LookupError, TypeError):
                self._settle(live=False)  # what came meanwhile may be lost
                version = ""
                time.sleep(pause)
                pause = min(2 * pause, LATE_SECONDS)

    def _goes_on(self) -> bool:
        with self._moved:
            goes_on = not self.denied and self._is_wanted()
            if not goes_on:
                self._running = self.live = False
            return goes_on

    def _settle(self, *, live: bool, denied: bool = False) -> None:
        with self._moved:
            self._tried = True
            if live == self.live and not denied:
                self._moved.notify_all()
                return
            self.live = live
            self.denied |= denied
            self._moved.notify_all()
        self._ring()

    def _begin(self) -> str:
        """The version from which to watch; nobody knows what was before it."""
        query = [*self._selector, ("limit", "1")]
        answer = self._http.request("GET", self._path, query=query, accept=api.METADATA_LIST)
        version = str(msgspec.json.decode(answer.data)["metadata"]["resourceVersion"])
        with self._moved:
            self.epoch += 1
            self._reached = version
        self._ring()
        return version

    def _events(self, version: str) -> Iterator[Object | None]:
        """What the watch brings, as long as the server lets it; None once it is there."""
        query = [*self._selector, ("watch", "true"), ("allowWatchBookmarks", "true")]
        query += [("resourceVersion", version), ("timeoutSeconds", str(WATCH_SECONDS))]
        answer = self._http.request("GET", self._path, query=query, accept=self._accept, read_seconds=SILENCE_SECONDS)
        yield None
        held = b""
        try:
            for chunk in answer.stream(65536):
                *lines, held = (held + chunk).split(b"\n")
                yield from (msgspec.json.decode(line) for line in lines if line)
        finally:
            answer.close()
            answer.release_conn()

    def _hear(self, event: Object) -> str:
        """Hands an event on; returns the version to go on from, empty to begin anew."""
        if event["type"] == "ERROR":  # 410: the server no longer has what came after that version
            return ""
        if event["type"] != "BOOKMARK":
            self._take(event["type"], event["object"])
        with self._moved:
            self._reached = str(event["object"]["metadata"]["resourceVersion"])
            self._moved.notify_all()
        return self._reached


def is_newer(version: str, known: str) -> bool:
    """Whether a version comes after another one: those of one kind can be compared as numbers; of others it does."""
    return not (version.isdigit() and known.isdigit()) or int(version) > int(known)


def latest(versions: Iterable[str]) -> str:
    """The last of versions of one kind; empty where there is none, or where they cannot be compared."""
    found = list(versions)
    return max(found, key=int) if found and all(version.isdigit() for version in found) else ""
