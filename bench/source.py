"""20,000 small files: their digest beside `tar | sha256sum`, and their upload beside oras."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

from .measure import CHECKOUT, Table, peak_memory, run

TITLE = "A source of 20,000 files, 40 MB"
FILES, SIZE, ORAS = 20_000, 2000, "oras==0.2.43"
DIGEST = """import sys
from pathlib import Path
from components.core import tree
print(tree.read(Path(sys.argv[1])).digest)
"""
UPLOAD = """import sys
from pathlib import Path
from components.core import tree
from components.core.build import Artifact
from components.registry import Place, Registry
folder = Path(sys.argv[1])
found = tree.read(folder)
artifact = Artifact(found.digest, found.size)
assert Registry(Place.of(f"http://{sys.argv[2]}")).push(
    sys.argv[3], artifact.tag, artifact.manifest, artifact.config, artifact.layer, lambda: tree.archive(folder))
"""
PEER = """import sys
import oras.client
oras.client.OrasClient(insecure=True).push(
    target=f"{sys.argv[2]}/{sys.argv[3]}:1", files=[sys.argv[1]], disable_path_validation=True, do_chunked=True)
"""


def measure() -> Table:
    """One measurement each, after a first reading of all files."""
    table = Table(TITLE, ("what", "seconds", "peak memory MiB"), "Start of the process included; oras compresses.")
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        folder, registry, name = _filled(scratch), os.environ["SANDBOX_REGISTRY"], f"bench-{uuid.uuid4().hex[:6]}"
        run([sys.executable, "-m", "venv", str(scratch / "venv")])
        run([str(scratch / "venv/bin/pip"), "install", "-q", ORAS])
        ours, place = [sys.executable, "-c"], [str(folder), registry]
        peer = [str(scratch / "venv/bin/python"), "-c", PEER, *place, f"{name}/oras"]
        for what, command in (
            ("ours: digest", [*ours, DIGEST, str(folder)]),
            ("`tar c \\| sha256sum`", ["bash", "-c", f"tar c -C {folder} . | sha256sum"]),
            ("ours: digest and upload", [*ours, UPLOAD, *place, f"{name}/ours"]),
            (f"{ORAS}: archive and push", peer),
        ):
            seconds, memory = peak_memory(command, cwd=CHECKOUT)
            table.rows.append((what, f"{seconds:.1f}", f"{memory:.0f}"))
    finally:
        shutil.rmtree(scratch)
    return table


def _filled(scratch: Path) -> Path:
    """A folder of many files, all of which have been read."""
    folder, chance = scratch / "source", random.Random(1)
    for number in range(FILES):
        path = folder / f"d{number % 200}" / f"e{number % 7}" / f"f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(SIZE))
    run(["bash", "-c", f"tar c -C {folder} . | sha256sum"])
    return folder
