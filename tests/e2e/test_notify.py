"""Who is told: by the update, by the pod of a schedule, and by the next update what nobody saw, over HTTPS."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from ..notify.receiver import Receiver, receiving
from .conftest import Stack, eventually, kubectl
from .test_schedule import ended, job_log, now, start, unfinished

PROGRAM = """
from pathlib import Path
from kf_tasks import Heartbeat, TaskSchedule, Webhook
told = {'ca': Path('ca.crt').read_text()}
space = Space(NS, memory='32M', disk='64M', cpu='10m', submitter_image=f'{R}/python:3', notify=[
    Webhook('ADDRESS/hooks/T0-token', format='json', **told), Heartbeat('ADDRESS/beats/B0-token', **told)])
app = App('shop', space=space, image=f'{R}/busybox:1')
Task('migrate', app=app, command='COMMAND', must_succeed=False)
Task('later', app=app, command='exit 5', wait=False, must_succeed=False)
TaskSchedule('nightly', app=app, command='exit 4')
"""


def told(receiver: Receiver) -> list[str]:
    found = [json.loads(body) for path, _, body in receiver.got if path.startswith("/hooks")]
    return [f"{event['displayName']} {event['event']}: {event['outcome']}" for event in found]


def beats(receiver: Receiver) -> list[str]:
    return sorted(path.partition("?")[0].removeprefix("/beats/B0-token") for path in receiver.paths if "beats" in path)


def test_each_end_is_told_once_and_no_address_is_anywhere(stack: Stack, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # this machine, as pods reach it
        probe.connect((os.environ["SANDBOX_REGISTRY"].partition(":")[0], 9))
        host = probe.getsockname()[0]
    with receiving(tmp_path, host=host) as receiver:
        (stack.folder / "ca.crt").write_text(receiver.ca)
        program = PROGRAM.replace("ADDRESS", receiver.address)
        first = stack.write(program.replace("COMMAND", "exit 3")).up().ok().text
        assert told(receiver) == ["migrate failed: exit code 3"] and "warning: nobody" not in first
        eventually(lambda: beats(receiver) == ["/fail", "/start", "/start"])
        eventually(lambda: not unfinished(stack.runs()))

        job = start(stack, "nightly", now())
        assert ended(stack, job) == "Failed"
        log = job_log(stack, job)
        assert sorted(told(receiver)[1:]) == ["later failed: exit code 5", "nightly failed: exit code 4"], log

        second = stack.write(program.replace("COMMAND", "true")).up().ok().text
        assert told(receiver)[3:] == ["migrate recovered: succeeded"]
        assert beats(receiver) == ["", "/fail", "/fail", "/fail", "/start", "/start", "/start", "/start"]
        assert (
            stack.kf("notify", "shop", "--task", "nightly", "--test").ok().text
            == "webhook (json): told\nheartbeat: told\n"
        )

        kinds = "pipelineruns,taskruns,pods,configmaps,cronjobs,jobs,events"
        everything = kubectl("get", kinds, "-n", stack.namespace, "-o", "yaml")
        texts = (first, second, log, everything, json.dumps(stack.state()))
        assert not any(word in text for text in texts for word in ("T0-token", "B0-token"))
        receiver.got.clear()
        stack.up().ok()
        assert receiver.got == [], "each once"
