"""How large what a task is made from may be: what is larger passes every check of Kubernetes, and fails later.

A template is a ConfigMap, which Kubernetes allows 1 MiB of data, as a Secret. A run is larger than its manifest, since
Tekton writes the specification into the status once more, and again for each retry: what then has more than etcd's
1.5 MiB runs, and its end is never written down. Linux starts no program with an argument above 131,072 bytes.
"""

from __future__ import annotations

import json
from typing import Dict, List, Mapping

from ..api import Object
from ..errors import InvalidInput
from .command import carried
from .environment import LARGEST
from .pipelinerun import step_of

OF_OBJECT, OF_DATA = 1_500_000, 1_048_576  # the first with place for what else stands in a status
NAMED = 3
_ADVICE = "pass what is large as files, in Secrets or ConfigMaps that are mounted with volumes=…"


def check_run(owner: str, manifest: Object) -> None:
    """Refuses a PipelineRun that could not be started, or whose end could not be written down."""
    step, retries = step_of(manifest), int(manifest["spec"]["pipelineSpec"]["tasks"][0].get("retries") or 0)
    for text in [*(step.get("command") or []), *(step.get("args") or [])]:
        size = _bytes(carried(text)) + 1
        if size > LARGEST:
            raise InvalidInput(
                f"{owner}: an argument of its command has {size:,} bytes, Linux allows {LARGEST:,}: "
                "put the script into the image, or into a ConfigMap that is mounted with volumes=…"
            )
    copies = 2 + retries
    size = len(json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size * copies > OF_OBJECT:
        kept = "twice" if not retries else f"{copies} times with retries={retries}"
        env: List[Dict[str, str]] = [entry for entry in step.get("env") or [] if "value" in entry]
        raise InvalidInput(
            f"{owner}: its PipelineRun has {size:,} bytes, of which {OF_OBJECT // copies:,} are allowed, since Tekton "
            f"keeps it {kept} in one object{_largest({entry['name']: entry['value'] for entry in env})}: {_ADVICE}"
        )


def check_data(owner: str, what: str, data: Mapping[str, str]) -> None:
    """Refuses the data of a ConfigMap or a Secret that Kubernetes would not take."""
    size = sum(_bytes(text) for text in data.values())
    if size > OF_DATA:
        raise InvalidInput(
            f"{owner}: {what} has {size:,} bytes, Kubernetes allows {OF_DATA:,}{_largest(data)}: {_ADVICE}"
        )


def _largest(texts: Mapping[str, str]) -> str:
    sizes = sorted(((_bytes(text), name) for name, text in texts.items()), reverse=True)[:NAMED]
    return f" (the largest: {', '.join(f'{name} with {size:,}' for size, name in sizes)})" if sizes else ""


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
