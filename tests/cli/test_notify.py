"""`kf notify`: who is told, and whether they can be told, without any address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from kf_tasks.cli.main import kf
from kf_tasks.cli.target import Target, TargetSpace
from kf_tasks.core import marks
from kf_tasks.core.notify import endpoint
from kf_tasks.core.notify.endpoint import HEARTBEAT, WEBHOOK, Endpoint
from kf_tasks.core.template import MANIFEST, SETTINGS, TemplateSettings
from kf_tasks.notify import sending

from .. import messages
from ..notify.receiver import receiving
from ..runs.test_notifying import SECRET, Api, cluster_of

MAPS = "/api/v1/namespaces/dev/configmaps"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    found = Api()
    monkeypatch.setattr(Target, "open", lambda _self: TargetSpace(cluster_of(found), "dev"))
    monkeypatch.setattr(sending, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(sending, "_down", {})
    yield found
    found.close()


def declare(api: Api, app: str, secret: str | None, task: str | None = None) -> None:
    annotations = {} if secret is None else {marks.NOTIFY: secret}
    name = f"kf-{app}.{task}" if task else f"kf-{app}"
    metadata = {"name": name, "labels": {marks.TEMPLATE: "app", marks.NAME: app}}
    data = {
        MANIFEST: yaml.safe_dump({"metadata": {"annotations": annotations}}),
        SETTINGS: TemplateSettings("shop.dev", app, task).text(),
    }
    api.objects[f"{MAPS}/{name}"] = {"metadata": metadata, "data": data}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(kf, ["notify", *arguments])


def test_who_is_told_is_shown_and_tested(api: Api, tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        there = [
            Endpoint(WEBHOOK, f"{receiver.address}/T0-token", ("failed",), "slack", receiver.ca),
            Endpoint(WEBHOOK, f"{receiver.address}/T1-token", ("failed", "recovered"), "cloudevents", receiver.ca),
            Endpoint(HEARTBEAT, f"{receiver.address}/T2-token", ca=receiver.ca),
        ]
        api.secret(SECRET, endpoint.KEY, endpoint.written(there))
        declare(api, "shop", SECRET)
        declare(api, "shop", SECRET, "nightly")
        assert [line.split(maxsplit=2) for line in call("shop").stdout.splitlines()] == [
            ["Kind", "Format", "Told of"], ["webhook", "slack", "failed"],
            ["webhook", "cloudevents", "failed, recovered"], ["heartbeat", "-", "started, succeeded, failed"],
        ]  # fmt: skip
        assert json.loads(call("shop", "--task", "nightly", "-o", "json").stdout)[0] == {
            "kind": "webhook", "format": "slack", "on": ["failed"]
        }  # fmt: skip
        assert yaml.safe_load(call("shop", "-o", "yaml").stdout)[2] == {
            "kind": "heartbeat", "format": None, "on": ["started", "succeeded", "failed"]
        }  # fmt: skip
        assert receiver.got == []
        done = call("shop", "--task", "nightly", "--test")
        assert (done.exit_code, done.stdout.splitlines()) == (
            0, ["webhook (slack): told", "webhook (cloudevents): told", "heartbeat: told"]
        )  # fmt: skip
        assert sorted(receiver.paths) == ["/T0-token", "/T1-token", "/T2-token"]
        told = {path: body for path, _, body in receiver.got}
        text = "a test of what is told of task 'nightly' of app 'shop' in space 'dev': nothing has failed"
        assert json.loads(told["/T0-token"]) == {"text": f":information_source: {text}"}
        assert json.loads(told["/T1-token"])["type"] == "dev.kf.event.test.v1" and told["/T2-token"] == text
        receiver.answers = [404]
        declare(api, "blog", "kf-blog.notify")
        api.secret("kf-blog.notify", endpoint.KEY, endpoint.written(there[:1]))
        failed = call("blog", "--test")
        assert (failed.exit_code, failed.output) == (1, "kf: not told: webhook (slack): answers 404 Not Found\n")


def test_nobody_no_secret_and_no_such_app_are_told_in_a_line(api: Api) -> None:
    declare(api, "shop", None)
    nobody = call("shop").output
    assert nobody == "kf: app 'shop' tells nobody how its tasks end: name somebody with notify=[…] in Pulumi\n"
    messages.check("notify: nobody is told", nobody, "dev")
    declare(api, "shop", SECRET)
    gone = "which says who is told, is gone: repeat pulumi up\n"
    missing = call("shop", "--test").output
    assert missing == f"kf: app 'shop': Secret dev/{SECRET}, {gone}"
    messages.check("notify: its Secret is gone", missing, "dev")
    api.secret(SECRET, endpoint.KEY, "no json")
    foreign = call("shop").output
    assert "it is not what Pulumi wrote" in foreign
    messages.check("notify: its Secret is another", foreign, "dev")
    api.denied = "/secrets/"
    done = call("shop")
    assert done.exit_code == 1 and f"Secret dev/{SECRET}, which says who is told: " in done.output
    assert "forbidden" in done.output and "Traceback" not in done.output
    assert call("shop", "--test", "-o", "json").exit_code == 2
    assert call("").exit_code == 2 and call("shop.a").exit_code == 2
