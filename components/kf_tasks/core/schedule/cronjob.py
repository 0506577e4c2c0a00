"""A TaskSchedule as Kubernetes objects: the CronJob, its small pod, and what that pod may do."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ..marks import COMPONENT, MANAGED_BY, SCHEDULE
from .cron import NEVER
from .slot import ALLOW, FORBID

NAME_LIMIT = 52  # eleven characters less than a Job's name, which ends in the scheduled minute
CODE, TEMPLATE = "/kf/code", "/kf/template"
FAILED = 3  # the submitter's exit code for a task that did not succeed
RESTARTS = 20
HISTORY = 3
STOP_SECONDS = 60
AMOUNTS = {
    "requests": {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "16Mi"},
    "limits": {"cpu": "500m", "memory": "128Mi", "ephemeral-storage": "128Mi"},
}


def spec(
    *,
    schedule: Optional[str],
    time_zone: str,
    policy: str,
    suspend: bool,
    starting_deadline: Optional[int],
    pod: Mapping[str, Any],
) -> Dict[str, Any]:
    """The spec of a CronJob.

    Replace is the submitter's work, so that the log of what is replaced is kept; to the CronJob it is Allow. A pod
    that is lost is started again, which a failed task is not.
    """
    failure_policy = [
        {"action": "FailJob", "onExitCodes": {"containerName": "submitter", "operator": "In", "values": [FAILED]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
    return {
        "schedule": NEVER if schedule is None else schedule,
        "timeZone": time_zone,
        "suspend": suspend or schedule is None,
        "concurrencyPolicy": FORBID if policy == FORBID else ALLOW,
        **({"startingDeadlineSeconds": starting_deadline} if starting_deadline is not None else {}),
        "successfulJobsHistoryLimit": HISTORY,
        "failedJobsHistoryLimit": HISTORY,
        "jobTemplate": {
            "metadata": {"labels": dict(pod["metadata"]["labels"])},
            "spec": {"backoffLimit": RESTARTS, "podFailurePolicy": {"rules": failure_policy}, "template": dict(pod)},
        },
    }


def pod(
    *,
    task: str,
    image: str,
    account: str,
    template: str,
    code: str,
    files: Mapping[str, str],
    settings: Mapping[str, Any],
) -> Dict[str, Any]:
    """The pod that submits: no root, nothing to write to, and none of the App's labels.

    `files` are the keys of the ConfigMap `code` by path; `settings` are those of the App about pods. Security
    groups select pods by the App's labels and would cut this one off from the API server.
    """
    placed = [{"key": key, "path": path} for path, key in sorted(files.items())]
    container = {
        "name": "submitter",
        "image": image,
        "command": ["python3", "-B", "-m", "kf_tasks.submitter"],
        "env": [
            {"name": "PYTHONPATH", "value": CODE},
            {"name": "PYTHONUNBUFFERED", "value": "1"},
            {
                "name": "KF_JOB",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}},
            },
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
        ],
    }
    tolerations = (settings.get("template") or {}).get("tolerations")
    return {
        "metadata": {"labels": {MANAGED_BY: "kf", COMPONENT: "submitter", SCHEDULE: task}},
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
            ],
        },
    }


def rules(app: str, cron_job: str) -> List[Dict[str, Any]]:
    """What the submitter may do in its namespace, and nothing else.

    Runs: start, follow, annotate, cancel, delete. Pods of runs: find them, read the log of one that is cancelled,
    delete one that could not start. The App's counter. Its own Job and CronJob: whether they are still there.
    """
    return [
        {
            "apiGroups": ["tekton.dev"],
            "resources": ["pipelineruns"],
            "verbs": ["create", "get", "list", "patch", "delete"],
        },
        {"apiGroups": ["tekton.dev"], "resources": ["taskruns"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [f"kf-{app}"], "verbs": ["get", "patch"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "resourceNames": [cron_job], "verbs": ["get"]},
    ]
