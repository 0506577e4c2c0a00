"""The root program with a manifest: variables, anchors, text of the file and secrets as the task sees them."""

from __future__ import annotations

import json
import shutil

from .conftest import CHECKOUT, Stack, kubectl, objects
from .test_lifecycle import error_of

MANIFEST = """\
defaults: &defaults
  docker: {image: ((registry))/busybox:1}
  memory: 0.0625G
  disk_quota: 64m
  task: true
  env: &env
    ZONE: ((zone))
    MODE: 0755
    SWITCH: on
applications:
- name: ((app))_jobs
  <<: *defaults
  cpu: 10m
  instances: 2
  services:
  - {name: ledger, binding_name: main, parameters: {size: 10}}
  env:
    <<: *env
    BIG: 12345678901234567890
    COUNT: ((count))
    DOLLARS: pa$$w$(ZONE)$(params.x)
    TOKEN: t-((token))
  processes:
  - type: task
    command: env | grep -E '^(ZONE|MODE|SWITCH|BIG|COUNT|DOLLARS|DATABASE_URL|LAST)=' | sort
  tasks:
  - name: show
  - name: sum
    command: echo $((1 + COUNT)) ((count)); test ${#TOKEN} = 17 && echo same
    env: {LAST: 1.10}
  jobs:
  - name: nightly
    command: echo $ZONE at night; echo ${#TOKEN}
    schedule: 0 3 * * *
    time_zone: Europe/Berlin
    concurrency_policy: Forbid
"""


def program(stack: Stack, manifest: str = MANIFEST) -> Stack:
    """The program of this repository, with another manifest."""
    shutil.copy(CHECKOUT / "__main__.py", stack.folder)
    (stack.folder / "manifest.yml").write_text(manifest)
    settings = {"space": stack.namespace, "vars.zone": "a: b", "vars.app": "shop", "vars.count": "41"}
    for name, value in settings.items():
        stack.pulumi("config", "set", "--path", f"kf:{name}", value).ok()
    stack.pulumi("config", "set", "--secret", "--path", "kf:vars.token", "hidden-in-state").ok()
    stack.pulumi("config", "set", "--secret", "--path", "kf:services.ledger.credentials.uri", "sql://u:pw@h/x").ok()
    return stack


def test_the_program_of_this_repository(stack: Stack) -> None:
    shown = program(stack).up().ok().text
    assert "instances: has no effect on tasks" in shown
    assert "env.MODE: stays '0755', but other tools give 493" in shown
    assert "'shop_jobs' becomes 'shop-jobs'" in shown
    app = stack.outputs()["shop-jobs"]
    assert {name: task["exit_code"] for name, task in app.items()} == {"show": 0, "sum": 0}
    logs = {
        resource["inputs"]["task"]: resource["outputs"]["log"]
        for resource in stack.state()["deployment"]["resources"]
        if resource["type"].endswith("kf:Run")
    }
    assert logs["show"].splitlines() == [
        "BIG=12345678901234567890", "COUNT=41", "DATABASE_URL=[secret]", "DOLLARS=pa$$w$(ZONE)$(params.x)",
        "MODE=0755", "SWITCH=on", "ZONE=a: b",
    ]  # fmt: skip
    assert logs["sum"].split() == ["42", "41", "same"]
    [job] = objects("cronjobs", stack.namespace)
    assert {name: job["spec"][name] for name in ("schedule", "timeZone", "suspend")} == {
        "schedule": "0 3 * * *", "timeZone": "Europe/Berlin", "suspend": False,
    }  # fmt: skip
    assert stack.kf("run-job", "nightly", "--wait").ok().text.splitlines()[-2:] == ["a: b at night", "17"]
    assert "Succeeded" in stack.kf("job-history", "nightly").ok().text
    state = json.dumps(stack.state())
    readable = kubectl("get", "configmaps,pipelineruns,pods", "-n", stack.namespace, "-o", "json")
    for secret in ("hidden-in-state", "u:pw"):
        assert secret not in state and secret not in readable and secret not in shown
    again = stack.preview().ok().text
    assert "will run" not in again and "unchanged" in again, again


def test_everything_that_is_wrong_is_one_error_in_the_preview(stack: Stack) -> None:
    wrong = MANIFEST.replace("0.0625G", "64").replace("cpu: 10m", "command: x((token))").replace("ledger,", "absent,")
    error = error_of(program(stack, wrong).preview().failed().text)
    assert "manifest.yml cannot be used, it has 3 problems:" in error and "Traceback" not in error
    assert "line 3: application 'shop_jobs': memory: '64' is no amount" in error
    assert "line 13: application 'shop_jobs': command: holds the secret ((token))" in error
    assert "line 16: application 'shop_jobs': service 'absent': nobody declares it (declared: ledger)" in error
    assert "hidden-in-state" not in error
