"""The provider's process on the oldest Pulumi SDK that the wheel allows; all other tests use the newest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLDEST = ROOT / ".venv" / "oldest"  # made with the virtual environment: see the Makefile


def lower_bound(package: str) -> str:
    """The oldest version of a dependency that is allowed."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    [found] = [match[1] for text in dependencies if (match := re.fullmatch(rf"{package}>=([\d.]+),<.*", text))]
    return found


@pytest.mark.skipif(not OLDEST.exists(), reason="the oldest SDK is not installed: `make .venv/.ready` does")
def test_the_host_of_the_oldest_sdk_is_known() -> None:
    oldest = lower_bound("pulumi")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(OLDEST), str(ROOT / "components")])}
    told = "from importlib.metadata import version; import pulumi; print(version('pulumi'), pulumi.__file__)"
    shown = subprocess.run([sys.executable, "-c", told], env=env, text=True, capture_output=True, check=True).stdout
    assert (
        shown.split() == [f"{oldest}.0", str(OLDEST / "pulumi" / "__init__.py")] and version("pulumi") != f"{oldest}.0"
    )
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/provider/test_hosting.py"]
    done = subprocess.run(tests, cwd=ROOT, env=env, text=True, capture_output=True)
    assert done.returncode == 0 and " passed" in done.stdout and "skipped" not in done.stdout, done.stdout


if __name__ == "__main__":
    print(f"pulumi=={lower_bound('pulumi')}")
