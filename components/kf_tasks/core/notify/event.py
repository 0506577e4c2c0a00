"""What happened to a run, as those who are told of it take it: CloudEvents, Slack, plain JSON, one sentence.

Every text in an event has passed the gate: it leaves the cluster for services of others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Tuple

from .. import marks, moments, naming
from ..api import Object, runs
from ..log import gate
from ..run.outcome import FAILED as STATE_FAILED
from ..run.outcome import RUNNING, Outcome

STARTED, SUCCEEDED, FAILED, RECOVERED, TEST = "started", "succeeded", "failed", "recovered", "test"
CLOUDEVENTS, SLACK, JSON = "cloudevents", "slack", "json"
# Tekton's own where it has one: https://tekton.dev/docs/pipelines/events/#events-via-cloudevents
_TYPES = {
    STARTED: "dev.tekton.event.pipelinerun.started.v1",
    SUCCEEDED: "dev.tekton.event.pipelinerun.successful.v1",
    FAILED: "dev.tekton.event.pipelinerun.failed.v1",
    RECOVERED: "dev.kf.event.pipelinerun.recovered.v1",
    TEST: "dev.kf.event.test.v1",
}
_SIGNS = {FAILED: ":x:", RECOVERED: ":white_check_mark:"}


@dataclass(frozen=True)
class Event:
    """What happened, to which run, at what time (RFC 3339); `text` says it in one sentence.

    `data` is what programs get, under the names that `kf task -o json` has. `uid` is that of the run, empty in a test.
    """

    kind: str
    uid: str
    source: str
    subject: str
    time: str
    text: str
    data: Dict[str, Any]

    @classmethod
    def of(cls, kind: str, run: Object, ended: Outcome) -> Event:
        """That of a run, which has ended so; one that has just started has the state RUNNING."""
        metadata = run["metadata"]
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        app, task = labels.get(marks.NAME, ""), labels.get(marks.TASK, "")
        data = {
            "event": kind,
            "name": metadata["name"],
            "app": app,
            "displayName": task,
            "id": marks.number(labels, marks.TASK_ID),
            "space": metadata["namespace"],
            "stack": labels.get(marks.STACK, ""),
            "state": ended.state,
            "reason": ended.reason,
            "outcome": ended.sentence,
            "exitCode": ended.exit_code,
            "created": metadata.get("creationTimestamp"),
            "started": ended.started_at,
            "finished": ended.finished_at,
            "duration": ended.duration,
            "startedBy": annotations.get(marks.STARTED_BY),
        }
        said = f"failed: {ended.sentence}" if ended.state == STATE_FAILED else ended.sentence
        said = f"has recovered: {ended.sentence}" if kind == RECOVERED else said
        which = f"(run {metadata['name']}, id {data['id']})"
        return cls(
            kind=kind,
            uid=str(metadata.get("uid", "")),
            source=runs(metadata["namespace"], metadata["name"]),
            subject=metadata["name"],
            time=ended.finished_at or metadata.get("creationTimestamp") or moments.now(),
            text=gate.one_line(f"{naming.words(app, task)} in space {metadata['namespace']!r} {said} {which}"),
            data={name: gate.one_line(value) if isinstance(value, str) else value for name, value in data.items()},
        )

    @classmethod
    def begun(cls, run: Object) -> Event:
        """That of a run which has just been started."""
        return cls.of(STARTED, run, Outcome(RUNNING, "", "is started"))

    @classmethod
    def test(cls, namespace: str, app: str, task: str = "") -> Event:
        """One that tells that others would arrive."""
        what = naming.words(app, task) if task else f"app {app!r}"
        text = f"a test of what is told of {what} in space {namespace!r}: nothing has failed"
        data = {"event": TEST, "app": app, "displayName": task, "space": namespace, "outcome": text}
        return cls(TEST, "", runs(namespace), app, moments.now(), text, data)

    @property
    def id(self) -> str:
        """The same for the same event, whoever sends it: who gets it twice can tell."""
        return f"{self.uid}-{self.kind}" if self.uid else f"{self.kind}-{self.time}"


def body(event: Event, form: str) -> Tuple[str, bytes]:
    """The media type and the body of an event in one of the three formats."""
    if form == CLOUDEVENTS:  # https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
        told = {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": _TYPES[event.kind],
            "subject": event.subject,
            "time": event.time,
            "datacontenttype": "application/json",
            "data": {**event.data, "text": event.text},
        }
        return "application/cloudevents+json; charset=utf-8", _json(told)
    if form == SLACK:  # https://docs.slack.dev/messaging/formatting-message-text#escaping
        text = event.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return "application/json", _json({"text": f"{_SIGNS.get(event.kind, ':information_source:')} {text}"})
    return "application/json", _json({**event.data, "text": event.text})


def _json(value: object) -> bytes:
    return json.dumps(value).encode("ascii")
