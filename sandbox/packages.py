"""The Debian packages that the cluster stands on; missing ones are installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.steps import Failure, Steps, tail

NEEDED = (
    "busybox-static",
    "conntrack",
    "containernetworking-plugins",
    "docker-registry",
    "gcc",
    "iproute2",
    "iptables",
    "libc6-dev",
    "mount",
    "netavark",
    "openssl",
    "python3",
    "runc",
    "socat",
    "util-linux",
)


def ensure(steps: Steps, log: Path, environ: Mapping[str, str], needed: Iterable[str] = NEEDED) -> None:
    """Installs what is missing on Debian; elsewhere names it."""
    lacking = missing(needed)
    if not lacking:
        return
    names = " ".join(lacking)
    if not Path("/etc/debian_version").exists():
        raise Failure(
            f"The sandbox needs these programs, here by their Debian package names: {names}. "
            "Install them, or use your own pulumi and cluster with CLUSTER=current."
        )
    steps.say(f"installing Debian packages: {names}")
    quiet = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        for command in (["update"], ["install", "-y", "--no-install-recommends", *lacking]):
            done = subprocess.run(["apt-get", *command], env=quiet, stdout=sink, stderr=sink, check=False)
    if done.returncode:
        raise Failure(f"apt-get could not install {names}:\n{tail(log)}")
    steps.say("Debian packages installed")


def missing(names: Iterable[str]) -> list[str]:
    """The packages that dpkg does not know as installed."""
    wanted = list(names)
    try:
        said = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted],
            text=True,
            capture_output=True,
            check=False,
        ).stdout
    except FileNotFoundError:
        return wanted
    installed = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def require_root(platform: str) -> None:
    """Namespaces and control groups need Linux and root."""
    instead = "Or use your own pulumi and cluster with CLUSTER=current."
    if platform != "linux":
        raise Failure(f"The sandbox needs Linux, and this is {platform}. {instead}")
    if os.geteuid() != 0:
        raise Failure(f"The sandbox needs root: it starts a kubelet and containers. {instead}")
