"""Where everything of one sandbox lies, and under which names and addresses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAMESPACE = "kf-sandbox"
HOST_LINK = "kf-sandbox0"
NODE_LINK = "node0"
NODE = "sandbox"
PODS = "10.88.77.0/24"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
MARKER = "KF_SANDBOX"
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Places:
    """The folders below SANDBOX_HOME, all of which `down` removes."""

    home: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Places:
        return cls(Path(environ.get("SANDBOX_HOME") or "/var/lib/kf-sandbox").absolute())

    @property
    def record(self) -> Path:
        return self.home / "record.json"

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def config(self) -> Path:
        return self.home / "config"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def containerd(self) -> Path:
        return self.home / "containerd"

    @property
    def socket(self) -> Path:
        return self.containerd / "containerd.sock"

    @property
    def kubelet(self) -> Path:
        return self.home / "kubelet"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"


def in_namespace(argv: list[str]) -> list[str]:
    """A command run inside the sandbox's network; /sys stays as it is, unlike `ip netns exec`."""
    return ["nsenter", f"--net=/run/netns/{NAMESPACE}", *argv]


def clean_environ(home: Path) -> dict[str, str]:
    """What a part sees: no proxies, no credentials, and the mark by which it is recognised."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        MARKER: str(home),
    }
