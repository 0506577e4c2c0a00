"""What differs is said once for all tasks that it is the same for, and nothing of it is missed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from kf_tasks.core.review.model import Change
from kf_tasks.core.review.preview import UNKNOWN

from .previews import CALENDAR, ENV, RUN, calendar, manifest, reviewed, run, step

SECRET = [{"name": "MODE", "valueFrom": {"secretKeyRef": {"name": "kf-shop.env", "key": "MODE"}}}]


def changes(*pairs: tuple[dict[str, Any], dict[str, Any]], more: tuple[dict[str, Any], ...] = ()) -> tuple[Change, ...]:
    return reviewed(*(step("update", RUN, old["task"], old, new) for old, new in pairs), *more).changes


def tasks(
    before: dict[str, Any], after: dict[str, Any], names: str = "abcde"
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(run(name, "", manifest=before), run(name, "", manifest=after)) for name in names]


def template(task: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "shop", "kf.dev/template": "task"}
    metadata = {"namespace": "orders-dev", "labels": labels}
    old, new = (
        {"metadata": metadata, "data": {"settings.json": json.dumps({"task": task, **one}), "pipelinerun.yaml": "x"}}
        for one in (before, after)
    )
    return step("update", "kubernetes:core/v1:ConfigMap", f"shop-{task}", old, new)


def test_memory_of_five_tasks_is_one_line_and_what_follows_from_it_none() -> None:
    env = [{"name": "MEMORY_LIMIT", "value": "48M"}, ENV[0]]
    [one] = changes(*tasks(manifest("32Mi"), manifest("48Mi", env)))
    assert (one.kind, one.what, one.before, one.after) == ("resources", "memory", "32Mi", "48Mi")
    assert one.tasks == tuple("abcde") and one.all_tasks


def test_what_differs_for_some_names_them() -> None:
    [one] = changes(*tasks(manifest("32Mi"), manifest("48Mi"), "ab"), *tasks(manifest(), manifest(), "c"))
    assert one.tasks == ("a", "b") and not one.all_tasks


def test_variables_that_come_go_change_or_become_secret() -> None:
    before = [*ENV, {"name": "OLD", "value": "x"}, {"name": "TOKEN", "value": "abcdef"}]
    secret = {"valueFrom": {"secretKeyRef": {"name": "kf-shop.env", "key": "TOKEN"}}}
    after: list[dict[str, Any]] = [
        {"name": "MODE", "value": "canary"},
        {"name": "NEW", "value": ""},
        {"name": "TOKEN", **secret},
    ]
    found = changes(*tasks(manifest(env=before), manifest(env=after), "a"))
    assert [(one.what, one.before, one.after, one.secret) for one in found] == [
        ("MODE", "rolling", "canary", False), ("NEW", None, "", False), ("OLD", "x", None, False),
        ("TOKEN", "plain", "secret", True),
    ]  # fmt: skip


def test_a_variable_that_moves_to_another_layer_is_told_though_its_value_stays() -> None:
    layers = [{"layers": {"MODE": [layer]}} for layer in ("App", "Space")]
    [one] = changes(*tasks(manifest(), manifest(), "a"), more=(template("a", *layers),))
    assert (one.what, one.note, one.before, one.after) == (
        "MODE",
        "moved from the App to the Space",
        "rolling",
        "rolling",
    )


def test_settings_of_a_schedule() -> None:
    olds, news = {"policy": "Allow", "catch_up": False}, {"policy": "Forbid", "catch_up": True}
    found = changes(*tasks(manifest(), manifest(), "a"), more=(template("a", olds, news),))
    assert [(one.what, one.before, one.after) for one in found] == [
        ("catch up", "false", "true"), ("concurrency policy", "Allow", "Forbid"),
    ]  # fmt: skip


def test_a_secret_that_has_another_value_is_told_by_name() -> None:
    labels = {"app.kubernetes.io/name": "shop"}
    inputs = {"metadata": {"namespace": "orders-dev", "labels": labels}, "data": {"PASSWORD": "[secret]"}}
    changed = step("update", "kubernetes:core/v1:Secret", "kf-shop.env", inputs, inputs)
    paths = {"data.PASSWORD": {"diffKind": "update"}, "data.NEW": {"diffKind": "add"}, "metadata.labels.x": {}}
    changed["resourcePreEvent"]["metadata"]["detailedDiff"] = paths
    [one] = reviewed(changed).changes
    assert (one.what, one.note, one.secret, one.app) == ("PASSWORD", "another value", True, "shop")


def another(secret: str, *keys: str, namespace: str = "orders-dev", **labels: str) -> dict[str, Any]:
    """The step of a Secret of which these keys have other values."""
    inputs = {"metadata": {"name": secret, "namespace": namespace, "labels": labels}}
    changed = step("update", "kubernetes:core/v1:Secret", f"{namespace}-{secret}-{keys}", inputs, inputs)
    paths = {f'stringData["{key}"]' if "." in key else f"stringData.{key}": {"diffKind": "update"} for key in keys}
    changed["resourcePreEvent"]["metadata"]["detailedDiff"] = paths
    return changed


def test_a_secret_of_a_space_or_a_service_is_told_of_the_tasks_that_read_it() -> None:
    """Five tasks of two Apps; what another namespace has, and what nobody reads, is not told."""

    def of(secret: str, key: str, name: str = "V") -> dict[str, Any]:
        reference = {"secretKeyRef": {"name": secret, "key": key}}
        return manifest(step={"env": [*ENV, {"name": name, "valueFrom": reference}]})

    bound = manifest()
    bound["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["volumes"] = [
        {"name": "b", "secret": {"secretName": "kf.db.service"}}
    ]
    whole = manifest(step={"envFrom": [{"secretRef": {"name": "kf.dev.env"}}]})
    runs = [
        ("a", "shop", of("kf.dev.env", "TO.KEN")), ("b", "shop", manifest()), ("c", "shop", bound),
        ("d", "blog", whole), ("e", "blog", of("theirs", "pass")),
    ]  # fmt: skip
    steps = [
        step("update", RUN, task, *(run(task, "", app=app, manifest=found),) * 2) for task, app, found in runs
    ]  # fmt: skip
    found = reviewed(
        *steps, another("kf.dev.env", "TO.KEN", "UNUSED"), another("kf.db.service", "uri"), another("theirs", "pass"),
        another("kf.dev.env", "TO.KEN", namespace="elsewhere"), another("theirs", "other"),
    ).changes  # fmt: skip
    assert {(one.app, one.what, one.tasks, one.all_tasks, one.note) for one in found} == {
        ("shop", "TO.KEN", ("a",), False, "another value"), ("blog", "TO.KEN", ("d",), False, "another value"),
        ("blog", "UNUSED", ("d",), False, "another value"),
        ("shop", "uri of service db", ("c",), False, "another value"),
        ("blog", "pass of the Secret theirs", ("e",), False, "another value"),
    }  # fmt: skip


def test_digests_say_which_new_values_are_the_same() -> None:
    told = {"kf-shop.env": {"MODE": ["00000001", "00000002"]}}
    reads = manifest(step={"env": SECRET})
    own: dict[str, Any] = {"manifest": reads, "_secrets": told}
    steps = [step("update", RUN, task, *(run(task, "", **own),) * 2) for task in "abc"]
    steps += [step("update", CALENDAR, task, *(calendar(task, **own),) * 2) for task in "de"]
    labels = {"app.kubernetes.io/name": "shop"}
    [of_schedules] = reviewed(*steps[3:], another("kf-shop.env", "MODE", **labels)).changes
    assert (of_schedules.note, of_schedules.tasks) == ("another value: 00000001 → 00000002", ("d", "e"))
    [one] = reviewed(*steps, another("kf-shop.env", "MODE", **labels)).changes
    assert (one.note, one.all_tasks, one.tasks) == ("another value: 00000001 → 00000002", True, tuple("abcde"))


def test_security_is_a_kind_of_its_own() -> None:
    after = manifest(step={"securityContext": {"runAsUser": 0}})
    after["spec"]["taskRunTemplate"] = {"serviceAccountName": "admin", "podTemplate": {"securityContext": {"a": 1}}}
    found = changes(*tasks(manifest(), after, "a"))
    assert {(one.kind, one.what, one.after) for one in found} == {
        ("security", "runAsUser", "0"), ("security", "service account", "admin"), ("security", "a of the pod", "1"),
    }  # fmt: skip


def test_the_command_of_a_task_that_runs_is_told_there_alone() -> None:
    after = manifest(step={"args": ["-c", "false"]})
    assert not changes((run(starts="", manifest=manifest()), run(manifest=after)))
    [one] = changes((run(starts="", manifest=manifest()), run(starts="", manifest=after)))
    assert (one.what, one.after) == ("command", "/bin/sh -c false")


# Small ones of few words, so that some are the same, and others nearly.
LEAVES = st.sampled_from(["", "1", "true", "a", 1, True, None]) | st.text(max_size=3) | st.integers()
KEYS = st.sampled_from(["", ".", "a", "b", "a.b", "name"])
TREES = st.recursive(
    LEAVES, lambda kept: st.lists(kept, max_size=3) | st.dictionaries(KEYS, kept, max_size=3), max_leaves=4
)


@given(TREES, TREES)
@example({"a": {"b": 1}}, {"a.b": 1})
@example("1", 1)
@example({"a": {}}, {})
@example([[]], [])
def test_nothing_that_differs_is_missed(before: Any, after: Any) -> None:
    old, new = manifest(), manifest()
    old["spec"]["volumes"], new["spec"]["volumes"] = before, after
    found = changes(*tasks(old, new, "a"))
    assert bool(found) is (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))


def test_a_secret_variable_that_comes_from_another_secret_is_told() -> None:
    def of(secret: str) -> dict[str, Any]:
        reference = {"secretKeyRef": {"name": secret, "key": "password"}}
        return manifest(env=[{"name": "PASSWORD", "valueFrom": reference}])

    [one] = changes(*tasks(of("database"), of("replica"), "a"))
    assert (one.before, one.after, one.secret) == ("secret", "secret", True)
    assert one.note == "password of the Secret database → password of the Secret replica"


def test_a_template_that_only_the_update_knows_is_said_to_differ_unseen() -> None:
    later = [step("update", RUN, name, run(name, ""), run(name, "", manifest=UNKNOWN)) for name in "gfedcba"]
    assert reviewed(*later).unknown == (
        "what differs in the templates of shop/a, shop/b, shop/c, shop/d, shop/e and 2 more: "
        "they are known only during the update",
    )


def _with_sources(*given: dict[str, Any], env: list[dict[str, Any]] = ENV) -> dict[str, Any]:
    labels = {"labels": {"app.kubernetes.io/name": "shop"}}
    return {**manifest(env=env, step={"envFrom": [*given]}), "metadata": labels}


def test_whole_secrets_that_come_go_or_change_places_are_one_line() -> None:
    broker: dict[str, Any] = {"secretRef": {"name": "broker"}}
    mail: dict[str, Any] = {"prefix": "M_", "configMapRef": {"name": "m", "optional": True}}
    words = ["* of Secret broker", "M_* of ConfigMap m (optional)"]
    tried: tuple[tuple[list[dict[str, Any]], list[dict[str, Any]], Any], ...] = (
        ([], [broker], (None, words[0])),
        ([broker, mail], [broker], (", ".join(words), words[0])),
        ([broker, mail], [mail, broker], (", ".join(words), ", ".join(words[::-1]))),
    )
    for before, after, texts in tried:
        [one] = changes(*tasks(_with_sources(*before), _with_sources(*after)))
        assert (one.kind, one.what, (one.before, one.after), one.all_tasks) == ("environment", "env_from", texts, True)


def test_variables_that_move_below_an_env_from_are_not_called_removed() -> None:
    stored = {"configMapRef": {"name": "kf-shop.env.plain"}}
    moved = tasks(_with_sources(), _with_sources(stored, env=ENV[1:]), "a")
    settings: list[dict[str, Any]] = [{"layers": {one["name"]: ["App"] for one in ENV}}, {"layers": {}}]
    assert changes(*moved, more=(template("a", *settings),)) == ()
    other: list[dict[str, Any]] = [{"layers": {one["name"]: ["Task"] for one in ENV}}, {"layers": {}}]
    assert {one.what for one in changes(*moved, more=(template("a", *other),))} == {"MODE"}
