"""The review of one stack: what an update would do, in the words of tasks, runs and schedules.

Everything is plain data that sorts by App, task and name, so that the same preview gives the same document. `None`
is what nobody knows; an empty text or tuple is what is known to be nothing. Moments are RFC 3339 in UTC.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1  # of the JSON: another one where a name goes or means something else


@dataclass(frozen=True)
class Past:
    """A run that is there: when it was made, began and ended, and how ("" while it goes on)."""

    run: str
    task_id: int
    created: str
    started: str | None = None
    finished: str | None = None
    outcome: str = ""


@dataclass(frozen=True)
class Ran:
    """The newest runs of a task of an App, oldest first, at most ten."""

    namespace: str | None
    app: str
    task: str
    last: tuple[Past, ...]


@dataclass(frozen=True)
class Start:
    """A task, or the build of an App's image, that an update starts.

    - `starts`: "will" or "may" (only the update knows). `because`: why.
    - `key`: of its definition; None while only the update knows it. `adopts`: the run is there and only followed.
    - `command`: as one would type it. `image`, `image_before`: with digests where they are known; None for unknown.
    - `files`: of a build, what differs in its source: `+ name`, `- name`, `~ name`. `sent`: what it sends.
    - `last`: the task's newest runs, oldest first, at most ten; None where the cluster was not asked.
    """

    namespace: str | None
    app: str
    task: str
    urn: str
    starts: str
    because: str
    key: str | None
    build: bool = False
    command: str | None = None
    image: str | None = None
    image_before: str | None = None
    files: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    last: tuple[Past, ...] | None = None


@dataclass(frozen=True)
class Cancel:
    """A run that the update ends because its task is terminated."""

    namespace: str | None
    app: str
    task: str
    run: str


@dataclass(frozen=True)
class Deletion:
    """A run that retention lets go.

    `sure` is False for one that goes only if what may run does, or if another run succeeds or fails in its place.
    """

    namespace: str | None
    app: str
    run: str
    sure: bool = True
    rule: str = ""
    task: str = ""
    created: str | None = None
    outcome: str = ""


@dataclass(frozen=True)
class Removal:
    """An App that goes, and every run of it with its log; `kept` where it has retain_on_delete."""

    namespace: str | None
    app: str
    kept: bool = False


@dataclass(frozen=True)
class Dropped:
    """A task that the program no longer has: its record goes, and its runs stay until retention lets them go."""

    namespace: str | None
    app: str
    task: str


@dataclass(frozen=True)
class Times:
    """A schedule and its next times; both empty where only people start the task, or while it is suspended."""

    schedule: str
    time_zone: str
    suspended: bool = False
    next: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """A schedule that the update changes: `before` is None for a new one, `after` for one that goes.

    - `clock_changes`: the times of the year to come that clocks skip or repeat.
    - `overlaps`: what else runs while it may, in words.
    """

    namespace: str | None
    app: str
    task: str
    before: Times | None
    after: Times | None
    clock_changes: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """A schedule as it is after the update, whether that changes it or not; `before` where it does."""

    namespace: str | None
    app: str
    task: str
    times: Times | None
    before: Times | None = None


@dataclass(frozen=True)
class Decisions:
    """What an update does that is not only another text in a cluster: this is what people approve.

    Each is sorted by namespace, App and task or run.
    """

    starts: tuple[Start, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    removals: tuple[Removal, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    @property
    def runs(self) -> tuple[Start, ...]:
        """The tasks that will run."""
        return tuple(one for one in self.starts if one.starts == "will" and not one.build)

    @property
    def may_run(self) -> tuple[Start, ...]:
        """The tasks that may run."""
        return tuple(one for one in self.starts if one.starts != "will" and not one.build)

    @property
    def builds(self) -> tuple[Start, ...]:
        """The images that will or may be built."""
        return tuple(one for one in self.starts if one.build)


@dataclass(frozen=True)
class Change:
    """One thing that differs for tasks of an App, said once for all of them.

    - `kind`: "environment", "resources", "security" or "other". `what`: such as `memory`, or a variable's name.
    - `tasks`: whose; `all_tasks` where it is every one that was there before and is there after.
    - `before`, `after`: as text, None where it is not there; `secret`: the value is one, and is not told.
    """

    namespace: str | None
    app: str
    kind: str
    what: str
    before: str | None
    after: str | None
    tasks: tuple[str, ...] = ()
    all_tasks: bool = False
    secret: bool = False
    note: str = ""


@dataclass(frozen=True)
class Template:
    """How the template of a task differs: the lines of a unified diff."""

    namespace: str | None
    app: str
    task: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Other:
    """Any other resource that changes; `paths`: what of it."""

    op: str
    type: str
    name: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """A line under a resource, by its type and name: both empty where it stands under none."""

    type: str
    name: str
    text: str


@dataclass(frozen=True)
class Broken:
    """A policy that is violated."""

    pack: str
    policy: str
    level: str
    type: str
    name: str
    text: str


@dataclass(frozen=True)
class Kept:
    """What an App keeps after the update, and how far back that reaches, in words; empty where it stays as it was."""

    namespace: str | None
    app: str
    keep: int
    before: int
    reach: str = ""


@dataclass(frozen=True)
class Review:
    """What one preview of one stack tells.

    - `at`: when the preview began, empty where it does not tell. `whole`: it came to its end without an error.
    - `ran`, `planned`: the runs and schedules of all Apps, also of those that the update leaves as they are.
    - `unknown`: what could not be found out, in sentences.
    """

    project: str
    stack: str
    at: str
    whole: bool
    errors: tuple[Said, ...]
    decisions: Decisions
    dropped: tuple[Dropped, ...]
    kept: tuple[Kept, ...]
    ran: tuple[Ran, ...]
    planned: tuple[Planned, ...]
    changes: tuple[Change, ...]
    templates: tuple[Template, ...]
    others: tuple[Other, ...]
    unchanged: int
    warnings: tuple[Said, ...]
    notes: tuple[Said, ...]
    violations: tuple[Broken, ...]
    unknown: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"version": VERSION, **asdict(self)}
