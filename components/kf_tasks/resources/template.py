"""Templates and what else an update makes in the cluster: whose it is, and how a template is written."""

from __future__ import annotations

from typing import Any

import pulumi
import yaml

from ..core import marks, naming
from ..core.api import Object
from ..core.retention.policy import Policy
from ..core.run.size import check_data
from ..core.template import MANIFEST, SETTINGS, TemplateSettings


def stack_id() -> str:
    """The stack of this update, which owns everything that it makes (see `naming.stack_id`)."""
    return naming.stack_id(pulumi.get_project(), pulumi.get_stack())


def labels(app: str | None = None) -> dict[str, str]:
    """The labels of everything that belongs to this stack (and to an App)."""
    own = {marks.MANAGED_BY: "kf", marks.STACK: naming.label_value(stack_id())}
    return {**own, **({marks.NAME: app} if app else {})}


def kept(policy: Policy, log_archive: str | None) -> dict[str, Any]:
    """What is kept of an App, as templates and states hold it: what is left at its default is left out."""
    return {**policy.settings(), **({} if log_archive is None else {"log_archive": log_archive})}


def template_data(manifest: Object, settings: TemplateSettings) -> dict[str, str]:
    """The data of a template's ConfigMap: the PipelineRun for reviewers and `kf run-task`, and what goes with it."""
    return written(yaml.safe_dump(manifest, sort_keys=False, width=4096, allow_unicode=True), settings)


def written(manifest: str, settings: TemplateSettings) -> dict[str, str]:
    """The data of a template whose PipelineRun is a text already; raises InvalidInput if it is too large."""
    data = {MANIFEST: manifest, SETTINGS: settings.text()}
    kind = "task" if settings.job is None else "job"
    owner = f"app {settings.app!r}" if settings.task is None else f"{kind} {settings.task!r} of app {settings.app!r}"
    check_data(owner, "its template", data)
    return data
