"""What is to be hidden in the log of a run: the values of the Secrets that it can read."""

from __future__ import annotations

import base64
from collections.abc import Callable

from ..cluster.client import Cluster
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import SHORTEST
from ..core.log.secret_parts import parts
from ..core.run import bindings, pipelinerun
from ..errors import ClusterError, Unreachable

LEFT = "is not masked"


def secret_values(
    cluster: Cluster,
    namespace: str,
    manifest: Object,
    warn: Callable[[str], None],
    unread: Callable[[str], None] | None = None,
) -> list[str]:
    """The texts to hide of all Secrets that a run refers to; what cannot be hidden is warned of.

    `unread` (default: `warn`) is told of a Secret that cannot be read. Raises Unreachable: without an answer a log
    would be shown as it is.
    """
    wanted: dict[str, set[str]] = {}
    for ref in pipelinerun.secrets_of(manifest):
        wanted.setdefault(ref["name"], set()).add(ref["key"])
    values, short = list[str](), set[str]()
    for name, keys in sorted(wanted.items()):
        try:
            data = (cluster.get(namespace, "secrets", name) or {}).get("data") or {}
        except Unreachable:
            raise
        except ClusterError as error:
            (unread or warn)(f"secret values of {name} cannot be masked in the log: {error}")
            continue
        for key in sorted(data if "" in keys else keys & data.keys()):
            if key not in keys and key in (bindings.TYPE, bindings.PROVIDER):
                continue
            found = parts(key, base64.b64decode(data[key]).decode("utf-8", "replace"))
            values += found.hidden
            what = f"secret variable {key}" if key in keys else f"file {key} of secret {name}"
            for one in found.short:
                if one not in short:
                    warn(f"{what if one == key else f'{what}: {one}'} is shorter than {SHORTEST} characters and {LEFT}")
                short.add(one)
            if found.opaque:
                warn(f"{what} cannot be taken apart: it and each of its lines are masked; another part of it {LEFT}")
    gate.learn(values)
    return values
