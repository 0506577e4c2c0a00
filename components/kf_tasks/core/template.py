"""The settings of a template: what goes with its PipelineRun for whoever starts a run of it.

They stand in the template's ConfigMap as `settings.json`, written by Pulumi and read by `kf` and by the pod of a
schedule, which may be of an earlier or a later version: names never change, what is unknown is not read, and what is
missing means what it meant when it was not there yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Sequence

from .retention.policy import DEFAULT, Policy

SETTINGS, MANIFEST = "settings.json", "pipelinerun.yaml"  # the keys of the ConfigMap


@dataclass(frozen=True)
class JobSettings:
    """What a TaskSchedule's template says beyond a Task's.

    - `cron_job`: the name of its CronJob.
    - `concurrency`: `Allow`, `Forbid` or `Replace`; stored as `policy`, which is not the `Policy` beside it.
    - `catch_up`: whether times are made up for that went by before a change of the schedule.
    - `start_timeout` (s, 0 for none): how long a run's pod may wait for its start.
    """

    cron_job: str
    concurrency: str
    catch_up: bool = False
    start_timeout: int = 0

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Optional[JobSettings]:
        """Those among a template's settings; None for what is no TaskSchedule's."""
        if "cron_job" not in found:
            return None
        return cls(
            cron_job=str(found["cron_job"]),
            concurrency=str(found["policy"]),
            catch_up=bool(found.get("catch_up")),
            start_timeout=int(found.get("start_timeout") or 0),
        )

    def settings(self) -> Dict[str, Any]:
        """Them as JSON has them."""
        return {
            "cron_job": self.cron_job,
            "policy": self.concurrency,
            "catch_up": self.catch_up,
            "start_timeout": self.start_timeout,
        }


@dataclass(frozen=True)
class TemplateSettings:
    """What every template says beside its PipelineRun.

    - `stack`, `app`: whose it is; `task` is None for the App's own template, which `kf run-task` uses.
    - `policy`: what the App keeps. `log_archive`: the URL of the archive, None without one.
    - `entrypoint`: what a command is given to, in an App's own template.
    - `layers`: the layers of each variable, the one that decides first; None for a build, which has none.
    - `sources`: the layer of each of the Secrets and ConfigMaps whose every key is a variable, in their order.
    - `job`: what a TaskSchedule says besides.
    """

    stack: str
    app: str
    task: Optional[str] = None
    policy: Policy = DEFAULT
    log_archive: Optional[str] = None
    entrypoint: Any = None
    layers: Optional[Mapping[str, Sequence[str]]] = field(default=None)
    sources: Sequence[str] = ()
    job: Optional[JobSettings] = None

    @classmethod
    def of(cls, text: str) -> TemplateSettings:
        """The settings that a text holds; raises ValueError for a text that Pulumi did not write."""
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("the settings are no mapping")
        try:
            return cls(
                stack=str(found.get("stack", "")),
                app=str(found.get("app", "")),
                task=found.get("task"),
                policy=Policy.of(found),
                log_archive=found.get("log_archive") or None,
                entrypoint=found.get("entrypoint"),
                layers=found.get("layers"),
                sources=tuple(found.get("sources") or ()),
                job=JobSettings.of(found),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"the settings are not those of a template: {error!r}") from None

    @classmethod
    def of_template(cls, config_map: Mapping[str, Any]) -> TemplateSettings:
        """Those of a template's ConfigMap; raises ValueError as `of`."""
        data = config_map.get("data") or {}
        if SETTINGS not in data:
            raise ValueError("the ConfigMap has no settings")
        return cls.of(data[SETTINGS])

    def text(self) -> str:
        """Them as the ConfigMap holds them; what does not apply is left out, so that nothing differs for it."""
        found: Dict[str, Any] = {**self.policy.settings(), "stack": self.stack, "app": self.app}
        if self.task is None:
            found["entrypoint"] = self.entrypoint
        else:
            found["task"] = self.task
        if self.log_archive is not None:
            found["log_archive"] = self.log_archive
        if self.layers is not None:
            found["layers"] = {name: list(layers) for name, layers in self.layers.items()}
        if self.sources:
            found["sources"] = list(self.sources)
        if self.job:
            found.update(self.job.settings())
        return json.dumps(found, sort_keys=True)
