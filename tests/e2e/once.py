"""What is the same for every stack is made once: with it an update costs what the update itself costs.

Pulumi asks pip in each command what is installed, which takes pip as long as our program and its provider take to
load, and `stack init` derives a key a million rounds long. Both come out the same in every test.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

VENV = Path(__file__).resolve().parents[2] / ".venv"
PASSPHRASE = "e2e"
PYTHON = """#!/bin/sh
if [ "$1 $2 $3" = "-m pip list" ]; then
    told="{folder}/$(echo "$*" | tr -c 'a-z\\n' -)"
    [ -f "$told" ] || {{ "{python}" "$@" >"$told.$$" && mv "$told.$$" "$told"; }} || exit
    exec cat "$told"
fi
exec "{python}" "$@"
"""


@cache
def folder() -> Path:
    """A folder for all tests of this process, which goes with the last one."""
    return Path(tempfile.mkdtemp(prefix="kf-e2e-"))


@cache
def virtualenv() -> Path:
    """The checkout's virtual environment, which asks pip once what is installed in it."""
    program = folder() / "venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(PYTHON.format(folder=folder(), python=VENV / "bin" / "python"))
    program.chmod(0o755)
    return folder() / "venv"


@cache
def initialised(project: str, stack: str) -> Path:
    """A folder with a project that has an empty stack, encrypted with PASSPHRASE, and its state in `state`: to copy."""
    made = folder() / project / stack
    (made / "state").mkdir(parents=True, exist_ok=True)
    runtime = {"name": "python", "options": {"virtualenv": str(virtualenv())}}
    (made / "Pulumi.yaml").write_text(json.dumps({"name": project, "runtime": runtime}))
    given = {"PULUMI_BACKEND_URL": f"file://{made}/state", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    command = ["pulumi", "stack", "init", stack, "--no-select", "--non-interactive"]
    subprocess.run(command, cwd=made, env={**os.environ, **given}, check=True, stdin=subprocess.DEVNULL)
    return made
