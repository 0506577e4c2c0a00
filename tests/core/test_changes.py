"""What changes beside the definition is said in one line each, with plain values; of secrets the names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.changes import changes
from kf_tasks.core.run import environment
from kf_tasks.core.run.environment import Value
from kf_tasks.core.run.pipelinerun import Resources, TaskSpec, render
from kf_tasks.core.run.sources import CONFIG_MAP, SECRET, Source
from kf_tasks.core.state import RunInputs

from .run.test_pipelinerun import SPEC

LAYERS = {
    "Space": {"ZONE": Value("north"), "TOKEN": Value(secret="kf.dev.env", key="TOKEN")},
    "App": {"LOG_LEVEL": Value("info"), "PRICE": Value("$(params.x) $5"), "KEY": Value(secret="kf-shop.env", key="K")},
    "Task": {"MODE": Value("full")},
}


VOLUME = {"name": "app", "configMap": {"name": "app-1", "items": [{"key": "a"}]}}


def inputs(layers: dict[str, dict[str, Value]] = LAYERS, when: str = "change", **spec: Any) -> RunInputs:
    """What the provider's process is given: Pulumi hands every number over as a float."""
    merged = environment.merge([*layers.items()])
    manifest = render(TaskSpec(**{**SPEC, "env": merged, **spec}))
    props = {
        "stack": "shop.dev", "namespace": "dev", "app": "shop", "task": "migrate", "urn": "urn", "when": when,
        "manifest": manifest, "layers": {name: found[0] for name, found in environment.origins(merged).items()},
        "definition": {
            "image": "i", "argv": ["true"], "triggers": [], "secret_env": [],
            "env": {name: value.text for name, value in layers.get("Task", {}).items()},
        },
    }  # fmt: skip
    return RunInputs.of(json.loads(json.dumps(props), parse_int=float))


def said(before: RunInputs, after: RunInputs) -> list[str]:
    return [str(change) for change in changes(before, after)]


def app(**env: Value) -> dict[str, dict[str, Value]]:
    return {**LAYERS, "App": {**LAYERS["App"], **env}}


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (inputs(app(LOG_LEVEL=Value("debug"))), ["LOG_LEVEL info → debug (App)"]),
        (inputs(app(NEW=Value("1"))), ["NEW none → 1 (App)"]),
        (inputs(app(PRICE=Value("$(params.x) $6"))), ["PRICE $(params.x) $5 → $(params.x) $6 (App)"]),
        (inputs(app(LOG_LEVEL=Value(""))), ["LOG_LEVEL info → '' (App)"]),
        (inputs({**LAYERS, "App": {}}), ["KEY a secret → none (App)", "LOG_LEVEL info → none (App)",
                                         "PRICE $(params.x) $5 → none (App)"]),
        (inputs(app(LOG_LEVEL=Value(secret="s", key="k"))), ["LOG_LEVEL info → a secret (App)"]),
        (inputs(app(KEY=Value(secret="s", key="k"))), ["KEY comes from another secret (App)"]),
        (inputs(app(ZONE=Value("south"))), ["ZONE north → south (App)"]),
        (inputs({**LAYERS, "Space": {**LAYERS["Space"], "ZONE": Value("x\ny")}}), ["ZONE north → x\\ny (Space)"]),
        (inputs({**LAYERS, "Task": {"MODE": Value("quick")}}), []),
        (inputs({**LAYERS, "Task": {"MODE": Value("quick")}}, "trigger"), ["when change → trigger",
                                                                           "MODE full → quick (Task)"]),
        (inputs(resources=Resources("1Gi", "2Gi", "1", "2")), ["memory 512Mi → 1Gi", "disk 1Gi → 2Gi", "cpu 100m → 1",
                                                               "cpu_limit none → 2"]),
        (inputs(timeout="1h30m0s", retries=2), ["timeout 1h → 1h30m", "retries none → 2"]),
        (inputs(timeout="0s"), ["timeout 1h → none"]),
        (inputs(results=["schema", "rows"]), ["results none → schema, rows"]),
        (inputs(labels={"team": "a", "app.kubernetes.io/version": "2"}, node_selector={"pool": "batch"}),
         ["label team none → a", "label app.kubernetes.io/version none → 2", "node_selector pool none → batch"]),
        (inputs(volumes=[{"name": "files", "persistentVolumeClaim": {"claimName": "big"}}, VOLUME],
                volume_mounts=[{"name": "app", "mountPath": "/srv", "subPath": "a"}]),
         ["volume files none → persistentVolumeClaim big", "volume app none → configMap app-1",
          "mount /srv none → app a"]),
        (inputs(pod_template={"priorityClassName": "batch"}), ["priorityClassName none → batch"]),
        (replace(inputs(), start_timeout=90, wait=True), ["start_timeout none → 1m30s", "wait false → true"]),
        (replace(inputs(), terminated=True), []),
        (inputs(), []),
    ],
)  # fmt: skip
def test_each_change_is_one_line(after: RunInputs, words: list[str]) -> None:
    assert said(inputs(), after) == words


def test_volumes_are_told_by_their_names_once_for_an_app() -> None:
    other: dict[str, Any] = {"name": "tmp", "emptyDir": {}}
    before = inputs(volumes=[other, VOLUME])
    for name, told in (("app-2", "configMap app-1 → configMap app-2"), ("app-1", "")):
        after = {"name": "app", "configMap": {"name": name, "items": [{"key": "b"}]}}
        now = inputs(volumes=[after, other])
        [change] = changes(before, now)
        whole = " → ".join(json.dumps(one, sort_keys=True) for one in (VOLUME, after))
        assert change.shared and change.text == f"volume app {told or whole}", "their order says nothing"
        assert said(now, inputs(volumes=[other])) == [f"volume app configMap {name} → none"]


def test_a_state_without_layers_tells_the_values() -> None:
    before, after = replace(inputs(), layers=None), inputs(app(LOG_LEVEL=Value("debug")))
    assert said(before, after) == ["LOG_LEVEL info → debug (App)"]
    assert said(before, replace(after, layers=None)) == ["LOG_LEVEL info → debug"]


def test_what_other_tasks_have_too_is_known_by_its_layer() -> None:
    both = {**app(LOG_LEVEL=Value("debug")), "Task": {"MODE": Value("quick")}}
    found = changes(inputs(when="trigger"), inputs(both, "trigger"))
    assert [(one.layer, one.shared) for one in found] == [("App", True), ("Task", False)]
    assert not changes(inputs(), inputs(timeout="5m"))[0].shared


BROKER, MAIL = Source(SECRET, "broker"), Source(CONFIG_MAP, "mail", "MAIL_")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([], [BROKER], ["env_from gains * of Secret broker"]),
        ([BROKER, MAIL], [BROKER], ["env_from loses MAIL_* of ConfigMap mail"]),
        ([BROKER, MAIL], [MAIL, BROKER], ["env_from has another order"]),
        ([BROKER], [replace(BROKER, optional=True)], ["env_from * of Secret broker: optional false → true"]),
        ([BROKER], [replace(BROKER, prefix="A_")], ["env_from gains A_* of Secret broker",
                                                    "env_from loses * of Secret broker"]),
        ([BROKER, MAIL], [BROKER, MAIL], []),
    ],
)  # fmt: skip
def test_whole_secrets_and_config_maps_are_named(before: list[Source], after: list[Source], words: list[str]) -> None:
    old, new = inputs(env_from=before), inputs(env_from=after)
    assert said(old, new) == words
    assert all(change.shared for change in changes(old, new))


def test_what_a_task_has_of_its_own_is_told_with_why_it_runs() -> None:
    def own(*given: Source) -> RunInputs:
        found = inputs(env_from=given)
        env = {**found.definition["env"], **{str(one): nth for nth, one in enumerate(given)}}
        return replace(found, definition={**found.definition, "env": env})

    assert said(own(), own(BROKER)) == []
    assert said(own(BROKER), own(replace(BROKER, optional=True))) != []


def test_variables_that_move_below_an_env_from_are_not_called_removed() -> None:
    """Where a Task has an env_from, what its App sets is read from an object of ours, which has the same values."""
    stored = [Source(CONFIG_MAP, "kf-shop.env.plain"), Source(SECRET, "kf-shop.env")]
    below = {**LAYERS, "App": {}}
    for theirs in ([], [BROKER]):
        before, after = inputs(), inputs(below, env_from=[*stored, *theirs])
        words = [f"* of Secret {one.name}" for one in theirs]
        assert said(before, after) == [f"env_from gains {one}" for one in words]
        assert said(after, before) == [f"env_from loses {one}" for one in words]
    other = inputs({**below, "Space": {}}, env_from=stored)
    assert [line.split()[0] for line in said(inputs(), other)] == ["TOKEN", "ZONE"]


def had(found: RunInputs, **values: str) -> RunInputs:
    """As the task was declared with these secret values, `SECRET__KEY` each."""
    digests: dict[str, dict[str, str]] = {}
    for place, value in values.items():
        secret, _, key = place.partition("__")
        digests.setdefault(secret.replace("_", "."), {})[key] = environment.short_digest(value)
    return replace(found, digests=digests)


SECRETS = {"kf_dev_env__TOKEN": "a", "kf_shop_env__K": "b", "kf_db_service__uri": "c", "kf_shop_env__HIDDEN": "d"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, []),
        ({"kf_dev_env__TOKEN": "other"}, ["TOKEN changed (Space)"]),
        ({"kf_shop_env__K": "other"}, ["KEY changed (App)"]),
        ({"kf_db_service__uri": "other"}, ["uri of service db changed (bindings)"]),
        ({"kf_shop_env__HIDDEN": "other"}, []),
        ({"kf_new_service__uri": "new"}, []),
        (dict.fromkeys(SECRETS, "other"), ["KEY changed (App)", "TOKEN changed (Space)",
                                           "uri of service db changed (bindings)"]),
    ],
)  # fmt: skip
def test_a_secret_that_has_another_value_is_told_by_its_name(changed: dict[str, str], words: list[str]) -> None:
    layers = app(KEY=Value(secret="kf.shop.env", key="K"))
    before, after = had(inputs(layers), **SECRETS), had(inputs(layers), **{**SECRETS, **changed})
    assert said(before, after) == words
    assert said(inputs(layers), after) == said(before, inputs(layers)) == [], "a state of before does not say"


def test_a_secret_of_the_task_itself_and_one_below_an_env_from_are_told_too() -> None:
    """Neither decides about a run by its value, wherever it stands in the container."""
    own = inputs({"Task": {"TOKEN": Value(secret="kf-shop.migrate.env", key="TOKEN")}})
    below = inputs({"Task": {"LATER": Value("x")}}, env_from=[Source(SECRET, "kf-shop.env"), Source(SECRET, "theirs")])

    def value(of: RunInputs, secret: str, *names: str, text: str) -> RunInputs:
        return replace(of, digests={secret: {name: environment.short_digest(text) for name in names}})

    of_task = [value(own, "kf-shop.migrate.env", "TOKEN", text=text) for text in "ab"]
    assert said(*of_task) == ["TOKEN changed (Task)"]
    of_app = [value(below, "kf-shop.env", "LATER", "TOKEN", text=text) for text in "ab"]
    assert said(*of_app) == ["TOKEN changed (App)"], "LATER is the task's own and a text"


VALUES = st.builds(Value, st.text(max_size=300)) | st.just(Value(secret="s", key="hidden-key"))
ENVS = st.dictionaries(st.sampled_from("ABCDE"), VALUES)


@given(ENVS, ENVS)
def test_any_variables_are_one_short_line_each(before: dict[str, Value], after: dict[str, Value]) -> None:
    found = changes(inputs({"App": before}), inputs({"App": after}))
    assert [change.text[0] for change in found] == sorted(
        name for name in {*before, *after} if before.get(name) != after.get(name)
    )
    assert all("\n" not in str(one) and len(str(one)) < 260 and "hidden-key" not in str(one) for one in found)
