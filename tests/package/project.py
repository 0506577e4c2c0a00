"""A project as a user has it: the wheel in a virtual environment of its own, and nothing of this checkout."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pulumi

PROGRAM = '''"""Has a package `components`, a folder `core` and modules `run` and `history` of its own."""

import pulumi
from components import Site
from core import LIMIT
from history import KEEP
from run import command

from kf_tasks import App, Space, Task, TaskSchedule

config = pulumi.Config()
name = config.get("space") or "elsewhere"
space = Space(name, memory="32M", disk="64M", cpu="10m", submitter_image=config.get("submitter-image"))
app = App("shop", space=space, image=config.get("image") or "registry/busybox", keep=KEEP, memory=LIMIT)
site = Site("site", app=app)
TaskSchedule("nightly", app=app, command=command("night"), schedule="0 3 * * *")
pulumi.export("log", site.task.log)
'''
FILES = {
    "__main__.py": PROGRAM,
    "Pulumi.yaml": "name: elsewhere\nruntime: {name: python, options: {virtualenv: venv}}\n",
    "components/__init__.py": '''"""The project's own components."""

from .site import Site as Site
''',
    "components/site.py": '''import pulumi
from run import command

from kf_tasks import App, Task


class Site(pulumi.ComponentResource):
    """A component with a Task in it."""

    def __init__(self, name: str, *, app: App) -> None:
        super().__init__("elsewhere:index:Site", name)
        self.task = Task("migrate", app=app, command=command("migrated"), opts=pulumi.ResourceOptions(parent=self))
''',
    "core/__init__.py": 'LIMIT = "48M"\n',
    "history.py": "KEEP = 7\n",
    "run.py": 'def command(word: str) -> list[str]:\n    return ["echo", word]\n',
}


def install(wheel: Path, folder: Path) -> Path:
    """A virtual environment with the wheel; what the wheel needs is that of this process. Its Python is returned."""
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "needs.pth").write_text(f"{Path(pulumi.__file__).parents[1]}\n")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return python


def write(folder: Path) -> Path:
    """The project in a folder."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
