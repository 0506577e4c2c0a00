"""What is to be hidden in the log of a run: the values of the Secrets that it could read, as they were then.

A Secret is changed or deleted while the logs of runs that had it are still kept. So whoever starts a run copies the
Secrets that it reads, once for each version of each, and the run names its copies; they go when no run names
them. Their names tell nothing of what is in them. A Secret that was made or changed while the run waited for its pod,
or that is mounted and changed while the task runs, is copied by whoever follows it. Where there is no copy, as for what
a schedule has started, a Secret counts as long as it has not been changed since the pod of the run started. Of a run
whose pod started late while nobody followed it, the first copy proves nothing once the Secret is changed after that.
The files of a mounted one follow it: once it has changed while nobody followed the run, nobody knows how often; that it
has not is proven by a later run that was given the same version.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ..cluster.client import Cluster
from ..cluster.secret_versions import KEPT, secret_versions
from ..core import api, marks, moments
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import SHORTEST
from ..core.log.secret_parts import parts
from ..core.run import bindings, outcome, pipelinerun, references
from ..core.run.pipelinerun import EVERY
from ..core.run.summary import RunSummary
from ..errors import ClusterError, Unreachable

LEFT = "is not masked"
MISSING, LOST = "-", "~"  # no name begins with them
AT_ONCE_SECONDS = 60  # in which a run has what was copied when it was made
IN_USE_SECONDS = 3600  # after which nobody is about to name a copy any more
_LABELS = (bindings.TYPE, bindings.PROVIDER)
Tell = Callable[[str], Any]
Get = Callable[[str, str, str], Object | None]


def copy_secrets(cluster: Cluster, get: Get, namespace: str, app: str, manifest: Object) -> str:
    """Copies the Secrets that a run is going to read; returns the names of the copies, as SECRETS has them.

    With them, behind a MISSING, of those that do not exist. `get` is that of a Cluster, or `as_told` where somebody
    follows the run: it looks again when the pod starts.

    What may not be read or made is left out. Raises Unreachable.
    """
    names = []
    for name in _names(manifest):
        try:
            found = get(namespace, "secrets", name)
            if found:
                names.append(_put(cluster, namespace, _copy(app, found)))
            else:
                names.append(f"{MISSING}{name}")
        except Unreachable:
            raise
        except ClusterError:
            continue
    return ",".join(names)


def _put(cluster: Cluster, namespace: str, copy: Object) -> str:
    """Makes a copy where it is not known to be there; returns its name."""
    known, name = secret_versions(cluster.http, namespace), str(copy["metadata"]["name"])
    if not known.version(cluster, name):
        cluster.create_secret(namespace, copy)
    known.copies[name] = copy
    return name


def as_told(cluster: Cluster) -> Get:
    """The `get` of a cluster that reads a Secret when a watch has told that it was changed, a moment later."""

    def get(namespace: str, plural: str, name: str) -> Object | None:
        return secret_versions(cluster.http, namespace).told(cluster, name)

    return get


def present(cluster: Cluster, run: Object) -> Get:
    """The `get` of a cluster for the Secrets of a run as they are at this moment, and for copies of them.

    It asks for nothing twice, and for nothing that this process has read and that has not been changed since.
    """
    known, names = secret_versions(cluster.http, run["metadata"]["namespace"]), _names(run)
    now = functools.cache(lambda: known.now(cluster, names))

    @functools.cache
    def get(namespace: str, plural: str, name: str) -> Object | None:
        if name in known.copies:
            return known.copies[name]
        return now()(name) if name in names else cluster.get(namespace, plural, name)

    return get


def copy_late(cluster: Cluster, get: Get, run: Object, pods: Sequence[Object] = ()) -> None:
    """Copies also what was made or changed while the run waited for its pod, which has just started.

    Where one of its `pods` did so before, what was changed since then is marked: nobody has copied what it had of it.
    """
    namespace, metadata = run["metadata"]["namespace"], run["metadata"]
    with contextlib.suppress(ClusterError):  # what is not copied counts as long as it is not changed
        named, app, made = _named(metadata), metadata["labels"][marks.NAME], metadata.get("creationTimestamp")
        found = [secret for name in _names(run) if (secret := get(namespace, "secrets", name))]
        others = [secret for secret in found if _copy_name(app, secret) not in named]
        if others and (named or any(_changed_after(secret, made) for secret in others)):
            copies, mounted, begun = _copies(get, namespace, metadata), mounted_by(run), _first_start(pods)
            late = [secret["metadata"]["name"] for secret in others if _changed_after(secret, begun)]
            copy_more(cluster, get, run, [name for name in late if name in mounted or name not in copies])


def copy_more(cluster: Cluster, get: Get, run: Object, lost: Iterable[str] = ()) -> None:
    """Copies the Secrets of a run as they are now; the run names these copies beside those that it has.

    `lost` are the names of those that have had another value, too, which nobody has copied.
    """
    metadata = run["metadata"]
    annotations = metadata.setdefault("annotations", {})
    now = copy_secrets(cluster, get, metadata["namespace"], metadata["labels"][marks.NAME], run).split(",")
    marked = (f"{LOST}{name}" for name in lost)
    named = ",".join(dict.fromkeys(name for name in (*_named(metadata), *now, *marked) if name))
    annotations[marks.SECRETS] = named  # also where it cannot be written: this process knows it
    cluster.annotate_run(metadata["namespace"], metadata["name"], {marks.SECRETS: named}, uid=metadata["uid"])


def mounted_by(run: Object) -> list[str]:
    """The names of the Secrets that a run has mounted: their files follow them while it runs."""
    return sorted({name for name, _ in pipelinerun.secret_volumes(run).values()})


def copies_of(runs: Iterable[RunSummary]) -> set[str]:
    """The names of the copies that runs name."""
    return {name for run in runs for name in run.annotations.get(marks.SECRETS, "").split(",")}


def drop_copies(cluster: Cluster, namespace: str, app: str, runs: Collection[RunSummary]) -> None:
    """Deletes the copies that none of these, which are all runs of an App, names any more; without any all of them."""
    with contextlib.suppress(ClusterError):  # the next one does
        named = copies_of(runs)
        for copy in cluster.secrets(namespace, f"{api.equal(marks.NAME, app)},{marks.COMPONENT}={KEPT}"):
            age = moments.seconds_between(copy["metadata"]["creationTimestamp"], cluster.now)
            if copy["metadata"]["name"] not in named and (not runs or (age or 0) > IN_USE_SECONDS):
                cluster.delete_secret(namespace, copy)
                secret_versions(cluster.http, namespace).drop(copy)


def secret_values(
    get: Get,
    namespace: str,
    manifest: Object,
    warn: Tell,
    unread: Tell | None = None,
    gone: Tell | None = None,
    pods: Sequence[Object] = (),
    followed: bool = False,
    others: Callable[[], Iterable[RunSummary]] = list,
) -> list[str]:
    """The texts to hide of all Secrets that a run refers to; what cannot be hidden is warned of.

    `get` is that of a Cluster, `pods` are the run's as far as they are known. `unread` (default: `warn`) is told of
    a Secret that may not be read, `gone` (default: `unread`) of one that is no longer what the run had: then nobody
    knows what to hide. `followed`: whoever asks has watched it all along. `others` are all runs of the App, asked for
    where only they can tell that a mounted Secret was not changed while nobody followed. Raises Unreachable.
    """
    wanted: dict[str, set[str]] = {}
    for ref in pipelinerun.secrets_of(manifest):
        wanted.setdefault(ref["name"], set()).add(ref["key"])
    metadata = manifest.get("metadata") or {}
    since = _first_start(pods) or metadata.get("creationTimestamp")
    followed = followed or {marks.FOLLOWED, marks.OUTCOME} <= (metadata.get("annotations") or {}).keys()
    follow = [] if followed else mounted_by(manifest)
    values, short = list[str](), set[str]()
    volumes = pipelinerun.secret_volumes(manifest).values()
    renamed = {(name, item["key"]) for name, items in volumes for item in items if _file(item) not in _LABELS}
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
        unproven = _unproven_from(metadata, pods) if name in copies and name not in follow else since
        is_lost, had = f"{LOST}{name}" in _named(metadata), copies.get(name, ())
        is_known = _is_known(found, had, unproven) or (name in follow and _was_kept(manifest, had, others))
        if is_lost or not is_known:
            what = "is gone" if found is None else "was changed after the run was made"
            what = "was changed while nobody followed the run" if is_lost else what
            (gone or unread or warn)(f"what is secret in the log is not known: Secret {name} {what}")
        for secret in filter(None, (*copies.get(name, ()), found)):
            data = secret.get("data") or {}
            for key in sorted(data if {"", EVERY} & keys else keys & data.keys()):
                is_variable = bool({key, EVERY} & keys)
                if not is_variable and key in _LABELS and (name, key) not in renamed:
                    continue
                what = f"secret variable {key}" if is_variable else f"file {key} of secret {name}"
                values += _hidden(what, key, data[key], warn, short)
    gate.learn(values)
    return list(dict.fromkeys(values))


def _file(item: Mapping[str, str]) -> str:
    """The name of the file that a chosen key of a Secret is mounted as."""
    return item["path"].rpartition("/")[2]


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
    labels = {marks.NAME: app, marks.MANAGED_BY: "kf", marks.COMPONENT: KEPT}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": True, "data": secret.get("data") or {},
        "metadata": {
            "name": _copy_name(app, secret), "labels": labels,
            "annotations": {marks.COPY_OF: secret["metadata"]["name"]},
        },
    }  # fmt: skip


def _copy_name(app: str, secret: Object) -> str:
    metadata = secret["metadata"]
    version = f"{app}/{metadata['uid']}/{metadata['resourceVersion']}"
    return f"kf-had-{hashlib.sha256(version.encode()).hexdigest()[:24]}"


def _names(manifest: Object) -> list[str]:
    """The names of the Secrets that a run refers to."""
    return sorted({ref["name"] for ref in pipelinerun.secrets_of(manifest)})


def _named(metadata: Object) -> list[str]:
    named: str = (metadata.get("annotations") or {}).get(marks.SECRETS, "")
    return [name for name in named.split(",") if name]


def _copies(get: Get, namespace: str, metadata: Object) -> dict[str, list[Object]]:
    """The copies that a run names, by the Secrets that they are of."""
    names = [name for name in _named(metadata) if not name.startswith((MISSING, LOST))]
    copies: dict[str, list[Object]] = {}
    for found in filter(None, [get(namespace, "secrets", name) for name in names]):
        copies.setdefault((found["metadata"].get("annotations") or {}).get(marks.COPY_OF, ""), []).append(found)
    return copies


def _first_start(pods: Sequence[Object]) -> str:
    return min(filter(None, map(outcome.first_start, pods)), default="")


def _unproven_from(metadata: Object, pods: Sequence[Object]) -> str:
    """From when on a run had variables that nobody may have copied, empty where there are none such.

    They are those of the moment a pod starts, also of one that Tekton made for a retry.
    """
    made, annotations = metadata.get("creationTimestamp"), metadata.get("annotations") or {}
    if {marks.FOLLOWED, marks.OUTCOME} & annotations.keys():
        return ""
    starts = [start for pod in pods if (start := outcome.first_start(pod))]
    return min((it for it in starts if (moments.seconds_between(made, it) or 0) > AT_ONCE_SECONDS), default="")


def _is_known(found: Object | None, copies: Sequence[Object], unproven: str | None) -> bool:
    """Whether a Secret as it is, with the copies that a run names, is all that the run had of it."""
    if copies and not unproven:
        return True
    if found is None:
        return False
    names = [_copy_name(copy["metadata"]["labels"][marks.NAME], found) for copy in copies[:1]]
    return any(copy["metadata"]["name"] in names for copy in copies) or not _changed_after(found, unproven)


def _was_kept(run: Object, copies: Sequence[Object], others: Callable[[], Iterable[RunSummary]]) -> bool:
    """Whether a later run has found a Secret as this one did: then it was not changed while this one ran."""
    ended, names = (run.get("status") or {}).get("completionTime"), {copy["metadata"]["name"] for copy in copies}
    if not ended or not names:
        return False
    try:
        later = [one for one in others() if (moments.seconds_between(ended, one.created) or 0) > AT_ONCE_SECONDS]
    except Unreachable:
        raise
    except ClusterError:
        return False
    return not names.isdisjoint(copies_of(later))


def _changed_after(secret: Object, moment: str | None) -> bool:
    """Whether a Secret was made or changed after a moment, as far as Kubernetes tells: who set which field when."""
    metadata = secret.get("metadata") or {}
    times = [metadata.get("creationTimestamp"), *(it.get("time") for it in metadata.get("managedFields") or ())]
    return bool(moment) and max((time for time in times if time), default="") > str(moment)
