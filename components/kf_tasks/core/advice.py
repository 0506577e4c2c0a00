"""The commands that messages advise, each whole: it runs as it is pasted, whatever Space the terminal is in."""

from __future__ import annotations

from .naming import BUILD


def whole_log(app: str, run: str, space: str) -> str:
    """Shows all that a run has printed, also where only the archive has it; `space` is its namespace."""
    return f"kf logs {app} --run {run} -n 0 --recent --space {space}"


def tasks(app: str, space: str) -> str:
    """Lists the runs of an App that are kept."""
    return f"kf tasks {app} --space {space}"


def terminate(run: str, space: str) -> str:
    """Ends a run."""
    return f"kf terminate-task {run} --space {space}"


def notify(app: str, task: str, space: str) -> str:
    """Tells those who are told of an App's tasks a test, or those of one `task` of it, if that is not empty."""
    flags = f" --task {task}" if task else ""
    return f"kf notify {app}{flags} --test --space {space}"


def again(app: str, task: str) -> str:
    """Runs a task once more, or builds once more where `app` is the name of a build; by a pattern of URNs."""
    return f"pulumi up --replace '**:Run::{app if app.endswith(BUILD) else f'{app}-{task}'}'"
