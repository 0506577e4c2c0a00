"""What all measurements share: a stack in a scratch folder, a clock, medians, a table."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
REPEATS = 5


@dataclass
class Table:
    """A title, columns, and rows of text."""

    title: str
    columns: tuple[str, ...]
    note: str = ""
    rows: list[tuple[str, ...]] = field(default_factory=list)
    load: str = field(default_factory=lambda: f"{os.getloadavg()[0]:.1f} on {datetime.now(UTC):%Y-%m-%d}")

    def text(self) -> str:
        """The table in Markdown."""
        lines = ["", f"## {self.title}", "", f"Load before the run: {self.load}. {self.note}".rstrip(), ""]
        lines += [f"| {' | '.join(row)} |" for row in (self.columns, ("---",) * len(self.columns), *self.rows)]
        return "\n".join(lines) + "\n"


def median(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median of the seconds that `work` takes."""
    return statistics.median(seconds(work) for _ in range(repeats))


def medians(measured: Iterable[Sequence[float]]) -> list[float]:
    """The medians of measurements of several figures each, figure by figure."""
    return [statistics.median(column) for column in zip(*measured, strict=True)]


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def run(command: list[str], **options: object) -> str:
    """A command's output; raises with what it said if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return str(done.stdout)


def counted(series: str, **options: object) -> int:
    """What the API server has counted so far in all series whose name and labels match `series`, an expression."""
    text = run(["kubectl", "get", "--raw", "/metrics"], **options)
    return sum(int(float(count)) for count in re.findall(rf"^{series} (\S+)$", text, re.MULTILINE))


def processor(*, own: bool) -> float:
    """The seconds that the children which have ended have used of the processor, and with `own` this process, too."""
    counted = (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)[: 1 + own]
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, counted))


def peak_memory(command: list[str], **options: object) -> tuple[float, float]:
    """Seconds and peak memory in MiB of a command."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    assert isinstance(usage, resource.struct_rusage)
    return time.monotonic() - begun, usage.ru_maxrss / 1024


class Stack:
    """A scratch project; its namespace is deleted with it."""

    def __init__(self) -> None:
        self.namespace = f"bench-{uuid.uuid4().hex[:6]}"
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        (self.folder / "state").mkdir()
        runtime = {"name": "python", "options": {"virtualenv": str(CHECKOUT / ".venv")}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps({"name": "bench", "runtime": runtime}))
        self.env = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "NAMESPACE": self.namespace,
        }
        run(["pulumi", "stack", "init", "bench"], cwd=self.folder, env=self.env)

    def write(self, program: str) -> None:
        """Replaces the program."""
        (self.folder / "__main__.py").write_text(program)

    def up(self) -> str:
        """`pulumi up` without a preview."""
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
        return run(command, cwd=self.folder, env=self.env)

    def preview(self) -> str:
        """`pulumi preview`."""
        return run(["pulumi", "preview", "--non-interactive"], cwd=self.folder, env=self.env)

    def close(self) -> None:
        """Deletes the namespace with all in it, and the folder."""
        run(["kubectl", "delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false"])
        shutil.rmtree(self.folder, ignore_errors=True)  # a process that ends may still write
