"""What comes through a failure of others, for a resource that is registered whatever became of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest
from kf_tasks.resources.survivors import surviving, survivors


class One(pulumi.CustomResource):
    """A resource as the SDK leaves it behind: also where the engine said that its update failed, it has an id."""

    def __init__(self, known: bool) -> None:
        self.__dict__["urn"] = self.__dict__["id"] = _output({self}, "id", True)
        self.run: pulumi.Output[str] = _output({self}, "t-1", known)


def _output(resources: set[Any], value: str, known: bool) -> pulumi.Output[Any]:
    async def answer(what: Any) -> Any:
        return what

    return pulumi.Output(resources, answer(value if known else None), answer(known))


@pytest.mark.parametrize("dry", [False, True])
def test_what_came_through_is_what_is_depended_on(monkeypatch: pytest.MonkeyPatch, dry: bool) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: dry)

    async def found() -> None:
        good, bad = One(True), One(False)
        assert await survivors([good, bad]).future() == ([good, bad] if dry else [good])
        runs = [surviving(one.run, "") for one in (good, bad)]
        assert [await run.is_known() for run in runs] == [True, not dry]
        assert [await run.resources() for run in runs] == [{good}, {bad} if dry else set()]
        assert [await run.future() for run in runs] == ["t-1", None if dry else ""]

    asyncio.new_event_loop().run_until_complete(found())  # run() would leave the thread without a loop
