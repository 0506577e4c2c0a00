"""Reading a stored log of one GiB: `kf logs --archive`, which checks, cleans and marks each line, beside `zstdcat`."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.stored import StoredLog
from kf_tasks.log.archive import Archive
from kf_tasks.log.spool import Spool

from .masking import WORDS
from .measure import CHECKOUT, REPEATS, Table, medians, peak_memory, processor

TITLE = "Reading a stored log of 1 GiB"
MEBIBYTES = int(os.environ.get("BENCH_LOG_MIB", "1024"))
RUN = "shop-import-1"


def measure() -> Table:
    """Medians by turns; output is thrown away, start of the process included."""
    note = f"Lines of words, {MEBIBYTES} MiB; no cluster is asked; medians of {REPEATS} by turns. Start included."
    table = Table(TITLE, ("what", "MB/s", "MB for each second of processor time", "peak memory MiB"), note)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        record = _store(Path(folder))
        url = f"file://{folder}"
        commands = {
            "`zstdcat`": ["zstdcat", f"{folder}/{record.place.log}"],
            "`zstdcat` and `sha256sum`": ["sh", "-c", f"zstdcat {folder}/{record.place.log} | sha256sum"],
            "`kf logs --archive`, the last 10 lines": _kf(url),
            "`kf logs --archive -n 0`": [*_kf(url), "-n", "0"],
        }
        measured: dict[str, list[tuple[float, ...]]] = {name: [] for name in commands}
        for _ in range(REPEATS):
            for name, command in commands.items():
                measured[name].append(_read(command))
    for name, figures in measured.items():
        table.rows.append((name, *(f"{figure:.0f}" for figure in medians(figures))))
    return table


def _kf(url: str) -> list[str]:
    return [str(CHECKOUT / ".venv/bin/kf"), "logs", "--space", "bench", "--run", RUN, "--archive", url]


def _read(command: list[str]) -> tuple[float, float, float]:
    """MB/s, MB for each second of processor time, and peak memory in MiB."""
    before = processor(own=False)
    took, memory = peak_memory(command)
    megabytes = (MEBIBYTES << 20) / 1e6
    return megabytes / took, megabytes / (processor(own=False) - before), memory


def _store(folder: Path) -> StoredLog:
    """Stores a log as a run that is followed does: what is repeated lies further apart than zstd looks back."""
    chosen = random.Random(1)
    lines = [" ".join(chosen.choices(WORDS, k=12)) + f" {chosen.random()}\n" for _ in range(16 << 13)]
    block = "".join(lines).encode()
    spool = Spool(Masker())
    while spool.bytes < MEBIBYTES << 20:
        spool.write(block[: (MEBIBYTES << 20) - spool.bytes])
    spool.close()
    record = StoredLog(
        namespace="bench", app="shop", task="import", id=1, run=RUN, uid="00000000-0000-0000-0000-000000000001",
        key="0" * 16, stack="bench/dev", created="2026-01-02T03:04:05Z", started="2026-01-02T03:04:06Z",
        finished="2026-01-02T03:14:06Z", state="SUCCEEDED", reason="", outcome="Succeeded", exit_code=0,
        digest=spool.digest, bytes=spool.bytes, lines=spool.lines, whole=True, followed=True,
    )  # fmt: skip
    return Archive.of(f"file://{folder}").store(record, spool.packed())
