"""20,000 small files: their digest beside `tar | sha256sum`, and their upload beside oras."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

from . import peers
from .measure import CHECKOUT, REPEATS, Table, medians, peak_memory, run

TITLE = "A source of 20,000 files, 40 MB"
FILES, SIZE = 20_000, 2000
DIGEST = """import sys
from pathlib import Path
from kf_tasks.core.source import tree
print(tree.read(Path(sys.argv[1])).digest)
"""
UPLOAD = """import sys
from pathlib import Path
from kf_tasks.core.source import tree
from kf_tasks.core.build.spec import Artifact
from kf_tasks.registry.client import Address, Registry
folder = Path(sys.argv[1])
found = tree.read(folder)
artifact = Artifact(found.digest, found.size)
assert Registry(Address.of(f"http://{sys.argv[2]}")).push(
    sys.argv[3], artifact.tag, artifact.manifest, artifact.config, artifact.layer, lambda: tree.archive(folder))
"""


def measure(files: int = FILES) -> Table:
    """Each measurement several times, after a first reading of all files; an upload each time to a new repository."""
    note = "Start of the process included; oras compresses what it sends, and sends what it has read once."
    table = Table(TITLE if files == FILES else f"{files} files", ("what", "seconds", "peak memory MiB"), note)
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        folder, registry, oras = _filled(scratch, files), os.environ["SANDBOX_REGISTRY"], peers.oras()
        ours = [sys.executable, "-c"]
        push = [oras, "push", "--plain-http", "--disable-path-validation"]
        for what, command, appended in (
            ("ours: digest", [*ours, DIGEST, str(folder)], ()),
            ("`tar c \\| sha256sum`", ["bash", "-c", f"tar c -C {folder} . | sha256sum"], ()),
            ("ours: digest and upload", [*ours, UPLOAD, str(folder), registry], ("{name}",)),
            (f"{peers.ORAS.title}: push", push, (f"{registry}/{{name}}:1", str(folder))),
        ):
            rounds = []
            for _ in range(REPEATS):
                name = f"bench-{uuid.uuid4().hex[:8]}"
                rounds.append(peak_memory([*command, *(one.format(name=name) for one in appended)], cwd=CHECKOUT))
            seconds, memory = medians(rounds)
            table.rows.append((what, f"{seconds:.1f}", f"{memory:.0f}"))
    finally:
        shutil.rmtree(scratch)
    return table


def _filled(scratch: Path, files: int) -> Path:
    """A folder of many files, all of which have been read."""
    folder, chance = scratch / "source", random.Random(1)
    for number in range(files):
        path = folder / f"d{number % 200}" / f"e{number % 7}" / f"f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(SIZE))
    run(["bash", "-c", f"tar c -C {folder} . | sha256sum"])
    return folder


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else FILES).text())
