"""What came through, for a resource that must not be left out because another one has failed.

In an update that goes on (`--continue-on-error`) the engine leaves out what depends on a resource that failed, and
keeps its record as it was. What that record depended on is deleted all the same if the program no longer has it, and
from then on the engine refuses the state as damaged (pulumi/pulumi#16720). The History of an App depends on all its
Runs, of which one may fail while the Task of another is removed; so it depends on those that came through alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

import pulumi

from .inputs import yes

T = TypeVar("T")


def survivors(resources: Sequence[pulumi.Resource]) -> pulumi.Output[list[pulumi.Resource]]:
    """Those of them that have not failed in this update, once all have come to their end."""

    async def those() -> list[pulumi.Resource]:
        return [resource for resource in resources if await _came_through(resource)]

    return pulumi.Output(set(), those(), yes())


def surviving(output: pulumi.Output[T], lost: T) -> pulumi.Output[T]:
    """An output of a resource; in an update in which that failed it is `lost`, and depends on nothing."""
    if pulumi.runtime.is_dry_run():
        return output

    async def behind() -> set[pulumi.Resource]:
        return await output.resources() if await output.is_known() else set()

    async def value() -> T:
        return cast(T, await output.future()) if await output.is_known() else lost

    return pulumi.Output(behind(), value(), yes(), output.is_secret())


async def _came_through(resource: pulumi.Resource) -> bool:
    """Of a resource that failed nothing is known but its URN and, where it was there before, its id."""
    if pulumi.runtime.is_dry_run() or not isinstance(resource, pulumi.CustomResource):
        return True
    outputs = [it for name, it in vars(resource).items() if isinstance(it, pulumi.Output) and name not in ("urn", "id")]
    return any([await output.is_known() for output in outputs or [resource.id]])
