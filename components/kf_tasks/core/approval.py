"""What people have approved of an update, as a small file: what it may start, cancel, delete and schedule.

`kf review --approve` writes it from what the report shows; an update with `KF_APPROVED` refuses all that is not in it.
A digest over the content ties it to project and stack: it says that nobody has edited the file, not who has approved.
Whoever may write the file decides what is approved. What the update leaves out of it is no reason to refuse.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Collection, List, Optional, Sequence, Tuple

from .errors import InvalidInput
from .naming import build_of, digest
from .run.summary import RunSummary
from .state import MAY, Decision, Which

VERSION = 1
ANEW = "review it anew with kf review --approve FILE, or update without the approval"
_DIGEST = 64
_NONE = "is no approval: write one with kf review --approve FILE"


@dataclass(frozen=True)
class Start:
    """A task, or the build of an App's image, that may be started.

    - `key`: of its definition; None where only the update knows it, and then every definition is approved.
    - `last`: names of the runs that it had when it was reviewed, None where the cluster was not asked; `newest`: when
      the newest of them was made.
    """

    namespace: Optional[str]
    app: str
    task: str
    build: bool
    key: Optional[str]
    last: Optional[Tuple[str, ...]] = None
    newest: str = ""


@dataclass(frozen=True)
class Times:
    """A schedule that may come to be; `schedule` is empty where only people start it, and None for one that goes."""

    namespace: Optional[str]
    app: str
    task: str
    schedule: Optional[str]
    time_zone: str = ""
    suspended: bool = False


@dataclass(frozen=True)
class Place:
    """A run that may be deleted or cancelled, or, without one, an App that may be removed with all its runs."""

    namespace: Optional[str]
    app: str
    run: str = ""


@dataclass(frozen=True)
class Approval:
    """What one update of a stack may do; `stack` is its id, moments are RFC 3339 in UTC.

    `schedules` are those that change, and where the preview told of them also those that stay: then it is `complete`.
    """

    stack: str
    approved_at: str
    expires_at: str
    starts: Tuple[Start, ...] = ()
    cancels: Tuple[Place, ...] = ()
    deletions: Tuple[Place, ...] = ()
    removals: Tuple[Place, ...] = ()
    schedules: Tuple[Times, ...] = ()
    complete: bool = False

    @classmethod
    def read(cls, text: str, source: str) -> Approval:
        """The approval of a file's text; raises InvalidInput for what is none, and for one that was edited."""
        try:
            found = json.loads(text)
            version, signed = found["version"], found["digest"] if found["version"] == VERSION else ""
            content = {name: value for name, value in found.items() if name != "digest"}
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise InvalidInput(f"{source} {_NONE}") from None
        if version != VERSION:
            raise InvalidInput(f"{source} is an approval of another version of kf: {ANEW}")
        if signed != digest(content, _DIGEST):
            raise InvalidInput(f"{source} was edited after kf review wrote it, so this stack is left as it is: {ANEW}")
        try:
            return cls(
                stack=content["stack"],
                approved_at=content["approved_at"],
                expires_at=content["expires_at"],
                starts=tuple(Start(**{**one, "last": _names(one["last"])}) for one in content["starts"]),
                cancels=tuple(Place(**one) for one in content["cancels"]),
                deletions=tuple(Place(**one) for one in content["deletions"]),
                removals=tuple(Place(**one) for one in content["removals"]),
                schedules=tuple(Times(**one) for one in content["schedules"]),
                complete=content["complete"],
            )
        except (LookupError, TypeError):
            raise InvalidInput(f"{source} {_NONE}") from None

    def text(self) -> str:
        """As it is written."""
        content = json.loads(json.dumps({"version": VERSION, **asdict(self)}))
        return json.dumps({**content, "digest": digest(content, _DIGEST)}, indent=2, ensure_ascii=False) + "\n"

    def check_stack(self, stack: str, source: str) -> None:
        """Refuses an approval of another stack."""
        if stack != self.stack:
            raise InvalidInput(f"{source} approves an update of stack {self.stack!r}, and this is {stack!r}: {ANEW}")

    def check_time(self, now: str, source: str) -> None:
        """Refuses one that has expired; `now` is the cluster's."""
        if now >= self.expires_at:
            ended = f"was approved until {self.expires_at}, and it is {now}"
            raise InvalidInput(f"{source} of stack {self.stack!r} {ended}: {ANEW}")

    def start(self, which: Which, decided: Decision, runs: Sequence[RunSummary]) -> str:
        """Why a task may not be started as it was decided, empty if it may; `runs` are those that the task has."""
        refusal = self._start(which, decided, runs)
        return f"{refusal}. To have that, {ANEW}" if refusal else ""

    def _start(self, which: Which, decided: Decision, runs: Sequence[RunSummary]) -> str:
        refused = [run for run in decided.cancels or () if not self._has(self.cancels, which, run)]
        if refused:
            return f"{which}: run {', '.join(refused)} would be cancelled, which is not approved"
        if not decided.starts:
            return ""
        app, build = _app(which.app)
        here = (one for one in self.starts if (one.app, one.task, one.build) == (app, which.task, build))
        found = next((one for one in here if _same(one.namespace, which.namespace)), None)
        verb, because = ("be built" if build else "run"), decided.because
        if found is None:
            return f"{which} {decided.starts} {verb}, which is not approved: {because}"
        if found.key is not None and decided.starts == MAY:
            return f"{which} may {verb}, and approved is the one definition that was known then: {because}"
        if found.key is not None and decided.key != found.key:
            return f"{which} will {verb} by another definition than the approved one: {because}"
        new = [run for run in runs if _appeared(run, found)]
        if new and not decided.adopts:
            last = new[-1]
            how = "has failed" if last.failed else "has ended" if last.finished else "is still running"
            return f"{which} will {verb}, but run {last.name}, which {how}, appeared since that was approved: {because}"
        return ""

    def unapproved(self, namespace: str, app: str, runs: Collection[str]) -> List[str]:
        """Those of an App's runs that may not be deleted."""
        place = Which("", namespace, app, "")
        return [run for run in runs if not self._has(self.deletions, place, run)]

    def removes(self, namespace: str, app: str) -> bool:
        """Whether an App may be removed with all its runs."""
        return self._has(self.removals, Which("", namespace, app, ""), "")

    def schedule(self, which: Which, schedule: str, time_zone: str, suspended: bool) -> str:
        """Why a schedule may not become what it is declared as, empty if it may."""
        found = self._times(which)
        wanted = Times(found.namespace if found else None, which.app, which.task, schedule, time_zone, suspended)
        if found == wanted:
            return ""
        approved = f"approved is {_times(found)}" if found else "which is not approved"
        return f"job {which.task!r} of app {which.app!r} becomes {_times(wanted)}, {approved}. To have that, {ANEW}"

    def unschedules(self, which: Which) -> bool:
        """Whether a schedule may be removed."""
        found = self._times(which)
        return found is not None and found.schedule is None

    def _times(self, which: Which) -> Optional[Times]:
        here = (one for one in self.schedules if (one.app, one.task) == (which.app, which.task))
        return next((one for one in here if _same(one.namespace, which.namespace)), None)

    def _has(self, places: Sequence[Place], which: Which, run: str) -> bool:
        app = _app(which.app)[0]
        return any(one.app == app and one.run == run and _same(one.namespace, which.namespace) for one in places)


def _names(last: Optional[List[str]]) -> Optional[Tuple[str, ...]]:
    return None if last is None else tuple(last)


def _app(name: str) -> Tuple[str, bool]:
    """The App of what builds its image, and whether it is that."""
    ending = build_of("")
    return (name[: -len(ending)], True) if name.endswith(ending) else (name, False)


def _same(approved: Optional[str], namespace: Any) -> bool:
    """Whether it is one namespace; one that a preview does not know yet is."""
    return not approved or not isinstance(namespace, str) or not namespace or approved == namespace


def _appeared(run: RunSummary, approved: Start) -> bool:
    return approved.last is not None and run.name not in approved.last and run.created >= approved.newest


def _times(times: Times) -> str:
    if times.schedule is None:
        return "its removal"
    if not times.schedule:
        return "one that only people start"
    return f"{times.schedule!r} in {times.time_zone}{', suspended' if times.suspended else ''}"
