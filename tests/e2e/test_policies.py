"""The policy pack on the real engine: what it finds in a first preview, in YAML too, and a rule that is mandatory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kf_tasks.provider.adapter import token

from .conftest import CHECKOUT, Stack
from .languages import InYaml, home, host

PACK = CHECKOUT / ".venv-policies/bin/kf-policies"
PROGRAM = """
from kf_tasks import TaskSchedule
space = Space(NS, memory='32M', timeout='12h', env={'PIN': Output.secret('1234')})
image = k8s.core.v1.ConfigMap('image', metadata={'namespace': space.namespace}, data={'v': '1'})
app = App('shop', space=space, image=f'{R}/busybox:1', keep=3, env={'URL': 'postgres://u:hunter2hunter@h/d'},
          security_context={'runAsUser': 0}, automount_service_account_token=True)
Task('quick', app=app, command='echo', must_succeed=False, timeout='0')
Task('later', app=app, command=image.id.apply(lambda found: 'echo ' + found), timeout='5m')
TaskSchedule('often', app=app, command='echo', schedule='*/5 9 * * *', time_zone='Europe/Berlin')
"""
SPACE = {"memory": "32M", "timeout": "12h", "env": {"PIN": {"fn::secret": "1234"}}}
APP = {"keep": 3, "env": {"URL": "postgres://u:hunter2hunter@h/d"}, "securityContext": {"runAsUser": 0},
       "automountServiceAccountToken": True}  # fmt: skip
IN_YAML = {
    "image": ("kubernetes:core/v1:Namespace", {"metadata": {}}),  # its id, too, is known to the update alone
    "quick": ("kf:Task", {"app": "${shop}", "command": "echo", "mustSucceed": False, "timeout": "0"}),
    "later": ("kf:Task", {"app": "${shop}", "command": "echo ${image.id}", "timeout": "5m"}),
    "often": ("kf:TaskSchedule", {"app": "${shop}", "command": "echo", "schedule": "*/5 9 * * *",
                                  "timeZone": "Europe/Berlin"}),
}  # fmt: skip
FOUND = {
    "image-digest": "app 'shop' has image",
    "timeout": "task 'quick' of app 'shop' has no timeout",
    "forbidden-window": "job 'often' of app 'shop' starts at 09:00 (Europe/Berlin), within 08:00-18:00",
    "overlap": "job 'often' of app 'shop' starts every 5m at times and has a timeout of 12h",
    "keep": "app 'shop' keeps 3 runs, where at least 10 and at most 2000 are asked for",
    "log-archive": "has no log archive",
    "confinement": "app 'shop' leaves the restricted Pod Security level (runs as root)",
    "service-account-token": "app 'shop' gives its tasks a token",
    "network-rules": "app 'shop' and its Space have no security group",
    "failures-count": "task 'quick' of app 'shop' has must_succeed=False: an update of shop-prod goes on",
    "production-run": "task 'later' of app 'shop' may run in this update of shop-prod",
    "short-secret": "secret PIN has fewer than 6 characters",
    "plain-secret": "variable URL is plain and looks like a secret (Basic Auth Credentials)",
}


@pytest.mark.skipif(not PACK.exists(), reason="the pack's virtual environment is not built: make extras builds it")
def test_the_pack_finds_what_it_is_there_for_and_is_not_stopped_by_what_is_unknown(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack", name="shop-prod").write(PROGRAM)
    (tmp_path / "rules.json").write_text(json.dumps({"forbidden-window": {"windows": ["08:00-18:00"]}}))
    pack = ("--policy-pack", str(PACK), "--policy-pack-config", str(tmp_path / "rules.json"))
    shown = stack.preview(*pack).ok().text
    for rule, sentence in FOUND.items():
        assert sentence in shown, f"{rule}: {shown}"
    assert "can't run policy" not in shown and "hunter2" not in shown, shown

    if host("yaml"):
        same = InYaml(tmp_path / "yaml", name="shop-prod", namespace=stack.namespace)
        same.env["PULUMI_HOME"] = str(home(same.folder))
        assert violations(in_yaml(same).preview(*pack).ok().text) == violations(shown)

    hard = {"timeout": {"enforcementLevel": "mandatory", "longest": "1h"}, "all": "disabled"}
    (tmp_path / "rules.json").write_text(json.dumps(hard))
    refused = stack.preview(*pack).failed().text
    assert "job 'often' of app 'shop' may run for 12h, and 1h is the longest" in refused
    assert "give it timeout='30m' or the like" in refused and "image-digest" not in refused, refused


def in_yaml(stack: InYaml) -> InYaml:
    """The program in YAML."""
    more = {name: {"type": kind, "properties": given} for name, (kind, given) in IN_YAML.items()}
    space = {"type": "kf:Space", "properties": SPACE}
    return stack.resources(**{stack.namespace: space, "shop": stack.app(**APP), **more})


def violations(told: str) -> list[str]:
    """What is said of each resource, whichever adapter carries it."""
    found = told.split("\nPolicies:\n")[1].split("\nDiagnostics:\n")[0]
    assert found.count("- [advisory]") >= len(FOUND)
    return sorted(found.replace(token("", plugin=False), token("", plugin=True)).splitlines())
