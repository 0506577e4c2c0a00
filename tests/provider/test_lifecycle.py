"""What a Run and a History decide in a preview and an update, told by a cluster of plain data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from kf_tasks.cluster.connection import Connection
from kf_tasks.core import definition
from kf_tasks.core.build import spec
from kf_tasks.core.run.environment import Value, merge
from kf_tasks.core.run.outcome import Outcome
from kf_tasks.core.run.pipelinerun import TaskSpec, render
from kf_tasks.core.state import RunInputs, RunRecord
from kf_tasks.errors import ClusterError, Denied, NotFound, Refused, Unreachable
from kf_tasks.provider import decision, recording
from kf_tasks.provider.adapter import alias_option
from kf_tasks.provider.hosting import Failure
from kf_tasks.provider.survey import Survey
from kf_tasks.runs import secrets
from pulumi.output import Unknown

from ..cluster.unwatched import Unwatched
from ..core.run.test_pipelinerun import SPEC
from ..runs.test_submission import run
from .adapters import Calendars, Histories, Runs
from .previews import Answers, Seen

pytestmark = pytest.mark.usefixtures("adapter")

UNKNOWN = Unknown()  # type: ignore[no-untyped-call]
DEFINITION = {"image": "i", "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []}
NEWS: dict[str, Any] = {
    "__preview": True, "connection": {}, "stack": "shop.dev", "namespace": "shop", "app": "shop", "task": "migrate",
    "definition": DEFINITION, "manifest": {"metadata": {"labels": {}}}, "when": "change", "must_succeed": True,
    "terminated": False, "urn": "urn", "keep": 3,
}  # fmt: skip
HISTORY = {**NEWS, "owns_namespace": False, "stack_label": "shop.dev", "runs": []}
OLDS = {**NEWS, "key": definition.key(DEFINITION), "nth": 0, "_because": "first run", "_starts": "will", "again": False}


@pytest.fixture
def seen() -> Seen:
    return Seen(Survey(cluster="one"))


def test_terminated_is_said_of_what_is_not_known_yet(seen: Seen) -> None:
    news = {**NEWS, "terminated": True, "definition": {**DEFINITION, "image": UNKNOWN}}
    found = Runs(seen).check(OLDS, news)
    assert seen.said == ["held back: terminated is set"] and found.inputs["key"] == OLDS["key"]


def test_terminated_says_nothing_where_nothing_would_run(seen: Seen) -> None:
    Runs(seen).check(OLDS, {**NEWS, "terminated": True})
    assert seen.said == []


def test_terminated_cancels_what_no_record_holds(seen: Seen) -> None:
    lost = run(1, "Unknown")
    seen.sees(lost)
    found = Runs(seen).check(OLDS, {**NEWS, "terminated": True})
    assert seen.said == [f"will cancel {lost.name}: terminated is set"]
    assert Runs(seen).diff({**OLDS, "state": "Succeeded"}, found.inputs).changes, "else nobody would do it"


def test_what_a_build_sends_is_said_where_it_builds_and_only_there(seen: Seen) -> None:
    definition_ = {"build": {"source": "sha256:1"}, "files": {"a": "1"}}
    upload = {"folder": "app", "registry": "r", "repository": "dev/shop", "tree": "sha256:1", "size": 10240.0}
    contents = spec.contents({"a": 7}, [".env"])
    news = {**NEWS, "task": "image", "when": "build", "definition": definition_}
    news["upload"] = {**upload, "contents": contents}
    found = Runs(seen).check({}, news)
    assert seen.said == ["will build: first build", *spec.sent(contents)] and len(seen.said) == 3
    Runs(quiet := Seen(Survey(cluster="one"))).check({**found.inputs, "upload": upload}, news)
    assert quiet.said == []
    Runs(again := Seen(Survey(cluster="one"))).check({}, {**news, "upload": UNKNOWN})
    assert again.said == ["will build: first build"]


@pytest.mark.parametrize(("code", "line"), [(126, "sh: ./run.sh"), (1, "./run.sh: Permission denied"), (1, "no")])
def test_a_failure_that_looks_like_a_wrong_user_gets_a_word_of_advice(code: int, line: str) -> None:
    manifest = render(TaskSpec(**SPEC))
    inputs = RunInputs.of({**NEWS, "manifest": manifest})
    ended = Outcome("Failed", "Failed", f"exit code {code}", exit_code=code)
    said = recording.failure(inputs, ended, RunRecord(run="r", task_id=1, log=f"{line}\n", log_lines=1))
    assert ("  the command ran as user 1000: if another one" in said) == (line != "no")


@pytest.mark.parametrize("place", ["namespace", "connection"])
def test_an_unknown_place_is_not_asked(seen: Seen, place: str) -> None:
    Runs(seen).check({}, {**NEWS, place: UNKNOWN})
    assert seen.said[0].startswith(
        f"the {'cluster' if place == 'connection' else place} is known only during the update"
    )
    assert seen.said[1:] == ["will run: first run"]
    assert Histories(seen).check({}, {**HISTORY, place: UNKNOWN}).failures == [] and not seen.asked


@pytest.mark.parametrize(
    ("olds", "words"),
    [
        ({"namespace": "old"}, "nothing runs in namespace 'shop' by itself: the record is of namespace 'old'"),
        ({"__cluster": "other"}, "nothing runs in this cluster by itself: the record is of another one"),
        ({"__cluster": "one"}, ""),
        ({}, ""),
    ],
)
def test_a_record_of_another_place(seen: Seen, olds: dict[str, Any], words: str) -> None:
    found = Runs(seen).check({**OLDS, **olds}, NEWS)
    assert (not words and seen.said == []) or seen.said[0].startswith(words)
    assert found.inputs["__cluster"] == "one", "so that it is said once"


def test_a_record_that_comes_back_to_its_place_is_not_elsewhere() -> None:
    """An App moves away, further, and back: each move is compared with where the run was."""
    olds, told = OLDS, []
    for namespace in ("other", "third", "third", "shop", "other"):
        update = Seen(Survey(cluster="one"))
        olds = Runs(update).check(olds, {**NEWS, "namespace": namespace}).inputs
        told.append([line.partition(". To run")[0] for line in update.said])
    assert told == [
        ["nothing runs in namespace 'other' by itself: the record is of namespace 'shop'"],
        ["nothing runs in namespace 'third' by itself: the record is of namespace 'shop'"],
        [],
        [],
        ["nothing runs in namespace 'other' by itself: the record is of namespace 'shop'"],
    ]
    update = Seen(Survey(cluster="one"))
    olds = Runs(update).check(olds, {**NEWS, "namespace": "other", "definition": {**DEFINITION, "image": "j"}}).inputs
    assert olds["_starts"] == "will" and olds["__place"] == "other"
    Runs(again := Seen()).check(olds, {**NEWS, "definition": {**DEFINITION, "image": "j"}})
    assert again.said[0].startswith("nothing runs in namespace 'shop' by itself: the record is of namespace 'other'")


def test_an_unknown_namespace_replaces_no_history(seen: Seen) -> None:
    news = {**HISTORY, "_expired": []}
    assert not Histories(seen).diff(news, news).changes
    assert Histories(seen).diff(news, {**news, "namespace": UNKNOWN}).replaces is None
    assert Histories(seen).diff(news, {**news, "namespace": "other"}).replaces == ["app"]


def because(seen: Seen, **news: Any) -> str:
    found = Runs(seen).check({}, {**NEWS, **news})
    return str(found.inputs["_because"])


def labelled(task: str, key: str, **labels: str) -> Any:
    return replace(run(1), labels={**run(1).labels, "kf.dev/task": task, "kf.dev/key": key, **labels})


def test_a_first_run_is_one(seen: Seen) -> None:
    assert because(seen) == "first run"
    seen.sees(labelled("other", "k"), labelled("migrate", OLDS["key"], **{"kf.dev/stack": "another"}))
    assert because(Seen(Survey(runs=seen.seen.runs[:1]))) == "first run"


def test_what_was_run_before_is_no_first_run(seen: Seen) -> None:
    seen.sees(labelled("migrate", "another"))
    assert because(seen).startswith("the state has no record of it, or a new run was asked for (run shop-migrate-")
    recorded = replace(labelled("migrate", OLDS["key"]), annotations={"kf.dev/recorded": "true"})
    found = because(Seen(Survey(runs=[recorded])))
    assert found.startswith("the state has no record of it, or a new run was asked for (run shop-migrate-")


def test_a_renamed_task_is_told_what_would_have_kept_its_record(seen: Seen) -> None:
    seen.sees(labelled("migrate", OLDS["key"]))
    assert because(seen, task="move") == (
        "first run of this name; if it is task 'migrate' renamed, "
        f"{alias_option('shop-migrate')} keeps its record, and nothing runs"
    )
    both = Seen(seen.seen)
    Runs(both).check(OLDS, NEWS)
    assert because(both, task="move") == "first run", "the other one is still there"


def test_runs_that_an_update_lets_go_are_named(seen: Seen) -> None:
    class Cluster(Unwatched):
        now = "2026-11-25T12:00:00Z"

        def list_runs(self, *_: Any, **__: Any) -> list[Any]:
            return [replace(run(nth), name=f"run-{nth:02}", created=f"2026-11-25T00:{nth:02}:00Z") for nth in range(15)]

        def note_pruned(self, *_: Any) -> None:
            pass

        def delete_runs(self, _namespace: str, runs: list[Any], **_: Any) -> list[str]:
            return [one.name for one in runs]

    cluster: Any = Cluster()
    recording.let_go(seen, cluster, RunInputs.of(NEWS))
    first = ", ".join(f"run-{nth:02}" for nth in range(10))
    assert seen.said == [f"deleted 12 runs of app 'shop': {first} and 2 more"]
    seen.said.clear()
    recording.let_go(seen, cluster, RunInputs.of({**NEWS, "keep": 14}))
    recording.let_go(seen, cluster, RunInputs.of({**NEWS, "keep": 15}))
    assert seen.said == ["deleted 1 run of app 'shop': run-00"]


BEGUN = RunRecord(run(1).name, state="Running", cluster_uid="one")
GONE = NotFound("pipelineruns.tekton.dev not found")


def complete(**answers: Any) -> tuple[RunRecord, str | None]:
    return recording.complete(Seen(cluster=Answers(**answers)), RunInputs.of(NEWS), BEGUN)


def test_only_its_own_cluster_tells_that_a_run_is_gone() -> None:
    record, _ = complete(uid="one", get_run=GONE, list_runs=[])
    assert record == replace(BEGUN, state="Unknown", reason="Deleted before its end was recorded")
    with pytest.raises(Refused, match="it is in another cluster than this one"):
        complete(uid="two", get_run=GONE, list_runs=[])
    with pytest.raises(NotFound, match="task 'migrate' of app 'shop': how run shop-migrate-.* could not be asked for"):
        complete(uid="one", get_run=GONE, list_runs=NotFound("there is no Tekton here"))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"metadata": {}}, "repeat the update"),
        (Denied("no"), "repeat the update"),
        (
            {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
            "when it is gone, pulumi up --refresh makes it anew",
        ),
        (None, "namespace 'shop' was deleted with it: when it is gone, pulumi up --refresh makes it anew"),
    ],
)
def test_a_run_that_is_deleted_with_its_namespace_says_how_to_get_that_back(
    found: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted(*_: Any, **__: Any) -> None:
        raise GONE

    monkeypatch.setattr(recording, "attend", deleted)
    cluster, nobody_is_told = Answers(namespace=found), cast(Any, None)
    with pytest.raises(NotFound) as raised:
        recording._follow(
            Seen(), cast(Any, cluster), RunInputs.of(NEWS), {"metadata": {"name": "r"}}, BEGUN, nobody_is_told
        )
    assert str(raised.value).startswith(
        "task 'migrate' of app 'shop': run r was deleted before its end, so how it ended"
    )
    assert str(raised.value).endswith(said)


def test_retention_decides_no_outcome(seen: Seen) -> None:
    cluster: Any = Answers(list_runs=Denied("no"))
    recording.let_go(seen, cluster, RunInputs.of(NEWS))
    assert seen.said == ["warning: older tasks of app 'shop' could not be deleted: no"]


def test_secrets_are_not_guessed() -> None:
    step = {"env": [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "kf-shop.env", "key": "S"}}}]}
    manifest = {"spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step]}}]}}}
    warned: list[str] = []
    cluster: Any = Answers(get=Denied("no"))
    assert secrets.secret_values(cluster.get, "shop", manifest, warned.append) == [] and len(warned) == 1
    with pytest.raises(Unreachable):
        secrets.secret_values(Answers(get=Unreachable("later")).get, "shop", manifest, warned.append)


def test_a_name_at_the_limit_is_no_trouble_for_the_dry_run(seen: Seen) -> None:
    tried: list[str] = []

    class Admits:
        def create_run(self, manifest: dict[str, Any], *, dry_run: bool) -> None:
            assert dry_run
            tried.append(manifest["metadata"]["name"])

    seen.answers = Admits()
    news = {**NEWS, "app": "a" * 57 + "-" + "b" * 5, "manifest": {"metadata": {"labels": {}}}}
    assert decision.dry_run(seen, Connection(), RunInputs.of(news)) is None
    assert len(tried[0]) <= 58 and tried[0].endswith("-0"), "no run has this name"


@pytest.mark.parametrize("state", ["Running", "Succeeded"])
def test_a_record_that_is_only_completed_is_no_new_run(seen: Seen, state: str) -> None:
    seen.sees(run(1, created="2026-11-25T11:00:00Z"), run(2))
    inputs = Runs(seen).check(OLDS, NEWS).inputs
    assert inputs["_starts"] == inputs["_because"] == ""
    assert Runs(seen).diff({**OLDS, "state": state}, inputs).changes == (state == "Running")
    Histories(seen).check({}, {**HISTORY, "keep": 2, "runs": [UNKNOWN]})
    assert seen.said == []


def test_a_history_says_whose_runs_it_could_not_keep_or_delete(seen: Seen) -> None:
    news = {**HISTORY, "runs": []}
    seen.answers = Answers(list_runs=Denied("no"))
    with pytest.raises(Failure, match="the runs of app 'shop' cannot be marked as recorded: no"):
        Histories(seen).create(news)
    with pytest.raises(Failure, match="the runs of app 'shop' in namespace 'shop' cannot be deleted: no"):
        Histories(seen).delete(news)


@pytest.mark.parametrize(
    ("preview", "error", "refused"),
    [(False, Unreachable("webhook"), False), (False, Denied("no"), True), (False, Refused("quota"), True),
     (True, Unreachable("webhook"), False), (True, Denied("no"), False), (True, Refused("quota"), True)],
)  # fmt: skip
def test_what_a_dry_run_refuses(seen: Seen, preview: bool, error: ClusterError, refused: bool) -> None:
    seen.answers = Answers(create_run=error)
    assert bool(decision.dry_run(seen, Connection(), RunInputs.of({**NEWS, "__preview": preview}))) == refused
    assert bool(seen.said) == (preview and not refused)


def test_what_runs_nothing_is_said_in_a_line_and_what_tasks_share_once() -> None:
    """A reviewer of forty tasks reads once that their App's variable changes."""
    env = merge([("App", {"LOG_LEVEL": Value("info")}), ("Task", {"A": Value("1")})])
    later = merge([("App", {"LOG_LEVEL": Value("debug")}), ("Task", {"A": Value("1")})])
    seen = Seen(Survey(cluster="one"))
    before, after = (
        render(TaskSpec(**{**SPEC, "env": of, "timeout": timeout}))
        for of, timeout in ((env, "1h0m0s"), (later, "5m0s"))
    )
    for task in ("a", "b", "c", "d", "e"):
        common = {**NEWS, "task": task, "layers": {"LOG_LEVEL": "App", "A": "Task"}}
        olds = {**OLDS, **common, "manifest": before}
        assert Runs(seen).check(olds, {**common, "manifest": after}).inputs["_starts"] == ""
    assert seen.said == [
        "timeout 1h → 5m: nothing runs",
        "LOG_LEVEL info → debug (App): nothing runs",
        *["timeout 1h → 5m: nothing runs"] * 4,
    ]
    script = {**DEFINITION, "argv": ["/bin/sh", "-c", "set -e\none\n"]}
    olds = {**OLDS, "manifest": before, "definition": script, "key": definition.key(script)}
    changed = {**script, "argv": ["/bin/sh", "-c", "set -e\ntwo\n"]}
    Runs(running := Seen()).check(olds, {**NEWS, "manifest": after, "definition": changed})
    assert running.said[:4] == ["will run: command changed: -1 +1 lines", "- one", "+ two", "timeout 1h → 5m"]
    assert running.said[4:] == ["LOG_LEVEL info → debug"], "where nobody knows its layer"


def test_a_secret_with_another_value_is_said_and_never_what_it_is() -> None:
    manifest = render(
        TaskSpec(**{**SPEC, "env": merge([("App", {"TOKEN": Value(secret="kf-shop.env", key="TOKEN")})])})
    )
    common = {**NEWS, "layers": {"TOKEN": "App"}, "manifest": manifest}
    before, after = ({"kf-shop.env": {"TOKEN": f"sha256:{text}"}} for text in ("hidden-1", "hidden-2"))
    seen = Seen(Survey(cluster="one"))
    for task in "abcde":
        olds = {**OLDS, **common, "task": task, "__digests": before}
        found = Runs(seen).check(olds, {**common, "task": task, "__digests": after})
        assert (
            found.inputs["_starts"] == "" and not Runs(seen).diff({**olds, "state": "Succeeded"}, found.inputs).changes
        )
    assert seen.said == ["TOKEN changed (App): nothing runs"]
    Runs(running := Seen()).check(
        {**OLDS, **common, "__digests": before},
        {**common, "__digests": after, "definition": {**DEFINITION, "argv": ["x"]}},
    )
    assert running.said == ["will run: command changed: echo → x", "TOKEN changed (App)"]
    for unknown in ({"__digests": UNKNOWN}, {}):
        Runs(quiet := Seen()).check({**OLDS, **common, "__digests": before}, {**common, **unknown})
        assert quiet.said == []


def test_a_schedule_says_what_changes_about_its_task_as_a_task_does() -> None:
    """Five schedules and a task of one App: what they share is said once, and nothing of it starts anything."""

    def declared(command: str, secret: str, **spec: Any) -> dict[str, Any]:
        env = merge([("App", {"TOKEN": Value(secret="kf-shop.env", key="TOKEN")})])
        manifest = render(TaskSpec(**{**SPEC, "env": env, "argv": ["/bin/sh", "-c", command], **spec}))
        digests = {"kf-shop.env": {"TOKEN": f"sha256:{secret}"}}
        return {"manifest": manifest, "layers": {"TOKEN": "App"}, "__digests": digests}

    place = {name: NEWS[name] for name in ("__preview", "connection", "stack", "namespace", "app", "urn")}
    plain = {**place, "task": "nightly", "cron_job": "shop-nightly", "schedule": "@daily", "time_zone": "UTC",
             "suspend": False, "keep": 5.0, "generation": 1.0}  # fmt: skip
    before, after = declared("echo $HOME", "hidden-1"), declared("echo $HOME\necho", "hidden-2", timeout="5m0s")
    seen = Seen(Survey(cluster="one"), Answers(cron_jobs=[], jobs=[], create_run={}))
    for task in "abcde":
        olds = {**plain, **before, "task": task}
        news = Calendars(seen).check(olds, {**plain, **after, "task": task}).inputs
        assert [*news["_secrets"]] == ["kf-shop.env"], "for a review"
        kept = Calendars(seen).create(olds).outs or {}
        assert kept and not Calendars(seen).diff(kept, {**olds, **news, "manifest": before["manifest"]}).changes
    own = ["timeout 1h → 5m: nothing runs", "command -0 +1 lines: nothing runs", "+ echo"]
    assert seen.said == [*own, "TOKEN changed (App): nothing runs", *(own * 4)]
    Runs(seen).check({**OLDS, **before}, {**NEWS, **before, "__digests": after["__digests"]})
    assert seen.said[-1] == own[-1], "the task of the same App has nothing to add"
    of_before = {name: before[name] for name in ("manifest",)}
    for old, new in ((before, before), (of_before, before), (before, {**after, "manifest": UNKNOWN})):
        Calendars(quiet := Seen(cluster=Answers(cron_jobs=[], jobs=[], create_run={}))).check(
            {**plain, **old}, {**plain, **new}
        )
        assert quiet.said == []


def test_a_great_many_changes_are_counted(seen: Seen) -> None:
    before, after = (render(TaskSpec(**{**SPEC, "labels": {f"l{n}": text for n in range(30)}})) for text in "ab")
    Runs(seen).check({**OLDS, "manifest": before}, {**NEWS, "manifest": after})
    assert len(seen.said) == 21 and seen.said[-1] == "… and 10 more changes of its template: nothing runs"


DONE = {
    **{name: value for name, value in OLDS.items() if not name.startswith("__")},
    **RunRecord("shop-migrate-1", 1, "Succeeded", log="hello\n").props(),
}


class Records:
    """Runs that succeed, each with a number: what `recording` is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: str | None = None) -> None:
        self.asked: list[RunInputs] = []
        self.failure = failure
        monkeypatch.setattr(recording, "record", self.record)

    def record(self, _preview: Any, inputs: RunInputs) -> tuple[RunRecord, str | None]:
        self.asked.append(inputs)
        return RunRecord(f"new-{len(self.asked)}", 2, "Failed" if self.failure else "Succeeded"), self.failure


@pytest.mark.parametrize(
    ("more", "runs"),
    [
        ({"definition": {**DEFINITION, "image": "j"}}, True),
        ({"when": "always"}, True),
        ({"manifest": {"metadata": {"labels": {}}}, "start_timeout": 5, "layers": {"A": "App"}}, False),
        ({"terminated": True, "definition": {**DEFINITION, "image": "j"}}, False),
    ],
)
def test_another_run_is_an_update_and_replaces_nothing(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], runs: bool
) -> None:
    records, room = Records(monkeypatch), Runs(seen)
    inputs = room.check(OLDS, {**NEWS, **more, "__preview": False}).inputs
    found = room.diff(DONE, inputs)
    assert (found.changes, not found.replaces) == (runs, True)
    if runs:
        outs = room.update(DONE, inputs).outs
        assert outs and (outs["run"], outs["key"], len(records.asked)) == ("new-1", inputs["key"], 1)
        assert not room.diff(outs, {**inputs, "again": False}).changes, "it is recorded"
        assert {**outs, **inputs} == {**outs, **{n: v for n, v in inputs.items() if n.startswith("__")}}
        assert not [name for name in outs if name.startswith("__")] and outs["log"] == "", "nothing of the last run"


def test_a_first_run_that_fails_leaves_no_record_and_is_tried_again(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of it, as of a resource that is there and not ready, would be taken for done once its run is gone."""
    text = "task 'migrate' of app 'shop' failed: exit code 3\n  last lines of its log:\n    half"
    records = Records(monkeypatch, text)
    inputs = Runs(seen).check({}, {**NEWS, "__preview": False}).inputs
    with pytest.raises(Failure) as told:
        Runs(seen).create(inputs)
    assert str(told.value) == text and len(records.asked) == 1
    failed = labelled("migrate", OLDS["key"])
    seen.sees(replace(failed, succeeded="False", finished=True, annotations={"kf.dev/outcome": "exit code 3"}))
    assert because(Seen(seen.seen)) == f"the last attempt failed: run {failed.name}, exit code 3"


def test_another_run_that_fails_leaves_the_record_and_is_tried_again(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    Records(monkeypatch, "task 'migrate' of app 'shop' failed: exit code 3")
    room = Runs(seen)
    with pytest.raises(Failure, match="exit code 3"):
        room.update(DONE, room.check(OLDS, {**NEWS, "definition": {**DEFINITION, "image": "j"}}).inputs)
    failed = replace(run(1, "False"), labels={**run(1).labels, "kf.dev/key": OLDS["key"]})
    seen.sees(replace(failed, annotations={"kf.dev/outcome": "exit code 3"}))
    again = Runs(Seen(seen.seen)).check(OLDS, NEWS).inputs
    assert again["again"] and room.diff(DONE, again).changes


def test_a_state_without_inputs_is_no_change(seen: Seen) -> None:
    """What 0.1.0 has written beside the record is what `refresh` and `destroy` need."""
    identity = {name: DONE[name] for name in ("connection", "stack", "namespace", "app", "task", "key", "urn")}
    old = {**identity, **RunRecord("shop-migrate-1", 1, "Succeeded").props()}
    inputs = Runs(seen).check(OLDS, NEWS).inputs
    assert not Runs(seen).diff(old, inputs).changes and not Runs(seen).diff(DONE, inputs).changes


def test_a_refresh_waits_for_nothing_whatever_the_state_holds(seen: Seen) -> None:
    unfinished = {**run_object(), "status": {}}
    seen.answers = Answers(uid="one", get_run=unfinished)
    begun = {**DONE, **BEGUN.props(), "wait": True, "terminated": True, "log_archive": "file:///nowhere"}
    assert Runs(seen).read("id", begun).outs == {name: it for name, it in begun.items() if it is not None}


def run_object() -> dict[str, Any]:
    return {"metadata": {"name": BEGUN.run, "namespace": "shop", "uid": "u", "labels": {}}, "spec": {}}


def test_a_namespace_that_is_gone_is_told_as_gone() -> None:
    """It is no drift that a plain update sees: said in preview and update, and nothing is started in it."""
    gone = "namespace 'shop' is gone, and its runs are lost: pulumi up --refresh makes it anew"
    for preview in (True, False):
        told = Seen(Survey(exists=False))
        unchanged = Runs(told).check(OLDS, {**NEWS, "__preview": preview})
        Histories(told).check(HISTORY, {**HISTORY, "__preview": preview})
        assert told.said == [f"warning: {gone}"] and not unchanged.failures
        again = Runs(told).check(OLDS, {**NEWS, "__preview": preview, "definition": {**DEFINITION, "image": "j"}})
        reasons = [failure.reason for failure in again.failures]
        assert reasons == ([] if preview else [f"task 'migrate' of app 'shop': nothing was started: {gone}"])


def test_a_namespace_that_nobody_has_made_yet_is_not_gone() -> None:
    for olds in ({}, {**OLDS, "namespace": "other"}):
        told = Seen(Survey(exists=False))
        Runs(told).check(olds, NEWS)
        assert told.said[0] == "namespace 'shop' is not there yet: admission was not asked for"
        Runs(update := Seen(Survey(exists=False))).check(olds, {**NEWS, "__preview": False})
        assert not [line for line in update.said if "not there yet" in line], (
            "it says that it is gone, and starts nothing"
        )
    Histories(told := Seen(Survey(exists=False))).check({}, HISTORY)
    assert told.said == []


def test_a_replacement_that_was_asked_for_and_adopts_is_told_how_to_run(seen: Seen) -> None:
    """Pulumi gives no old inputs with `--replace`, nor with a record that was lost: the run may be of either."""
    seen.sees(labelled("migrate", OLDS["key"]))
    words = "; if --replace asked for another one, let a plain pulumi up record this one before"
    assert because(seen).startswith("adopts run shop-migrate-") and because(seen).endswith(words)
    changed = {**OLDS, "key": "other", "definition": {**DEFINITION, "image": "j"}}
    adopts = Runs(Seen(seen.seen)).check(changed, NEWS).inputs["_because"]
    assert adopts.endswith(" and is not recorded yet"), "with old inputs it is known that nobody asked"
