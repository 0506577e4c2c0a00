"""The variables of one layer (Space, App or Task): plain ones by value, secret ones in a Kubernetes Secret."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import naming
from ..core.run import system
from ..core.run.environment import Value, check_reserved, check_value
from ..core.run.size import check_data
from .inputs import computed

Env = Mapping[str, pulumi.Input[str]]


class Layer:
    """The variables of one layer: plain ones by value, secret ones as keys of a Kubernetes Secret."""

    def __init__(
        self,
        component: pulumi.ComponentResource,
        owner: str,
        env: Env | None,
        secret_name: str,
        metadata: dict[str, Any],
        opts: pulumi.ResourceOptions,
    ) -> None:
        given = dict(env or {})
        for name in given:
            check_reserved(owner, naming.check_env_name(owner, name))
        hidden = system.overridden(sorted(given))
        if hidden:
            pulumi.log.warn(
                f"{owner}: env {', '.join(hidden)}: tasks get the platform's value: leave it out", component
            )
        outputs = {name: plain_or_secret(value, owner, name) for name, value in given.items()}
        self.values: pulumi.Output[dict[str, Any]] = _gather(outputs, lambda: _references(outputs, secret_name))
        self.secret: kubernetes.core.v1.Secret | None = None
        if any(not isinstance(value, str) for value in given.values()):
            found: pulumi.Output[dict[str, str]] = _gather(outputs, lambda: _secret_data(outputs), secret=True)
            data = computed(found, functools.partial(_checked, owner))
            self.secret = kubernetes.core.v1.Secret(
                secret_name, metadata={**metadata, "name": secret_name}, string_data=data, opts=opts
            )

    @property
    def resources(self) -> list[pulumi.Resource]:
        """What must exist before a run refers to it."""
        return [self.secret] if self.secret else []


def values_of(layer: Mapping[str, Any]) -> dict[str, Value]:
    """The variables of a resolved layer, for merging."""
    return {name: Value(**value) for name, value in layer.items()}


def plain_or_secret(value: pulumi.Input[str], owner: str, name: str) -> pulumi.Output[str]:
    """The value of a variable as an Output of text, secret or not, that a process can be given."""

    def verify(text: Any) -> Any:
        naming.check_text(f"{owner}: env {name}", text)
        check_value(owner, name, text)
        return text

    if not isinstance(value, (pulumi.Output, Awaitable)):
        verify(value)
    return computed(pulumi.Output.from_input(value), verify)


def _gather(
    outputs: Mapping[str, pulumi.Output[str]], work: Callable[[], Coroutine[Any, Any, Any]], *, secret: bool = False
) -> pulumi.Output[Any]:
    async def resources() -> set[pulumi.Resource]:
        return {resource for output in outputs.values() for resource in await output.resources()}

    async def known() -> bool:
        return all([await output.is_known() for output in outputs.values() if secret or not await output.is_secret()])

    async def secrecy() -> bool:
        return secret

    return pulumi.Output(resources(), work(), known(), secrecy())


async def _references(outputs: Mapping[str, pulumi.Output[str]], secret_name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, output in outputs.items():
        if await output.is_secret():
            found[name] = {"secret": secret_name, "key": name}
        else:
            found[name] = {"text": await output.future(with_unknowns=True)}
    return found


def _checked(owner: str, data: dict[str, str]) -> dict[str, str]:
    check_data(owner, "env, the secret variables together,", data)
    return data


async def _secret_data(outputs: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
    found = {n: await out.future(with_unknowns=True) for n, out in outputs.items() if await out.is_secret()}
    # Nobody knows in time whether an Output is secret, so the Secret is there in any case; and one without anything in
    # it is a change in every preview.
    return found or {"README": "none of these variables is secret: the template shows them"}
