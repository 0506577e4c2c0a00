"""`kf review` of a real preview: `examples/review`, its change, and what a preview cannot know."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from . import once
from .conftest import CHECKOUT, Result, Stack, run
from .test_rbac import ROLE, Deployer

EXAMPLE = CHECKOUT / "examples" / "review"
RECORDED = CHECKOUT / "tests" / "core" / "review" / "golden" / "review.json"


def review(stack: Stack, folder: Path, *arguments: str, **env: str) -> tuple[Result, dict[str, Any]]:
    """What is printed, and the review as data."""
    command = [str(CHECKOUT / "kf"), "review", *arguments, "--json", "out.json", "--html", "out.html"]
    done = run(command, folder, {**stack.env, **env})
    [found] = json.loads((folder / "out.json").read_text())
    return done, found


def plain(found: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on where and when it was made."""
    decided = found["decisions"]
    return {
        "starts": {one["task"]: (one["starts"], one["command"]) for one in decided["starts"]},
        "schedules": [(one["before"]["schedule"], one["after"]["schedule"]) for one in decided["schedules"]],
        "changes": [(one["what"], one["before"], one["after"]) for one in found["changes"] if one["what"] != "image"],
        "dropped": [one["task"] for one in found["dropped"]],
        "kept": [(one["keep"], one["before"]) for one in found["kept"]],
        "templates": [one["task"] for one in found["templates"]],
    }


def test_the_example_is_reviewed_as_it_was_recorded(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    shutil.copytree(EXAMPLE, folder)
    project = folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../.venv", str(once.virtualenv())))
    (folder / "state").mkdir()
    stack.env |= {"PULUMI_BACKEND_URL": f"file://{folder}/state"}
    flags = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"]
    run(["pulumi", "stack", "init", "dev"], folder, stack.env).ok()
    run(["pulumi", "config", "set", "space", stack.namespace], folder, stack.env).ok()

    done, found = review(stack, folder, "--stack", "dev")
    assert "3 tasks will run" in done.ok().text and not found["decisions"]["deletions"]
    assert found["unknown"] == [f"namespace {stack.namespace!r} is not there yet: admission was not asked for"]
    assert [one["last"] for one in found["decisions"]["starts"]] == [[], [], []]

    run(["pulumi", "up", *flags], folder, stack.env).ok()
    subprocess.run(["patch", "-p1", "-i", "change.patch"], cwd=folder, check=True, capture_output=True)
    done, found = review(stack, folder, "--stack", "dev")
    done.ok()
    [recorded, _] = json.loads(RECORDED.read_text())
    assert plain(found) == plain(recorded)
    assert found["whole"] and found["unknown"] == found["errors"] == []
    last = {one["task"]: one["last"] for one in found["decisions"]["starts"]}
    assert [one["outcome"] for one in last["schema"]] == ["Succeeded"] and last["schema"][0]["finished"]
    assert "battery" not in (folder / "out.json").read_text() + (folder / "out.html").read_text() + done.text

    reader = Deployer(stack.namespace, folder)
    reader.grant({**ROLE, "rules": [{**rule, "verbs": ["get", "list", "watch"]} for rule in ROLE["rules"]]})
    done, found = review(stack, folder, "--stack", "dev", KUBECONFIG=str(reader.kubeconfig))
    [unknown] = found["unknown"]
    assert unknown.startswith("admission was not asked for: ") and "cannot create" in unknown
    assert plain(found) == plain(recorded) and found["decisions"]["deletions"]
    assert {one["task"] for one in found["decisions"]["starts"] if one["last"]} == {"schema", "seed"}

    dead = json.loads(Path(stack.env["KUBECONFIG"]).read_text())
    dead["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (folder / "dead").write_text(json.dumps(dead))
    done, found = review(stack, folder, "--stack", "dev", KUBECONFIG=str(folder / "dead"))
    [unknown] = found["unknown"]
    assert unknown.startswith("this preview could not ask the cluster: ")
    assert {one["last"] is None for one in found["decisions"]["starts"]} == {True}

    program = folder / "__main__.py"
    program.write_text(program.read_text().replace('command="echo 120 rows"', 'command=""'))
    done, found = review(stack, folder, "--stack", "dev")
    assert done.failed().code != 0 and "task 'seed' of app 'shop': the command is empty" in done.text
    assert not found["whole"] and "the preview did not come to its end" in found["unknown"][0]
    run(["pulumi", "destroy", *flags], folder, stack.env).ok()
