"""A service that somebody provides (a database, a mail server), and its binding to an App."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import naming
from ..core.errors import InvalidInput
from ..core.run import bindings
from . import existing, names
from .arguments import fields_of, of_component, of_record
from .declaration import credential_names, registered, unless
from .inheritance import inheriting
from .inputs import computed, for_people
from .references import SecretName
from .space import Space
from .template import labels


@dataclass(frozen=True)
class Postgres:
    """Credentials of a PostgreSQL: `uri` decides, the parts are for programs that want them apart."""

    label: ClassVar[str] = "postgresql"
    texts: ClassVar[tuple[str, ...]] = ("uri",)

    uri: pulumi.Input[str]
    host: pulumi.Input[str] | None = None
    port: pulumi.Input[int] | None = None
    database: pulumi.Input[str] | None = None
    username: pulumi.Input[str] | None = None
    password: pulumi.Input[str] | None = None


class ServiceInstance(pulumi.ComponentResource):
    """A user-provided service, bound with `App(services=[…])`.

    - `credentials`: a map of any JSON data with plain or secret values, an Output of one (of another
      stack, for example), or a dataclass such as Postgres. They go to a Kubernetes Secret and to no
      other place.
    - `secret`, in their place: an existing Secret of the Space's namespace, by its name or as a resource, whose keys
      are the credentials; `resource`: any custom resource that names it in `.status.binding.name` (a provisioned
      service of servicebinding.io). Their values pass through no program. `map`: the keys by the names that tasks
      know them by, `{"uri": "connection-string"}`, and no others.
    - `requires`: keys that the credentials must have; a missing one fails the preview, or keeps a task from starting
      where they are in an existing Secret.
    - `label` ("user-provided", or the dataclass's), `tags`, `plan`: what programs look services up by.
    - `volume_mounts`: PersistentVolumeClaims that every task gets, `{"claim": "shop-files",
      "path": "/data", "read_only": False}`.
    - `service_name`: its name in the cluster, by default `name`.

    Changed credentials run nothing again: the next run of a task sees them.
    """

    service_name: pulumi.Output[str]

    @of_component("service")
    def __init__(
        self,
        name: str,
        *,
        space: Space,
        credentials: pulumi.Input[object] = None,
        secret: SecretName | None = None,
        resource: pulumi.CustomResource | None = None,
        map: Mapping[str, str] | None = None,
        requires: Sequence[str] = (),
        label: str | None = None,
        tags: Sequence[str] = (),
        plan: str | None = None,
        volume_mounts: Sequence[Mapping[str, str | bool]] = (),
        service_name: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        naming.check_name("service", name)
        own_name = naming.check_name("service", service_name if service_name is not None else name)
        owner = f"service {own_name!r}"
        other = names.holder(space, ("service", own_name), name)
        if other:
            raise InvalidInput(
                f"{owner}: two services of space {space.name!r} have this name in the cluster, {other!r} and {name!r} "
                "in Pulumi: give one of them another service_name"
            )
        names.only_one(space, "service", own_name, name, "service_name")
        typed = is_dataclass(credentials) and not isinstance(credentials, type)
        self.keys = existing.check(owner, credentials, secret, resource, map, requires)
        given_credentials = _as_map(owner, credentials)
        found_label = label or (getattr(credentials, "label", None) if typed else None) or bindings.USER_PROVIDED
        texts = getattr(credentials, "texts", ()) if typed else ()
        _check_texts(owner, found_label, plan, tags)
        if self.keys is not None:
            requires = ()
        if isinstance(credentials, Mapping):  # its keys are known even where its values are not
            bindings.check_required(owner, dict.fromkeys(credentials, ""), requires)
        mounts = [_check_mount(owner, mount) for mount in volume_mounts]
        props = {
            "label": found_label,
            "tags": list(tags),
            "plan": plan,
            "space": space.name,
            **registered(
                requires=requires,
                volume_mounts=mounts,
                credential_names=credential_names(given_credentials),
                service_name=unless(own_name, name),
            ),
        }
        super().__init__("kf:index:ServiceInstance", name, props, inheriting(opts))
        self.name, self.owner, self.space = own_name, owner, space
        self.is_labelled = label is not None
        self._has_uri = not isinstance(given_credentials, Mapping) or "uri" in given_credentials
        self.label, self.plan, self.tags, self.volume_mounts = found_label, plan, list(tags), mounts

        def verify(given: Any) -> dict[str, Any]:
            if typed:  # what is left out is no credential
                given = {name: value for name, value in given.items() if value is not None}
            return bindings.plain_credentials(owner, given, requires, texts)

        self.credentials: pulumi.Output[dict[str, Any]] = computed(pulumi.Output.secret(given_credentials), verify)
        self.secret_name = bindings.secret_name(own_name)
        own = kubernetes.core.v1.Secret(
            self.secret_name,
            metadata={"name": self.secret_name, "namespace": space.namespace, "labels": labels()},
            string_data=self.credentials.apply(lambda known: bindings.files(found_label, plan, known)),
            opts=pulumi.ResourceOptions(parent=self, provider=space.provider, depends_on=space.resources),
        )
        self.credentials.apply(self._say_nameless)
        self.resources: list[pulumi.Resource] = [own]
        self.existing = existing.secret_of(self, owner, space, secret, resource)
        self.service_name = pulumi.Output.from_input(own_name)
        self.register_outputs({"service_name": self.service_name})

    @property
    def may_have_uri(self) -> bool:
        """Whether a connection string may be among its credentials, as far as the program knows their keys."""
        return self.keys.may_have_uri if self.keys else self._has_uri

    def _say_nameless(self, credentials: Mapping[str, Any]) -> None:
        names = bindings.nameless(credentials)
        if names:
            pulumi.log.warn(
                f"{self.owner}: no file can be named after {', '.join(map(repr, names))}: "
                "tasks find these credentials in VCAP_SERVICES only",
                self,
            )


@dataclass(frozen=True)
class Binding:
    """A service as one App sees it: under another name, with parameters.

    `parameters` are given to tasks as JSON in the file `parameters` of the binding; where the service
    has volume mounts, `mount` and `readonly` change where and how the first is mounted (as in Kf).
    """

    service: ServiceInstance
    binding_name: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.service.name if isinstance(self.service, ServiceInstance) else None
        of_record(self, f"Binding of service {name!r}" if name else "Binding")
        with for_people():
            _check_parameters(f"Binding of service {name!r}", self.parameters)

    @property
    def name(self) -> str:
        """The name of its folder of files, and its `name` in VCAP_SERVICES."""
        return self.binding_name or self.service.name

    @property
    def mounts(self) -> list[dict[str, Any]]:
        """The volume mounts of the service, changed by the parameters."""
        mounts = [dict(mount) for mount in self.service.volume_mounts]
        if mounts and "mount" in self.parameters:
            mounts[0]["path"] = self.parameters["mount"]
        if mounts and "readonly" in self.parameters:
            mounts[0]["read_only"] = self.parameters["readonly"]
        return mounts

    def bound(self, credentials: Mapping[str, Any]) -> bindings.Bound:
        """The binding with its service's credentials known."""
        service = self.service
        return bindings.Bound(
            service.name, credentials, service.label, service.plan, service.tags, self.binding_name, self.mounts
        )


def _as_map(owner: str, credentials: Any) -> Any:
    if credentials is None:
        return {}
    if isinstance(credentials, Postgres):
        return fields_of(credentials, f"{owner}: credentials.")
    if is_dataclass(credentials) and not isinstance(credentials, type):
        return {entry.name: getattr(credentials, entry.name) for entry in fields(credentials)}
    if not isinstance(credentials, (Mapping, pulumi.Output, Awaitable)):
        bindings.plain_credentials(owner, credentials, ())
    return credentials


def _check_texts(owner: str, label: Any, plan: Any, tags: Any) -> None:
    naming.check_text(f"{owner}: label", label)
    if plan is not None:
        naming.check_text(f"{owner}: plan", plan)
    if isinstance(tags, str):
        raise InvalidInput(f"{owner}: tags are a list of texts: write tags=[{tags!r}]")
    for tag in tags:
        naming.check_text(f"{owner}: a tag", tag)


def _check_mount(owner: str, mount: Any) -> dict[str, Any]:
    keys = {"claim", "path", "read_only"}
    if not isinstance(mount, Mapping) or not {"claim", "path"} <= mount.keys() <= keys:
        raise InvalidInput(
            f"{owner}: volume_mounts: {mount!r}: write {{'claim': NAME OF A PersistentVolumeClaim, 'path': '/data'}}, "
            "and 'read_only' if need be"
        )
    for name, kind in (("claim", "text"), ("path", "text"), ("read_only", "True or False")):
        if name in mount and isinstance(mount[name], bool) is (kind == "text"):
            raise InvalidInput(f"{owner}: volume_mounts: {name} is {mount[name]!r}: give {kind}")
    return dict(mount)


def _check_parameters(owner: str, parameters: Mapping[str, Any]) -> None:
    """Those that Kf reads itself: where and how the first volume of a service is mounted."""
    for name, meant, kind in (("mount", "text", str), ("readonly", "True or False", bool)):
        if name in parameters and not isinstance(parameters[name], kind):
            raise InvalidInput(f"{owner}: parameters: {name} is {parameters[name]!r}: give {meant}")
