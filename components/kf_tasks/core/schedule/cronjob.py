"""A TaskSchedule as Kubernetes objects: the CronJob, its small pod, and what that pod may do."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ..marks import COMPONENT, MANAGED_BY, SCHEDULE
from .cron import NEVER
from .slot import ALLOW, CONTAINER

NAME_LIMIT = 52  # eleven characters less than a Job's name, which ends in the scheduled minute
CODE, TEMPLATE, NOTIFY = "/kf/code", "/kf/template", "/kf/notify"
FAILED = 3  # the submitter's exit code for a task that did not succeed
RESTARTS = 20
DAY, WAIT = 86_400, 600
HISTORY = 3
STOP_SECONDS = 60
# What asks meshes and agents to put no container of theirs beside the submitter, which needs none and would not end:
# https://istio.io/latest/docs/setup/additional-setup/sidecar-injection, https://linkerd.io/2/features/proxy-injection,
# https://developer.hashicorp.com/vault/docs/platform/k8s/injector/annotations, and the pages of Consul and Kuma.
NO_SIDECAR_LABELS = {"sidecar.istio.io/inject": "false", "kuma.io/sidecar-injection": "disabled"}
NO_SIDECAR = {
    "sidecar.istio.io/inject": "false",
    "linkerd.io/inject": "disabled",
    "vault.hashicorp.com/agent-inject": "false",
    "consul.hashicorp.com/connect-inject": "false",
}
AMOUNTS = {
    "requests": {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "16Mi"},
    "limits": {"cpu": "500m", "memory": "128Mi", "ephemeral-storage": "128Mi"},
}


def spec(
    *,
    schedule: Optional[str],
    time_zone: str,
    suspend: bool,
    starting_deadline: Optional[int],
    deadline: int,
    pod: Mapping[str, Any],
) -> Dict[str, Any]:
    """The spec of a CronJob; `deadline`: how long one of its Jobs may take, in seconds.

    Which runs may be under way at once is decided by the submitter, which counts runs and not Jobs; to the CronJob it
    is Allow. A pod that is lost is started again, which a failed task is not, and neither is a pod whose submitter
    has done its work while a container that somebody else put beside it ended badly.
    """
    own = {"containerName": CONTAINER, "values": [FAILED]}
    failure_policy = [
        {"action": "FailJob", "onExitCodes": {**own, "operator": "In"}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "Count", "onExitCodes": {**own, "operator": "NotIn"}},
        {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [0]}},
    ]
    return {
        "schedule": NEVER if schedule is None else schedule,
        "timeZone": time_zone,
        "suspend": suspend or schedule is None,
        "concurrencyPolicy": ALLOW,
        **({"startingDeadlineSeconds": starting_deadline} if starting_deadline is not None else {}),
        "successfulJobsHistoryLimit": HISTORY,
        "failedJobsHistoryLimit": HISTORY,
        "jobTemplate": {
            "metadata": {"labels": dict(pod["metadata"]["labels"])},
            "spec": {
                "activeDeadlineSeconds": deadline,
                "backoffLimit": RESTARTS,
                "podFailurePolicy": {"rules": failure_policy},
                "template": dict(pod),
            },
        },
    }


def deadline(timeout: int, start_timeout: int) -> int:
    """How long a Job may take whose task may take so long (seconds, 0 for any time), waiting for a node included.

    It ends Jobs whose pod cannot start or end: no more of them wait than the schedule has times within it. Of a task
    without a timeout the submitter goes after a day, and what it has started goes on.
    """
    return (timeout or DAY) + start_timeout + WAIT


def pod(
    *,
    task: str,
    image: str,
    account: str,
    template: str,
    code: str,
    files: Mapping[str, str],
    settings: Mapping[str, Any],
    notify: str = "",
) -> Dict[str, Any]:
    """The pod that submits: no root, nothing to write to, and none of the App's labels.

    `files` are the keys of the ConfigMap `code` by path; `settings` are those of the App about pods; `notify` is the
    Secret with those whom it tells how its run ended, empty for nobody. Security groups select pods by the App's labels
    and would cut this one off from the API server.
    """
    placed = [{"key": key, "path": path} for path, key in sorted(files.items())]
    container = {
        "name": CONTAINER,
        "image": image,
        "command": ["python3", "-B", "-m", "kf_tasks.submitter"],
        "env": [
            {"name": "PYTHONPATH", "value": CODE},
            {"name": "PYTHONUNBUFFERED", "value": "1"},
            *(
                {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
                for name, path in (
                    ("KF_JOB", "metadata.labels['batch.kubernetes.io/job-name']"),
                    ("KF_POD", "metadata.name"),
                )
            ),
        ],
        "resources": AMOUNTS,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "code", "mountPath": CODE, "readOnly": True},
            {"name": "template", "mountPath": TEMPLATE, "readOnly": True},
            *([{"name": "notify", "mountPath": NOTIFY, "readOnly": True}] if notify else []),
        ],
    }
    tolerations = (settings.get("template") or {}).get("tolerations")
    return {
        "metadata": {
            "labels": {MANAGED_BY: "kf", COMPONENT: CONTAINER, SCHEDULE: task, **NO_SIDECAR_LABELS},
            "annotations": dict(NO_SIDECAR),
        },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": account,
            "automountServiceAccountToken": True,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": STOP_SECONDS,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "runAsGroup": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **({"nodeSelector": dict(settings["node_selector"])} if settings.get("node_selector") else {}),
            **({"tolerations": list(tolerations)} if tolerations else {}),
            "containers": [container],
            "volumes": [
                {"name": "code", "configMap": {"name": code, "items": placed}},
                {"name": "template", "configMap": {"name": template}},
                *([{"name": "notify", "secret": {"secretName": notify, "optional": True}}] if notify else []),
            ],
        },
    }


def rules(app: str, cron_job: str) -> List[Dict[str, Any]]:
    """What the submitter may do in its namespace, and nothing else.

    Runs: start, follow, annotate, cancel, delete. Their TaskRuns: have Tekton look at them again. Pods of runs: find
    them, read the log of one that is cancelled, delete one that could not start. The App's counter. Its own Job and
    CronJob: whether they are still there.
    """
    return [
        {
            "apiGroups": ["tekton.dev"],
            "resources": ["pipelineruns"],
            "verbs": ["create", "get", "list", "watch", "patch", "delete"],
        },
        {"apiGroups": ["tekton.dev"], "resources": ["taskruns"], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch", "delete"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [f"kf-{app}"], "verbs": ["get", "patch"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "resourceNames": [cron_job], "verbs": ["get"]},
    ]
