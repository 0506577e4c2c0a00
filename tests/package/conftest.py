"""The distributions as `make dist` builds them, once for all workers of a test run."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path

import pytest
from build import ProjectBuilder
from build.env import DefaultIsolatedEnv

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist of this checkout."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "dist"
    with (folder.with_suffix(".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    """The sdist, and from it the wheel, as `python -m build` does, but in one environment of their own, not in two."""
    with DefaultIsolatedEnv() as env, tempfile.TemporaryDirectory() as unpacked:
        builder = ProjectBuilder.from_isolated_env(env, CHECKOUT)
        env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("sdist"))
        shutil.unpack_archive(builder.build("sdist", folder), unpacked, filter="data")
        [source] = Path(unpacked).iterdir()
        builder = ProjectBuilder.from_isolated_env(env, source)
        env.install(builder.get_requires_for_build("wheel"))
        builder.build("wheel", folder)


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    [found] = dist.glob("*.whl")
    return found
