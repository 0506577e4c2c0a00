"""The container runtime and the image registry."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from sandbox import network, registry
from sandbox.places import Places
from sandbox.processes import Part
from sandbox.record import Record

DISABLED = (
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",
    "io.containerd.tracing.processor.v1.otlp",
)
CONTAINERD = """version = 3
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = {disabled}
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{registry}/pause:1"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{folder}/certs.d"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{folder}/net.d"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      runtime_path = "{program}-shim-runc-v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""
HOSTS = """server = "http://{registry}"
[host."http://{registry}"]
  capabilities = ["pull", "resolve"]
"""


def containerd(places: Places, record: Record) -> Part:
    """The container runtime; it pulls everything, the pause image too, from the registry."""
    folder, address = places.containerd, record.registry
    config = folder / "config.toml"
    text = CONTAINERD.format(folder=folder, registry=address, disabled=json.dumps(DISABLED), program=record.containerd)
    return Part(
        "containerd",
        (record.containerd, "--config", str(config), "--log-level", "warn"),
        {
            config: text,
            folder / "net.d/10-sandbox.conflist": network.cni(),
            folder / "certs.d" / address / "hosts.toml": HOSTS.format(registry=address),
        },
        lambda: listens(places.socket),
    )


def listens(path: Path) -> bool:
    """Whether a program accepts connections on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def image_registry(places: Places, address: str) -> Part:
    """The registry, reached under one address by this machine, the node and the pods."""
    config = places.config / "registry.json"
    storage = {
        "filesystem": {"rootdirectory": str(places.home / "registry")},
        "delete": {"enabled": True},
    }
    settings = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": storage,
        "http": {"addr": address},
    }
    return Part(
        "registry",
        ("docker-registry", "serve", str(config)),
        {config: json.dumps(settings, indent=1)},
        lambda: registry.answers(address),
    )
