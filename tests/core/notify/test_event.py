"""What those who are told of a run get: three formats and pings, without secrets; addresses that nobody is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.log import gate
from kf_tasks.core.notify import endpoint, event
from kf_tasks.core.notify.endpoint import HEARTBEAT, WEBHOOK, Endpoint, check_url
from kf_tasks.core.notify.event import FAILED, RECOVERED, STARTED, SUCCEEDED, TEST, Event
from kf_tasks.core.run.outcome import Outcome

UID = "0f5f9e0a-1b2c-4d3e-8f4a-5b6c7d8e9f00"
RUN: dict[str, Any] = {
    "metadata": {
        "name": "shop-migrate-1", "namespace": "shop-dev", "uid": UID, "creationTimestamp": "2026-11-25T22:00:00Z",
        "labels": {marks.NAME: "shop", marks.TASK: "migrate", marks.TASK_ID: "7", marks.STACK: "shop.dev"},
        "annotations": {marks.STARTED_BY: "pulumi up of stack shop.dev"},
    },
}  # fmt: skip
ENDED = Outcome(
    "Failed", "StepFailed", "exit code 3", 3, "2026-11-25T22:00:01Z", "2026-11-25T22:00:09Z", 8.0, {"schema": "9"}
)
SAID = "task 'migrate' of app 'shop' in space 'shop-dev' failed: exit code 3 (run shop-migrate-1, id 7)"
DATA = {
    "event": "failed", "name": "shop-migrate-1", "app": "shop", "displayName": "migrate", "id": 7, "space": "shop-dev",
    "stack": "shop.dev", "state": "Failed", "reason": "StepFailed", "outcome": "exit code 3", "exitCode": 3,
    "created": "2026-11-25T22:00:00Z", "started": "2026-11-25T22:00:01Z", "finished": "2026-11-25T22:00:09Z",
    "duration": 8.0, "startedBy": "pulumi up of stack shop.dev",
}  # fmt: skip


def test_a_failure_in_the_three_formats() -> None:
    told = Event.of(FAILED, RUN, ENDED)
    kind, body = event.body(told, "cloudevents")
    assert (kind, json.loads(body)) == (
        "application/cloudevents+json; charset=utf-8",
        {
            "specversion": "1.0", "id": f"{UID}-failed", "type": "dev.tekton.event.pipelinerun.failed.v1",
            "source": "/apis/tekton.dev/v1/namespaces/shop-dev/pipelineruns/shop-migrate-1",
            "subject": "shop-migrate-1", "time": "2026-11-25T22:00:09Z", "datacontenttype": "application/json",
            "data": {**DATA, "text": SAID},
        },
    )  # fmt: skip
    assert event.body(told, "json") == ("application/json", json.dumps({**DATA, "text": SAID}).encode())
    assert json.loads(event.body(told, "slack")[1]) == {"text": f":x: {SAID}"}


def test_a_recovery_a_limit_of_time_and_a_test_are_said_in_words() -> None:
    good = replace(ENDED, state="Succeeded", sentence="succeeded")
    lead = "task 'migrate' of app 'shop' in space 'shop-dev'"
    assert Event.of(RECOVERED, RUN, good).text == f"{lead} has recovered: succeeded (run shop-migrate-1, id 7)"
    late = replace(ENDED, state="TimedOut", sentence="timed out after 1h0m0s")
    assert Event.of(FAILED, RUN, late).text == f"{lead} timed out after 1h0m0s (run shop-migrate-1, id 7)"
    tried = Event.test("shop-dev", "shop", "migrate")
    assert tried.text == f"a test of what is told of {lead}: nothing has failed" and tried.id.startswith("test-20")


def test_what_is_told_is_harmless_and_holds_no_secret() -> None:
    gate.learn(["correct horse battery"])
    ended = replace(ENDED, sentence="\x1b[31mno <b>correct horse battery</b> & \ud800\nmore")
    told = Event.of(FAILED, RUN, ended)
    for form in ("cloudevents", "slack", "json"):
        text = event.body(told, form)[1].decode()
        assert "horse" not in text and "\\u001b" not in text and "[secret]" in text
    assert "&lt;b&gt;[secret]&lt;/b&gt; &amp;" in json.loads(event.body(told, "slack")[1])["text"]
    assert Endpoint(HEARTBEAT, "https://h/x").request(told) is not None, "half a character ends nothing"


PINGS = {STARTED: "/start", SUCCEEDED: "", RECOVERED: "", FAILED: "/fail"}


@pytest.mark.parametrize("kind", list(PINGS))
def test_a_heartbeat_is_pinged_as_healthchecks_io_takes_it(kind: str) -> None:
    told = Event.of(kind, RUN, ENDED)
    for given_url, before, after in (
        ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid", f"?rid={UID}"),
        ("https://hc-ping.com/key/slug/?create=1", "https://hc-ping.com/key/slug", f"?create=1&rid={UID}"),
        ("https://hc-ping.com", "https://hc-ping.com", f"?rid={UID}"),
    ):
        found = Endpoint(HEARTBEAT, given_url).request(told)
        assert found and found.url == f"{before}{PINGS[kind]}{after}" and found.body.decode() == told.text
    odd = Endpoint(HEARTBEAT, "https://hc-ping.com/uuid").request(replace(told, uid="no uuid"))
    assert odd and odd.url == f"https://hc-ping.com/uuid{PINGS[kind]}"


@given(st.sets(st.sampled_from([FAILED, RECOVERED])), st.sampled_from([STARTED, SUCCEEDED, FAILED, RECOVERED, TEST]))
def test_a_webhook_is_told_what_it_wants_and_any_test(on: set[str], kind: str) -> None:
    found = Endpoint(WEBHOOK, "https://h/x", tuple(on), "json").request(Event.of(kind, RUN, ENDED))
    assert (found is not None) == (kind in on or kind == TEST)


@pytest.mark.parametrize(
    "url",
    ["", "chat.example.org", "ftp://h/x", "https://", "https:///x", "https://h/a b", "https://h/ü", "https://h/x\n",
     "https://h:port/", "https://[::1/", "https://h/<token>", "${URL}"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidInput, match="^webhook: url (is no address|has characters)") as error:
        check_url("webhook", url)
    assert len(url) < 9 or url not in str(error.value)


def test_endpoints_are_read_as_they_are_written_and_show_no_address() -> None:
    there = [
        Endpoint(WEBHOOK, "https://u:pass%20word@h:8443/services/T0/B0?token=123456789", (FAILED,), "slack", "PEM"),
        Endpoint(WEBHOOK, "http://[::1]/", (FAILED, RECOVERED), "cloudevents"),
        Endpoint(HEARTBEAT, "https://hc-ping.com/0123456789"),
    ]
    text = endpoint.written(there)
    assert endpoint.read(text) == there
    assert not any(part in repr(there) + str(there) for part in ("//", "T0", "PEM"))
    assert {"/services/T0/B0", "u:pass%20word", "token=123456789", "/0123456789"} <= {*endpoint.hidden(there)}
    later = [*json.loads(text), {"kind": "pager", "number": 1}]
    assert endpoint.read(json.dumps(later)) == there, "what a later version has written is left out"


@pytest.mark.parametrize(
    "text", ["", "{", "7", "{}", '["a"]', '[{"kind": "webhook"}]', '[{"kind": "heartbeat", "url": "no"}]',
             '[{"kind": "webhook", "url": "https://h/", "format": "xml"}]', '[{"url": "https://h/"}]'],
)  # fmt: skip
def test_what_is_no_list_of_endpoints_is_one_error(text: str) -> None:
    if text == "{}":
        assert endpoint.read(text) == []
        return
    with pytest.raises(ValueError, match="."):
        endpoint.read(text)


def test_names_and_what_stands_in_a_secret_never_change() -> None:
    assert (marks.NOTIFY, marks.NOTIFIED, endpoint.KEY) == ("kf.dev/notify", "kf.dev/notified", "notify.json")
    there = Endpoint(WEBHOOK, "https://h/x", ("failed", "recovered"), "slack", "PEM")
    text = (
        '[{"ca": "PEM", "format": "slack", "kind": "webhook", "on": ["failed", "recovered"], "url": "https://h/x"}, '
        '{"kind": "heartbeat", "url": "https://h/b"}]'
    )
    assert endpoint.read(text) == [there, Endpoint(HEARTBEAT, "https://h/b")]
    assert endpoint.written([there])[1:-1] in text
