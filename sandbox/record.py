"""What has to be remembered while a sandbox exists, above all how the machine was before."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
SYSCTLS = (
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.keys.root_maxkeys",
    "kernel.keys.root_maxbytes",
)
SHARED_FOLDERS = (
    "/run/containerd",
    "/run/netns",
    "/run/xtables.lock",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/usr/libexec/kubernetes",
    "/tmp/hostpath_pv",
)


@dataclass
class Record:
    """The addresses chosen, the tools in use, and the machine's state before the first `up`."""

    node: str
    host: str
    prefix: int
    boot: str
    path: list[str] = field(default_factory=list)
    kube: str = ""
    dns: str = ""
    containerd: str = ""
    tekton: str = ""
    applied: str = ""
    afresh: bool = False
    sysctls: dict[str, str] = field(default_factory=dict)
    existed: list[str] = field(default_factory=list)

    @property
    def registry(self) -> str:
        return f"{self.node}:5000"

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(asdict(self), indent=1))
        beside.rename(path)


def load(path: Path) -> Record | None:
    """The record of an existing sandbox."""
    try:
        return Record(**json.loads(path.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None


def boot_id() -> str:
    return BOOT.read_text().strip()


def read_sysctls() -> dict[str, str]:
    """The kernel settings that a kubelet changes."""
    found: dict[str, str] = {}
    for name in SYSCTLS:
        file = sysctl_file(name)
        if file.exists():
            found[name] = file.read_text().strip()
    return found


def restore_sysctls(before: dict[str, str]) -> None:
    for name, value in before.items():
        file = sysctl_file(name)
        if file.read_text().strip() != value:
            file.write_text(value)


def sysctl_file(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


def existing_folders() -> list[str]:
    """Paths outside our own folder that the parts create and that were there before."""
    return [path for path in SHARED_FOLDERS if Path(path).exists()]
