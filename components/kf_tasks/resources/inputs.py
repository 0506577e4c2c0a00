"""What the components share: inputs that must not be secret, environment layers, the connection, the stack."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, cast

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from ..core import marks, naming
from ..core.errors import InvalidInput
from ..core.run import system
from ..core.run.environment import Value, check_reserved, check_value

T = TypeVar("T")
Env = Mapping[str, pulumi.Input[str]]
Args = pulumi.Input[Sequence[pulumi.Input[str]]]
Command = pulumi.Input[str | Sequence[pulumi.Input[str]]]


def stack_id() -> str:
    """`<project>.<stack>`, the owner of everything that this update makes."""
    return f"{pulumi.get_project()}.{pulumi.get_stack()}"


def checked(work: Callable[[], T]) -> T:
    """Runs `work`; bad input ends the program with its text alone, before anything is registered."""
    try:
        return work()
    except InvalidInput as error:
        raise pulumi.RunError(str(error)) from None


def plain(value: pulumi.Input[Any], what: str) -> pulumi.Output[Any]:
    """`value` as an Output that is known not to be secret and not to hold an Output's help text.

    `what` names argument and resource in the error: a PipelineRun, its labels and its name are
    readable by everybody who may list pods.
    """
    checked(lambda: _refuse_help_text(what, value))
    given = pulumi.Output.from_input(value)

    async def content() -> Any:
        if await given.is_secret():
            raise pulumi.RunError(
                f"{what} is a secret, but it is written into the PipelineRun, where it can be read: pass secrets with "
                "env=… (they go to a Kubernetes Secret), or take the secret mark off with pulumi.Output.unsecret"
            )
        found = await given.future(with_unknowns=True)
        checked(lambda: _refuse_help_text(what, found))
        return found

    return pulumi.Output(given.resources(), content(), given.is_known(), _no())


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
        checked(lambda: [_variable(owner, name) for name in given])
        hidden = system.overridden(sorted(given))
        if hidden:
            pulumi.log.warn(
                f"{owner}: env {', '.join(hidden)}: tasks get the platform's value: leave it out", component
            )
        outputs = {name: plain_or_secret(value, owner, name) for name, value in given.items()}
        self.values: pulumi.Output[dict[str, Any]] = _gather(outputs, lambda: _references(outputs, secret_name))
        self.secret: kubernetes.core.v1.Secret | None = None
        if any(not isinstance(value, str) for value in given.values()):
            data: pulumi.Output[dict[str, str]] = _gather(outputs, lambda: _secret_data(outputs), secret=True)
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
        checked(lambda: verify(value))
    return pulumi.Output.from_input(value).apply(lambda text: checked(lambda: verify(text)))


def urn_of(resource: pulumi.Resource) -> pulumi.Output[str]:
    """The URN of a component for its own child: as an ordinary Output it would be a dependency cycle."""
    return pulumi.Output(set(), cast(Awaitable[str], resource.urn.future()), resource.urn.is_known())


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

    return pulumi.Output.secret(pulumi.Output(resources(), content(), known(), _no()))


def settings_of(provider: pulumi.ProviderResource) -> dict[str, Any]:
    """What a Kubernetes provider says about its cluster."""
    return {name: provider.__dict__.get(name) for name in ("kubeconfig", "context", "cluster")}


def template_data(manifest: dict[str, Any], settings: dict[str, Any]) -> dict[str, str]:
    """The data of a template's ConfigMap: the PipelineRun for reviewers and `kf run-task`, and what goes with it."""
    return {
        "pipelinerun.yaml": yaml.safe_dump(manifest, sort_keys=False, width=4096, allow_unicode=True),
        "settings.json": json.dumps(settings, sort_keys=True),
    }


def labels(app: str | None = None) -> dict[str, str]:
    """The labels of everything that belongs to this stack (and to an App)."""
    own = {marks.MANAGED_BY: "kf", marks.STACK: naming.label_value(stack_id())}
    return {**own, **({marks.NAME: app} if app else {})}


def depends_on(opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
    """What a component is declared to wait for, for those of its children that must."""
    given = opts.depends_on if opts else None
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]  # type: ignore[list-item]


def _variable(owner: str, name: str) -> str:
    check_reserved(owner, naming.check_env_name(owner, name))
    return name


def _refuse_help_text(what: str, value: Any) -> None:
    if isinstance(value, str):
        naming.check_text(what, value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_help_text(what, key)
            _refuse_help_text(f"{what}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_help_text(what, item)


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


async def _secret_data(outputs: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
    return {n: await out.future(with_unknowns=True) for n, out in outputs.items() if await out.is_secret()}


async def _no() -> bool:
    return False
