"""Very large logs: whole in the count and the digest, whatever the node does with the file, in little memory."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kf_tasks.log.pump import LOST

from ..processes import peak_of_provider
from .conftest import Stack
from .proxy import Wire

pytestmark = pytest.mark.soak
LONGEST_MEMORY_MIB = 120


def _follow(stack: Stack, command: str) -> tuple[dict[str, object], float]:
    """The outputs of an update that follows `command`, and the peak memory of its provider process in MiB."""
    process = stack.task(f"command={command!r}, timeout='20m'", "disk='4G'").start()
    with ThreadPoolExecutor() as pool:  # a pipe that nobody reads would hold the update up
        shown = pool.submit(process.communicate)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_of_provider(stack.folder))
            time.sleep(0.5)
    assert process.returncode == 0, shown.result()
    return stack.outputs(), peak


def test_log_that_the_node_rotates(stack: Stack) -> None:
    outputs, peak = _follow(stack, "for part in 1 2 3 4 5 6 7 8; do seq 1 2000000; sleep 4; done")
    part = "".join(f"{number}\n" for number in range(1, 2_000_001)).encode()
    digest = hashlib.sha256()
    for _ in range(8):
        digest.update(part)
    assert outputs["log_digest"] == f"sha256:{digest.hexdigest()}"
    assert 0 < peak < LONGEST_MEMORY_MIB


def test_log_of_a_gibibyte(stack: Stack) -> None:
    line = "x" * 1023
    outputs, peak = _follow(stack, f"yes {line} | head -n 1048576")
    digest = hashlib.sha256()
    block = f"{line}\n".encode() * 1024
    for _ in range(1024):
        digest.update(block)
    assert outputs["log_digest"] == f"sha256:{digest.hexdigest()}"
    assert 0 < peak < LONGEST_MEMORY_MIB


def test_one_line_of_two_hundred_mebibytes(stack: Stack) -> None:
    outputs, peak = _follow(stack, "head -c 209715200 /dev/zero | tr '\\0' x; echo; echo done")
    digest = hashlib.sha256()
    for _ in range(200):
        digest.update(b"x" * 1048576)
    digest.update(b"\ndone\n")
    assert outputs["log_digest"] == f"sha256:{digest.hexdigest()}"
    assert str(outputs["log"]).endswith("[a line of 209715200 characters]\ndone\n")
    assert 0 < peak < LONGEST_MEMORY_MIB


def test_part_of_a_log_that_is_gone_before_it_could_be_read(stack: Stack) -> None:
    wire = Wire(stack.folder)
    stack.env["KUBECONFIG"] = str(wire.kubeconfig)
    process = stack.task("command='echo begun; sleep 8; seq 1 2000000; sleep 25; echo done'", "disk='4G'").start()
    assert process.stdout
    text = next(line for line in process.stdout if "begun" in line)
    wire.cut()
    time.sleep(30)
    wire.mend()
    text += process.stdout.read()
    assert process.wait() == 0, text
    assert text.split("Diagnostics:")[1].count(LOST) == 1
    assert stack.outputs()["log"].endswith("done\n"), "what comes afterwards is read"
