"""Pulumi's own parts: whether the machine's can be used, and the home folder of ours.

Building the engine and its Python host takes ten minutes; a person who has a recent
enough pulumi should not wait for a second one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sandbox import tools
from sandbox.cache import place

OLDEST = (3, 200)
NEWEST = (4,)
HOST = "pulumi-language-python"


def suitable(environ: Mapping[str, str], ours: Path) -> Path | None:
    """A pulumi on PATH, not from our cache, new enough and with its Python host."""
    folders = [
        folder
        for folder in environ.get("PATH", "").split(os.pathsep)
        if folder and not Path(folder).is_relative_to(ours)
    ]
    search = os.pathsep.join(folders)
    found = shutil.which("pulumi", path=search)
    if not found:
        return None
    beside = str(Path(found).resolve().parent)
    if not shutil.which(HOST, path=os.pathsep.join([beside, search])):
        return None
    try:
        said = subprocess.run([found, "version"], text=True, capture_output=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(found) if supported(said) else None


def supported(version: str) -> bool:
    """Whether the components are known to work with this engine."""
    return OLDEST <= tools.numbers(version) < NEWEST


def prepare_home(home: Path, provider: Path) -> None:
    """PULUMI_HOME with the Kubernetes provider as the plugin that the engine looks for."""
    plugin = home / "plugins" / f"resource-kubernetes-v{tools.PROVIDER}" / provider.name
    if not plugin.exists() or not plugin.samefile(provider):
        place(provider, plugin)
