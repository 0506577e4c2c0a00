"""Sees from outside what began, and says afterwards what was done twice, lost or shown.

The cluster alone cannot tell: with `keep=1` most runs are gone when a test asks. So each command calls this process
as it begins, and what it said is compared with the runs of the cluster and of the archive.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

from kf_tasks.core.log.stored import StoredLog
from kf_tasks.core.run.outcome import SUCCEEDED
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.log.archive import Archive

from .conftest import Stack, kubectl

SHOWN = "pipelineruns,taskruns,pods,configmaps,events,jobs,cronjobs,serviceaccounts,networkpolicies,roles"
_POD = re.compile(r"(.+)-task-pod(-retry\d+)?")


@dataclass
class Witness:
    """Where commands call as they begin: `calls` are the word of each and the run it was in, as they came.

    They go on when `open` is set.
    """

    url: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    @property
    def begun(self) -> Counter[str]:
        """How often each word has begun."""
        return Counter(word for word, _ in list(self.calls))

    def call(self, word: str) -> str:
        """The shell's words by which a command says that it begins."""
        return f"wget -q -O /dev/null {self.url}/{word}/$(hostname) || exit 9"


@contextmanager
def witness(stack: Stack) -> Iterator[Witness]:
    host = address(stack)
    made = Witness()
    made.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, word, pod = self.path.split("/")
            matched = _POD.fullmatch(pod)
            made.calls.append((word, matched[1] if matched else pod))
            made.open.wait()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    made.url = f"http://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.open.set()
        server.shutdown()
        thread.join()


def address(stack: Stack) -> str:
    """What the pods reach this process under."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((stack.env["SANDBOX_REGISTRY"].split(":")[0], 9))
        return str(probe.getsockname()[0])


@dataclass(frozen=True)
class Past:
    """All runs there have been, by name and uid: those that the cluster has and those that the archive has."""

    there: dict[tuple[str, str], RunSummary]
    stored: dict[tuple[str, str], StoredLog]

    @classmethod
    def of(cls, stack: Stack, archive: Archive) -> Past:
        # In this order: what goes meanwhile is in both.
        there = [RunSummary.of_object(run) for run in stack.runs()]
        return cls({(one.name, one.uid): one for one in there},
                   {(one.run, one.uid): one for one in archive.records(stack.namespace)})  # fmt: skip

    @property
    def gone(self) -> list[StoredLog]:
        """What the cluster no longer has."""
        return [record for run, record in self.stored.items() if run not in self.there]

    def lost(self, begun: Counter[str]) -> list[str]:
        """Runs that have begun, by name, which neither the cluster nor the archive has."""
        known = Counter(name for name, _ in {*self.there, *self.stored})
        return [f"run {name} began {times} times, {known[name]} known" for name, times in (begun - known).items()]

    def doubled(self, calls: Iterable[tuple[str, str]], allowed: Counter[str]) -> list[str]:
        """Words of which more runs succeeded than were asked for, or of which two ran at once."""
        told = []
        names: dict[str, set[str]] = {}
        for word, name in calls:
            names.setdefault(word, set()).add(name)
        for word, own in names.items():
            every: dict[tuple[str, str], RunSummary | StoredLog] = {**self.stored, **self.there}
            runs = {run: one for run, one in every.items() if run[0] in own}
            good = [name for (name, _), one in runs.items() if one.state == SUCCEEDED]
            if len(good) > allowed[word]:
                told.append(f"{word} has succeeded {len(good)} times, {allowed[word]} allowed: {sorted(good)}")
            spans = sorted((_began(one), _ended(one)) for one in runs.values() if _began(one) and _ended(one))
            told += [f"{word} ran twice at once" for one, other in pairwise(spans) if other[0] < one[1]]
        return told


def _began(run: RunSummary | StoredLog) -> str:
    return (run.started if isinstance(run, StoredLog) else run.started_at) or ""


def _ended(run: RunSummary | StoredLog) -> str:
    return (run.finished if isinstance(run, StoredLog) else run.finished_at) or ""


def readable(stack: Stack, archive: Archive, secrets: Iterable[str], *printed: str) -> list[str]:
    """The places in which one of the secrets can be read: output, state, archive, objects other than Secrets."""
    records = archive.records(stack.namespace)
    places = {
        "what was printed": "\n".join(printed),
        "the state": "\n".join(_texts(stack, "state")),
        "what this machine keeps": "\n".join(_texts(stack, "kf")),
        "the cluster": kubectl("get", SHOWN, "-n", stack.namespace, "-o", "json"),
        "the archive's records": "\n".join(map(str, records)),
        "the archive": b"\n".join(b"".join(archive.read(it)) for it in records if not it.missing).decode(),
    }
    return [f"{secret} in {place}" for secret in secrets for place, text in places.items() if secret in text]


def _texts(stack: Stack, folder: str) -> Iterator[str]:
    for path in (stack.folder / folder).rglob("*"):
        if path.is_file():
            yield path.read_bytes().decode("utf-8", "replace")
