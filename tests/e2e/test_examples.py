"""The examples run as they stand."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

from . import once
from .conftest import CHECKOUT, Stack, run


def _up(stack: Stack, example: str, folder: Path) -> dict[str, object]:
    """The outputs of an example after two updates, the second of which runs nothing; it is destroyed afterwards."""
    shutil.copytree(CHECKOUT / "examples" / example, folder)
    project = folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../.venv", str(once.virtualenv())))
    (folder / "state").mkdir()
    env = {**stack.env, "PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_STACK": "try"}
    run(["pulumi", "stack", "init", "try"], folder, env).ok()
    run(["pulumi", "config", "set", "space", f"{example}-{uuid.uuid4().hex[:6]}"], folder, env).ok()
    flags = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"]
    try:
        run(["pulumi", "up", *flags], folder, env).ok()
        again = run(["pulumi", "up", "--expect-no-changes", *flags], folder, env).ok()
        assert "will run" not in again.text
        found: dict[str, object] = json.loads(run(["pulumi", "stack", "output", "--json"], folder, env).ok().text)
        return found
    finally:
        run(["pulumi", "destroy", *flags], folder, env).ok()


def test_etl_hands_results_on(stack: Stack, tmp_path: Path) -> None:
    outputs = _up(stack, "etl", tmp_path / "etl")
    assert outputs["total"] == "50"
    assert outputs["load"] == {"state": "Succeeded", "log": "loaded 3 rows, in all 50\n"}


def test_backup_is_stored_and_read_back(stack: Stack, tmp_path: Path) -> None:
    outputs = _up(stack, "backup", tmp_path / "backup")
    stored, read = str(outputs["backup"]).split(), str(outputs["verify"]).split()
    assert stored[0] == "stored" and read[0] == "read" and stored[1:] == read[1:]


def test_nightly_declares_its_jobs(stack: Stack, tmp_path: Path) -> None:
    outputs = _up(stack, "nightly", tmp_path / "nightly")
    jobs = outputs["jobs"]
    assert isinstance(jobs, dict) and sorted(jobs) == ["audit", "sum-up"]
