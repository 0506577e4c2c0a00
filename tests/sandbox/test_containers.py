"""What a container has printed is in its log, however short it runs: what every test of logs stands on."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

PODS, NUMBERS = 30, 12000  # 60 kB each: more than containerd reads at once, less than a pipe holds


def kubectl(*arguments: str, given: str | None = None) -> str:
    return subprocess.run(
        ["kubectl", *arguments], input=given, text=True, stdout=subprocess.PIPE, check=True, timeout=180
    ).stdout


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"containers-{uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def test_no_log_of_a_short_container_lacks_its_end(namespace: str) -> None:
    """containerd 1.6 lost it for one in six of these containers on a busy machine."""
    container = {
        "name": "print",
        "image": f"{os.environ['SANDBOX_REGISTRY']}/busybox:1",
        "command": ["seq", "1", str(NUMBERS)],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "short", "namespace": namespace},
        "spec": {
            "parallelism": PODS,
            "completions": PODS,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }
    kubectl("create", "-f", "-", given=json.dumps(job))
    kubectl("wait", "job/short", "-n", namespace, "--for=condition=complete", "--timeout=170s")
    logs = kubectl("logs", "-n", namespace, "-l", "job-name=short", "--tail=-1", f"--max-log-requests={PODS}")
    assert Counter(logs.split()) == {str(number): PODS for number in range(1, NUMBERS + 1)}
