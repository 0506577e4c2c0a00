"""Each rule finds what it is there for, and nothing else; its reason and its advice are said."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from kf_tasks.core import quantities
from kf_tasks.core.schedule import cron
from kf_tasks.policies import tasks
from kf_tasks.policies.catalog import rules
from kf_tasks.policies.rule import SPAN, STACKS, is_one_of
from kf_tasks.policies.times import DAY, minutes_of, shortest_gap

from .. import messages
from ..docs.texts import ROOT
from .arguments import Resource, Stack, Unknown, resource
from .test_readers import anything

DIGEST = "registry.example.com/shop@sha256:" + "1" * 64
GOOD = {"keep": 500, "space": "dev", "security_groups": ["out"], "image": DIGEST}


def detect(name: str, value: str) -> str:
    return "known format" if "hunter2" in value else ""


RULES = {rule.name: rule for rule in rules(detect)}


def found(rule: str, *resources: Resource, **config: Any) -> list[str]:
    args = Stack(list(resources))
    return [sentence for _, sentence in RULES[rule].violations(args, config)]


def job(schedule: str, **more: Any) -> Resource:
    return resource(
        "TaskSchedule", "shop-n", app="shop", task="n", **{"schedule": schedule, "timeout": "1h0m0s", **more}
    )


def template(kind: str, layers: dict[str, list[str]], **values: str) -> Resource:
    env = [{"name": name, "value": value} for name, value in values.items()]
    step = {"env": [*env, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "S"}}}]}
    manifest = {"spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step]}}]}}}
    return resource(
        "kubernetes:core/v1:ConfigMap",
        metadata={"labels": {"kf.dev/template": kind}},
        data={"pipelinerun.yaml": yaml.safe_dump(manifest), "settings.json": json.dumps({"layers": layers})},
    )


def secret(name: str, **data: str) -> Resource:
    labels = {"app.kubernetes.io/managed-by": "kf"}
    return resource("kubernetes:core/v1:Secret", name, metadata={"labels": labels}, stringData=data)


PROD = {"stack": "shop-prod"}
CASES: list[tuple[str, dict[str, Any], Resource, str]] = [
    ("image-digest", {}, resource("App", image="shop:1"), "app 'shop' has image shop:1"),
    ("image-source", {"allowed": ["r/*"]}, resource("App", image="x/shop"), "x/shop, which is none of r/*"),
    ("image-source", {"allowed": ["r/*"]}, resource("App", source=".", builder="b/x"), "b/x, which is none"),
    ("timeout", {}, resource("Task", app="shop", task="t", timeout="0s"), "task 't' of app 'shop' has no timeout"),
    ("timeout", {"longest": "2h"}, resource("Task", app="a", task="t", timeout="3h0m0s"), "may run for 3h, and 2h"),
    ("schedule-frequency", {}, job("* * * * *"), "starts up to 1440 times a day"),
    ("forbidden-window", {"windows": ["22:00-06:00"]}, job("30 5 * * *"), "starts at 05:30 (Etc/UTC), within"),
    ("overlap", {}, job("*/5 * * * *"), "starts every 5m at times and has a timeout of 1h"),
    ("overlap", {}, job("0 3 * * *", timeout="0s"), "starts every 1d at times and has no timeout"),
    ("keep", {}, resource("App", keep=1), "keeps 1 runs, where at least 10"),
    ("keep", {"most": 100}, resource("App", keep=101), "at most 100"),
    ("max-age", {}, resource("App", max_age="1d"), "lets runs go after 1d, and 7d is the least"),
    ("max-age", {"required": True}, resource("App"), "keeps runs whatever their age"),
    ("log-archive", {}, resource("Space", "dev"), "space 'dev' has no log archive"),
    ("confinement", {}, resource("App", security_context={"runAsUser": 0}), "runs as root"),
    ("confinement", {}, resource("App", security_context={"capabilities": {"add": ["NET_ADMIN"]}}), "NET_ADMIN"),
    ("confinement", {}, resource("Space", pod_spec={"hostNetwork": True}), "hostNetwork"),
    ("confinement", {}, resource("App", volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "hostPath volume 'v'"),
    ("service-account-token", {}, resource("App", automount_service_account_token=True), "a token of Kubernetes"),
    ("network-rules", {}, resource("App"), "app 'shop' and its Space have no security group"),
    ("failures-count", {}, resource("Task", app="a", task="t", must_succeed=False, **PROD), "update of shop-prod goes"),
    ("production-run", {}, resource("Run", app="a", task="t", _starts="will", _because="why", **PROD), "will run in"),
    ("production-run", {}, resource("Run", app="a.build", _starts="may", when="build", **PROD), "may be built in"),
    ("production-deletion", {"most": 1}, resource("History", app="a", _expired=["1", "2"], **PROD), "2 runs of"),
    ("short-secret", {}, secret("kf-shop.env", PIN="1234"), "secret PIN has fewer than 6 characters"),
    ("short-secret", {}, secret("kf.db.service", password="abc"), "secret password has fewer"),
    ("plain-secret", {}, template("app", {"U": ["App"]}, U="hunter2"), "variable U is plain and looks like a secret"),
]  # fmt: skip

FINE: list[tuple[str, dict[str, Any], Resource]] = [
    ("image-digest", {}, resource("App", image=DIGEST)),
    ("image-digest", {}, resource("App", image="shop:1", resolve_tag=True)),
    ("image-digest", {}, resource("App", source=".")),
    ("image-digest", {}, resource("App", image=Unknown())),
    ("image-source", {}, resource("App", image="anything")),
    ("image-source", {"allowed": ["registry.example.com/*"]}, resource("App", image=DIGEST)),
    ("timeout", {}, resource("Task", app="a", task="t", timeout="6h0m0s")),
    ("schedule-frequency", {}, job("*/5 * * * *")),
    ("forbidden-window", {"windows": ["22:00-06:00"]}, job("0 6 * * *")),
    ("forbidden-window", {"windows": ["00:00-23:59"]}, job("30 5 * * *", suspend=True)),
    ("overlap", {}, job("*/5 * * * *", concurrency_policy="Forbid")),
    ("overlap", {}, job("0 * * * *")),
    ("keep", {}, resource("App", keep=10)),
    ("max-age", {}, resource("App", max_age="7d")),
    ("log-archive", {}, resource("Space", log_archive="s3://logs")),
    ("confinement", {}, resource("App", security_context={"runAsUser": 1234, "readOnlyRootFilesystem": True})),
    ("failures-count", {}, resource("Task", app="a", task="t", must_succeed=False)),
    ("production-run", {}, resource("Run", app="a", task="t", _starts="", **PROD)),
    ("production-deletion", {"most": 2}, resource("History", app="a", _expired=["1", "2"], **PROD)),
    ("short-secret", {}, secret("kf-shop.env", PIN="123456")),
    ("short-secret", {}, secret("kf.db.service", port="5432", host="db")),
    ("short-secret", {}, secret("kf-shop.env", PIN=Unknown())),  # type: ignore[arg-type]
    ("plain-secret", {}, template("task", {"U": ["App"]}, U="hunter2")),
    ("plain-secret", {"ignore": ["U*"]}, template("app", {"URL": ["App"]}, URL="hunter2")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "config", "given", "sentence"), CASES, ids=[case[3] for case in CASES])
def test_what_a_rule_finds(rule: str, config: dict[str, Any], given: Resource, sentence: str) -> None:
    [said] = found(rule, given, **config)
    assert sentence in said and said.endswith(f": {RULES[rule].advice}")
    if sentence == next(case[3] for case in CASES if case[0] == rule):
        messages.compare(f"policy: {rule}", said)


@pytest.mark.parametrize(("rule", "config", "given"), FINE)
def test_what_it_leaves_alone(rule: str, config: dict[str, Any], given: Resource) -> None:
    assert found(rule, given, **config) == []


def test_every_rule_has_a_case_a_reason_and_what_to_do() -> None:
    assert (
        {case[0] for case in CASES}
        == {case[0] for case in FINE} | {"service-account-token", "network-rules"}
        == set(RULES)
    )
    for rule in RULES.values():
        assert rule.says.endswith(".") and rule.reason.endswith(".") and not rule.advice.endswith(".")
        assert all({"default", "description", "type"} <= schema.keys() for schema in rule.settings.values())


def test_the_documentation_has_every_rule_with_its_settings() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| .* \| (.*)\|$", (ROOT / "docs/policies.md").read_text("utf-8"), re.MULTILINE)
    assert [name for name, _ in rows] == list(RULES)
    for name, settings in rows:
        for setting, schema in RULES[name].settings.items():
            assert f"`{setting}`" in settings
            default = schema["default"]
            assert isinstance(default, list) or json.dumps(default) in settings


@given(st.from_regex(str(SPAN["pattern"]), fullmatch=True).filter(lambda text: 1 < len(text) < 20))
def test_what_the_configuration_takes_as_a_span_is_one(text: str) -> None:
    assert text.isascii() is False or quantities.age(text, "longest") > 0


@given(anything)
@example(resource("Task", "shop-t", command=True))
def test_nothing_unknown_or_odd_stops_a_rule(args: Any) -> None:
    for rule in RULES.values():
        list(rule.violations(args))


def test_a_group_of_the_space_covers_its_apps_alone() -> None:
    north = resource("Space", "n", security_groups=["out"])
    south = resource("Space", "s")
    given = (north, south, *(resource("App", f"a{at}", space="n") for at in range(5)), resource("App", "b", space="s"))
    [said] = found("network-rules", *given)
    assert said.startswith("app 'b' and its Space")


@pytest.mark.parametrize("stack", ["prod", "production", "shop-prod", "prod-eu", "live"])
def test_stacks_that_are_named_like_production(stack: str) -> None:
    assert is_one_of(stack, STACKS)


@pytest.mark.parametrize("stack", ["dev", "product", "reproduction", "preprod", ""])
def test_stacks_that_are_not(stack: str) -> None:
    assert not is_one_of(stack, STACKS)


times = st.lists(st.integers(0, DAY - 1), min_size=1, max_size=6, unique=True).map(sorted)


@given(times)
def test_the_shortest_gap_is_that_of_two_days_in_a_row(minutes: list[int]) -> None:
    both = [*minutes, *(minute + DAY for minute in minutes)]
    assert shortest_gap(minutes) == min(after - before for before, after in itertools.pairwise(both))


@given(st.integers(0, 59), st.integers(0, 23), st.integers(1, 59), st.sampled_from(["*", "mon", "1-5"]))
def test_the_minutes_of_a_schedule_are_those_of_its_fields(minute: int, hour: int, step: int, day: str) -> None:
    [one] = tasks(job(f"{minute} {hour} * * {day}"))
    assert minutes_of(one) == [60 * hour + minute]
    [many] = tasks(job(f"*/{step} {hour} * * {day}"))
    parsed = cron.parse(f"*/{step} {hour} * * {day}", "schedule")
    assert minutes_of(many) == [60 * hour + it for it in range(60) if 1 << it & parsed.minutes]


@given(st.integers(0, DAY - 1), st.integers(0, DAY - 1), st.integers(0, DAY - 1))
def test_a_window_and_what_is_outside_of_it_are_the_day(time: int, first: int, last: int) -> None:
    def text(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    given = job(f"{time % 60} {time // 60} * * *")
    within = bool(found("forbidden-window", given, windows=[f"{text(first)}-{text(last)}"]))
    outside = bool(found("forbidden-window", given, windows=[f"{text(last)}-{text(first)}"]))
    assert within != outside or first == last
