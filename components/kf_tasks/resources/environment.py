"""The variables of one layer (Space, App or Task): plain ones by value, secret ones in a Kubernetes Secret."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import naming
from ..core.run import sources, system
from ..core.run.environment import Value, check_reserved, check_value
from ..core.run.size import check_data
from ..core.run.sources import CONFIG_MAP, SECRET, Source
from .inputs import computed, no
from .references import ConfigKey, ConfigRef, SecretKey, SecretRef, name_of

Env = Mapping[str, pulumi.Input[str] | SecretKey | ConfigKey]
EnvFrom = Sequence[SecretRef | ConfigRef]


class Layer:
    """The variables of one layer: plain ones by value, secret ones as keys of a Kubernetes Secret, others as they are.

    - `values`: what each variable is, by its name (see `values_of`). `sources`: its `env_from`, lowest first.
    - `secrets`: the values of its secret ones by name, under the name of their Secret; empty where none can be secret.
    - `below`: the layers under it, lowest first.
    """

    def __init__(
        self,
        component: pulumi.ComponentResource,
        owner: str,
        env: Env | None,
        env_from: EnvFrom,
        secret_name: str,
        metadata: dict[str, Any],
        opts: pulumi.ResourceOptions,
        below: Sequence[Layer] = (),
    ) -> None:
        given = dict(env or {})
        for name in given:
            check_reserved(owner, naming.check_env_name(owner, name))
        hidden = system.overridden(sorted(given))
        if hidden:
            pulumi.log.warn(
                f"{owner}: env {', '.join(hidden)}: tasks get the platform's value: leave it out", component
            )
        self._named = {name: it for name, it in given.items() if isinstance(it, (SecretKey, ConfigKey))}
        self._owner, self.has_sources = owner, bool(env_from)
        self._say_above(component, owner, below, given)
        own: dict[str, pulumi.Input[str]] = {
            name: it for name, it in given.items() if not isinstance(it, (SecretKey, ConfigKey))
        }
        outputs = {name: plain_or_secret(value, owner, name) for name, value in own.items()}
        kept = _gather(outputs, lambda: _references(outputs, secret_name))
        named = {name: _resolved(it, f"{owner}: env {name}") for name, it in self._named.items()}
        self.values: pulumi.Output[dict[str, Any]] = kept
        if named:
            self.values = pulumi.Output.all(kept, pulumi.Output.all(**named)).apply(lambda it: {**it[0], **it[1]})
        self.sources: pulumi.Output[list[dict[str, Any]]] = pulumi.Output.all(
            *(_source(it, f"{owner}: env_from[{nth}]") for nth, it in enumerate(env_from))
        )
        self._store = component, secret_name, metadata, opts
        self._config_map: kubernetes.core.v1.ConfigMap | None = None
        self.secret: kubernetes.core.v1.Secret | None = None
        self.secrets: dict[str, pulumi.Output[dict[str, Any]]] = {}
        if any(not isinstance(value, str) for value in own.values()):
            found: pulumi.Output[dict[str, str]] = _gather(outputs, lambda: _secret_values(outputs), secret=True)
            self.secrets[secret_name] = found
            needed = found.apply(_needed)
            data = computed(needed, functools.partial(_checked, owner, "env, the secret variables together,"))
            self.secret = kubernetes.core.v1.Secret(
                secret_name, metadata={**metadata, "name": secret_name}, string_data=data, opts=opts
            )

    @property
    def resources(self) -> list[pulumi.Resource]:
        """What must exist before a run refers to it."""
        return [self.secret] if self.secret else []

    def stored(self) -> pulumi.Output[list[dict[str, Any]]]:
        """The objects that hold its values, for a higher layer's `env_from` to stand above them (see `arrange`)."""
        _, secret_name, metadata, opts = self._store
        name = f"{secret_name}.plain"
        texts = self.values.apply(lambda found: {key: it["text"] for key, it in found.items() if "text" in it})
        if self._config_map is None:
            self._config_map = kubernetes.core.v1.ConfigMap(
                name,
                metadata={**metadata, "name": name},
                data=computed(texts, functools.partial(_checked, self._owner, "env, the plain variables together,")),
                opts=opts,
            )
        config_map = self._config_map

        async def resources() -> set[pulumi.Resource]:
            return {config_map, *await self.values.resources()}

        async def objects() -> list[dict[str, Any]]:
            values = await self.values.future(with_unknowns=True) or {}
            with_secret = any(it.get("secret") == secret_name for it in values.values())
            own = [Source(CONFIG_MAP, name), *([Source(SECRET, secret_name)] if with_secret else ())]
            return [dict(vars(it)) for it in own]

        # What is made of it waits for the ConfigMap, although nothing of it is read.
        return pulumi.Output(resources(), objects(), self.values.is_known(), no())

    def _say_above(
        self, component: pulumi.ComponentResource, owner: str, below: Sequence[Layer], own: Mapping[str, Any]
    ) -> None:
        """A key of an existing object has its place in `env`, above everything that a higher `env_from` may hold."""
        names = sorted({name for layer in below for name in layer._named} - own.keys())
        if self.has_sources and names:
            pulumi.log.warn(
                f"{owner}: {', '.join(names)} of a lower layer refers to a key of an existing Secret or ConfigMap, "
                "which Kubernetes puts above env_from: where env_from is to win, set it in env here",
                component,
            )


def values_of(layer: Mapping[str, Any]) -> dict[str, Value]:
    """The variables of a resolved layer, for merging."""
    return {name: Value(**value) for name, value in layer.items()}


def layers_of(layers: Mapping[str, Layer]) -> dict[str, pulumi.Input[Any]]:
    """What `arrange` needs of layers, lowest first and by their names, as Outputs by the same names."""
    ordered = list(layers.values())
    top = max((nth for nth, layer in enumerate(ordered) if layer.has_sources), default=0)
    return {
        name: {"values": it.values, "sources": it.sources, "stored": it.stored() if nth < top else []}
        for nth, (name, it) in enumerate(layers.items())
    }


def arranged(layers: Mapping[str, Any]) -> Any:
    """`core.run.sources.arrange` of what `layers_of` gave, once it is known."""
    return sources.arrange([
        sources.Layer(
            name,
            values_of(it["values"]),
            [Source(**source) for source in it["sources"]],
            [Source(**source) for source in it["stored"]],
        )
        for name, it in layers.items()
    ])  # fmt: skip


def definition_of(layer: Layer) -> dict[str, pulumi.Output[Any]]:
    """What of a task's own variables decides about a new run: texts, names of secret ones, and what is referred to."""

    def env(found: dict[str, Any]) -> dict[str, Any]:
        texts = {name: it["text"] for name, it in found["values"].items() if "text" in it}
        named = {n: _identity(it) for n, it in found["values"].items() if it.get("existing")}
        # No variable can have such a name: it has spaces.
        return {**texts, **named, **{str(Source(**it)): nth for nth, it in enumerate(found["sources"])}}

    return {
        "env": pulumi.Output.all(values=layer.values, sources=layer.sources).apply(env),
        "secret_env": layer.values.apply(
            lambda values: sorted(n for n, it in values.items() if "key" in it and not it.get("existing"))
        ),
    }


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


def _checked(owner: str, what: str, data: dict[str, str]) -> dict[str, str]:
    check_data(owner, what, data)
    return data


async def _secret_values(outputs: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
    return {n: await out.future(with_unknowns=True) for n, out in outputs.items() if await out.is_secret()}


def _needed(found: dict[str, str]) -> dict[str, str]:
    # Nobody knows in time whether an Output is secret, so the Secret is there in any case; and one without anything in
    # it is a change in every preview.
    return found or {"README": "none of these variables is secret: the template shows them"}


def _identity(value: Mapping[str, Any]) -> dict[str, Any]:
    return {part: value[part] for part in ("secret", "config", "key") if value.get(part) is not None}


def _resolved(reference: SecretKey | ConfigKey, owner: str) -> pulumi.Output[dict[str, Any]]:
    of = "secret" if isinstance(reference, SecretKey) else "config"
    more = {"key": reference.key, "existing": True, **({"optional": True} if reference.optional else {})}
    return name_of(reference, owner).apply(lambda name: {of: name, **more})


def _source(reference: SecretRef | ConfigRef, owner: str) -> pulumi.Output[dict[str, Any]]:
    kind, prefix, optional = reference.kind, reference.prefix, reference.optional
    return name_of(reference, owner).apply(lambda name: dict(vars(Source(kind, name, prefix, optional))))
