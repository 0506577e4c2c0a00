"""Security groups as rules of a NetworkPolicy.

A rule is written as Cloud Foundry writes one
(https://docs.cloudfoundry.org/concepts/asg.html#structure): protocol, destination (source for what
comes in) and ports. An App or a namespace can stand in place of addresses, which Kubernetes can
select and Cloud Foundry cannot. ICMP cannot be told in a NetworkPolicy and is refused.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..errors import InvalidInput

Rule = Mapping[str, Any]

APP_LABEL, NAMESPACE_LABEL = "app.kubernetes.io/name", "kubernetes.io/metadata.name"
PROTOCOLS = ("tcp", "udp", "sctp", "all")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
_DNS = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def policy(
    owner: str,
    selector: Mapping[str, str],
    egress: Optional[Sequence[Rule]],
    ingress: Optional[Sequence[Rule]],
    dns: bool,
) -> Dict[str, Any]:
    """The spec of the NetworkPolicy; a direction that is None stays open, an empty one is closed."""
    spec: Dict[str, Any] = {"podSelector": {"matchLabels": dict(selector)}, "policyTypes": []}
    if egress is None and ingress is None:
        raise InvalidInput(f"{owner} has no rules: give it egress=[…] or ingress=[…] ([] closes that direction)")
    if ingress is not None:
        spec["policyTypes"].append("Ingress")
        spec["ingress"] = [_rule(f"{owner}: ingress[{nth}]", rule, "source") for nth, rule in enumerate(ingress)]
    if egress is not None:
        spec["policyTypes"].append("Egress")
        rules = [_rule(f"{owner}: egress[{nth}]", rule, "destination") for nth, rule in enumerate(egress)]
        spec["egress"] = [*([_DNS] if dns else []), *rules]
    return spec


def _rule(what: str, rule: Any, side: str) -> Dict[str, Any]:
    known = ("protocol", side, "ports", "app", "namespace", "description", "log")
    if not isinstance(rule, Mapping):
        raise InvalidInput(f"{what}: {rule!r} is no map: write {{'protocol': 'tcp', '{side}': '10.0.0.0/8', …}}")
    for name in rule:
        if name not in known:
            raise InvalidInput(f"{what}: {name!r} is unknown: use {', '.join(known)}")
    protocol = str(rule.get("protocol", "tcp")).lower()
    if protocol not in PROTOCOLS:
        raise InvalidInput(
            f"{what}: protocol {protocol!r} cannot be told in a NetworkPolicy: use one of {', '.join(PROTOCOLS)}"
        )
    ports = _ports(what, rule.get("ports"), protocol)
    peers = _peers(what, rule, side)
    return {
        **({"from" if side == "source" else "to": peers} if peers else {}),
        **({"ports": ports} if ports else {}),
    }


def _peers(what: str, rule: Rule, side: str) -> List[Dict[str, Any]]:
    address, app, namespace = rule.get(side), rule.get("app"), rule.get("namespace")
    if address is not None and (app or namespace):
        raise InvalidInput(f"{what}: {side} and app or namespace exclude each other: make two rules of it")
    if address is not None:
        return [{"ipBlock": {"cidr": cidr}} for cidr in _networks(f"{what}: {side}", address)]
    peer: Dict[str, Any] = {}
    if namespace:
        peer["namespaceSelector"] = {"matchLabels": {NAMESPACE_LABEL: namespace}}
    if app:
        peer["podSelector"] = {"matchLabels": {APP_LABEL: app}}
    return [peer] if peer else []


def _networks(what: str, text: Any) -> List[str]:
    """`10.0.0.0/8`, `10.0.0.7`, `10.0.0.1-10.0.0.9` or several after commas, as networks."""
    try:
        found = []
        for part in str(text).split(","):
            first, dash, last = part.strip().partition("-")
            if dash:
                low, high = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
                found += [str(network) for network in ipaddress.summarize_address_range(low, high)]
            else:
                found.append(str(ipaddress.ip_network(first)))
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"{what}: {text!r} is no address ({error}): write '10.0.0.0/8', '10.0.0.7' or '10.0.0.1-10.0.0.9'"
        ) from None
    return found


def _ports(what: str, text: Any, protocol: str) -> List[Dict[str, Any]]:
    if protocol == "all":
        if text is not None:
            raise InvalidInput(f"{what}: protocol 'all' has no ports: choose tcp or udp, or leave ports out")
        return []
    if text is None:
        return [{"protocol": protocol.upper()}]
    found: List[Dict[str, Any]] = []
    for part in str(text).split(","):
        match = _PORTS.fullmatch(part.strip())
        low = int(match[1]) if match else 0
        high = int(match[2]) if match and match[2] else low
        if not 0 < low <= high <= 65535:
            raise InvalidInput(f"{what}: ports {text!r}: write '443', '443,8080' or '8000-9000' (1 to 65535)")
        end = {"endPort": high} if high > low else {}
        found.append({"protocol": protocol.upper(), "port": low, **end})
    return found
