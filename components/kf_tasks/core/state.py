"""What stands in states: the inputs and records of our three resources, under names that never change.

A dictionary with these names crosses the border between the program, the engine and the provider's process; right
behind it is one of these records. `of` reads what any version has written, `props` is what is written. In a preview a
value that is known only during the update is Pulumi's Unknown, whatever type its field has; `Any` are those that
tasks often get from other resources.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Dict, Mapping, Optional, Tuple

from . import naming
from .build.spec import Upload
from .retention.forecast import Timed
from .retention.policy import Policy

Props = Mapping[str, Any]
WILL, MAY = "will", "may"
EXPIRED, LETS_GO = "_expired", "__lets_go"  # what a preview finds out about retention
LOST = ""  # in place of the name of a run whose Run has failed


@dataclass(frozen=True)
class Which:
    """Which task: of what stack, in what namespace, of what App. As text it is how messages name it."""

    stack: str
    namespace: str
    app: str
    task: str

    @classmethod
    def of(cls, props: Props) -> Which:
        """From a resource's inputs or outputs."""
        return cls(props["stack"], props["namespace"], props["app"], props["task"])

    def __str__(self) -> str:
        return naming.words(self.app, self.task)

    @property
    def place(self) -> Tuple[str, str]:
        """Namespace and App, which the App's runs share."""
        return str(self.namespace), self.app

    def props(self) -> Dict[str, Any]:
        """As it is written."""
        return dict(vars(self))


def of_stack(urn: str) -> str:
    """Of a URN what a rename of project or stack leaves as it is: types and name."""
    return urn.split("::", 2)[-1]


@dataclass(frozen=True)
class Decision:
    """Whether a task runs, decided by `check` and from then on an input of its Run.

    - `key`: of the definition that the record is or will be of; Unknown while only the update knows it.
    - `starts`: what this update does: WILL, MAY (only the update knows), or empty where nothing runs.
    - `because`: why it runs, in words. `nth`: how many updates have run it, where each of them does.
    - `again`: the same definition is tried once more, since it failed.
    - `cancels`: names of the runs that end because the task is terminated; None where it is not.
    - `cluster`: the UID of the cluster that was asked, empty if none was. `place`: the namespace that the record is of.
    - `adopts`: what starts is there already, and only followed; not written.
    - `expired`: names of the runs that go by then, when this one and those decided before it have ended; `lets_go`: the
      lines that say so. In previews alone, and not read again.

    What begins with one `_` where it is written is what Pulumi does not hold an update to that follows a saved plan:
    it is said for reviewers and policies, and may become another one until the update.
    """

    key: Any = None
    starts: str = ""
    because: str = ""
    nth: int = 0
    again: bool = False
    cancels: Optional[Tuple[str, ...]] = None
    cluster: str = ""
    place: str = ""
    adopts: bool = False
    expired: Tuple[str, ...] = ()
    lets_go: Tuple[str, ...] = ()

    @classmethod
    def of(cls, props: Props) -> Decision:
        """From a Run's inputs; without a key for one that is new."""
        cancels = props.get("cancels")
        return cls(
            key=props.get("key"),
            starts=props.get("_starts") or "",
            because=props.get("_because") or "",
            nth=int(props.get("nth") or 0),
            again=bool(props.get("again")),
            cancels=None if cancels is None else tuple(cancels),
            cluster=props.get("__cluster") or "",
            place=props.get("__place") or "",
        )

    def props(self) -> Dict[str, Any]:
        """As it is written; what is None is left out."""
        chosen = {
            "key": self.key,
            "cancels": None if self.cancels is None else list(self.cancels),
            EXPIRED: list(self.expired) or None,
            LETS_GO: list(self.lets_go) or None,
        }
        return {
            "_starts": self.starts,
            "_because": self.because,
            "nth": self.nth,
            "again": self.again,
            "__cluster": self.cluster,
            "__place": self.place,
            **{name: value for name, value in chosen.items() if value is not None},
        }


@dataclass(frozen=True)
class RunInputs:
    """The inputs of a Run.

    - `urn`: under which resource lines are shown. `connection`: see `cluster.connection`.
    - `counter`: the ConfigMap that counts the App's task ids.
    - `definition`: what decides about a new run; `manifest`: the PipelineRun without what differs from run to run.
    - `layers`: where its variables come from ("Space", "App" …) but for the platform's; None for a build, and in
      states of 0.1.0.
    - `digests`: those of the secret values that it may read, by Secret and key, as far as they are known: secret too,
      and there for a comparison alone. None where none can be secret, and where a version does not say.
    - `when`: "change", "trigger", "always", or "build" for that of an image.
    - `policy`: what the App keeps. `log_archive`: the URL that logs go to before their runs go, None for no archive.
    - `log_mode`: "follow", "tail" or "none". `start_timeout`: for how many seconds its pod may wait, 0 for ever.
    - `late`: the task is declared when those of the program were counted already.
    - `upload`: what a build sends to the registry before it starts (an Upload), None for a task.
    - `preview`: whether this is one. `approved`: the file of the approval that the update is held to, empty for none.
    """

    which: Which
    urn: str
    connection: Any = None
    counter: str = ""
    definition: Any = None
    manifest: Any = None
    layers: Any = None
    digests: Any = None
    when: str = ""
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    decision: Decision = Decision()
    log_archive: Optional[str] = None
    log_mode: str = ""
    start_timeout: int = 0
    wait: bool = False
    must_succeed: bool = False
    terminated: bool = False
    at_most_once: bool = False
    late: bool = False
    upload: Any = None
    preview: bool = False
    approved: str = ""

    @classmethod
    def of(cls, props: Props) -> RunInputs:
        """From inputs, or from outputs, which have `identity` only."""
        upload = props.get("upload")
        return cls(
            which=Which.of(props),
            urn=props["urn"],
            connection=props.get("connection"),
            counter=props.get("counter") or "",
            definition=props.get("definition"),
            manifest=props.get("manifest"),
            layers=props.get("layers"),
            digests=props.get("__digests"),
            when=props.get("when") or "",
            policy=Policy.of(props),
            decision=Decision.of(props),
            log_archive=props.get("log_archive"),
            log_mode=props.get("log_mode") or "",
            start_timeout=int(props.get("start_timeout") or 0),
            wait=bool(props.get("wait")),
            must_succeed=bool(props.get("must_succeed")),
            terminated=bool(props.get("terminated")),
            at_most_once=bool(props.get("at_most_once")),
            late=bool(props.get("late")),
            upload=Upload.of(upload) if isinstance(upload, dict) else upload,
            preview=bool(props.get("__preview")),
            approved=props.get("__approved") or "",
        )

    @property
    def namespace(self) -> str:
        """Where the task is."""
        return self.which.namespace

    @property
    def app(self) -> str:
        """Whose task it is."""
        return self.which.app

    def props(self) -> Dict[str, Any]:
        """As a program registers them, and with what was decided once something was."""
        chosen = {
            "layers": self.layers,
            "log_archive": self.log_archive,
            "late": self.late or None,
            "__approved": self.approved or None,
            "__digests": self.digests,
            "upload": dict(vars(self.upload)) if isinstance(self.upload, Upload) else self.upload,
        }
        return {
            "__preview": self.preview,
            **self.which.props(),
            "urn": self.urn,
            "connection": self.connection,
            "counter": self.counter,
            "definition": self.definition,
            "manifest": self.manifest,
            "when": self.when,
            **self.policy.settings(),
            "log_mode": self.log_mode,
            "start_timeout": self.start_timeout,
            "wait": self.wait,
            "must_succeed": self.must_succeed,
            "terminated": self.terminated,
            "at_most_once": self.at_most_once,
            **{name: value for name, value in chosen.items() if value is not None},
            **(self.decision.props() if self.decision != Decision() else {}),
        }

    def identity(self) -> Dict[str, Any]:
        """What of them stands beside the record in the outputs, which is all that `refresh` and `destroy` see."""
        return {
            "connection": self.connection,
            **self.which.props(),
            "key": self.decision.key,
            "urn": self.urn,
            "log_mode": self.log_mode,
            "must_succeed": self.must_succeed,
        }


@dataclass(frozen=True)
class RunRecord:
    """How one run went, as it stands in the state for good.

    - `run`: the PipelineRun's name, empty where none was started. `task_id`: its number within the App.
    - `state`: see `core.run.outcome`. Times are RFC 3339 in UTC; `duration` is in seconds.
    - `log`: its last lines, masked; `log_digest` and `log_lines` are those of the whole.
    - `results`: what the task has written. `cluster_uid`: the cluster it ran in, empty if that may not be asked.
    """

    run: str = ""
    task_id: int = 0
    state: str = ""
    reason: str = ""
    exit_code: Optional[int] = None
    started_at: Optional[str] = None
    finished_at: Optional[str] = None
    duration: Optional[float] = None
    log: str = ""
    log_digest: str = ""
    log_lines: int = 0
    results: Mapping[str, str] = field(default_factory=dict)
    cluster_uid: str = ""

    @classmethod
    def of(cls, props: Props) -> RunRecord:
        """From a Run's outputs."""
        return cls(**{name: props[name] for name in RECORD if props.get(name) is not None})

    def props(self) -> Dict[str, Any]:
        """As it is written."""
        return {**{name: getattr(self, name) for name in RECORD}, "results": dict(self.results)}


RECORD = tuple(one.name for one in fields(RunRecord))


@dataclass(frozen=True)
class HistoryInputs:
    """The inputs of a History, the retention of one App.

    - `owns_namespace`: the namespace is of this stack, whose name as a label is `stack_label`.
    - `min_history`: how far back what is kept is to reach ("7d"), empty for no such wish; `schedules`: what starts
      the App's tasks by itself. None where a version or a build does not say.
    - `runs`: the names of the runs that the update's Runs record, in which an unknown one is to come, and `LOST` stands
      for one of a Run that failed in an update that goes on; `unfinished`:
      those of them whose record is not whole, because nobody waited for their end. `tasks`: the names of the Tasks
      that the program has; None where a version or a build does not say.
    """

    stack: str
    namespace: str
    app: str
    urn: str
    connection: Any = None
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    stack_label: Optional[str] = None
    owns_namespace: bool = False
    log_archive: Optional[str] = None
    min_history: Optional[str] = None
    schedules: Any = None
    runs: Any = None
    unfinished: Any = None
    tasks: Any = None
    preview: bool = False
    approved: str = ""

    @classmethod
    def of(cls, props: Props) -> HistoryInputs:
        """From inputs, or from outputs, which have `kept` only."""
        schedules = props.get("schedules")
        return cls(
            stack=props["stack"],
            namespace=props["namespace"],
            app=props["app"],
            urn=props["urn"],
            connection=props.get("connection"),
            policy=Policy.of(props),
            stack_label=props.get("stack_label"),
            owns_namespace=bool(props.get("owns_namespace")),
            log_archive=props.get("log_archive"),
            min_history=props.get("min_history"),
            schedules=[Timed.of(one) for one in schedules] if isinstance(schedules, list) else schedules,
            runs=props.get("runs") or [],
            unfinished=props.get("unfinished"),
            tasks=props.get("tasks"),
            preview=bool(props.get("__preview")),
            approved=props.get("__approved") or "",
        )

    @property
    def place(self) -> Tuple[str, str]:
        """Namespace and App, which the App's runs share."""
        return str(self.namespace), self.app

    def props(self) -> Dict[str, Any]:
        """As a program registers them."""
        said = {"__preview": self.preview, "stack_label": self.stack_label, "owns_namespace": self.owns_namespace}
        return {**said, **_approved(self.approved), **self.kept()}

    def kept(self) -> Dict[str, Any]:
        """What of them stands in the outputs."""
        chosen = {
            "log_archive": self.log_archive,
            "min_history": self.min_history,
            "tasks": self.tasks,
            "unfinished": self.unfinished,
            "schedules": [dict(vars(one)) for one in self.schedules]
            if isinstance(self.schedules, list)
            else self.schedules,
        }
        return {
            "connection": self.connection,
            "stack": self.stack,
            "namespace": self.namespace,
            "app": self.app,
            **self.policy.settings(),
            "runs": self.runs,
            "urn": self.urn,
            **{name: value for name, value in chosen.items() if value is not None},
        }


@dataclass(frozen=True)
class CalendarInputs:
    """The inputs of a Calendar, what is said of one schedule.

    `schedule` is empty where only people start it; `generation` is that of the CronJob, another one after each change.
    `layers`, `digests`: as those of a Run; None where a version before did not say them.
    """

    which: Which
    cron_job: str
    schedule: str
    time_zone: str
    suspend: bool
    keep: int
    manifest: Any
    connection: Any
    urn: str
    generation: Any = 0
    layers: Any = None
    digests: Any = None
    preview: bool = False
    approved: str = ""

    @classmethod
    def of(cls, props: Props) -> CalendarInputs:
        """From inputs."""
        return cls(
            which=Which.of(props),
            cron_job=props["cron_job"],
            schedule=props["schedule"],
            time_zone=props["time_zone"],
            suspend=bool(props["suspend"]),
            keep=int(props["keep"]),
            manifest=props["manifest"],
            connection=props["connection"],
            urn=props["urn"],
            generation=props.get("generation", 0),
            layers=props.get("layers"),
            digests=props.get("__digests"),
            preview=bool(props.get("__preview")),
            approved=props.get("__approved") or "",
        )

    def props(self) -> Dict[str, Any]:
        """As a program registers them."""
        special = ("which", "preview", "approved", "layers", "digests")
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in special}
        said = {"layers": self.layers, "__digests": self.digests}
        told = {name: value for name, value in said.items() if value is not None}
        return {"__preview": self.preview, **_approved(self.approved), **self.which.props(), **plain, **told}

    def kept(self) -> Dict[str, Any]:
        """What of them stands in the outputs."""
        return {name: value for name, value in self.props().items() if name not in _NOT_KEPT}


_NOT_KEPT = ("__preview", "__approved", "__digests", "layers", "stack", "connection", "urn")


def _approved(path: str) -> Dict[str, Any]:
    return {"__approved": path} if path else {}
