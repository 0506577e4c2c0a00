"""Tekton Pipelines from its own manifests, with our images in place of the published ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox import cache, tools
from sandbox.api import Api, condition
from sandbox.images import SHELL, Image
from sandbox.processes import until
from sandbox.steps import Failure, run

NAMESPACE = "tekton-pipelines"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEPLOYMENTS = ("tekton-pipelines-controller", "tekton-pipelines-webhook")
RUNS = "/apis/tekton.dev/v1/namespaces/default/pipelineruns"
PROBE = {
    "apiVersion": "tekton.dev/v1",
    "kind": "PipelineRun",
    "metadata": {"name": "sandbox-probe"},
    "spec": {
        "pipelineSpec": {
            "tasks": [
                {
                    "name": "probe",
                    "taskSpec": {"steps": [{"name": "probe", "image": "none", "command": ["x"]}]},
                }
            ]
        }
    },
}


def manifests(entry: Path, images: Mapping[str, Image], registry: str) -> str:
    """All manifests as one text: namespace, definitions, then the rest."""
    folders = ("100-namespace", "300-crds", "manifests")
    files = [file for folder in folders for file in sorted((entry / folder).glob("*.yaml"))]
    return translate(join(files), images, registry)


def definitions(entry: Path) -> str:
    """The custom resource definitions alone, for a cluster without nodes."""
    return join(sorted((entry / "300-crds").glob("*.yaml")))


def join(files: list[Path]) -> str:
    return "\n---\n".join(file.read_text() for file in files)


def translate(text: str, images: Mapping[str, Image], registry: str) -> str:
    """Our images, our version, quick probes, and steps that a restricted namespace admits.

    Without election a restarted controller works at once; else it waits a minute for the
    lease of the one that died.
    """

    def ours(match: re.Match[str]) -> str:
        return images[f"tekton/{match[1]}:v{tools.TEKTON}"].at(registry)

    text = re.sub(r"ko://github\.com/tektoncd/pipeline/cmd/(\w+)", ours, text)
    shell = images[SHELL].at(registry)
    text = re.sub(r"cgr\.dev/chainguard/busybox@sha256:[0-9a-f]+", shell, text)
    text = text.replace('"devel"', f'"v{tools.TEKTON}"')
    text = text.replace('"-entrypoint-image"', '"-disable-ha", "-entrypoint-image"')
    text = text.replace('set-security-context: "false"', 'set-security-context: "true"')
    return re.sub(
        r"(readinessProbe:.*?initialDelaySeconds: )\d+(\s+periodSeconds: )\d+",
        r"\g<1>1\g<2>1",
        text,
        flags=re.DOTALL,
    )


def apply(kubectl: Path, kubeconfig: Path, text: str) -> None:
    flags = ["--server-side", "--force-conflicts", "--validate=false"]
    run([str(kubectl), f"--kubeconfig={kubeconfig}", "apply", *flags, "-f", "-"], stdin=text)


def applied(text: str) -> str:
    return cache.key([text])


def available(api: Api) -> bool:
    """Whether controller and webhook run."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    deployed = all(rolled_out(api.get(f"{path}/{name}")) for name in DEPLOYMENTS)
    pods = [pod for pod in api.get(PODS).get("items", []) if counts(pod)]
    ready = sum(condition(pod, "Ready") for pod in pods)
    return deployed and ready == len(pods) == len(DEPLOYMENTS)


def counts(pod: dict[str, Any]) -> bool:
    """Whether a pod is meant to run: neither ended nor on its way out."""
    ended = pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
    return not ended and "deletionTimestamp" not in pod["metadata"]


def forget_pods(api: Api) -> None:
    """Drops pods that died with their node, whose status still says that they run."""
    api.ask("DELETE", PODS, {"gracePeriodSeconds": 0})


def rolled_out(deployment: dict[str, Any]) -> bool:
    """Whether the newest pods, and only those, are there and available."""
    status = deployment.get("status", {})
    wanted = deployment.get("spec", {}).get("replicas")
    return (
        condition(deployment, "Available")
        and status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("replicas") == wanted
    )


def admits(api: Api) -> bool:
    """Whether a run goes through the webhook: only then are defaults filled in."""
    status, text = api.ask("POST", RUNS + "?dryRun=All", PROBE)
    if status != 201:
        return False
    content: dict[str, Any] = json.loads(text)
    return bool(content["spec"].get("taskRunTemplate", {}).get("serviceAccountName"))


def wait(api: Api, seconds: float = 180.0) -> None:
    if not until(lambda: available(api) and admits(api), seconds, 0.25):
        pods = api.get(PODS).get("items", [])
        said = [f"    {pod['metadata']['name']}: {json.dumps(pod.get('status', {}))[:600]}" for pod in pods]
        raise Failure(f"Tekton is not ready after {seconds:.0f} s:\n" + "\n".join(said))
