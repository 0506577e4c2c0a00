"""What is to be hidden in the log of a run: the values of the Secrets that it can read."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ..cluster.client import Cluster
from ..core.log.masking import SHORTEST
from ..core.run import bindings, pipelinerun
from ..errors import ClusterError, Unreachable


def secret_values(
    cluster: Cluster,
    namespace: str,
    manifest: dict[str, Any],
    warn: Callable[[str], None],
    unread: Callable[[str], None] | None = None,
) -> list[str]:
    """The values of all Secrets that a run refers to; one that is too short to hide is warned of.

    `unread` (default: `warn`) is told of a Secret that cannot be read. Raises Unreachable: without an answer a log
    would be shown as it is.
    """
    wanted: dict[str, set[str]] = {}
    for ref in pipelinerun.secrets_of(manifest):
        wanted.setdefault(ref["name"], set()).add(ref["key"])
    values = []
    for name, keys in sorted(wanted.items()):
        try:
            data = (cluster.get(namespace, "secrets", name) or {}).get("data") or {}
        except Unreachable:
            raise
        except ClusterError as error:
            (unread or warn)(f"secret values of {name} cannot be masked in the log: {error}")
            continue
        for key in sorted(data if "" in keys else keys & data.keys()):
            value = base64.b64decode(data[key]).decode("utf-8", "replace")
            if key in keys and 0 < len(value) < SHORTEST:
                warn(f"secret variable {key} is shorter than {SHORTEST} characters and is not masked")
            values += bindings.sensitive(key, value)
    return values
