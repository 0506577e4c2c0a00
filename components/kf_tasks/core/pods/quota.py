"""ResourceQuota and LimitRange in Cloud Foundry's and Kubernetes' units, in canonical spelling."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .. import quantities
from ..errors import InvalidInput

KINDS = {"default": "default", "default_request": "defaultRequest", "max": "max", "min": "min"}
_SIZES = ("memory", "ephemeral-storage", "storage")
_SHORT = {"disk": "ephemeral-storage"}


def hard(owner: str, quota: Mapping[str, Any]) -> Dict[str, str]:
    """The `hard` of a ResourceQuota: `memory`, `cpu`, `disk` (requests), `limits.memory` …, and counts of objects."""
    if not quota:
        raise InvalidInput(f"{owner}: quota is empty: give amounts, such as {{'memory': '8G', 'pods': 50}}")
    found = {}
    for name, value in quota.items():
        lead, _, last = name.rpartition(".")
        resource = _SHORT.get(last, last)
        amount = lead in ("", "requests", "limits") and (resource == "cpu" or resource in _SIZES)
        key = f"{lead or 'requests'}.{resource}" if amount else name
        what = f"{owner}: quota {name!r}"
        found[key] = _amount(resource, value, what) if amount else str(quantities.count(value, what))
    return found


def limits(owner: str, given: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """The one entry of a LimitRange, for containers."""
    found: Dict[str, Any] = {"type": "Container"}
    for kind, amounts in given.items():
        if kind not in KINDS:
            raise InvalidInput(f"{owner}: limit_range {kind!r} is unknown: use {', '.join(KINDS)}")
        found[KINDS[kind]] = {}
        for name, value in amounts.items():
            resource = _SHORT.get(name, name)
            what = f"{owner}: limit_range {kind} {name!r}"
            if resource != "cpu" and resource not in _SIZES:
                raise InvalidInput(f"{what} is unknown: use memory, disk or cpu")
            found[KINDS[kind]][resource] = _amount(resource, value, what)
    return found


def without_default(quota: Mapping[str, str], limit_range: Optional[Mapping[str, Any]]) -> List[str]:
    """The resources of a quota that containers must name, and for which there is no default."""
    missing = []
    for name in quota:
        kind, _, resource = name.partition(".")
        if resource not in ("cpu", *_SIZES) or resource == "storage":
            continue
        defaults = [(limit_range or {}).get(KINDS["default"]) or {}]
        if kind == "requests":
            defaults.append((limit_range or {}).get(KINDS["default_request"]) or {})
        if not any(resource in amounts for amounts in defaults):
            missing.append(name)
    return sorted(missing)


def _amount(resource: str, value: Any, what: str) -> str:
    return quantities.cpu(value, what) if resource == "cpu" else quantities.size(value, what)
