"""Which cluster a Space is in, as the provider's process is told it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from .inputs import no


def connection_of(settings: Mapping[str, pulumi.Input[str | None] | None]) -> pulumi.Output[dict[str, Any]]:
    """Kubeconfig, context and cluster as a secret; without any of them it is the ambient cluster.

    In the preview that creates a provider its unset properties are as unknown as one that is
    computed: whatever is known beside a known kubeconfig describes the cluster.
    """
    outputs = {name: pulumi.Output.from_input(value) for name, value in settings.items() if value is not None}

    async def content() -> dict[str, Any]:
        found = {name: await output.future() for name, output in outputs.items() if await output.is_known()}
        return {name: value for name, value in found.items() if value}

    async def known() -> bool:
        return not outputs or any([await output.is_known() for output in outputs.values()])

    async def resources() -> set[pulumi.Resource]:
        return {resource for output in outputs.values() for resource in await output.resources()}

    return pulumi.Output.secret(pulumi.Output(resources(), content(), known(), no()))


def settings_of(provider: pulumi.ProviderResource) -> dict[str, Any]:
    """What a Kubernetes provider says about its cluster."""
    return {name: provider.__dict__.get(name) for name in ("kubeconfig", "context", "cluster")}
