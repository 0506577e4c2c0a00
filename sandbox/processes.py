"""Starts, recognises and stops the parts, each in a session of its own.

A pid alone is no identity: after a crash or a reboot it may belong to anybody, so the start
time and the boot are kept beside it, and nothing else is ever signalled.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox import cache, record
from sandbox.places import MARKER, Places, clean_environ, in_namespace
from sandbox.steps import Failure, tail


@dataclass(frozen=True)
class Identity:
    """One process for good: its pid, when it started, and in which boot."""

    pid: int
    start: int
    boot: str

    def alive(self) -> bool:
        return identify(self.pid) == self

    def kill(self, number: int) -> None:
        if self.alive():
            os.kill(self.pid, number)


@dataclass(frozen=True)
class Part:
    """A program to keep running, the files it reads, and how to see that it answers."""

    name: str
    argv: tuple[str, ...]
    files: Mapping[Path, str] = field(default_factory=dict)
    answers: Callable[[], bool] = lambda: True
    grace: float = 5.0

    @property
    def spec(self) -> str:
        """Changes when the program would have to be started differently."""
        return cache.key([*self.argv, *(f"{path}\n{text}" for path, text in self.files.items())])


def parse_stat(text: str) -> tuple[str, int]:
    """State and start time of /proc/PID/stat; the name in it may hold spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def identify(pid: int) -> Identity | None:
    """The process that has this pid now, unless it is already dead."""
    try:
        state, start = parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (OSError, IndexError):
        return None
    return None if state in "ZX" else Identity(pid, start, record.boot_id())


class Keeper:
    """The running parts of one sandbox, known by their pid files."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def running(self, name: str) -> tuple[Identity, str] | None:
        """The process of a part and the spec that it was started with."""
        try:
            kept = json.loads(self.pid_file(name).read_text())
            identity = Identity(kept["pid"], kept["start"], kept["boot"])
        except (OSError, ValueError, KeyError):
            return None
        return (identity, str(kept.get("spec"))) if identity.alive() else None

    def start(self, part: Part) -> bool:
        """Starts a part unless it runs as wanted; tells whether it did."""
        found = self.running(part.name)
        if found and found[1] == part.spec:
            return False
        self.stop(part.name, part.grace)
        for path, text in part.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        self.places.run.mkdir(parents=True, exist_ok=True)
        self.places.log.mkdir(parents=True, exist_ok=True)
        with self.log_file(part.name).open("ab") as log:
            child = subprocess.Popen(
                in_namespace(list(part.argv)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=clean_environ(self.places.home),
                start_new_session=True,
            )
        identity = identify(child.pid)
        if identity is None:
            raise self.died(part.name)
        kept = {**asdict(identity), "spec": part.spec}
        self.pid_file(part.name).write_text(json.dumps(kept))
        return True

    def wait(self, part: Part, seconds: float = 60.0) -> None:
        """Waits until a part answers; fails at once when its process ends."""
        if not until(lambda: part.answers() or not self.running(part.name), seconds):
            log = tail(self.log_file(part.name))
            raise Failure(f"{part.name} does not answer after {seconds:.0f} s:\n{log}")
        if not self.running(part.name):
            raise self.died(part.name)

    def stop(self, name: str, grace: float = 5.0) -> bool:
        """TERM, then KILL after the grace; tells whether there was something to stop."""
        found = self.running(name)
        if found:
            end([found[0]], grace)
        self.pid_file(name).unlink(missing_ok=True)
        return found is not None

    def died(self, name: str) -> Failure:
        log = self.log_file(name)
        return Failure(f"{name} ended at once. The end of {log}:\n{tail(log)}")

    def pid_file(self, name: str) -> Path:
        return self.places.run / f"{name}.json"

    def log_file(self, name: str) -> Path:
        return self.places.log / f"{name}.log"


def until(true: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Waits for a condition; tells whether it came true."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() >= limit:
            return False
        time.sleep(pause)
    return True


def connects(address: str, port: int) -> bool:
    """Whether a program accepts connections there."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def end(identities: Iterable[Identity], grace: float) -> None:
    """Asks processes to end, and ends those that do not."""
    left = list(identities)
    for identity in left:
        identity.kill(signal.SIGTERM)
    if until(lambda: not any(identity.alive() for identity in left), grace, 0.05):
        return
    for identity in left:
        identity.kill(signal.SIGKILL)
    until(lambda: not any(identity.alive() for identity in left), 10.0, 0.05)


def homes() -> dict[Identity, Path]:
    """Every process that was started for a sandbox, with or without a pid file, and whose."""
    mark = f"{MARKER}=".encode()
    found: dict[Identity, Path] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        named = [variable for variable in variables if variable.startswith(mark)]
        identity = identify(int(folder.name)) if named else None
        if identity:
            found[identity] = Path(os.fsdecode(named[0].removeprefix(mark)))
    return found


def marked(home: Path) -> list[Identity]:
    """The processes that were started for this sandbox."""
    return [identity for identity, theirs in homes().items() if theirs == home]
