"""What a container has printed is in its log, however short it runs: what every test of logs stands on."""

from __future__ import annotations

import json
from collections import Counter

from .conftest import Stack, kubectl

PODS, NUMBERS = 30, 12000  # 60 kB each: more than containerd reads at once, less than a pipe holds


def test_no_log_of_a_short_container_lacks_its_end(stack: Stack) -> None:
    """containerd 1.6 lost it for one in six of these containers on a busy machine."""
    container = {
        "name": "print",
        "image": f"{stack.env['SANDBOX_REGISTRY']}/busybox:1",
        "command": ["seq", "1", str(NUMBERS)],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "short", "namespace": stack.namespace},
        "spec": {
            "parallelism": PODS,
            "completions": PODS,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }
    file = stack.folder / "job.json"
    file.write_text(json.dumps(job))
    kubectl("create", "namespace", stack.namespace)
    kubectl("create", "-f", str(file))
    kubectl("wait", "job/short", "-n", stack.namespace, "--for=condition=complete", "--timeout=170s")
    logs = kubectl("logs", "-n", stack.namespace, "-l", "job-name=short", "--tail=-1", f"--max-log-requests={PODS}")
    assert Counter(logs.split()) == {str(number): PODS for number in range(1, NUMBERS + 1)}
