"""The secrets that have another value, by name: for each the tasks that read it, wherever it is declared.

Pulumi tells which keys of a Secret differ. Where a task was asked it says so too, by digests under a salt that only
that preview had: two of them in one review can be compared, and nobody can try out what they stand for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Mapping

from .. import marks
from ..run import bindings, pipelinerun
from .decisions import CALENDAR, RUN, place
from .facts import ENVIRONMENT
from .model import Change
from .preview import Preview, Step, mapping, text

SECRET = "kubernetes:core/v1:Secret"
_KEY = re.compile(r'(?:data|stringData)(?:\.(.+)|\["(.+)"\])')
_OWN = (".env", ".services")  # whose keys are names of variables
_ANOTHER = "another value"


@dataclass(frozen=True)
class _Reader:
    """A task, and the name and key of every Secret that it reads; the key is empty or EVERY for all of them."""

    namespace: str | None
    app: str
    task: str
    reads: tuple[tuple[str, str], ...]

    def reads_key(self, secret: str, key: str) -> bool:
        return any(name == secret and of in ("", pipelinerun.EVERY, key) for name, of in self.reads)


def secret_values(preview: Preview) -> Iterable[Change]:
    """One change for each secret and App that reads it; of an App's own also where it has no task."""
    readers, digests = [*_readers(preview)], _digests(preview)
    for step in preview.steps:
        if step.type != SECRET or step.old is None or step.new is None:
            continue
        metadata = mapping(step.new.get("metadata"))
        name, labels = text(metadata.get("name")) or step.name, mapping(metadata.get("labels"))
        namespace, owner = text(metadata.get("namespace")) or None, text(labels.get(marks.NAME))
        here = [one for one in readers if None in (namespace, one.namespace) or one.namespace == namespace]
        for key in _keys(step):
            found = [one for one in here if one.reads_key(name, key)]
            apps = {one.app for one in found} | ({owner} if owner and name.endswith(_OWN) else set())
            for app in sorted(apps):
                tasks, every = ({one.task for one in of if one.app == app} for of in (found, here))
                before, after = digests.get((namespace, app, name, key), ("", ""))
                yield Change(
                    namespace, app, ENVIRONMENT, _what(name, key), "secret", "secret",
                    tasks=tuple(sorted(tasks)), all_tasks=tasks == every, secret=True,
                    note=f"{_ANOTHER}: {before} → {after}" if before else _ANOTHER,
                )  # fmt: skip


def _keys(step: Step) -> list[str]:
    matches = [_KEY.fullmatch(path) for path, kind in step.paths.items() if kind == "update"]
    return sorted({match[1] or match[2] for match in matches if match})


def _what(secret: str, key: str) -> str:
    service = bindings.service_of(secret)
    if service:
        return f"{key} of service {service}"
    return key if secret.endswith(_OWN) else f"{key} of the Secret {secret}"


def _readers(preview: Preview) -> Iterable[_Reader]:
    for step in preview.steps:
        if step.type in (RUN, CALENDAR) and step.new is not None:
            yield _Reader(*place(step.new), text(step.new.get("task")), _reads(step.new.get("manifest")))


def _reads(manifest: object) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((text(one["name"]), text(one["key"])) for one in pipelinerun.secrets_of(manifest))  # type: ignore[arg-type]
    except (LookupError, TypeError, AttributeError):  # only the update knows it
        return ()


def _digests(preview: Preview) -> Mapping[tuple[str | None, str, str, str], tuple[str, str]]:
    found: dict[tuple[str | None, str, str, str], tuple[str, str]] = {}
    for step in preview.steps:
        told = mapping((step.new or {}).get("_secrets")) if step.type in (RUN, CALENDAR) else {}
        for secret, keys in told.items():
            for key, both in mapping(keys).items():
                if isinstance(both, list) and len(both) == 2:
                    found[(*place(step.new or {}), secret, key)] = text(both[0]), text(both[1])
    return found
