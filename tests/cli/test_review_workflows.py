"""The workflows beside `examples/review` do what they say: their commands are run, with a host that writes down."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "examples" / "review"
RECORDED = CHECKOUT / "tests" / "core" / "review" / "recorded"
PULUMI = """\
#!/bin/sh
for word; do stack=$word; done
cat "$RECORDED/$stack.events" 2>/dev/null || { echo "error: no stack named '$stack' found" >&2; exit 6; }
exit "$(cat "$CODES/$stack" 2>/dev/null || echo 0)"
"""
WRITES_DOWN = """\
#!{python}
import json, os, sys
with open(os.environ["ASKED"], "a") as asked:
    print(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]), file=asked)
print(os.environ.get("ANSWER_" + ("READ" if {reads} else "WRITE"), ""))
"""
READS = {"gh": '"--paginate" in sys.argv', "curl": '"--data-urlencode" not in sys.argv', "pip": "False"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the example, with a `pulumi` that prints what was recorded, and hosts that write down."""
    shutil.copytree(EXAMPLE, tmp_path / "repository")
    programs = tmp_path / "bin"
    programs.mkdir()
    texts = {name: WRITES_DOWN.format(python=sys.executable, reads=reads) for name, reads in READS.items()}
    kf = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m kf_tasks.cli "$@"\n'
    for name, text in {"pulumi": PULUMI, "kf": kf, **texts}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return tmp_path / "repository"


def run(script: str, folder: Path, shell: str = "sh", **env: str) -> subprocess.CompletedProcess[str]:
    known = {
        "PATH": f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT / "components"),
        "RECORDED": str(RECORDED),
        "CODES": str(folder.parent),
        "ASKED": str(folder.parent / "asked"),
        "HOME": str(folder),
    }
    return subprocess.run(
        [shell, "-e", "-c", script], cwd=folder, env={**known, **env}, capture_output=True, text=True, check=False
    )


def asked(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder.parent / "asked").read_text().splitlines()]


def test_the_script_writes_one_document_about_all_stacks(repository: Path) -> None:
    done = run("sh ci/review.sh dev prod", repository)
    assert done.returncode == 0, done.stderr
    assert (repository / "review.md").read_text().startswith("<!-- kf-review orders/dev orders/prod -->\n")
    assert (repository / "review.html").read_text().startswith("<!doctype html>")


def test_the_script_ends_as_the_preview_that_failed_and_tells_of_the_others(repository: Path) -> None:
    (repository.parent / "dev").write_text("255")
    assert run("sh ci/review.sh dev prod", repository).returncode == 255
    assert "orders/prod" in (repository / "review.md").read_text().split("\n")[0]
    missing = run("sh ci/review.sh none", repository)
    assert missing.returncode == 6 and "no stack named 'none'" in missing.stderr
    half = run("rm review.md; sh ci/review.sh none prod", repository)
    assert half.returncode == 6 and (repository / "review.md").read_text().startswith("<!-- kf-review orders/prod -->")


def github(repository: Path, **env: str) -> list[list[str]]:
    steps: list[dict[str, Any]] = yaml.safe_load((repository / "ci" / "github.yml").read_text())["jobs"]["review"][
        "steps"
    ]
    for script in [step["run"] for step in steps if "run" in step]:
        done = run(script, repository, "bash", GITHUB_REPOSITORY="team/orders", NUMBER="7", **env)
        assert done.returncode == 0, done.stderr
    return asked(repository)


def test_github_gets_a_first_comment_and_keeps_that_one(repository: Path) -> None:
    pip, listed, made = github(repository)
    assert pip == ["pip", "install", "-r", "requirements.txt"]
    assert (
        listed[1:4] == ["api", "--paginate", "repos/team/orders/issues/7/comments"] and "<!-- kf-review " in listed[5]
    )
    assert made == ["gh", "pr", "comment", "7", "--body-file", "review.md"]
    *_, changed = github(repository, ANSWER_READ="4711")
    assert changed == [
        "gh", "api", "--method", "PATCH", "repos/team/orders/issues/comments/4711", "--field", "body=@review.md",
    ]  # fmt: skip


def gitlab(repository: Path, **env: str) -> list[list[str]]:
    job = yaml.safe_load((repository / "ci" / "gitlab.yml").read_text())["review"]
    notes = "https://gitlab.example.com/api/v4/projects/1/merge_requests/7/notes"
    for part in ("before_script", "script", "after_script"):
        done = run("\n".join(job[part]), repository, NOTES=notes, REVIEW_TOKEN="a token", **env)
        assert done.returncode == 0, done.stderr
    return [words[1:] for words in asked(repository) if words[0] == "curl"]


def test_gitlab_gets_a_first_note_and_keeps_that_one(repository: Path) -> None:
    others = [{"id": 1, "body": "hello"}]
    *_, made = gitlab(repository, ANSWER_READ=json.dumps(others))
    notes = "https://gitlab.example.com/api/v4/projects/1/merge_requests/7/notes"
    assert made[-3:] == ["--request", "POST", notes] and "body@review.md" in made
    own = {"id": 4711, "body": "<!-- kf-review orders/dev -->\n"}
    *_, changed = gitlab(repository, ANSWER_READ=json.dumps([*others, own]))
    assert changed[-3:] == ["--request", "PUT", f"{notes}/4711"]


def test_the_change_can_be_applied(repository: Path) -> None:
    assert run("patch -p1 < change.patch", repository).returncode == 0
    compile((repository / "__main__.py").read_text(), "__main__.py", "exec")
