"""A branch of the control groups that is ours alone.

Pods run below it, so that whatever is left of them after a crash can be ended and removed
without touching another kubelet's pods.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from sandbox.places import NAMESPACE
from sandbox.processes import until

MOUNT = Path("/sys/fs/cgroup")
CONTROLLERS = "+cpu +cpuset +memory +pids"


def hierarchies() -> list[Path]:
    """Every mounted hierarchy: one with version 2, several with version 1 or a mixture."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    found = {folder.resolve() for folder in MOUNT.iterdir()}
    return sorted(folder for folder in found if (folder / "cgroup.procs").exists())


def create() -> None:
    """Our branch in every hierarchy, with processors and memory nodes handed down."""
    for hierarchy in hierarchies():
        ours = hierarchy / NAMESPACE
        ours.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            source, target = hierarchy / name, ours / name
            if source.exists() and target.exists() and not target.read_text().strip():
                target.write_text(source.read_text())
        if hierarchy == MOUNT:
            (hierarchy / "cgroup.subtree_control").write_text(CONTROLLERS)
            (ours / "cgroup.subtree_control").write_text(CONTROLLERS)


def branches() -> Iterator[Path]:
    """Our groups, the innermost first."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy / NAMESPACE, topdown=False):
            yield Path(folder)


def pids() -> set[int]:
    """The processes in any of our groups."""
    found: set[int] = set()
    for branch in branches():
        try:
            found.update(map(int, (branch / "cgroup.procs").read_text().split()))
        except OSError:
            continue
    return found


def kill() -> None:
    """Ends every process in our groups; new ones may appear meanwhile."""

    def emptied() -> bool:
        left = pids()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left

    until(emptied, 10.0, 0.05)


def remove() -> None:
    """Removes our groups; the kernel needs a moment after the last process."""

    def removed() -> bool:
        for branch in branches():
            try:
                branch.rmdir()
            except OSError:
                continue
        return not any(branches())

    until(removed, 5.0, 0.05)
