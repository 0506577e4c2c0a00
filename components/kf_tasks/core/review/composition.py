"""What a reader is told of a review, and in which order: what fails, what runs, what goes, and the rest behind it."""

from __future__ import annotations

from typing import Iterable, Sequence

from .. import moments
from ..quantities import age_text
from .document import (
    Cell,
    Difference,
    Document,
    Foreign,
    Inline,
    Items,
    Part,
    Section,
    Table,
    cell,
    counted,
    joined,
)
from .facts import ENVIRONMENT, OTHER, RESOURCES, SECURITY
from .model import Change, Deletion, Kept, Other, Past, Review, Said, Schedule, Start, Times
from .pictures import last_runs, retention, week
from .places import told_apart
from .schedules import local

_GUARDED = ("ServiceAccount", "NetworkPolicy", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
_OPERATIONS = {"create": "+", "delete": "−", "update": "~", "replace": "±", "read": "read", "import": "imported"}
_NOTHING = "—"
_RETENTION = ("Runs that are deleted", "What retention keeps")
_DROPPED = ": nothing runs, and its runs stay until retention lets them go"


def compose(reviews: Sequence[Review], *, pictures: bool = False) -> Document:
    """The document of one review or several, in the order of their projects and stacks; `pictures` for HTML."""
    ordered = sorted(map(told_apart, reviews), key=lambda one: (one.project, one.stack))
    return Document(
        tuple(f"{one.project}/{one.stack}" for one in ordered), tuple(_part(one, pictures) for one in ordered)
    )


def _part(review: Review, pictures: bool) -> Part:
    title = cell(Foreign(f"{review.project}/{review.stack}")) if review.stack else cell("a preview of nothing")
    return Part(title, summary(review), tuple(section for section in _sections(review, pictures) if section.blocks))


def summary(review: Review) -> str:
    """One sentence of counts."""
    decided = review.decisions
    sure = [one for one in decided.deletions if one.sure]
    parts = [
        _count(decided.runs, "task", "will run"),
        _count(decided.may_run, "task", "may run"),
        _count(decided.builds, "image", "built", "is", "are"),
        _count(decided.cancels, "run", "cancelled", "is", "are"),
        _count(sure, "run", "deleted", "is", "are"),
        _count([one for one in decided.deletions if not one.sure], "more run" if sure else "run", "may be deleted"),
        _count(review.dropped, "task", "removed", "is", "are"),
        _count([one for one in decided.removals if not one.kept], "App", "removed with all runs", "is", "are"),
        _count(decided.schedules, "schedule", "", "changes", "change"),
        _count(review.others, "other resource", "", "changes", "change"),
    ]
    said = joined(filter(None, parts)) or "nothing changes"
    broken = [one for one in review.violations if one.level == "mandatory"]
    stops = [_count(review.errors, "error"), _count(broken, "policy", "refuses", many="policies", verbs="refuse")]
    stopped = joined(filter(None, stops))
    if stopped:
        return f"{_upper(stopped)}: the update would stop. So far {said}."
    return f"{_upper(said)}." if review.whole else f"The preview did not come to its end. So far {said}."


def _sections(review: Review, pictures: bool) -> Iterable[Section]:
    decided, changes = review.decisions, review.changes
    refusing = [one for one in review.violations if one.level == "mandatory"]
    yield Section("Errors and refusals", _lines([*map(_said, review.errors), *map(_broken, refusing)]), alert=True)
    yield Section("What is not known", _lines(cell(Foreign(text)) for text in review.unknown))
    yield Section("Tasks that will run", _starts(decided.runs))
    yield Section("Tasks that may run", _starts(decided.may_run))
    yield Section(
        "Runs that are cancelled",
        _lines(cell(Foreign(one.run), " of ", _of(one.app, one.task)) for one in decided.cancels),
        alert=True,
    )
    yield Section("Tasks that are removed", _lines(cell(_of(one.app, one.task), _DROPPED) for one in review.dropped))
    yield Section("Apps that are removed", _removals(review), alert=any(not one.kept for one in decided.removals))
    drawn = retention.draw(review) if pictures else []
    yield Section(
        _RETENTION[not decided.deletions],
        [*_deletions(decided.deletions), *_kept(review.kept), *drawn],
        alert=bool(decided.deletions),
    )
    yield Section("Schedules", [*_schedules(decided.schedules), *(week.draw(review) if pictures else [])])
    yield Section("Images that are built", _builds(decided.builds))
    yield Section("The last runs of each App", last_runs.draw(review) if pictures else [])
    yield Section("Environment", _changes(changes, ENVIRONMENT))
    yield Section("Resources", _changes(changes, RESOURCES, OTHER))
    guarded = [one for one in review.others if _is_guarded(one)]
    yield Section("Security", [*_changes(changes, SECURITY), *_others(guarded)])
    yield Section("What else changes", _others([one for one in review.others if not _is_guarded(one)]), folded=True)
    yield Section("Warnings", _lines(map(_said, review.warnings)))
    advisory = [one for one in review.violations if one.level != "mandatory"]
    yield Section("Policies", _lines(map(_broken, advisory)))
    yield Section("What the program says", _lines(map(_said, review.notes)), folded=True)
    differences = [
        Difference(cell(_of(one.app, one.task) if one.task else Foreign(one.app)), one.lines)
        for one in review.templates
        if one.lines
    ]
    yield Section("Templates", differences, folded=True)


def _starts(starts: Sequence[Start]) -> list[Table]:
    if not starts:
        return []
    rows = [
        (
            cell(_of(one.app, one.task)),
            cell(Foreign(one.because)),
            cell(Foreign(one.command) if one.command is not None else "known only during the update"),
            _image(one),
            _history(one.last),
        )
        for one in starts
    ]
    return [Table(("Task", "Why", "Command", "Image", "Last runs"), rows)]


def _image(one: Start) -> Cell:
    if one.image is None:
        return cell("known only during the update")
    if one.image_before in (None, one.image):
        return cell(Foreign(one.image))
    return cell(Foreign(str(one.image_before)), " → ", Foreign(one.image))


def _history(last: tuple[Past, ...] | None) -> Cell:
    """How long the last runs took and how they ended: `3 of 3 succeeded, 4s to 12s, last 10s`."""
    if last is None:
        return cell("not known")
    if not last:
        return cell("none")
    succeeded = sum(1 for one in last if one.outcome == "Succeeded")
    taken = [seconds for one in last if (seconds := moments.seconds_between(one.started, one.finished)) is not None]
    spans = ""
    if taken:
        low, high, latest = (age_text(int(seconds)) for seconds in (min(taken), max(taken), taken[-1]))
        spans = f", {low}" if low == high else f", {low} to {high}, the last {latest}"
    ended = "" if last[-1].outcome == "Succeeded" else "; the last one: "
    how = Foreign(last[-1].outcome or "still running") if ended else ""
    return cell(f"{succeeded} of {len(last)} succeeded{spans}{ended}", how)


def _removals(review: Review) -> list[Items]:
    return _lines(
        cell(
            Foreign(one.app),
            ": its runs stay, since it has retain_on_delete"
            if one.kept
            else ": every run of it is deleted with its log",
        )
        for one in review.decisions.removals
    )


def _deletions(deletions: Sequence[Deletion]) -> list[Table]:
    if not deletions:
        return []
    rows = [
        (
            cell(Foreign(one.run)),
            cell("will be deleted" if one.sure else "may be deleted"),
            cell(Foreign(one.rule) if one.rule else "not told"),
            cell(Foreign(one.created) if one.created else "not told"),
            cell(Foreign(one.outcome) if one.outcome else "not told"),
        )
        for one in sorted(deletions, key=lambda one: (not one.sure, one.app, one.created or "", one.run))
    ]
    return [Table(("Run", "", "Why", "Made", "Ended"), rows)]


def _kept(kept: Sequence[Kept]) -> list[Items]:
    return _lines(
        cell(
            Foreign(one.app),
            f" keeps {counted(one.keep, 'run')}"
            + (f" instead of {one.before}" if one.before not in (None, one.keep) else ""),
            ": " if one.reach else "",
            Foreign(one.reach) if one.reach else "",
        )
        for one in kept
    )


def _schedules(schedules: Sequence[Schedule]) -> list[Table | Items]:
    if not schedules:
        return []
    rows = [
        (cell(_of(one.app, one.task)), _times(one.before, "it is new"), _times(one.after, "it is removed"))
        for one in schedules
    ]
    notes = [
        cell(_of(one.app, one.task), ": ", Foreign(text))
        for one in schedules
        for text in (*one.clock_changes, *one.overlaps)
    ]
    return [Table(("Schedule", "Before", "After"), rows), *_lines(notes)]


def _times(times: Times | None, absent: str) -> Cell:
    if times is None:
        return cell(absent)
    if not times.schedule:
        return cell("only started by hand")
    head = cell(Foreign(times.schedule), " in ", Foreign(times.time_zone), ": ")
    if times.suspended:
        return (*head, "suspended")
    following = ", ".join(local(moment, times.time_zone) for moment in times.next)
    return (*head, Foreign(following) if following else "next times are not known")


def _builds(builds: Sequence[Start]) -> list[Table]:
    if not builds:
        return []
    rows = [
        (
            cell(Foreign(one.app)),
            cell("will be built: " if one.starts == "will" else "may be built: ", Foreign(one.because)),
            _listed(one.files) or cell(_NOTHING),
            _listed(one.sent) or cell(_NOTHING),
            _history(one.last),
        )
        for one in builds
    ]
    return [Table(("App", "Why", "Files that changed", "What is sent", "Last builds"), rows)]


def _listed(texts: Sequence[str]) -> Cell:
    return cell(*(part for nth, text in enumerate(texts) for part in ((", " if nth else ""), Foreign(text))))


def _changes(changes: Sequence[Change], *kinds: str) -> list[Table]:
    found = [one for one in changes if one.kind in kinds]
    if not found:
        return []
    rows = [
        (
            cell(Foreign(one.what)),
            _value(one.before, one.secret),
            _value(one.after, one.secret),
            cell(Foreign(one.app), *_whose(one)),
            cell(Foreign(one.note) if one.note else ""),
        )
        for one in found
    ]
    return [Table(("What", "Before", "After", "Of", ""), rows)]


def _whose(one: Change) -> Iterable[Inline]:
    if one.all_tasks or not one.tasks:
        return ()
    names = [name or "the App itself" for name in one.tasks]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (": ", *_listed(names[:5]), more)


def _value(value: str | None, secret: bool) -> Cell:
    if value is None:
        return cell(_NOTHING)
    return cell(f"({value})") if secret and value in ("secret", "plain") else cell(Foreign(value) if value else "empty")


def _others(others: Sequence[Other]) -> list[Items]:
    return _lines(
        cell(
            f"{_OPERATIONS[one.op]} " if one.op in _OPERATIONS else "",
            Foreign(f"{one.type} {one.name}" if one.op in _OPERATIONS else f"{one.op} {one.type} {one.name}"),
            ": " if one.paths else "",
            *_listed(one.paths[:10]),
            f" and {len(one.paths) - 10} more" if len(one.paths) > 10 else "",
        )
        for one in others
    )


def _is_guarded(one: Other) -> bool:
    return one.type.rpartition(":")[2] in _GUARDED


def _said(one: Said) -> Cell:
    return cell(*((Foreign(f"{one.type} {one.name}"), ": ") if one.type else ()), Foreign(one.text))


def _broken(one: object) -> Cell:
    level, pack, policy, type_, name, text = (
        getattr(one, part) for part in ("level", "pack", "policy", "type", "name", "text")
    )
    where = (Foreign(f"{type_} {name}"), ": ") if type_ else ()
    return cell(Foreign(f"[{level}] {pack}/{policy}"), " ", *where, Foreign(text))


def _of(app: str, task: str) -> Foreign:
    return Foreign(f"{app}/{task}" if task else app)


def _lines(lines: Iterable[Cell]) -> list[Items]:
    found = list(lines)
    return [Items(found)] if found else []


def _count(found: Sequence[object], one: str, rest: str = "", verb: str = "", verbs: str = "", many: str = "") -> str:
    if not found:
        return ""
    verb = verb if len(found) == 1 else verbs
    return " ".join(filter(None, [counted(len(found), one, many), verb, rest]))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
