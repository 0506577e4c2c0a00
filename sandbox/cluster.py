"""The parts of the cluster in the order of their start, and the objects every cluster has."""

from __future__ import annotations

from typing import Any

from sandbox import control, node, runtime
from sandbox.api import Api, condition
from sandbox.places import DNS_SERVICE, NODE, Places
from sandbox.processes import Part
from sandbox.record import Record

STOPPING = (
    "kubelet",
    "proxy",
    "dns",
    "scheduler",
    "controller-manager",
    "second-controller-manager",
    "second-apiserver",
    "second-etcd",
    "apiserver",
    "etcd",
    "containerd",
    "registry",
)


def base_parts(places: Places, record: Record) -> list[Part]:
    """What needs nobody else; all of it can start at the same moment."""
    plane = control.first(places)
    return [
        runtime.image_registry(places, record.registry),
        runtime.containerd(places, record),
        control.etcd(plane, record),
        control.apiserver(plane, places, record),
    ]


def later_parts(places: Places, record: Record) -> list[Part]:
    """What needs the API server."""
    plane = control.first(places)
    return [
        control.controller_manager(plane, places, record),
        control.scheduler(plane, places, record),
        node.kubelet(plane, places, record),
        node.proxy(plane, places, record),
        node.dns(plane, places, record),
    ]


def second_parts(places: Places, record: Record) -> list[Part]:
    """A second API server without nodes."""
    plane = control.second(places)
    return [
        control.etcd(plane, record),
        control.apiserver(plane, places, record),
        control.controller_manager(plane, places, record),
    ]


def parts(places: Places, record: Record) -> dict[str, Part]:
    """The parts of an ordinary sandbox by name."""
    return {part.name: part for part in base_parts(places, record) + later_parts(places, record)}


def node_ready(api: Api) -> bool:
    return condition(api.get(f"/api/v1/nodes/{NODE}"), "Ready")


def apply_base(api: Api, record: Record) -> None:
    """The default storage class, and cluster DNS under its usual address."""
    for path, content in base_objects(record.node).items():
        api.apply(path, content)


def base_objects(address: str) -> dict[str, dict[str, Any]]:
    """Objects by their path."""
    system = {"namespace": "kube-system"}
    ports = [
        {"name": "dns", "protocol": "UDP", "port": 53},
        {"name": "dns-tcp", "protocol": "TCP", "port": 53},
    ]
    labels = {"kubernetes.io/service-name": "kube-dns"}
    rights = "rbac.authorization.k8s.io"
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "/apis/storage.k8s.io/v1/storageclasses/hostpath": {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "hostpath", "annotations": default},
            "provisioner": "kubernetes.io/host-path",
        },
        f"/apis/{rights}/v1/clusterrolebindings/sandbox-dns": {
            "apiVersion": f"{rights}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "sandbox-dns"},
            "roleRef": {"apiGroup": rights, "kind": "ClusterRole", "name": "view"},
            "subjects": [{"apiGroup": rights, "kind": "User", "name": "sandbox:dns"}],
        },
        "/api/v1/namespaces/kube-system/services/kube-dns": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", **system},
            "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
        },
        "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns": {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "kube-dns", "labels": labels, **system},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address]}],
            "ports": ports,
        },
    }
