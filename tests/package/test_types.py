"""Type checkers, in an environment with the wheel, take a program that is right and find the mistakes in another."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from . import project
from .conftest import CHECKOUT

RIGHT = Path(__file__).with_name("every_component.py")
WRONG = RIGHT.with_name("wrong.py")


@pytest.fixture(scope="module")
def folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("types")
    project.install(wheel, found / "venv")
    shutil.copy(RIGHT, found / "right.py")
    shutil.copy(WRONG, found / "wrong.py")
    return found


def test_mypy(folder: Path, tmp_path: Path) -> None:
    """It reads the wheel's types; what they are is checked by `make lint`, which both programs belong to."""
    command = [
        sys.executable, "-m", "mypy", "--strict", "--follow-imports=skip", f"--cache-dir={tmp_path}",
        "--python-executable", str(folder / "venv/bin/python"), "-c", "from kf_tasks import App",
    ]  # fmt: skip
    env = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    [marker] = folder.glob("venv/lib/python*/site-packages/kf_tasks/py.typed")
    unmarked = marker.rename(folder / "py.typed")
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    finally:
        unmarked.rename(marker)
    assert done.returncode == 1 and "py.typed marker" in done.stdout, done.stdout


def test_nothing_is_written_with_what_mypy_skips() -> None:
    """Of a module that it does not read every name is taken for anything."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]
    [skipped] = [each["module"] for each in settings["overrides"] if each.get("follow_imports") == "skip"]
    groups = {name.split(".")[1] for name in skipped if name.startswith("pulumi_kubernetes.")}
    assert len(groups) > 10 and not groups & {"core", "meta"}
    folders = [CHECKOUT / name for name in settings["files"]]
    files = [file for each in folders for file in ([each] if each.is_file() else each.rglob("*.py"))]
    texts = {file: file.read_text("utf-8") for file in files}
    users = {file: ast.parse(text) for file, text in texts.items() if "pulumi_kubernetes" in text}
    assert len(users) > 10
    for file, tree in users.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id not in ("kubernetes", "k8s") or node.attr not in groups, f"{file}:{node.lineno}"
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pulumi_kubernetes"):
                names = {*(node.module or "").split(".")[1:2], *(alias.name for alias in node.names)}
                assert not names & groups, f"{file}:{node.lineno}"


def test_pyright(folder: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("pyright needs node")
    settings = {
        "venvPath": ".", "venv": "venv", "include": ["right.py", "wrong.py"], "typeCheckingMode": "standard",
        "enableTypeIgnoreComments": False,
    }  # fmt: skip
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", str(folder / "venv/bin/python")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = [each for each in json.loads(done.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    found = {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in told}
    lines = WRONG.read_text().splitlines()
    mistakes = {("wrong.py", number) for number, line in enumerate(lines, 1) if "# type: ignore" in line}
    assert mistakes and found == mistakes, json.dumps(told, indent=1)
