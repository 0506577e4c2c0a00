"""`kf review` runs the preview, ends as it does, and writes what it is asked for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kf_tasks.cli.main import kf
from kf_tasks.core import moments
from kf_tasks.core.approval import Approval

from ..core.review.previews import HISTORY, RUN, digest, events, history, run, said, step

STEPS = (step("create", RUN, "shop-schema", None, run()), step("update", HISTORY, "shop", history(), history(keep=1)))
ENGINE = """\
#!{python}
import json, os, pathlib, sys
folder = pathlib.Path(__file__).parent
(folder / "asked").write_text(json.dumps([sys.argv[1:], os.environ.get("PULUMI_ENABLE_STREAMING_JSON_PREVIEW")]))
sys.stdout.write((folder / "events").read_text())
sys.stderr.write("engine: said on stderr\\n")
sys.exit(int((folder / "code").read_text()))
"""


def review(*arguments: object) -> Result:
    return CliRunner().invoke(kf, ["review", *map(str, arguments)])


def put_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `pulumi` that prints the file `events`, ends with `code`, and writes down what it was asked."""
    program = folder / "pulumi"
    program.write_text(ENGINE.format(python=sys.executable))
    program.chmod(0o755)
    (folder / "events").write_text(events(*STEPS))
    (folder / "code").write_text("0")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    put_engine(tmp_path, monkeypatch)
    return tmp_path


def test_a_preview_is_run_with_the_arguments_as_they_are(engine: Path) -> None:
    done = review("--stack", "dev", "-C", "folder", "--diff", "--target", "a::b")
    assert done.exit_code == 0
    asked, streaming = json.loads((engine / "asked").read_text())
    assert streaming == "true"
    assert asked == [
        "preview", "--json", "--non-interactive", "--stack", "dev", "-C", "folder", "--diff", "--target", "a::b",
    ]  # fmt: skip
    assert done.stdout.startswith("orders/dev: 1 task will run.\n\nTasks that will run\n  - shop/schema\n")


@pytest.mark.parametrize("code", [1, 6, 255])
def test_the_exit_code_is_that_of_the_preview(engine: Path, code: int) -> None:
    (engine / "code").write_text(str(code))
    (engine / "events").write_text(events(*STEPS, said("error", "no such image"), ended=False))
    done = review("--markdown", engine / "out.md")
    assert done.exit_code == code
    assert "1 error: the update would stop. So far 1 task will run." in done.stdout
    assert "no such image" in (engine / "out.md").read_text()
    assert "the preview did not come to its end" in done.stdout


def test_a_preview_that_has_not_begun_leaves_its_own_words(engine: Path) -> None:
    (engine / "events").write_text("")
    (engine / "code").write_text("6")
    done = review("--markdown", engine / "out.md")
    assert done.exit_code == 6 and done.stdout == "" and not (engine / "out.md").exists()


def test_without_pulumi_it_is_said_what_can_be_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = review()
    assert done.exit_code == 1
    assert done.stderr == (
        "kf: pulumi was not found: install it, or review what it has printed elsewhere with --from FILE\n"
    )


def test_saved_previews_of_several_stacks_are_one_document(tmp_path: Path) -> None:
    (tmp_path / "dev").write_text(events(*STEPS))
    (tmp_path / "prod").write_text(digest(*STEPS).replace("pulumi:dev:", "pulumi:prod:"))
    out = tmp_path / "out.json"
    done = review("--from", tmp_path / "prod", "--from", tmp_path / "dev", "--markdown", "-", "--json", out)
    assert done.exit_code == 0 and done.stdout.startswith("<!-- kf-review orders/dev orders/prod -->\n")
    found = json.loads(out.read_text())
    assert [(one["stack"], one["decisions"]["starts"][0]["key"]) for one in found] == [
        ("dev", "key-schema"), ("prod", "key-schema"),
    ]  # fmt: skip


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "events").write_text(events(*STEPS))
    assert f"kf: {tmp_path}/text holds no preview: " in review("--from", tmp_path / "text").stderr
    missing = review("--from", tmp_path / "none")
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"kf: {tmp_path}/none cannot be read: No such file or directory\n",
    )
    for option in ("--json", "--markdown", "--html", "--approve"):
        nowhere = review("--from", tmp_path / "none", option, tmp_path / "no" / "folder")
        assert nowhere.exit_code == 2, "before anything is read or run"
        assert f"{tmp_path}/no/folder cannot be written: choose a file in a folder that is there" in nowhere.stderr
    both = review("--from", tmp_path / "events", "--stack", "dev")
    assert both.exit_code == 2 and "--from runs no preview, so --stack dev goes nowhere" in both.stderr


def test_what_is_shown_is_approved(engine: Path) -> None:
    done = review("--approve", engine / "approved.json", "--valid", "8h", "--stack", "dev")
    assert done.exit_code == 0 and done.stdout.startswith("orders/dev: 1 task will run.")
    found = Approval.read((engine / "approved.json").read_text(), "f")
    assert (found.stack, found.starts[0].key, found.complete) == ("orders.dev", "key-schema", True)
    assert moments.seconds_between(found.approved_at, found.expires_at) == 8 * 3600
    assert review("--approve", "-").stdout.startswith("{")


def test_nothing_is_approved_of_what_fails_or_of_two_stacks(engine: Path) -> None:
    out = engine / "approved.json"
    saved = engine / "events"
    two = review("--from", saved, "--from", saved, "--approve", out)
    assert two.exit_code == 2 and "nothing is approved: 2 stacks are shown, and a file is about one" in two.stderr
    assert "'soon' is no span of time" in review("--approve", out, "--valid", "soon").stderr
    (engine / "code").write_text("255")
    failed = review("--approve", out)
    assert failed.exit_code == 255 and "nothing is approved: the preview has failed" in failed.stderr
    assert not out.exists()
