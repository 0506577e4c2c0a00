"""The control plane: etcd, the API server and the controllers, as often as one likes.

A second plane with other ports gives tests a second cluster, without nodes, for the price
of three processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox import pki
from sandbox.api import Api
from sandbox.places import SERVICES, Places
from sandbox.processes import Part, connects
from sandbox.record import Record

SCHEDULER_PORT = 10259
BARE = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
)


@dataclass(frozen=True)
class Plane:
    """One control plane: its part names' prefix, its folder, its ports, its controllers."""

    prefix: str
    folder: Path
    kubeconfig: Path
    api_port: int
    etcd_port: int
    manager_port: int
    controllers: tuple[str, ...] = ("*",)

    def part(self, name: str) -> str:
        return self.prefix + name


def first(places: Places) -> Plane:
    return Plane("", places.home, places.kubeconfig, 6443, 2379, 10257)


def second(places: Places) -> Plane:
    folder = places.home / "second"
    return Plane("second-", folder, folder / "kubeconfig", 6444, 2479, 10267, BARE)


def server(plane: Plane, record: Record) -> str:
    return f"https://{record.node}:{plane.api_port}"


def write_kubeconfig(plane: Plane, places: Places, record: Record) -> None:
    """The administrator's kubeconfig of a plane."""
    context = plane.part("sandbox")
    text = pki.kubeconfig(places.pki, "admin", server(plane, record), context)
    plane.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    plane.kubeconfig.write_text(text)
    plane.kubeconfig.chmod(0o600)


def etcd(plane: Plane, record: Record) -> Part:
    """The store; data is as short-lived as the sandbox, so it need not be synced to disk."""
    name = plane.part("etcd")
    client, peer = (f"http://127.0.0.1:{plane.etcd_port + step}" for step in (0, 1))
    flags = {
        "name": name,
        "data-dir": str(plane.folder / "etcd"),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{name}={peer}",
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    return Part(name, (record.kube, "etcd", *arguments(flags)))


def apiserver(plane: Plane, places: Places, record: Record) -> Part:
    """The API server; it dials webhooks directly and stops without waiting for watchers."""
    keys = places.pki
    flags = {
        "etcd-servers": f"http://127.0.0.1:{plane.etcd_port}",
        "bind-address": record.node,
        "advertise-address": record.node,
        "secure-port": str(plane.api_port),
        "tls-cert-file": str(keys / "apiserver.crt"),
        "tls-private-key-file": str(keys / "apiserver.key"),
        "client-ca-file": str(keys / "ca.crt"),
        "token-auth-file": str(keys / "tokens.csv"),
        "authorization-mode": "Node,RBAC",
        "service-cluster-ip-range": SERVICES,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(keys / "sa.pub"),
        "service-account-signing-key-file": str(keys / "sa.key"),
        "kubelet-client-certificate": str(keys / "apiserver-kubelet.crt"),
        "kubelet-client-key": str(keys / "apiserver-kubelet.key"),
        "kubelet-certificate-authority": str(keys / "ca.crt"),
        "kubelet-preferred-address-types": "InternalIP",
        "enable-aggregator-routing": "true",
        "allow-privileged": "true",
        "profiling": "false",
    }
    api = Api(plane.kubeconfig)
    name = plane.part("apiserver")
    return Part(name, (record.kube, "apiserver", *arguments(flags)), answers=api.ready, grace=2.0)


def controller_manager(plane: Plane, places: Places, record: Record) -> Part:
    """The controllers, with volumes from folders of this machine."""
    keys = places.pki
    flags = {
        **component(plane, record, "controller-manager", plane.manager_port),
        "controllers": ",".join(plane.controllers),
        "use-service-account-credentials": "true",
        "service-account-private-key-file": str(keys / "sa.key"),
        "root-ca-file": str(keys / "ca.crt"),
        "cluster-signing-cert-file": str(keys / "ca.crt"),
        "cluster-signing-key-file": str(keys / "ca.key"),
        "allocate-node-cidrs": "false",
        "enable-hostpath-provisioner": "true",
        "flex-volume-plugin-dir": str(places.home / "plugins"),
        # Twenty requests a second, the default, would let the pods of 4,500 pruned runs stay for minutes.
        "kube-api-qps": "200",
        "kube-api-burst": "300",
    }
    return controller(plane, places, record, "controller-manager", flags)


def scheduler(plane: Plane, places: Places, record: Record) -> Part:
    flags = component(plane, record, "scheduler", SCHEDULER_PORT)
    return controller(plane, places, record, "scheduler", flags)


def controller(plane: Plane, places: Places, record: Record, name: str, flags: dict[str, str]) -> Part:
    """A part that talks to the API server with a kubeconfig of its own."""
    text = pki.kubeconfig(places.pki, name, server(plane, record))
    files = {plane.folder / f"config/{name}.kubeconfig": text}
    port = int(flags["secure-port"])
    command = (record.kube, name, *arguments(flags))
    return Part(plane.part(name), command, files, lambda: connects(record.node, port))


def component(plane: Plane, record: Record, name: str, port: int) -> dict[str, str]:
    kubeconfig = str(plane.folder / f"config/{name}.kubeconfig")
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": record.node,
        "secure-port": str(port),
        "leader-elect": "false",
    }


def arguments(flags: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
