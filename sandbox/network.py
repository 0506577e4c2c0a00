"""One network namespace for everything, tied to the machine by one pair of links.

It has no default route, so nothing in it can reach beyond this machine; its node address is
the same for the machine, the node and the pods.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from pathlib import Path

from sandbox.places import HOST_LINK, NAMESPACE, NODE_LINK, PODS, SERVICES
from sandbox.record import Record
from sandbox.steps import Failure, attempt, run

CANDIDATES = (
    "10.88.0.0/30",
    "10.89.0.0/30",
    "10.188.0.0/30",
    "172.31.254.0/30",
    "192.168.254.0/30",
)


def choose(taken: Iterable[str]) -> tuple[str, str, int]:
    """The node's address, the machine's, and the prefix of a network that nobody uses."""
    others = [ipaddress.ip_network(route, strict=False) for route in taken]
    for candidate in CANDIDATES:
        network = ipaddress.ip_network(candidate)
        if not any(network.overlaps(other) for other in others if other.version == 4):
            node, host = network.hosts()
            return str(node), str(host), network.prefixlen
    raise Failure("No free network for the sandbox: all of " + ", ".join(CANDIDATES) + " are routed already.")


def routes() -> list[str]:
    """The networks that this machine has routes or addresses for."""
    found = [str(route["dst"]) for route in json.loads(run(["ip", "-j", "-4", "route"]) or "[]")]
    return [route for route in found if route != "default"]


def present() -> bool:
    """Whether the namespace and both links are there."""
    return (
        Path("/run/netns", NAMESPACE).exists()
        and Path("/sys/class/net", HOST_LINK).exists()
        and attempt(["ip", "-n", NAMESPACE, "link", "show", NODE_LINK])
    )


def create(record: Record) -> None:
    """Namespace, links, addresses, and a route for Service addresses on the node itself."""
    inside = ["ip", "-n", NAMESPACE]
    run(["ip", "netns", "add", NAMESPACE])
    run([*inside, "link", "set", "lo", "up"])
    peer = ["peer", "name", NODE_LINK, "netns", NAMESPACE]
    run(["ip", "link", "add", HOST_LINK, "type", "veth", *peer])
    run(["ip", "addr", "add", f"{record.host}/{record.prefix}", "dev", HOST_LINK])
    run(["ip", "link", "set", HOST_LINK, "up"])
    run([*inside, "addr", "add", f"{record.node}/{record.prefix}", "dev", NODE_LINK])
    run([*inside, "link", "set", NODE_LINK, "up"])
    run([*inside, "route", "add", SERVICES, "dev", NODE_LINK])


def remove(keep_folder: bool) -> None:
    """Takes namespace and links away, and the mount that `ip netns` leaves behind."""
    if Path("/sys/class/net", HOST_LINK).exists():
        run(["ip", "link", "del", HOST_LINK])
    place = Path("/run/netns", NAMESPACE)
    if place.exists() and not attempt(["ip", "netns", "del", NAMESPACE]):
        place.unlink(missing_ok=True)
    folder = Path("/run/netns")
    if not keep_folder and folder.is_dir() and not any(folder.iterdir()):
        attempt(["umount", str(folder)])
        folder.rmdir()


def cni() -> str:
    """The pods' network: a bridge inside the namespace."""
    ranges = [[{"subnet": PODS}]]
    routes_out = [{"dst": "0.0.0.0/0"}]
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": ranges, "routes": routes_out},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    return json.dumps({"cniVersion": "0.4.0", "name": NAMESPACE, "plugins": [bridge, ports]})
