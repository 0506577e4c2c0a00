"""The services of an App on their way into its tasks: one Secret, files in a folder for each, volumes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import naming
from ..core.errors import InvalidInput
from ..core.run import bindings
from ..core.run.environment import Value
from .inputs import computed
from .service import Binding, ServiceInstance
from .space import Space
from .template import stack_id

FORMS = ("env", "file")


class Attachments:
    """What the bindings of one App add to its tasks: `values` (a layer of variables), `pod` (volumes and mounts).

    None of it depends on a credential, so that a template never does either: values are in the Secrets that `resources`
    lists, whose names are plain strings, and in existing ones, whose `names` are known by those of their services.
    `secrets` are the credentials of services that the program has them of, under the names of their Secrets.
    """

    def __init__(
        self,
        owner: str,
        app: str,
        space: Space,
        services: Sequence[ServiceInstance | Binding],
        form: str,
        metadata: Mapping[str, Any],
        opts: pulumi.ResourceOptions,
    ) -> None:
        self.bound = _check(owner, space, services, form)
        self.secret_name = f"kf-{app}.services"
        self.names: pulumi.Output[dict[str, str]] = pulumi.Output.all(
            **{it.service.name: it.service.existing for it in self.bound if it.service.existing is not None}
        )
        self.values = self.names.apply(lambda names: _variables(self.secret_name, form, self.bound, names))
        self.form = form
        self.secrets = {it.service.secret_name: it.service.credentials for it in self.bound if it.service.keys is None}
        self.resources: list[pulumi.Resource] = [it for binding in self.bound for it in binding.service.resources]
        if not self.bound:
            return

        def data(given: dict[str, Any]) -> dict[str, str]:
            known = [binding.bound(found) for binding, found in zip(self.bound, given["credentials"])
                     if binding.service.keys is None]  # fmt: skip
            return _data(owner, (stack_id(), given["namespace"], app), self.bound, known, form)

        credentials = pulumi.Output.all(*(it.service.credentials for it in self.bound))
        content = computed(pulumi.Output.all(namespace=space.namespace, credentials=credentials), data)
        secret = kubernetes.core.v1.Secret(
            self.secret_name, metadata={**metadata, "name": self.secret_name}, string_data=content, opts=opts
        )
        self.resources.append(secret)

    def pod(self, names: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        """The volumes and mounts, once the `names` are known."""
        return _pod(self.secret_name, self.form, self.bound, names)

    def say_missing(self, app: pulumi.Resource, owner: str, command: Any) -> None:
        """Warns where an App looks for credentials in VCAP_SERVICES that are not there."""
        own = [it.service.name for it in self.bound if it.service.keys is None]
        others = [it.service.name for it in self.bound if it.service.keys is not None]
        if others and (own or self.form == "file" or bindings.VCAP_SERVICES in str(command)):
            pulumi.log.warn(
                f"{owner}: VCAP_SERVICES does not hold {', '.join(others)}, whose credentials are in existing Secrets: "
                f"tasks find them in the files under {bindings.ROOT}/<name>/",
                app,
            )


def _check(owner: str, space: Space, services: Sequence[ServiceInstance | Binding], form: str) -> list[Binding]:
    if form not in FORMS:
        raise InvalidInput(f"{owner}: vcap_services={form!r} is unknown: use one of {', '.join(map(repr, FORMS))}")
    found = [service if isinstance(service, Binding) else Binding(service) for service in services]
    for number, binding in enumerate(found):
        if not isinstance(binding.service, ServiceInstance):
            raise InvalidInput(
                f"{owner}: services[{number}] is no service but {type(binding.service).__name__}: "
                "make a ServiceInstance and pass it, or a Binding of it"
            )
        if binding.service.space is not space:
            raise InvalidInput(
                f"{owner}: {binding.service.owner} lives in space {binding.service.space.name!r}, the App in "
                f"{space.name!r}: make a ServiceInstance in the App's Space"
            )
        naming.check_name(f"binding of {binding.service.owner}", binding.name)
    for what, names in (("services", [it.service.name for it in found]), ("bindings", [it.name for it in found])):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(f"{owner}: two {what} have the name {twice[0]!r}: bind it once, or set binding_name")
    return sorted(found, key=lambda binding: binding.service.name)


def _variables(secret: str, form: str, bound: Sequence[Binding], names: Mapping[str, str]) -> dict[str, Value]:
    """The layer of the bindings; without any, VCAP_SERVICES is an empty map, as in Cloud Foundry."""
    path = Value(f"{bindings.FILE_FOLDER}/{bindings.FILE_NAME}")
    if not bound:
        return {bindings.VCAP_SERVICES: Value("{}")}
    services = Value(secret=secret, key=bindings.VCAP_SERVICES)
    return {
        **({"VCAP_SERVICES_FILE_PATH": path} if form == "file" else {bindings.VCAP_SERVICES: services}),
        bindings.DATABASE_URL: _database_url(secret, bound, names),
        "SERVICE_BINDING_ROOT": Value(bindings.ROOT),
    }


def _database_url(secret: str, bound: Sequence[Binding], names: Mapping[str, str]) -> Value:
    """That of the first service, by name, that has a `uri`, or may have one: of a Secret nobody here knows the keys."""
    first = next((it.service for it in bound if it.service.may_have_uri), None)
    if first is None or first.keys is None:
        return Value(secret=secret, key=bindings.DATABASE_URL, optional=True)
    return Value(secret=names[first.name], key=first.keys.uri, optional=True, existing=True)


def _sources(service: ServiceInstance, names: Mapping[str, str], taken: str = "") -> list[dict[str, Any]]:
    """Where the files of a service come from; the last of a name wins: `type` is the label, if there is one.

    No key is chosen for the file `taken`, which the binding has of its own: Kubernetes takes one of a name alone.
    """
    own = {"secret": {"name": service.secret_name}}
    if service.keys is None:
        return [own]
    whole = [{"secret": {"name": names[service.name]}}] if service.keys.named is None else []
    items = [item for item in service.keys.items if item["path"] != taken]
    chosen = [{"secret": {"name": names[service.name], "items": items}}] if items else []
    return [*whole, *chosen, own] if service.is_labelled else [own, *whole, *chosen]


def _pod(secret: str, form: str, bound: Sequence[Binding], names: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []

    def add(name: str, source: dict[str, Any], path: str, read_only: bool = True) -> None:
        volumes.append({"name": name, **source})
        mounts.append({"name": name, "mountPath": path, **({"readOnly": True} if read_only else {})})

    for binding in bound:
        folder = f"{bindings.ROOT}/{binding.name}"
        source: dict[str, Any] = {"secret": {"secretName": binding.service.secret_name}}
        sources = _sources(binding.service, names, bindings.PARAMETERS if binding.parameters else "")
        if binding.parameters:
            items = [{"key": _parameters_key(binding), "path": bindings.PARAMETERS}]
            sources.append({"secret": {"name": secret, "items": items}})
        if len(sources) > 1:
            source = {"projected": {"sources": sources}}
        add(naming.derive("kf-binding", binding.name), source, folder)
        for mount in binding.mounts:
            claim = {"claimName": mount["claim"]}
            name = naming.derive("kf-volume", binding.name, mount["path"].strip("/").replace("/", "-").lower())
            add(name, {"persistentVolumeClaim": claim}, mount["path"], bool(mount.get("read_only")))
    if bound and form == "file":
        items = [{"key": bindings.VCAP_SERVICES, "path": bindings.FILE_NAME}]
        add("kf-vcap-services", {"secret": {"secretName": secret, "items": items}}, bindings.FILE_FOLDER)
    return {"volumes": volumes, "volume_mounts": mounts}


def _data(
    owner: str, place: tuple[str, str, str], bound: Sequence[Binding], known: Sequence[bindings.Bound], form: str
) -> dict[str, str]:
    services, url = bindings.vcap_services(place, known), bindings.database_url(known)
    bindings.check_sizes(owner, known, services, form == "file")
    parameters = {_parameters_key(it): json.dumps(dict(it.parameters), sort_keys=True) for it in bound if it.parameters}
    return {bindings.VCAP_SERVICES: services, **({bindings.DATABASE_URL: url} if url else {}), **parameters}


def _parameters_key(binding: Binding) -> str:
    return f"{binding.name}.{bindings.PARAMETERS}"
