"""The checks of `kf doctor` of this kf and of the project in this folder: its environment and its stack."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from .. import __version__
from ..core.api import Object
from .finding import UNKNOWN, WARNING, FindingView, well, wrong

PROGRAM_SECONDS = 60


def of_project() -> tuple[list[FindingView], Object]:
    """This kf and the Pulumi project that this folder is in, and the state of its stack; empty where none is read."""
    found = [well("kf", f"{__version__} on Python {platform.python_version()}")]
    folder = next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "Pulumi.yaml").exists()), None)
    if folder is None:
        return [*found, wrong("project", "no Pulumi.yaml here", "call it in the project's folder", UNKNOWN)], {}
    if not shutil.which("pulumi"):
        return [*found, wrong("pulumi", "is not on the PATH", "install Pulumi's CLI", WARNING)], {}
    state = _state(folder)
    return [*found, *_environment(folder), _stack(state)], state or {}


def _environment(folder: Path) -> Iterator[FindingView]:
    """Whether the project's own Python has this kf_tasks."""
    named = _virtualenv(folder)  # which Pulumi uses, whatever else is there
    names = [named] if named else [os.environ.get("VIRTUAL_ENV", ""), "venv", ".venv"]
    python = next(
        (path for path in (folder / name / "bin" / "python" for name in names if name) if path.exists()), None
    )
    if python is None:
        has = f"virtualenv: {named} of Pulumi.yaml is not there" if named else "there is no virtual environment"
        yield wrong("environment", f"{folder}: {has}", f"python3 -m venv {named or '.venv'} there", WARNING)
        return
    said = _asked([str(python), "-c", "import kf_tasks; print(kf_tasks.__version__)"], folder)
    if said is None:
        yield wrong("environment", f"{python} has no kf_tasks", f"{python} -m pip install kf-tasks")
    elif said.strip() != __version__:
        yield wrong(
            "environment", f"{python} has kf_tasks {said.strip()}", f"use one version: kf is {__version__}", WARNING
        )
    else:
        yield well("environment", str(python))


def _virtualenv(folder: Path) -> str:
    """The `virtualenv` that Pulumi.yaml names, empty where it names none."""
    try:
        return str(
            yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))["runtime"]["options"]["virtualenv"] or ""
        )
    except (OSError, UnicodeError, LookupError, TypeError, yaml.YAMLError):
        return ""


def _state(folder: Path) -> Object | None:
    """What the stack's state holds, its secrets still encrypted; None if it cannot be read."""
    try:
        exported = json.loads(_asked(["pulumi", "stack", "export"], folder) or "null")
    except ValueError:
        return None
    return (exported.get("deployment") or {}) if isinstance(exported, dict) else None


def _stack(state: Object | None) -> FindingView:
    """Whether the stack's last update ended: what it left unfinished nobody knows."""
    if state is None:
        return wrong("stack", "cannot be read", "pulumi stack select, pulumi login", UNKNOWN)
    pending = state.get("pending_operations") or []
    if pending:
        advice = "pulumi refresh --clear-pending-creates when nothing runs any more"
        return wrong("stack", f"{len(pending)} operations of an update that was ended are pending", advice, WARNING)
    return well("stack", f"{len(state.get('resources') or [])} resources, nothing is pending")


def _asked(command: list[str], folder: Path) -> str | None:
    """What a program says on stdout; None if it fails or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROGRAM_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
