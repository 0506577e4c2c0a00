"""Reads what Pulumi has written about an App or one of its tasks: what the next run will be made from."""

from __future__ import annotations

from ..core import api, marks
from ..core.api import Object
from ..core.template import MANIFEST, TemplateSettings
from ..errors import ClusterError, NotFound
from .target import TargetSpace


def template(space: TargetSpace, app: str, task: str | None = None) -> tuple[Object, TemplateSettings]:
    """The PipelineRun and the settings of an App or one of its tasks; raises NotFound."""
    import yaml

    name = f"kf-{app}.{task}" if task else f"kf-{app}"
    found = space.cluster.get(space.name, "configmaps", name)
    if not found or marks.TEMPLATE not in (found["metadata"].get("labels") or {}):
        raise _unknown_task(space, app, task) if task else space.unknown_app(app)
    try:
        return yaml.safe_load(found["data"][MANIFEST]), TemplateSettings.of_template(found)
    except (KeyError, ValueError, yaml.YAMLError):
        raise ClusterError(
            f"app {app!r}: ConfigMap {space.name}/{name} is not what Pulumi wrote: repeat pulumi up with --refresh"
        ) from None


def _unknown_task(space: TargetSpace, app: str, task: str) -> NotFound:
    space.check_app(app)
    selector = f"{api.equal(marks.NAME, app)},{api.equal(marks.TEMPLATE, 'task')}"
    names = sorted(it["metadata"]["labels"][marks.TASK] for it in space.cluster.config_maps(space.name, selector))
    there = f"its tasks are {', '.join(names)}" if names else "it has no tasks"
    return NotFound(f"task {task!r} of app {app!r} not found in space {space.name!r}: {there}; name one with --task")
