"""What is to be hidden in the log of a run: the values of the Secrets that it could read, as they were then.

A Secret is changed or deleted while the logs of runs that had it are still kept. So whoever starts a run copies the
Secrets that it reads, once for each version of each, and the run names its copies; they go when no run names
them. Their names tell nothing of what is in them. A Secret that was made or changed while the run waited for its pod,
or that is mounted and changed while the task runs, is copied by whoever follows it. Where there is no copy, as for what
a schedule has started, a Secret counts as long as it has not been changed since the pod of the run started.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from ..cluster.client import Cluster
from ..core import api, marks, moments
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import SHORTEST
from ..core.log.secret_parts import parts
from ..core.run import bindings, outcome, pipelinerun, references
from ..core.run.pipelinerun import EVERY
from ..errors import ClusterError, Unreachable

LEFT = "is not masked"
MISSING = "-"  # no name begins with it
COMPONENT = "kept-secrets"
IN_USE_SECONDS = 3600  # after which nobody is about to name a copy any more
Tell = Callable[[str], Any]
Get = Callable[[str, str, str], Object | None]


def copy_secrets(cluster: Cluster, namespace: str, app: str, manifest: Object) -> str:
    """Copies the Secrets that a run is going to read; returns the names of the copies, as SECRETS has them.

    With them, behind a MISSING, of those that do not exist.

    What may not be read or made is left out. Raises Unreachable.
    """
    names = []
    for name in sorted({ref["name"] for ref in pipelinerun.secrets_of(manifest)}):
        try:
            found = cluster.get(namespace, "secrets", name)
            if found:
                copy = _copy(app, found)
                cluster.create_secret(namespace, copy)
                names.append(copy["metadata"]["name"])
            else:
                names.append(f"{MISSING}{name}")
        except Unreachable:
            raise
        except ClusterError:
            continue
    return ",".join(names)


def copy_late(cluster: Cluster, get: Get, run: Object) -> None:
    """Copies also what was made or changed while the run waited for its pod, which has just started."""
    namespace, metadata = run["metadata"]["namespace"], run["metadata"]
    with contextlib.suppress(ClusterError):  # what is not copied counts as long as it is not changed
        names = {ref["name"] for ref in pipelinerun.secrets_of(run)}
        found = filter(None, [get(namespace, "secrets", name) for name in sorted(names)])
        if any(_changed_after(secret, metadata.get("creationTimestamp")) for secret in found):
            _copy_more(cluster, run)


def files_changed(cluster: Cluster, run: Object, seen: dict[str, str]) -> bool:
    """Whether a Secret that a run has mounted is another than when it was `seen` (versions by names, written on).

    The files of a Secret follow it while a task runs, so that its log may hold each value that it has had meanwhile:
    it is copied once more. Raises ClusterError.
    """
    changed = False
    for name in sorted({name for name, _ in pipelinerun.secret_volumes(run).values()}):
        found = cluster.get(run["metadata"]["namespace"], "secrets", name)
        version = found["metadata"]["resourceVersion"] if found else ""
        changed = changed or bool(version and seen.get(name, version) != version)
        seen[name] = version
    if changed:
        with contextlib.suppress(ClusterError):  # then the values of now are hidden at least here
            _copy_more(cluster, run)
    return changed


def _copy_more(cluster: Cluster, run: Object) -> None:
    """Copies the Secrets of a run as they are now; the run names these copies beside those that it has."""
    metadata = run["metadata"]
    annotations = metadata.setdefault("annotations", {})
    now = copy_secrets(cluster, metadata["namespace"], metadata["labels"][marks.NAME], run).split(",")
    named = ",".join(dict.fromkeys(name for name in (*_named(metadata), *now) if name))
    cluster.annotate_run(metadata["namespace"], metadata["name"], {marks.SECRETS: named}, uid=metadata["uid"])
    annotations[marks.SECRETS] = named


def drop_copies(cluster: Cluster, namespace: str, app: str) -> None:
    """Deletes the copies that no run of an App names any more; without any run all of them."""
    with contextlib.suppress(ClusterError):  # the next one does
        runs = cluster.list_runs(namespace, app)
        named = {name for run in runs for name in run.annotations.get(marks.SECRETS, "").split(",")}
        for copy in cluster.secrets(namespace, f"{api.equal(marks.NAME, app)},{marks.COMPONENT}={COMPONENT}"):
            age = moments.seconds_between(copy["metadata"]["creationTimestamp"], cluster.now)
            if copy["metadata"]["name"] not in named and (not runs or (age or 0) > IN_USE_SECONDS):
                cluster.delete_secret(namespace, copy)


def secret_values(
    get: Get,
    namespace: str,
    manifest: Object,
    warn: Tell,
    unread: Tell | None = None,
    gone: Tell | None = None,
    pods: Sequence[Object] = (),
) -> list[str]:
    """The texts to hide of all Secrets that a run refers to; what cannot be hidden is warned of.

    `get` is that of a Cluster, `pods` are the run's as far as they are known. `unread` (default: `warn`) is told of
    a Secret that may not be read, `gone` (default: `unread`) of one that is no longer what the run had: then nobody
    knows what to hide. Raises Unreachable.
    """
    wanted: dict[str, set[str]] = {}
    for ref in pipelinerun.secrets_of(manifest):
        wanted.setdefault(ref["name"], set()).add(ref["key"])
    metadata = manifest.get("metadata") or {}
    since = min(filter(None, map(outcome.first_start, pods)), default=metadata.get("creationTimestamp"))
    values, short = list[str](), set[str]()
    optional = {one.name for one in references.needed(manifest) if one.optional}
    missing = {name for name in optional if f"{MISSING}{name}" in _named(metadata)}
    try:
        copies = _copies(get, namespace, metadata) if wanted else {}
    except Unreachable:
        raise
    except ClusterError:
        copies = {}
    for name, keys in sorted(wanted.items()):
        try:
            found = get(namespace, "secrets", name)
        except Unreachable:
            raise
        except ClusterError as error:
            (unread or warn)(f"secret values of {name} cannot be masked in the log: {error}")
            continue
        if found is None and name not in copies and name in missing:
            continue
        if name not in copies and (found is None or _changed_after(found, since)):
            what = "is gone" if found is None else "was changed after the run was made"
            (gone or unread or warn)(f"what is secret in the log is not known: Secret {name} {what}")
        for secret in filter(None, (*copies.get(name, ()), found)):
            data = secret.get("data") or {}
            for key in sorted(data if {"", EVERY} & keys else keys & data.keys()):
                is_variable = bool({key, EVERY} & keys)
                if not is_variable and key in (bindings.TYPE, bindings.PROVIDER):
                    continue
                what = f"secret variable {key}" if is_variable else f"file {key} of secret {name}"
                values += _hidden(what, key, data[key], warn, short)
    gate.learn(values)
    return list(dict.fromkeys(values))


def _hidden(what: str, key: str, data: str, warn: Tell, short: set[str]) -> list[str]:
    found = parts(key, base64.b64decode(data).decode("utf-8", "replace"))
    for one in found.short:
        if one not in short:
            warn(f"{what if one == key else f'{what}: {one}'} is shorter than {SHORTEST} characters and {LEFT}")
        short.add(one)
    if found.opaque:
        warn(f"{what} cannot be taken apart: it and each of its lines are masked; another part of it {LEFT}")
    return found.hidden


def _copy(app: str, secret: Object) -> Object:
    """A copy of a Secret as it is now, named by its version: equal ones have one copy, and no value is in the name."""
    metadata = secret["metadata"]
    version = f"{app}/{metadata['uid']}/{metadata['resourceVersion']}"
    labels = {marks.NAME: app, marks.MANAGED_BY: "kf", marks.COMPONENT: COMPONENT}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": True, "data": secret.get("data") or {},
        "metadata": {
            "name": f"kf-had-{hashlib.sha256(version.encode()).hexdigest()[:24]}", "labels": labels,
            "annotations": {marks.COPY_OF: metadata["name"]},
        },
    }  # fmt: skip


def _named(metadata: Object) -> list[str]:
    named: str = (metadata.get("annotations") or {}).get(marks.SECRETS, "")
    return [name for name in named.split(",") if name]


def _copies(get: Get, namespace: str, metadata: Object) -> dict[str, list[Object]]:
    """The copies that a run names, by the Secrets that they are of."""
    names = [name for name in _named(metadata) if not name.startswith(MISSING)]
    copies: dict[str, list[Object]] = {}
    for found in filter(None, [get(namespace, "secrets", name) for name in names]):
        copies.setdefault((found["metadata"].get("annotations") or {}).get(marks.COPY_OF, ""), []).append(found)
    return copies


def _changed_after(secret: Object, moment: str | None) -> bool:
    """Whether a Secret was made or changed after a moment, as far as Kubernetes tells: who set which field when."""
    metadata = secret.get("metadata") or {}
    times = [metadata.get("creationTimestamp"), *(it.get("time") for it in metadata.get("managedFields") or ())]
    return bool(moment) and max((time for time in times if time), default="") > str(moment)
