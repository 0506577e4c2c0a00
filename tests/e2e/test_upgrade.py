"""Stacks that earlier versions have made: the present code updates them without a run, a replacement or a lost output.

`tests/upgrade/` holds for each version of the changelog the stack's export, with what lay in the cluster, beside its
program. `KF_UPGRADE=write` makes that of the present version.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kf_tasks
import pytest

from .conftest import CHECKOUT, Stack, changes, kubectl, run

EXPORTS = CHECKOUT / "tests/upgrade"
VERSIONS = sorted({path.stem for path in EXPORTS.glob("*.py")})
CODE = "ConfigMap::kf."  # the code of schedules' pods is named by its content
Stacks = Callable[..., Stack]


def made(stacks: Stacks, version: str, registry: str) -> Stack:
    """The stack of a version with its program, and nothing in it yet."""
    namespace = f"upgrade-{version.replace('.', '-')}"
    stack = stacks(project="upgrade", namespace=namespace, env={"SANDBOX_REGISTRY": registry})
    (stack.folder / "__main__.py").write_text((EXPORTS / f"{version}.py").read_text("utf-8"))
    return stack


def cluster_uid() -> str:
    return kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")


@pytest.mark.skipif(os.environ.get("KF_UPGRADE") != "write", reason="makes the export of the present version")
def test_the_export_of_this_version_is_made(stacks: Stacks) -> None:
    stack = made(stacks, kf_tasks.__version__, os.environ["SANDBOX_REGISTRY"])
    stack.up().ok()
    state = stack.state()
    objects = [_plain(found) for each in _in_cluster(state) if (found := _read(*each))]
    kept = {
        "registry": os.environ["SANDBOX_REGISTRY"],
        "cluster": cluster_uid(),
        "outputs": stack.outputs(),
        "stack": state,
        "objects": objects,
    }
    path = EXPORTS / f"{kf_tasks.__version__}.json"
    path.write_text(json.dumps(_short(kept), indent=1, sort_keys=True) + "\n", "utf-8")


@pytest.mark.skipif(os.environ.get("KF_UPGRADE") == "write", reason="an export is being made")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_stack_of_an_earlier_version_is_updated(stacks: Stacks, version: str, tmp_path: Path) -> None:
    text = (EXPORTS / f"{version}.json").read_text("utf-8")
    kept = json.loads(text.replace(json.loads(text)["cluster"], cluster_uid()))
    stack = made(stacks, version, kept["registry"])
    _restore(kept, tmp_path)
    (tmp_path / "stack.json").write_text(json.dumps(kept["stack"]))
    stack.pulumi("stack", "import", "--file", str(tmp_path / "stack.json")).ok()
    assert stack.outputs() == kept["outputs"]

    preview = stack.preview().ok().text
    assert "will run" not in preview and "drift" not in preview, preview
    assert not _replaced(stack.preview("--json").ok().text), preview

    update = stack.up().ok()
    assert "will run" not in update.text and "deleted" not in changes(update), update.text
    assert stack.outputs() == kept["outputs"]
    assert stack.runs("shop") == stack.runs("blog") == [], "nothing ran"
    assert stack.up("--expect-no-changes").ok()


def test_every_version_of_the_changelog_has_its_export() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    assert sorted(re.findall(r"^## (\S+)", changelog, re.MULTILINE)) == VERSIONS


def _replaced(preview: str) -> list[str]:
    """The URNs of what a preview would replace or delete, but for the code of schedules' pods."""
    steps = json.loads(preview[preview.index("{") :]).get("steps") or []
    return [it["urn"] for it in steps if it["op"] not in ("same", "update", "read") and CODE not in it["urn"]]


def _in_cluster(state: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Kind, namespace, name and field manager of every object that a state holds."""
    found = []
    for resource in state["deployment"]["resources"]:
        if resource["type"].startswith("kubernetes:") and "outputs" in resource:
            outputs = resource["outputs"]
            metadata = outputs["metadata"]
            manager = outputs.get("__fieldManager", "pulumi")
            found.append((outputs["kind"], metadata.get("namespace", ""), metadata["name"], manager))
    return found


def _read(kind: str, namespace: str, name: str, manager: str) -> dict[str, Any]:
    flags = ["-n", namespace] if namespace else []
    found: dict[str, Any] = json.loads(kubectl("get", kind, name, *flags, "-o", "json"))
    return {**found, "manager": manager}


def _short(value: Any) -> Any:
    """Without where the program lay, and without the code of schedules' pods, which other code replaces."""
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items() if name not in ("sourcePosition", "stackTrace")}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return f"{value[:80]} …" if isinstance(value, str) and value.startswith('"""') else value


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """An object without what belongs to the cluster that it lies in."""
    gone = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink")
    metadata = {name: value for name, value in found["metadata"].items() if name not in gone}
    return {**{name: value for name, value in found.items() if name != "status"}, "metadata": metadata}


def _restore(kept: dict[str, Any], folder: Path) -> None:
    """Puts into this cluster what lay in the other one, as the same managers."""
    for each in kept["objects"]:
        manager = each.pop("manager")
        (folder / "object.json").write_text(json.dumps(each))
        flags = ["--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", str(folder / "object.json")]
        run(["kubectl", "apply", *flags]).ok()
