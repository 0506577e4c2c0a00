"""What a service gives to a task: VCAP_SERVICES, DATABASE_URL, and files as servicebinding.io has them.

The shape of VCAP_SERVICES is Cloud Foundry's (https://docs.cloudfoundry.org/devguide/deploy-apps/environment-variable.html#VCAP-SERVICES),
the files are those of https://servicebinding.io/spec/core/1.1.0/. Whatever order services are named
in, the result is the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..errors import InvalidInput
from ..naming import check_text
from .environment import LARGEST, size_of
from .system import guid

ROOT = "/bindings"
USER_PROVIDED = "user-provided"
VCAP_SERVICES, DATABASE_URL = "VCAP_SERVICES", "DATABASE_URL"
FILE_FOLDER, FILE_NAME = "/etc/cf-app-config", "vcap_services"  # where Cloud Foundry's file-based form has it
PARAMETERS = "parameters"
LARGEST_SECRET = 1024 * 1024  # Kubernetes: MaxSecretSize
_FILE_NAME = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]{1,253}")
_SECRET = re.compile(r"kf\.(.+)\.service")
TYPE, PROVIDER = "type", "provider"  # the files that are no credentials


@dataclass(frozen=True)
class Bound:
    """A service bound to an App, with everything known."""

    service: str
    credentials: Mapping[str, Any]
    label: str = USER_PROVIDED
    plan: Optional[str] = None
    tags: Sequence[str] = ()
    binding_name: Optional[str] = None
    volume_mounts: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """The name of the binding: the one that was asked for, else the service's."""
        return self.binding_name or self.service


def secret_name(service: str) -> str:
    """The Secret that has the credentials of a service."""
    return f"kf.{service}.service"


def service_of(secret: str) -> str:
    """The service whose credentials a Secret has; empty for any other Secret."""
    found = _SECRET.fullmatch(secret)
    return found[1] if found else ""


def vcap_services(owner: Sequence[str], bound: Sequence[Bound]) -> str:
    """The JSON of VCAP_SERVICES, grouped by label; `owner` (stack, namespace, App) makes the GUIDs."""
    groups: Dict[str, List[Dict[str, Any]]] = {}
    for binding in _ordered(bound):
        groups.setdefault(binding.label, []).append(_entry(owner, binding))
    return _json(groups)


def database_url(bound: Sequence[Bound]) -> Optional[str]:
    """The `uri` of the first service, by name, whose `uri` is text."""
    uris = (binding.credentials.get("uri") for binding in _ordered(bound))
    return next((uri for uri in uris if isinstance(uri, str)), None)


def files(label: str, plan: Optional[str], credentials: Mapping[str, Any]) -> Dict[str, str]:
    """The files of a binding: `type`, `provider` and one for each credential whose name a file can have."""
    own = {name: _text(value) for name, value in credentials.items() if _FILE_NAME.fullmatch(name)}
    return {TYPE: label, **({PROVIDER: plan} if plan else {}), **own}


def nameless(credentials: Mapping[str, Any]) -> List[str]:
    """The credentials that no file can be named after."""
    return sorted(name for name in credentials if not _FILE_NAME.fullmatch(name))


def plain_credentials(owner: str, value: object, requires: Sequence[str], texts: Sequence[str] = ()) -> Dict[str, Any]:
    """`value` as JSON data, if it is a map with the keys in `requires` and a text for those in `texts`.

    Else InvalidInput with service and key.
    """
    if not isinstance(value, Mapping):
        raise InvalidInput(
            f"{owner}: credentials are no map but {type(value).__name__}: give names and values, such as {{'uri': …}}"
        )
    found = {name: _plain(f"{owner}: credentials[{name!r}]", item) for name, item in value.items()}
    for name in found:
        check_text(f"{owner}: a key of its credentials", name)
    check_required(owner, found, [*requires, *texts])
    for key in texts:
        if not isinstance(found[key], str):
            raise InvalidInput(f"{owner}: its credential {key!r} is no text but {type(found[key]).__name__}")
    return found


def check_required(owner: str, found: Mapping[str, Any], requires: Sequence[str]) -> None:
    """Raises InvalidInput, with service and key, unless each of the keys in `requires` has a value."""
    for key in requires:
        if found.get(key) is None:
            there = ", ".join(sorted(found)) or "none"
            raise InvalidInput(
                f"{owner}: its credentials have no {key!r} (there are: {there}): add it where they come from, "
                "or take it out of requires"
            )


def check_sizes(owner: str, bound: Sequence[Bound], services: str, as_file: bool) -> None:
    """Refuses a VCAP_SERVICES that no process can be started with, or that no Secret can hold."""
    size, limit, why = size_of(VCAP_SERVICES, services), LARGEST, "Linux allows {:,} for a variable"
    if as_file:
        size, limit, why = len(services.encode()), LARGEST_SECRET, "a Kubernetes Secret holds {:,}"
    if size <= limit:
        return
    sizes = {binding.service: len(_json({"": _entry((), binding)}).encode()) for binding in bound}
    parts = ", ".join(f"{name} {sizes[name]:,}" for name in sorted(sizes, key=lambda name: (-sizes[name], name)))
    advice = (
        "bind fewer services to this App, or mount large files as a volume"
        if as_file
        else "set vcap_services='file' on the App, then tasks find it in the file that VCAP_SERVICES_FILE_PATH names; "
        f"each credential is a file under {ROOT}/<name>/ as well"
    )
    raise InvalidInput(f"{owner}: VCAP_SERVICES has {size:,} bytes, {why.format(limit)}. By service: {parts}. {advice}")


def _ordered(bound: Sequence[Bound]) -> List[Bound]:
    return sorted(bound, key=lambda binding: binding.service)


def _entry(owner: Sequence[str], binding: Bound) -> Dict[str, Any]:
    return {
        "binding_guid": guid(*owner, "binding", binding.service),
        "binding_name": binding.binding_name,
        "credentials": dict(binding.credentials),
        "instance_guid": guid(*owner[:2], "service", binding.service),
        "instance_name": binding.service,
        "label": binding.label,
        "name": binding.name,
        **({"plan": binding.plan, "provider": None} if binding.plan else {}),
        "syslog_drain_url": None,
        "tags": list(binding.tags),
        "volume_mounts": [
            {
                "container_dir": mount["path"],
                "device_type": "shared",
                "mode": "r" if mount.get("read_only") else "rw",
            }
            for mount in binding.volume_mounts
        ],
    }


def _plain(what: str, value: object) -> Any:
    """JSON data with whole numbers as such: from another stack every number comes as a float."""
    if isinstance(value, str):
        check_text(what, value)
        return value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {str(name): _plain(f"{what}[{name!r}]", item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(what, item) for item in value]
    raise InvalidInput(f"{what} is no JSON data but {type(value).__name__}: give text, numbers, maps or lists")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
