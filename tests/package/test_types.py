"""Type checkers, in an environment with the wheel, take a program that is right and find the mistakes in others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from . import project
from .conftest import CHECKOUT

RIGHT = Path(__file__).with_name("every_component.py")
HEAD = """import pulumi
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Source, Space, Task, TaskSchedule

space = Space("dev")
app = App("shop", space=space, image="i")
text = pulumi.Output.from_input("x")
"""
# One mistake a line.
WRONG = """
Space("dev", keep="5")
Space("dev", memory=512)
Space("dev", env={"A": 1})
Space("dev", quota=[1])
Space("dev", security_groups=["x"])
Space(name="dev", nothing=1)
App("shop", image="i")
App("shop", space="dev", image="i")
App("shop", space=space, image=1)
App("shop", space=space, image="i", keep="7")
App("shop", space=space, image="i", services=["db"])
App("shop", space=space, image="i", env=["A=1"])
App("shop", space=space, image="i", command=1)
App("shop", space=space, image="i", command=["x", 1])
App("shop", space=space, source=1)
App("shop", space, image="i")
Task("t", app="shop", command="x")
Task("t", app=space, command="x")
Task("t", command="x")
Task("t", app=app, command="x", retries="1")
Task("t", app=app, command="x", wait="false")
Task("t", app=app, command="x", terminated="false")
Task("t", app=app, command="x", timeout=30)
Task("t", app=app, command="x", memory=text)
Task("t", app=app, command={"x": 1})
Task("t", app=app, comand="x")
TaskSchedule("n", app=app, schedule=3)
TaskSchedule("n", app=app, schedule="@daily", suspend="false")
ServiceInstance("db", space=app)
ServiceInstance("db", space=space, tags=[1])
Postgres(url="x")
Postgres(uri=1)
Binding("db")
SecurityGroup("g", dns="no")
Source(1)
Source("x", build_args=["A"])
number: pulumi.Output[int] = Task("t", app=app, command="x").state
""".strip().splitlines()


@pytest.fixture(scope="module")
def folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("types")
    project.install(wheel, found / "venv")
    shutil.copy(RIGHT, found / "right.py")
    (found / "wrong.py").write_text(HEAD + "\n".join(WRONG) + "\n")
    return found


def compare(found: set[tuple[str, int]], output: str) -> None:
    """Mistakes are found in each line that has one, and nowhere else."""
    begin = HEAD.count("\n") + 1
    missed = [line for number, line in enumerate(WRONG, begin) if ("wrong.py", number) not in found]
    assert not missed, output
    assert found == {("wrong.py", number) for number in range(begin, begin + len(WRONG))}, output


def test_mypy(folder: Path) -> None:
    python = folder / "venv/bin/python"
    cache = CHECKOUT / ".mypy_cache/package"  # of what the package needs, which takes ten times as long as itself
    command = [
        sys.executable, "-m", "mypy", "--strict", f"--cache-dir={cache}", "--python-executable", str(python),
        "right.py", "wrong.py",
    ]  # fmt: skip
    env = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    compare({(m[1], int(m[2])) for m in re.finditer(r"^(\w+\.py):(\d+): error", done.stdout, re.M)}, done.stdout)


def test_pyright(folder: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("pyright needs node")
    settings = {"venvPath": ".", "venv": "venv", "include": ["right.py", "wrong.py"], "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", str(folder / "venv/bin/python")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = [each for each in json.loads(done.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    compare(
        {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in told}, json.dumps(told, indent=1)
    )
