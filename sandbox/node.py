"""The node: kubelet, Service addresses and cluster DNS."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from sandbox import pki
from sandbox.api import Api
from sandbox.control import Plane, arguments, server
from sandbox.places import DNS_SERVICE, NAMESPACE, NODE, PODS, Places
from sandbox.processes import Part, connects
from sandbox.record import Record

DOMAIN = "cluster.local"
PROXY_PORT = 10256
HEALTH = f"/api/v1/nodes/{NODE}/proxy/healthz"
COREFILE = """.:53 {{
    errors
    ready 127.0.0.1:8181
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def kubelet(plane: Plane, places: Places, record: Record) -> Part:
    """The kubelet; everything it writes lies below our folder where it lets one choose."""
    config = places.config / "kubelet.json"
    kubeconfig = places.config / "kubelet.kubeconfig"
    resolver = places.config / "resolv.conf"
    flags = {
        "config": str(config),
        "kubeconfig": str(kubeconfig),
        "hostname-override": NODE,
        "node-ip": record.node,
        "root-dir": str(places.kubelet),
        "cert-dir": str(places.kubelet / "certificates"),
    }
    files = {
        config: json.dumps(kubelet_settings(places, record, resolver), indent=1),
        kubeconfig: pki.kubeconfig(places.pki, "kubelet", server(plane, record)),
        resolver: f"nameserver {DNS_SERVICE}\n",
    }
    api = Api(plane.kubeconfig)
    command = (record.kube, "kubelet", *arguments(flags))
    return Part("kubelet", command, files, lambda: api.ask("GET", HEALTH)[0] == http.client.OK)


def kubelet_settings(places: Places, record: Record, resolver: Path) -> dict[str, Any]:
    """Some defaults ask for rights or disk space that a small machine may not have."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": record.node,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(places.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(places.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(places.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{places.socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{NAMESPACE}",
        "cgroupsPerQOS": True,
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": ["pods"],
        "localStorageCapacityIsolation": True,
        "oomScoreAdj": 0,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "resolvConf": str(resolver),
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "containerLogMaxSize": "50Mi",
        "maxPods": 200,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "serializeImagePulls": False,
        "podLogsDir": str(places.home / "podlogs"),
        "volumePluginDir": str(places.home / "plugins"),
        "shutdownGracePeriod": "0s",
    }


def proxy(plane: Plane, places: Places, record: Record) -> Part:
    """Service addresses, as rules of the namespace's own packet filter."""
    config = places.config / "proxy.json"
    kubeconfig = places.config / "proxy.kubeconfig"
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": record.node,
        "healthzBindAddress": f"{record.node}:{PROXY_PORT}",
        "metricsBindAddress": "127.0.0.1:10249",
        "clusterCIDR": PODS,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "hostnameOverride": NODE,
        "oomScoreAdj": 0,
        "nodePortAddresses": [f"{record.node}/32"],
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    files = {
        config: json.dumps(settings, indent=1),
        kubeconfig: pki.kubeconfig(places.pki, "proxy", server(plane, record)),
    }
    command = (record.kube, "proxy", f"--config={config}")
    return Part("proxy", command, files, lambda: connects(record.node, PROXY_PORT))


def dns(plane: Plane, places: Places, record: Record) -> Part:
    """Cluster DNS on the node's address, behind the usual Service."""
    config = places.config / "Corefile"
    kubeconfig = places.config / "dns.kubeconfig"
    files = {
        config: COREFILE.format(domain=DOMAIN, kubeconfig=kubeconfig),
        kubeconfig: pki.kubeconfig(places.pki, "dns", server(plane, record)),
    }
    command = (record.dns, "-conf", str(config))
    return Part("dns", command, files, lambda: connects(record.node, 53))
