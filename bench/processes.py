"""What the processes of an update use: the engine, the program, our provider and that of Kubernetes, each by itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import peak_of

PROVIDER = "provider"
KINDS = {
    "engine": b"--non-interactive",
    "program": b"pulumi-language-python-exec",
    PROVIDER: b"pulumi.dynamic",
    "Kubernetes provider": b"pulumi-resource-kubernetes",
}
SECONDS = 0.5  # between two looks, so a process is seen to within that of its end


@dataclass
class Used:
    """Seconds of the processor by kind; of the provider the most memory, in MiB, and the most threads."""

    processor: dict[str, float] = field(default_factory=dict)
    mebibytes: float = 0
    threads: int = 0

    def text(self) -> str:
        """The seconds of the processor of each kind."""
        return ", ".join(f"{self.processor.get(kind, 0):.1f}" for kind in KINDS)


@contextmanager
def used_in(folder: Path) -> Iterator[Used]:
    """Watches the processes that work in a folder; complete when it is left."""
    used, over = Used(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(folder, used, over), daemon=True)
    watcher.start()
    try:
        yield used
    finally:
        over.set()
        watcher.join()


def _watch(folder: Path, used: Used, over: threading.Event) -> None:
    seconds: dict[tuple[str, int], float] = {}
    while not over.wait(SECONDS):
        for process, kind in _of(folder):
            try:
                ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
            except OSError:
                continue
            seconds[kind, process] = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            if kind == PROVIDER:
                used.mebibytes = max(used.mebibytes, peak_of(process))
                used.threads = max(used.threads, threads_of(process))
    for (kind, _), taken in seconds.items():
        used.processor[kind] = used.processor.get(kind, 0) + taken


def _of(folder: Path) -> Iterator[tuple[int, str]]:
    """The processes of an update that works in a folder, and of which kind each is."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            kind = next((kind for kind, word in KINDS.items() if word in command), "")
            if kind and (process / "cwd").resolve() == folder:
                yield int(process.name), kind
        except OSError:
            continue


def threads_of(process: int | None) -> int:
    """How many threads a process has, 0 for none."""
    try:
        return int(Path(f"/proc/{process}/status").read_text().split("Threads:")[1].split()[0])
    except (OSError, IndexError):
        return 0
