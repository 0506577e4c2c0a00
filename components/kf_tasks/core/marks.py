"""The names of the labels and annotations by which what belongs to Kf Tasks is found and read: they never change.

Ours is what carries KEY: history, retention, ids and `kf` select it together with NAME, so that a foreign
PipelineRun of the same application is never touched.
"""

from __future__ import annotations

from sys import intern
from typing import Dict, Mapping, Optional

# Labels: what an object belongs to.
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
MANAGED_BY = "app.kubernetes.io/managed-by"
STACK = "kf.dev/stack"
TEMPLATE = "kf.dev/template"
TASK = "kf.dev/task"
SCHEDULE = "kf.dev/schedule"  # the name of a TaskSchedule: at its runs, its template and its CronJob

# Labels of a run: which one it is.
KEY = "kf.dev/key"
TASK_ID = "kf.dev/task-id"
ATTEMPT = "kf.dev/attempt"

# Annotations of a run: what became of it.
AT = "kf.dev/scheduled-at"  # the time that it was scheduled for
STARTED_BY = "kf.dev/started-by"
CANCELLED_BY = "kf.dev/cancelled-by"
FOLLOWED = "kf.dev/followed"
OUTCOME = "kf.dev/outcome"
SECRETS = "kf.dev/secrets"  # the copies of the Secrets that it had; with "-" what did not exist, with "~" what is lost
LOOK_AGAIN = "kf.dev/look-again"  # also of a TaskRun: set so that Tekton looks at it again
AWAITED = "kf.dev/awaited"  # an update has made it, and its state is to hold the record
RECORDED = "kf.dev/recorded"  # a state holds the record
PINNED = "kf.dev/pinned"
ARCHIVED = "kf.dev/archived"
NOTIFY = "kf.dev/notify"  # the name of the Secret with the endpoints that are told how it ends
NOTIFIED = "kf.dev/notified"  # what was told of it, separated by commas

# Annotations of other objects.
COPY_OF = "kf.dev/copy-of"  # of a copy: the Secret that it is one of
URN = "kf.dev/urn"  # of an App's template: which App of its stack it is, whatever project and stack are called
LAST_TASK_ID = "kf.dev/last-task-id"  # of an App's template: where its ids are counted
PRUNED = "kf.dev/pruned"  # of an App's template: which runs were let go last, when and why
STARTING = "kf.dev/starting"  # of an App's template: the Jobs that start a run just now, by schedule
POLICY = "kf.dev/concurrency-policy"  # of a CronJob
TIMES_SINCE = "kf.dev/times-since"  # of a CronJob: from when on which times hold
TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp"  # of a Job, by Kubernetes

# Labels that others set.
QUEUE = "kueue.x-k8s.io/queue-name"  # of a run and its pod: the queue of Kueue that lets it start
PIPELINE_RUN = "tekton.dev/pipelineRun"  # of a pod, by Tekton: the name of its run

_DIGITS = 18  # what is longer no run of ours ever has, and reading it costs the square of its length
_OURS = ("kf.dev/", "app.kubernetes.io/", QUEUE)


def own_marks(marks: Optional[Mapping[str, str]]) -> Dict[str, str]:
    """Of an object's labels or annotations those that are ours, equal values once: what lists of many runs hold."""
    return {intern(name): intern(value) for name, value in (marks or {}).items() if name.startswith(_OURS)}


def number(marks: Mapping[str, str], name: str) -> int:
    """The number in a label such as TASK_ID or ATTEMPT, or in an annotation such as LAST_TASK_ID; 0 where is none."""
    text = marks.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
