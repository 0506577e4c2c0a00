"""Whether a secret has another value: a digest of each one that a task may read, for the line about it in a preview.

Together they are a secret input of the task's Run, encrypted in the state as the values themselves are beside it. The
provider compares them with those of the last update, and nothing but the comparison is ever said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.output import contains_unknowns

from ..core.run.environment import short_digest
from .inputs import yes

Data = Mapping[str, pulumi.Output[dict[str, Any]]]


def digests(secrets: Data) -> pulumi.Output[dict[str, dict[str, str]]]:
    """The digests of the values of Secrets, by name and key; without those that only the update knows."""

    async def resources() -> set[pulumi.Resource]:
        return {resource for data in secrets.values() for resource in await data.resources()}

    async def content() -> dict[str, dict[str, str]]:
        known = {name: await data.future(with_unknowns=True) for name, data in sorted(secrets.items())}
        found = {name: _digests(values) for name, values in known.items() if isinstance(values, Mapping)}
        return {name: values for name, values in found.items() if values}

    return pulumi.Output(resources(), content(), yes(), yes())


def _digests(values: Mapping[str, Any]) -> dict[str, str]:
    known = {key: value for key, value in sorted(values.items()) if value is not None and not contains_unknowns(value)}
    return {key: _digest(value) for key, value in known.items()}


def _digest(value: Any) -> str:
    return short_digest(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
