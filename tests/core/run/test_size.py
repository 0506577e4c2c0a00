"""What is too large for a run is told with what to do, and what is just small enough is not."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run import environment, size
from kf_tasks.core.run.environment import Value
from kf_tasks.core.run.pipelinerun import TaskSpec, render

from .test_pipelinerun import SPEC

OWNER = "task 'migrate' of app 'shop'"


def manifest(count: int, length: int, **more: Any) -> dict[str, Any]:
    values = {f"V{number}": Value("x" * length) for number in range(count)}
    return render(TaskSpec(**{**SPEC, "env": environment.merge([("App", values)]), **more}))


def test_ten_variables_of_120_kb_are_one_object_that_is_too_large() -> None:
    with pytest.raises(InvalidInput) as error:
        size.check_run(OWNER, manifest(10, 120_000))
    text = str(error.value)
    assert text.startswith(f"{OWNER}: its PipelineRun has 1,20") and "of which 750,000 are allowed" in text
    assert "the largest: V9 with 120,000, V8 with 120,000, V7 with 120,000" in text and "mounted with volumes=" in text
    size.check_run(OWNER, manifest(6, 120_000))


def test_each_retry_takes_its_place() -> None:
    size.check_run(OWNER, manifest(2, 120_000, retries=3))
    with pytest.raises(InvalidInput, match="300,000 are allowed, since Tekton keeps it 5 times with retries=3"):
        size.check_run(OWNER, manifest(3, 120_000, retries=3))


@pytest.mark.parametrize(("length", "taken"), [(131_071, True), (131_072, False)])
@pytest.mark.parametrize("letter", ["x", "$"])
def test_an_argument_is_as_long_as_linux_allows(length: int, taken: bool, letter: str) -> None:
    """As the process gets it: a dollar, which is written twice, counts once."""
    made = manifest(0, 0, argv=["/bin/sh", "-c", letter * length])
    if taken:
        size.check_run(OWNER, made)
        return
    with pytest.raises(InvalidInput, match="an argument of its command has 131,073 bytes, Linux allows 131,072"):
        size.check_run(OWNER, made)


def test_a_secret_has_a_megabyte() -> None:
    size.check_data("app 'shop'", "env", {f"V{number}": "\u00e4" * 52_428 for number in range(10)})
    with pytest.raises(InvalidInput, match="app 'shop': env has 1,048,580 bytes, Kubernetes allows 1,048,576"):
        size.check_data("app 'shop'", "env", {f"V{number}": "\u00e4" * 52_429 for number in range(10)})
