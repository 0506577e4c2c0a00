"""What is hidden in a log, and what is said of it that cannot be."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from kf_tasks.core import marks
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import Denied
from kf_tasks.runs.secrets import copy_late, copy_secrets, drop_copies, secret_values

from ..cluster.unwatched import Unwatched


class Holds(Unwatched):
    """A cluster with Secrets; each change of one is its next version, at the full hour."""

    now = "2026-01-01T09:30:00Z"

    def __init__(self, secrets: dict[str, dict[str, str]]) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.runs: list[RunSummary] = []
        self.denied = ""
        self.version = 0
        for name, data in secrets.items():
            self.put(name, data)

    def put(self, name: str, data: dict[str, str]) -> None:
        """Makes or changes a Secret."""
        self.version += 1
        encoded = {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}
        time = f"2026-01-01T{self.version:02}:00:00Z"
        metadata = {"name": name, "uid": f"u-{name}", "resourceVersion": str(self.version), "creationTimestamp": time}
        self.objects[name] = {"metadata": {**metadata, "managedFields": [{"time": time}]}, "data": encoded}

    def get(self, _namespace: str, _kind: str, name: str) -> dict[str, Any] | None:
        if self.denied and self.denied in name:
            raise Denied("no")
        return self.objects.get(name)

    def create_secret(self, _namespace: str, body: dict[str, Any]) -> None:
        made = {**body["metadata"], "uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.objects.setdefault(body["metadata"]["name"], {**body, "metadata": made})

    def secrets(self, _namespace: str, selector: str) -> list[dict[str, Any]]:
        assert selector == "app.kubernetes.io/name=shop,app.kubernetes.io/component=kept-secrets"
        return [found for name, found in self.objects.items() if name.startswith("kf-had-")]

    def delete_secret(self, _namespace: str, found: dict[str, Any]) -> None:
        del self.objects[found["metadata"]["name"]]

    def list_runs(self, _namespace: str, _app: str, **_: Any) -> list[RunSummary]:
        return self.runs

    @property
    def copies(self) -> list[str]:
        """The names of the copies."""
        return sorted(name for name in self.objects if name.startswith("kf-had-"))


def run(*refs: tuple[str, str], mounted: tuple[str, ...] = ()) -> dict[str, Any]:
    """A run that refers to keys of Secrets, and mounts whole ones."""
    env = [{"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}} for name, key in refs]
    volumes = [{"name": name, "secret": {"secretName": name}} for name in mounted]
    spec = {"steps": [{"name": "task", "env": env}], "volumes": volumes}
    metadata = {"name": "shop-t-1", "namespace": "ns", "labels": {marks.NAME: "shop"}, "annotations": {}}
    return {"metadata": metadata, "spec": {"pipelineSpec": {"tasks": [{"taskSpec": spec}]}}}


def of(secrets: dict[str, dict[str, str]], manifest: dict[str, Any]) -> tuple[set[str], list[str]]:
    """What is hidden, and what is warned of."""
    warned: list[str] = []
    cluster: Any = Holds(secrets)
    return set(secret_values(cluster.get, "ns", manifest, warned.append)), warned


def test_a_service_is_hidden_and_what_is_too_short_of_it_is_said_once() -> None:
    vcap = '{"postgresql": [{"name": "shop-db", "credentials": {"pin": "123", "uri": "pg://u:hunter22@h/d"}}]}'
    files = {"type": "postgresql", "provider": "platinum", "pin": "123", "uri": "pg://u:hunter22@h/d"}
    secrets = {"kf-shop.services": {"VCAP_SERVICES": vcap}, "kf.db.service": files}
    hidden, warned = of(secrets, run(("kf-shop.services", "VCAP_SERVICES"), mounted=("kf.db.service",)))
    assert hidden == {vcap, "pg://u:hunter22@h/d", "hunter22"}
    assert warned == ["secret variable VCAP_SERVICES: pin is shorter than 6 characters and is not masked"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1234", ["secret variable V is shorter than 6 characters and is not masked"]),
        ("", []),
        ("alpha-code\nb1\n", ["secret variable V: a line of V is shorter than 6 characters and is not masked"]),
        ("{" * 60, ["secret variable V cannot be taken apart: it and each of its lines are masked; "
                    "another part of it is not masked"]),
    ],
)  # fmt: skip
def test_what_cannot_be_hidden_is_said(value: str, said: list[str]) -> None:
    assert of({"kf-shop.env": {"V": value}}, run(("kf-shop.env", "V")))[1] == said


def test_a_variable_that_is_called_type_is_a_secret_like_any_other() -> None:
    assert of({"kf-shop.env": {"type": "hunter22"}}, run(("kf-shop.env", "type")))[0] == {"hunter22"}


def test_a_key_that_is_called_type_is_a_secret_where_it_is_mounted_as_another_file() -> None:
    manifest, keys = run(), {"password": "type", "provider": "provider", "user": "provider-user", "type": "kind"}
    items = [{"key": key, "path": f"db/{name}"} for name, key in keys.items()]
    volume = {"name": "bindings", "projected": {"sources": [{"secret": {"name": "shop-db", "items": items}}]}}
    manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["volumes"] = [volume]
    data = {"type": "hunter22", "provider": "platinum", "provider-user": "hunter33", "kind": "hunter44"}
    assert of({"shop-db": data}, manifest)[0] == {"hunter22", "hunter33", "hunter44"}


MANY = tuple((f"kf-shop.{number}", "V") for number in range(5))


def started(cluster: Any, *refs: tuple[str, str], moment: str = "2026-01-01T05:30:00Z") -> dict[str, Any]:
    """A run as whoever starts it makes it."""
    manifest = run(*refs)
    manifest["metadata"]["annotations"][marks.SECRETS] = copy_secrets(cluster, cluster.get, "ns", "shop", manifest)
    manifest["metadata"]["creationTimestamp"] = moment
    return manifest


def hidden_in(cluster: Any, manifest: dict[str, Any], pods: Any = ()) -> tuple[set[str], list[str]]:
    """What is hidden in the log of a run, and what is not known of it."""
    gone: list[str] = []
    return set(secret_values(cluster.get, "ns", manifest, lambda _: None, gone.append, pods=pods)), gone


def test_a_log_is_masked_with_what_its_run_had() -> None:
    """Five Secrets: one stays, one is changed, one changed twice, one deleted, one deleted and made again."""
    cluster: Any = Holds({name: {"V": f"former-{name}"} for name, _ in MANY})
    early = started(cluster, *MANY)
    cluster.put("kf-shop.1", {"V": "second-value"})
    middle = started(cluster, *MANY, moment="2026-01-01T06:30:00Z")
    cluster.put("kf-shop.1", {"V": "third-value"})
    cluster.put("kf-shop.2", {"V": "other-value"})
    del cluster.objects["kf-shop.3"], cluster.objects["kf-shop.4"]
    cluster.put("kf-shop.4", {"V": "made-again"})
    found, gone = hidden_in(cluster, early)
    assert {f"former-{name}" for name, _ in MANY} <= found and gone == []
    found, gone = hidden_in(cluster, middle)
    assert {"second-value", "former-kf-shop.0", "former-kf-shop.3"} <= found and gone == []


def test_equal_versions_have_one_copy_and_its_name_tells_nothing() -> None:
    cluster: Any = Holds({"kf-shop.env": {"V": "hunter22"}})
    first, second = started(cluster, ("kf-shop.env", "V")), started(cluster, ("kf-shop.env", "V"))
    assert first["metadata"]["annotations"] == second["metadata"]["annotations"] == {marks.SECRETS: cluster.copies[0]}
    other: Any = Holds({"kf-shop.env": {"V": "another"}})
    started(other, ("kf-shop.env", "V"))
    assert other.copies == cluster.copies, "the name comes from the version alone"
    [copy] = cluster.secrets("ns", "app.kubernetes.io/name=shop,app.kubernetes.io/component=kept-secrets")
    assert copy["immutable"] is True and copy["data"] == cluster.objects["kf-shop.env"]["data"]


def test_without_a_copy_a_secret_counts_until_it_is_changed() -> None:
    cluster: Any = Holds({"kf-shop.env": {"V": "hunter22"}})
    manifest = run(("kf-shop.env", "V"))
    manifest["metadata"]["creationTimestamp"] = "2026-01-01T01:00:00Z"
    assert hidden_in(cluster, manifest) == ({"hunter22"}, [])
    cluster.put("kf-shop.env", {"V": "changed-later"})
    assert hidden_in(cluster, manifest)[1] == [
        "what is secret in the log is not known: Secret kf-shop.env was changed after the run was made"
    ]
    del cluster.objects["kf-shop.env"]
    assert hidden_in(cluster, manifest)[1] == ["what is secret in the log is not known: Secret kf-shop.env is gone"]


def pod(*starts: str) -> dict[str, Any]:
    """A pod whose containers started then; the last of them still runs."""
    ended = [{"state": {"terminated": {"startedAt": start}}} for start in starts[:-1]]
    last = [{"state": {"running": {"startedAt": starts[-1]}}}, {"state": {"waiting": {"reason": "PodInitializing"}}}]
    return {"status": {"initContainerStatuses": ended, "containerStatuses": last}}


def test_what_is_made_or_changed_while_a_run_waits_for_its_pod_is_what_it_had() -> None:
    """Five Secrets: one stays, the others are made or changed while it waits, and all are gone or changed later."""
    cluster: Any = Holds({"kf-shop.0": {"V": "value-of-0"}, "kf-shop.1": {"V": "value-of-1"}})
    manifest = started(cluster, *MANY, moment="2026-01-01T02:30:00Z")
    patched: list[Any] = []
    cluster.annotate_run = lambda *given, **more: patched.append((*given, more))
    manifest["metadata"]["uid"] = "u-run"
    copy_late(cluster, cluster.get, manifest)
    assert patched == [], "nothing has changed"
    for number in (1, 2, 3, 4):
        cluster.put(f"kf-shop.{number}", {"V": f"late-value-{number}"})
    late = {"value-of-0", *(f"late-value-{number}" for number in (1, 2, 3, 4))}
    pods = [pod("2026-01-01T07:00:00Z", "2026-01-01T07:00:01Z")]
    assert hidden_in(cluster, manifest, pods) == ({*late, "value-of-1"}, []), "also where nobody copied"
    assert (
        len(hidden_in(cluster, manifest)[1]) == 3
        and len(hidden_in(cluster, manifest, [pod("2026-01-01T04:00:00Z")])[1]) == 2
    )
    copy_late(cluster, cluster.get, manifest)
    [(namespace, name, marked, more)] = patched
    assert (namespace, name, more) == ("ns", "shop-t-1", {"uid": "u-run"})
    manifest["metadata"]["annotations"].update({**marked, marks.FOLLOWED: "true"})
    for number in range(4):
        cluster.put(f"kf-shop.{number}", {"V": "of another time"})
    del cluster.objects["kf-shop.4"]
    found, gone = hidden_in(cluster, manifest, pods)
    assert found >= {*late, "value-of-1"} and gone == []


@pytest.mark.parametrize("mark", [None, marks.FOLLOWED, marks.OUTCOME])
@pytest.mark.parametrize(
    ("starts", "known"),
    [
        (["01:30:05"], True),
        (["02:10:00"], False),  # it waited, and was given a value in between
        (["01:30:05", "02:10:00"], False),  # it was tried again
        (["01:30:05", "02:10:00", "03:10:00"], False),
    ],
)
def test_what_nobody_followed_had_its_first_copy_alone_where_it_started_at_once(
    starts: list[str], known: bool, mark: str | None
) -> None:
    """A Secret is changed while a run waits for a pod, and once more later: nobody may have copied the second value."""
    cluster: Any = Holds({"s": {"V": "first-value"}})
    manifest = started(cluster, ("s", "V"), moment="2026-01-01T01:30:00Z")
    if mark:
        manifest["metadata"]["annotations"][mark] = "true"
    pods = [pod(f"2026-01-01T{start}Z") for start in starts]
    assert hidden_in(cluster, manifest, pods) == ({"first-value"}, []), "it has not been changed"
    cluster.put("s", {"V": "second-value"})
    if len(starts) == 1:
        assert hidden_in(cluster, manifest, pods) == ({"first-value", "second-value"}, []), "it is what a late pod had"
    cluster.put("s", {"V": "third-value"})
    cluster.put("s", {"V": "fourth-value"})
    found, gone = hidden_in(cluster, manifest, pods)
    assert "first-value" in found and (gone == []) == (known or mark is not None)
    del cluster.objects["s"]
    assert (hidden_in(cluster, manifest, pods)[1] == []) == (known or mark is not None)


FOLLOWED_TO_ITS_END = (marks.FOLLOWED, marks.OUTCOME)


def mounting(cluster: Any, *names: str) -> dict[str, Any]:
    """A run that has Secrets mounted, as whoever starts it makes it; its pod starts soon after."""
    manifest = run(mounted=names)
    manifest["metadata"].update(creationTimestamp="2026-01-01T01:30:00Z", uid="u-run")
    manifest["metadata"]["annotations"][marks.SECRETS] = copy_secrets(cluster, cluster.get, "ns", "shop", manifest)
    cluster.annotate_run = lambda *_, **__: {}
    return manifest


@pytest.mark.parametrize("marked", [(), (marks.FOLLOWED,), (marks.OUTCOME,), FOLLOWED_TO_ITS_END])
@pytest.mark.parametrize("becomes", ["as it was", "changed", "changed twice", "gone"])
def test_files_that_change_while_nobody_follows_leave_unknown_what_is_secret(becomes: str, marked: Any) -> None:
    """Five runs, of which nobody knows how often the Secret has changed while they ran."""
    cluster: Any = Holds({"s": {"V": "first-value"}})
    early = [mounting(cluster, "s") for _ in range(5)]
    for nth in range(becomes.count("changed") + becomes.count("twice")):
        cluster.put("s", {"V": f"later-value-{nth}"})
    if becomes == "gone":
        del cluster.objects["s"]
    pods = [pod("2026-01-01T01:30:05Z")]
    for manifest in early:
        manifest["metadata"]["annotations"].update(dict.fromkeys(marked, "true"))
        found, unknown = hidden_in(cluster, manifest, pods)
        known = becomes == "as it was" or marked == FOLLOWED_TO_ITS_END
        assert "first-value" in found and (unknown == []) == known
        assert secret_values(cluster.get, "ns", manifest, pytest.fail, pods=pods, followed=True), (
            "by whoever follows it"
        )


@pytest.mark.parametrize(
    ("created", "known"),
    [("2026-01-01T01:45:00Z", True), ("2026-01-01T01:31:30Z", False), ("2026-01-01T02:30:00Z", False)],
)
def test_a_later_run_proves_that_files_did_not_change(created: str, known: bool) -> None:
    """Whoever has the same version a while after the end; at once nobody may have told of a change yet."""
    cluster: Any = Holds({"s": {"V": "first-value"}})
    early = mounting(cluster, "s")
    early["status"] = {"completionTime": "2026-01-01T01:31:00Z"}
    if created > "2026-01-01T02":
        cluster.put("s", {"V": "second-value"})
    later = mounting(cluster, "s")["metadata"]["annotations"]
    cluster.put("s", {"V": "third-value"})
    runs = [RunSummary("r", "u", created, True, {}, later), RunSummary("x", "u", created, True)]
    for others in (lambda: runs, lambda: runs[::-1]):
        told: list[str] = []
        found = secret_values(cluster.get, "ns", early, pytest.fail, told.append, others=others)
        assert "first-value" in found and (told == []) == known
    assert hidden_in(cluster, early)[1] != [], "without a proof"
    denied: list[str] = []

    def refused() -> list[RunSummary]:
        raise Denied("no")

    secret_values(cluster.get, "ns", early, pytest.fail, denied.append, others=refused)
    assert denied != []
    early["metadata"]["annotations"][marks.SECRETS] += ",~s"
    lost: list[str] = []
    secret_values(cluster.get, "ns", early, pytest.fail, lost.append, others=lambda: runs)
    assert lost == ["what is secret in the log is not known: Secret s was changed while nobody followed the run"]


@pytest.mark.parametrize(("before", "after", "known"), [(0, 0, True), (1, 0, True), (0, 1, False), (1, 1, False)])
def test_whoever_comes_late_marks_what_nobody_has_copied(before: int, after: int, known: bool) -> None:
    """Changed while it waits for its pod, and while it runs, before somebody follows it to its end."""
    cluster: Any = Holds({"s": {"V": "first-value"}, "other": {"V": "of another"}})
    manifest = mounting(cluster, "s", "other")
    pods = [pod("2026-01-01T03:30:05Z")]
    if before:
        cluster.put("s", {"V": "second-value"})
    cluster.version = 3
    if after:
        cluster.put("s", {"V": "third-value"})
    copy_late(cluster, cluster.get, manifest, pods)
    named = manifest["metadata"]["annotations"][marks.SECRETS].split(",")
    assert ("~s" in named) == (not known) and "~other" not in named
    manifest["metadata"]["annotations"].update(dict.fromkeys(FOLLOWED_TO_ITS_END, "true"))
    cluster.put("s", {"V": "of another time"})
    assert (hidden_in(cluster, manifest, pods)[1] == []) == known
    copies_of_run = {name for name in named if name.startswith("kf-had-")}
    assert copies_of_run <= set(cluster.copies) and len(copies_of_run) == 2 + bool(before or after)


@pytest.mark.parametrize("changed", [False, True])
def test_a_copy_of_what_came_after_a_variable_was_read_proves_nothing(changed: bool) -> None:
    """What a schedule has started, which copies nothing, is followed by somebody else later."""
    cluster: Any = Holds({"s": {"V": "first-value"}})
    manifest = run(("s", "V"))
    manifest["metadata"].update(creationTimestamp="2026-01-01T01:30:00Z", uid="u-run")
    cluster.annotate_run = lambda *_, **__: {}
    pods = [pod("2026-01-01T01:30:05Z")]
    if changed:
        cluster.put("s", {"V": "second-value"})
    copy_late(cluster, cluster.get, manifest, pods)
    assert (hidden_in(cluster, manifest, pods)[1] == []) == (not changed)
    manifest["metadata"]["annotations"][marks.OUTCOME] = "succeeded"
    assert (hidden_in(cluster, manifest, pods)[1] == []) == (not changed)


def test_copies_go_when_no_run_names_them() -> None:
    cluster: Any = Holds({"kf-shop.env": {"V": "hunter22"}})
    kept = started(cluster, ("kf-shop.env", "V"))["metadata"]["annotations"]
    cluster.put("kf-shop.env", {"V": "second-value"})
    started(cluster, ("kf-shop.env", "V"))
    summary = RunSummary("shop-t-1", "u", "2026-01-01T05:30:00Z", True, {}, kept)
    cluster.runs = [summary]
    cluster.now = "2026-01-01T00:30:00Z"
    drop_copies(cluster, "ns", "shop", cluster.runs)
    assert len(cluster.copies) == 2, "somebody may be about to name it"
    cluster.now = "2026-01-01T09:30:00Z"
    drop_copies(cluster, "ns", "shop", cluster.runs)
    assert cluster.copies == [kept[marks.SECRETS]]
    cluster.runs = []
    drop_copies(cluster, "ns", "shop", cluster.runs)
    assert cluster.copies == []


def test_who_may_not_read_secrets_starts_runs_all_the_same() -> None:
    cluster: Any = Holds({"kf-shop.env": {"V": "hunter22"}, "kf-other": {"V": "readable"}})
    cluster.denied = "kf-shop"
    manifest = started(cluster, ("kf-shop.env", "V"), ("kf-other", "V"))
    assert len(cluster.copies) == 1
    unread: list[str] = []
    assert secret_values(cluster.get, "ns", manifest, lambda _: None, unread.append) == ["readable"]
    assert len(unread) == 1 and "kf-shop.env cannot be masked" in unread[0]


def test_what_a_run_has_of_a_whole_secret_as_variables_is_hidden_with_its_type() -> None:
    manifest = run(("kf-shop.env", "V"))
    step = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    step["envFrom"] = [{"prefix": "S_", "secretRef": {"name": "shop"}}, {"configMapRef": {"name": "plain"}}]
    secrets = {"kf-shop.env": {"V": "hunter22"}, "shop": {"token": "hunter33", "type": "hunter44"}}
    assert of(secrets, manifest)[0] == {"hunter22", "hunter33", "hunter44"}


def test_existing_secrets_that_are_deleted_or_changed_later_stay_hidden() -> None:
    """Of five, one is deleted, one changed twice, and one made only while the run goes on."""
    cluster: Any = Holds({f"shop-{nth}": {"token": f"hunter-{nth}"} for nth in range(4)})
    manifest = run()
    step = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    step["envFrom"] = [{"secretRef": {"name": f"shop-{nth}", "optional": True}} for nth in range(5)]
    assert hidden_in(cluster, manifest)[1] == ["what is secret in the log is not known: Secret shop-4 is gone"], (
        "a run that nobody has copied Secrets for"
    )
    manifest["metadata"]["annotations"][marks.SECRETS] = copy_secrets(cluster, cluster.get, "ns", "shop", manifest)
    manifest["metadata"]["creationTimestamp"] = "2026-01-01T05:30:00Z"
    del cluster.objects["shop-0"]
    cluster.put("shop-1", {"token": "changed-once"})
    cluster.put("shop-1", {"token": "changed-twice"})
    hidden, unknown = hidden_in(cluster, manifest)
    assert {f"hunter-{nth}" for nth in range(4)} <= hidden
    assert unknown == [], "the fifth was missing, as it may"
