"""The variables of a shell in which kf, pulumi and kubectl use the sandbox."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from sandbox.record import Record


def variables(
    record: Record, kubeconfig: Path, pulumi_home: Path, checkout: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """Name and value of each; where Pulumi keeps its state is the user's choice if made.

    Without metadata: Pulumi writes a file of them beside each state, which a kill may leave empty, and then cannot
    read the state any more.
    """
    ahead = [str(checkout), *record.path]
    behind = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    path = ahead + [folder for folder in behind if folder not in ahead]
    return {
        "PATH": os.pathsep.join(path),
        "KUBECONFIG": str(kubeconfig),
        "PULUMI_HOME": str(pulumi_home),
        "PULUMI_BACKEND_URL": environ.get("PULUMI_BACKEND_URL") or f"file://{checkout / '.pulumi-state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": environ.get("PULUMI_CONFIG_PASSPHRASE", ""),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_PARALLEL": "64",
        "SANDBOX_REGISTRY": record.registry,
    }


def exports(values: Mapping[str, str]) -> str:
    """Lines for `eval`."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
