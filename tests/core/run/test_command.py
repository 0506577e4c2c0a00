"""Every text reaches the process as it was written, through Tekton and through the kubelet.

Both are modelled here anew, from their documented behaviour, and know nothing of how `carry` works.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run.command import DOLLAR, Command, carried, carry, dollar_variable, needs_dollar, resolve


class Rejected(Exception):
    """Tekton's webhook does not admit the text."""


REPLACED = {
    "context.taskRun.name", "context.taskRun.namespace", "context.taskRun.uid", "context.task.name",
    "context.task.retry-count", "context.pipelineRun.name", "context.pipelineRun.namespace", "context.pipelineRun.uid",
    "context.pipeline.name", "steps.step-task.exitCode.path", "credentials.path",
}  # fmt: skip
REFUSED = re.compile(
    r"params[.\[].*|context\.(taskRun|task)\..*|(tasks|finally)\.[^.]+\.(results|outputs|inputs)\..*"
    r"|(step\.)?artifacts\..*|steps\.[^.]+\.(outputs|inputs)\..*",
    re.DOTALL,
)
RUN_TIME = re.compile(r"steps\.[^.]+\.results\..*|workspaces\..*|results\..*|inputs\..*", re.DOTALL)


def tekton(text: str) -> str:
    """What Tekton makes of `$(name)`: it has no escape, so a dollar before it changes nothing."""

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        if name in REPLACED:
            return "<replaced by Tekton>"
        if REFUSED.fullmatch(name):
            raise Rejected(name)
        if RUN_TIME.fullmatch(name):
            return "<replaced where it is declared>"
        return found[0]

    return re.sub(r"\$\(([^()]*)\)", replace, text)


def kubelet(text: str, environment: dict[str, str]) -> str:
    """The expansion of `$(NAME)` and `$$` (third_party/forked/golang/expansion), byte for byte."""
    out, at = "", 0
    while at < len(text):
        if text[at] != "$" or at + 1 == len(text):
            out, at = out + text[at], at + 1
        elif text[at + 1] == "$":
            out, at = out + "$", at + 2
        elif text[at + 1] == "(" and ")" in text[at + 2 :]:
            end = text.index(")", at + 2)
            name = text[at + 2 : end]
            out, at = out + environment.get(name, f"$({name})"), end + 1
        else:
            out, at = out + "$", at + 1
    return out


ENVIRONMENT = {"HOME": "/home", "PATH": "/bin", "A": "$$(HOME)", DOLLAR: "$"}
PIECES = [
    "$", "$$", "(", ")", "{", "}", "[", "'", "HOME", "A", "$(HOME)", "$$(HOME)", "${HOME}", f"$({DOLLAR})", DOLLAR,
    "params", "$(params.x)", '$(params["x"])', "$(context.taskRun.name)", "$(context.pipelineRun.uid)",
    "$(tasks.a.results.b)", "$(tasks.a.status)", "$(finally.a.results.b)", "$(workspaces.w.path)", "$(results.r.path)",
    "$(inputs.params.x)",
    "$(artifacts.path)", "$(step.artifacts.path)", "$(steps.a.outputs.b)", "$(steps.step-task.exitCode.path)",
    "$(steps.s.results.r)", "$(credentials.path)", "$(hostname)", "$(date +%Y)", "$((1+1))", " ", "\n", "é", ".", "x",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


def arrives(text: str) -> str:
    environment = ENVIRONMENT if needs_dollar([carry(text)]) else {k: v for k, v in ENVIRONMENT.items() if k != DOLLAR}
    return kubelet(tekton(carry(text)), environment)


@given(texts)
@example("$$ $(date) $(params.x) $$(HOME) $(context.taskRun.name) ${HOME} $")
@example("$$$(params.x)$(KF_DOLLAR)$$(params.x)")
def test_every_text_arrives_verbatim(text: str) -> None:
    assert arrives(text) == text


@given(texts)
def test_the_dollar_variable_is_there_only_when_it_is_needed(text: str) -> None:
    """Without the variable the text arrives wrongly exactly where it is said to be needed."""
    without = {name: value for name, value in ENVIRONMENT.items() if name != DOLLAR}
    assert (kubelet(tekton(carry(text)), without) != text) is needs_dollar([carry(text)])


@given(texts)
def test_values_of_variables_arrive_when_the_dollar_stands_first(text: str) -> None:
    entries: list[dict[str, Any]] = [dollar_variable(), {"name": "P", "value": carry(text)}]
    environment: dict[str, str] = {}
    for entry in entries:
        environment[str(entry["name"])] = kubelet(tekton(str(entry["value"])), environment)
    assert environment["P"] == text


@given(st.text(alphabet="$()aKF_DOLLARparams.x") | st.text())
@example("$(params.x) $$(KF_DOLLAR) $(KF_DOLLAR)")
def test_a_carried_text_can_be_shown_as_it_was(text: str) -> None:
    assert carried(carry(text)) == text


def test_the_models_bite() -> None:
    assert kubelet("pa$$w$(HOME)$(NO)$", ENVIRONMENT) == "pa$w/home$(NO)$"
    with pytest.raises(Rejected):
        tekton("$$(params.x)")
    assert tekton("$(context.taskRun.name)") == "<replaced by Tekton>"


def test_plain_dollars_are_doubled_and_the_rest_is_left_alone() -> None:
    assert carry("a $HOME $(date) $$") == "a $$HOME $$(date) $$$$"
    assert carry("$(params.x)") == "$(KF_DOLLAR)(params.x)"
    assert carry("no dollar") == "no dollar"
    assert dollar_variable() == {"name": "KF_DOLLAR", "value": "$"}


@pytest.mark.parametrize(
    ("entrypoint", "command", "args", "app_command", "app_args", "argv"),
    [
        (None, "a b", None, None, None, ["/bin/sh", "-c", "a b"]),
        (None, ["a", "$b"], None, None, None, ["a", "$b"]),
        (None, ["a"], ["b"], None, None, ["a", "b"]),
        (None, None, None, "a b", None, ["/bin/sh", "-c", "a b"]),
        (None, None, None, ["a"], ["b"], ["a", "b"]),
        (None, None, ["c"], ["a"], ["b"], ["a", "c"]),
        (None, ["x"], None, ["a"], ["b"], ["x"]),
        ("launcher", "a b", None, None, None, ["launcher", "a b"]),
        (["launch", "--"], "a b", None, None, None, ["launch", "--", "a b"]),
        (["launch"], "a b", ["-v"], None, None, ["launch", "-v", "a b"]),
        (["launch"], ["a"], None, "b", None, ["a"]),
        (["launch"], None, ["c"], "b", ["d"], ["launch", "c"]),
        (["launch"], None, None, None, ["d"], ["launch", "d"]),
        (["launch"], None, None, None, None, ["launch"]),
        (["launch"], None, None, "b", None, ["launch", "b"]),
        (None, ["", "x"], None, None, None, ["", "x"]),
    ],
)  # fmt: skip
def test_argv(
    entrypoint: Command | None,
    command: Command | None,
    args: list[str] | None,
    app_command: Command | None,
    app_args: list[str] | None,
    argv: list[str],
) -> None:
    assert resolve("task 'm'", entrypoint, command, args, app_command, app_args) == argv


@pytest.mark.parametrize("args", [None, ["only", "args"]])
def test_no_start_command(args: list[str] | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        resolve("task 'migrate' of app 'shop'", None, None, args, None, None)
    assert str(refused.value) == (
        "Start command not found on App or Task (task 'migrate' of app 'shop'): "
        "give command=… to the Task or to its App"
    )


@pytest.mark.parametrize("command", ["", []])
def test_an_empty_command_is_refused(command: str | list[str]) -> None:
    with pytest.raises(InvalidInput, match="^task 'm': the command is empty"):
        resolve("task 'm'", None, command, None, "app", None)


def test_a_shell_text_takes_no_args() -> None:
    with pytest.raises(InvalidInput, match="^task 'm': args need an entrypoint or a list command"):
        resolve("task 'm'", None, "a b", ["c"], None, None)
