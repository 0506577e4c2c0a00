"""The variables that the platform sets in every task, as Kf does in its tasks.

Values that are known beforehand are written out, so that a template shows them; only the pod's
address and identity come from the pod. Kf gives a task neither PORT nor CF_INSTANCE_INDEX: nothing
reaches it from outside, and there is one of it.
"""

from __future__ import annotations

import json
import uuid
from typing import Dict, List, Mapping, Sequence

from ..quantities import mebibytes
from .environment import YIELDING, Value

PORT = "8080"  # of an App that names none; in a task it is only the port part of CF_INSTANCE_ADDR
_AMOUNTS = ("MEMORY_LIMIT_IN_MB", "MEMORY_LIMIT", "DISK_LIMIT")
_GUIDS = uuid.UUID("6b66746b-0000-5000-8000-000000000000")
NAMES = (
    "CF_INSTANCE_IP", "CF_INSTANCE_INTERNAL_IP", "CF_INSTANCE_PORT", "CF_INSTANCE_ADDR",
    "CF_INSTANCE_GUID", "INSTANCE_GUID", "LANG", "DATABASE_URL", *_AMOUNTS,
)  # fmt: skip


def guid(*parts: str) -> str:
    """A GUID that stays the same for the same names: Cloud Foundry's programs expect one, and nothing may change."""
    return str(uuid.uuid5(_GUIDS, "\n".join(parts)))


def variables(stack: str, namespace: str, app: str, memory: str, disk: str) -> Dict[str, Value]:
    """The system layer; `memory` and `disk` are the task's limits."""
    address = Value("$(CF_INSTANCE_IP)", expands=True)
    return {
        "CF_INSTANCE_IP": Value(pod_field="status.podIP"),
        "CF_INSTANCE_INTERNAL_IP": address,
        "VCAP_APP_HOST": address,
        "CF_INSTANCE_PORT": Value(PORT),
        "CF_INSTANCE_ADDR": Value("$(CF_INSTANCE_IP):$(CF_INSTANCE_PORT)", expands=True),
        "CF_INSTANCE_GUID": Value(pod_field="metadata.uid"),
        "INSTANCE_GUID": Value("$(CF_INSTANCE_GUID)", expands=True),
        "LANG": Value("en_US.UTF-8"),
        **{name: Value(text) for name, text in _amounts(memory, disk).items()},
        "VCAP_APPLICATION": Value(application(stack, namespace, app, memory, disk)),
    }


def application(stack: str, namespace: str, app: str, memory: str, disk: str) -> str:
    """VCAP_APPLICATION; its process type is `web` in a task too, as in Kf."""
    identity = guid(stack, namespace, app)
    return _json({
        "application_id": identity,
        "application_name": app,
        "application_uris": [],
        "limits": {"disk": mebibytes(disk), "mem": mebibytes(memory)},
        "name": app,
        "process_id": identity,
        "process_type": "web",
        "space_name": namespace,
        "uris": [],
    })  # fmt: skip


def with_amounts(env: Mapping[str, str], memory: str, disk: str) -> Dict[str, str]:
    """Those of a run's variables that tell its amounts, for other amounts."""
    changed = {name: text for name, text in _amounts(memory, disk).items() if name in env}
    if "VCAP_APPLICATION" in env:
        limits = {"disk": mebibytes(disk), "mem": mebibytes(memory)}
        changed["VCAP_APPLICATION"] = _json({**json.loads(env["VCAP_APPLICATION"]), "limits": limits})
    return changed


def overridden(names: Sequence[str]) -> List[str]:
    """Those of a user's variables that the platform's own will hide."""
    return [name for name in names if name in NAMES and name not in YIELDING]


def _amounts(memory: str, disk: str) -> Dict[str, str]:
    in_mb = str(mebibytes(memory))
    return {"MEMORY_LIMIT_IN_MB": in_mb, "MEMORY_LIMIT": f"{in_mb}M", "DISK_LIMIT": str(mebibytes(disk))}


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
