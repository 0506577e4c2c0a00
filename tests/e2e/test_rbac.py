"""The Role that is shipped is enough for all that people do, and each verb that it would lack is named."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from kf_tasks.cli.main import kf
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core.state import Which
from kf_tasks.errors import ClusterError
from kf_tasks.provider import decision
from kf_tasks.provider.preview import Preview
from kf_tasks.runs.secrets import secret_values

from . import made
from .conftest import CHECKOUT, Stack, eventually, kubectl
from .test_kf import Space

ROLE, BINDING = yaml.safe_load_all((CHECKOUT / "rbac/role.yaml").read_text())


class Deployer:
    """A ServiceAccount with the shipped Role in a namespace that exists, and a kubeconfig with its token."""

    def __init__(self, namespace: str, folder: Path) -> None:
        self.namespace, self.kubeconfig = namespace, folder / "deployer.json"
        kubectl("create", "serviceaccount", "deployer", "-n", namespace)
        self.grant(ROLE)
        self.apply(BINDING)
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        token = kubectl("create", "token", "deployer", "-n", namespace).strip()
        context = {"cluster": config["clusters"][0]["name"], "user": "deployer", "namespace": namespace}
        config["users"] = [{"name": "deployer", "user": {"token": token}}]
        config["contexts"] = [{"name": "deployer", "context": context}]
        config["current-context"] = "deployer"
        self.kubeconfig.write_text(json.dumps(config))

    def apply(self, manifest: dict[str, Any]) -> None:
        command = ["kubectl", "apply", "-n", self.namespace, "-f", "-"]
        subprocess.run(command, input=json.dumps(manifest), text=True, check=True, stdout=subprocess.DEVNULL)

    grant = apply

    def without(self, verb: str, resource: str) -> None:
        rules = []
        for rule in ROLE["rules"]:
            others = [one for one in rule["resources"] if one != resource]
            rules += [{**rule, "resources": others}] if others else []
            verbs = [one for one in rule["verbs"] if one != verb]
            if resource in rule["resources"] and verbs:
                rules.append({**rule, "resources": [resource], "verbs": verbs})
        self.grant({**ROLE, "rules": rules})

    def cluster(self) -> Cluster:
        return Cluster.of(Connection(str(self.kubeconfig)))

    def kf(self, *arguments: str) -> str:
        where = ("--space", self.namespace, "--kubeconfig", str(self.kubeconfig))
        return CliRunner().invoke(kf, [*arguments, *where]).output


def test_the_role_is_enough(stack: Stack, tmp_path: Path) -> None:
    kubectl("create", "namespace", stack.namespace)
    deployer = Deployer(stack.namespace, tmp_path)
    stack.env["KUBECONFIG"] = str(deployer.kubeconfig)
    program = (
        "from kf_tasks import SecurityGroup, TaskSchedule\n"
        "space = Space(NS, namespace=NS, memory='32M', disk='64M', cpu='10m', quota={{'pods': 50}},\n"
        "    limit_range={{'default': {{'memory': '64M', 'cpu': 1}}}})\n"
        "rules = [{{'destination': '10.0.0.0/8', 'ports': '5432'}}]\n"
        "app = App('shop', space=space, image=f'{{R}}/busybox:1', env={{'S': Output.secret('a-secret-value')}},\n"
        "    keep=1, min_history='7d', security_groups=[SecurityGroup('db', egress=rules)])\n"
        "Task('migrate', app=app, command='echo {}')\n"
        "TaskSchedule('nightly', app=app, command='true', schedule='0 3 * * *')\n"
    )
    stack.write(program.format("one")).up().ok()
    stack.kf("run-task", "shop", "-c", "echo two; sleep 300").ok()
    eventually(lambda: "two" in stack.kf("logs", "shop", "--task", "--id", "2", "--recent").ok().text)
    stack.kf("terminate-task", "shop", "2").ok()
    stack.kf("pin", "shop", "1").ok()
    stack.kf("task", "shop", "2").ok()
    stack.kf("schedule-job", "nightly", "0 4 * * *").ok()
    assert "nightly" in stack.kf("jobs").ok().text
    shown = stack.write(program.format("three")).preview().ok().text
    assert "will run: command changed" in shown and "could not ask" not in shown and "held back: " in shown
    assert (
        "warning: history of app 'shop': the newest task is" in shown and "less than min_history (7d): keep=" in shown
    )
    assert "forbidden" not in stack.up().ok().text
    stack.kf("unpin", "shop", "1").ok()
    assert "deleted shop-migrate-" in stack.kf("prune", "shop", "--keep", "0").ok().text
    stack.destroy().ok()
    kinds = "pipelineruns,configmaps,secrets,cronjobs,networkpolicies,roles,resourcequotas"
    left = kubectl("get", kinds, "-n", stack.namespace, "-o", "name", "-l", "app.kubernetes.io/managed-by=kf")
    assert not left.strip() or left.startswith("No resources found")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Space, Deployer]]:
    space = Space()
    space.app("shop")
    made.exclude_webhooks(space.name)
    for nth in range(3):
        made.make(space.name, f"run-{nth}")
    yield space, Deployer(space.name, tmp_path_factory.mktemp("deployer"))
    kubectl("delete", "namespace", space.name, "--wait=false")


def said_by_kf(*arguments: str) -> Callable[[Deployer], str]:
    return lambda deployer: deployer.kf(*arguments)


def said_by_check(deployer: Deployer) -> str:
    """What an update is refused with."""
    preview = Preview()
    seen = preview.survey(Connection(str(deployer.kubeconfig)), deployer.namespace)
    return decision.refuse(preview, Which("s", deployer.namespace, "shop", "t"), None, seen, dry=False) or ""


def said_by(ask: Callable[[Cluster, str], object]) -> Callable[[Deployer], str]:
    def said(deployer: Deployer) -> str:
        try:
            ask(deployer.cluster(), deployer.namespace)
        except ClusterError as error:
            return str(error)
        return ""

    return said


def said_by_masking(deployer: Deployer) -> str:
    env = {"name": "P", "valueFrom": {"secretKeyRef": {"name": "passwords", "key": "PASSWORD"}}}
    steps = [{"name": "task", "env": [env]}]
    manifest = {"spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": steps}}]}}}
    warned: list[str] = []
    secret_values(deployer.cluster().get, deployer.namespace, manifest, warned.append)
    return " ".join(warned)


MISSING: dict[tuple[str, str], Callable[[Deployer], str]] = {
    ("get", "namespaces"): said_by_check,
    ("list", "pipelineruns"): said_by_check,
    ("list", "configmaps"): said_by_check,
    ("get", "pipelineruns"): said_by_kf("task", "run-0"),
    ("create", "pipelineruns"): said_by_kf("run-task", "shop"),
    ("patch", "pipelineruns"): said_by_kf("pin", "run-0"),
    ("delete", "pipelineruns"): said_by_kf("prune", "shop", "--keep", "1"),
    ("get", "taskruns"): said_by(
        lambda cluster, place: cluster.task_run(place, {"status": {"childReferences": [{"name": "run-0"}]}})
    ),
    ("list", "pods"): said_by_kf("logs", "shop", "--task", "--recent"),
    ("delete", "pods"): said_by(lambda cluster, place: cluster.delete_pod(place, "none")),
    ("get", "pods/log"): said_by(lambda cluster, place: list(cluster.log(place, "none"))),
    ("get", "configmaps"): said_by_kf("run-task", "shop"),
    ("patch", "configmaps"): said_by_kf("run-task", "shop"),
    ("get", "secrets"): said_by_masking,
    ("list", "cronjobs"): said_by_kf("jobs"),
    ("patch", "cronjobs"): said_by(lambda cluster, place: cluster.change_cron_job(place, "none", {}, {})),
}


@pytest.mark.parametrize(("verb", "resource"), list(MISSING), ids=[" ".join(one) for one in MISSING])
def test_the_verb_that_is_missing_is_named(place: tuple[Space, Deployer], verb: str, resource: str) -> None:
    deployer = place[1]
    deployer.without(verb, resource)
    ask, words = MISSING[verb, resource], f'cannot {verb} resource "{re.escape(resource)}"'
    said = eventually(lambda: (text := ask(deployer)) and re.search(words, text) and text, 20, words)
    assert "Traceback" not in said and f'in the namespace "{deployer.namespace}"' in said


def test_nothing_is_granted_that_nobody_asks_for() -> None:
    of_pulumi = {"configmaps", "secrets", "serviceaccounts", "networkpolicies", "resourcequotas", "limitranges",
                 "cronjobs", "roles", "rolebindings"}  # fmt: skip
    of_schedules = {("get", "jobs")}  # granted to them in turn
    # Without these ends are noticed a little later, and nobody is told what a schedule has missed.
    watches = {("watch", "pipelineruns"), ("list", "taskruns"), ("watch", "taskruns"), ("watch", "pods")}
    of_forgotten = {("patch", "taskruns")}
    helps = watches | of_forgotten | {("list", "jobs"), ("list", "events")}
    granted = {
        (verb, resource) for rule in ROLE["rules"] for resource in rule["resources"] for verb in rule["verbs"]
    }  # fmt: skip
    assert {one for one in granted if one[1] not in of_pulumi} - of_schedules - helps == {
        one for one in MISSING if one[1] not in of_pulumi
    }  # fmt: skip
