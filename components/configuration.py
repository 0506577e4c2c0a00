"""What a stack's configuration gives to a manifest: the values of its `((names))`, secret ones marked as such."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NoReturn

import pulumi
import yaml

from .core import loading
from .core.errors import InvalidInput
from .core.nodes import Secret
from .inputs import checked

SERVICE = ("credentials", "label", "plan", "requires", "tags", "volume_mounts")


def variables(config: pulumi.Config, folder: Path) -> dict[str, Any]:
    """The values of the manifest's `((names))`; the later of these wins:

    - `registry`: the configuration's, else the environment's SANDBOX_REGISTRY, because it differs from
      machine to machine, not from stack to stack;
    - the files that `vars-files` names (one, or a list), from `folder`;
    - the map `vars` of the configuration.
    """
    found: dict[str, Any] = {}
    registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
    if registry:
        found["registry"] = Secret(registry) if _is_secret(config, "registry") else registry
    paths = [folder / file for file in _files(config)]
    for values in checked(lambda: [loading.values(path) for path in paths]):
        found.update(values)
    given = _map(config, "vars")
    if _is_secret(config, "vars"):
        readable = _readable(folder, config.full_key("vars"), given)
        return {**found, **{name: value if name in readable else Secret(value) for name, value in given.items()}}
    return {**found, **given}


def services(config: pulumi.Config) -> dict[str, dict[str, Any]]:
    """The services that the map `services` of the configuration declares, as arguments of ServiceInstance.

    Pulumi calls the whole map secret when one value is; what is secret here are the credentials.
    """
    found = _map(config, "services")
    full = config.full_key("services")
    return checked(lambda: {name: _service(f"{full}.{name}", given) for name, given in found.items()})


def _service(where: str, given: Any) -> dict[str, Any]:
    known = ", ".join(SERVICE)
    if not isinstance(given, dict):
        _refuse(f"{where} is no map: give it {known}")
    unknown = next((key for key in given if key not in SERVICE), None)
    if unknown is not None:
        _refuse(f"{where}.{unknown} is unknown: a service has {known}")
    return dict(given)


def _is_secret(config: pulumi.Config, key: str) -> bool:
    return pulumi.runtime.is_config_secret(config.full_key(key))


def _readable(folder: Path, key: str, given: dict[str, Any]) -> set[str]:
    """The names whose values stand in the stack's file for everybody to read.

    Pulumi calls a whole map secret when one of its values is. What the file shows in clear text, with
    the value that is in force, is none; whatever cannot be told stays secret.
    """
    try:
        content = yaml.safe_load((folder / f"Pulumi.{pulumi.get_stack()}.yaml").read_text(encoding="utf-8"))
        written = content["config"][key]
        return {name for name, value in given.items() if name in written and written[name] == value}
    except (OSError, UnicodeError, yaml.YAMLError, KeyError, TypeError):
        return set()


def _files(config: pulumi.Config) -> list[str]:
    text = config.get("vars-files")
    if not text:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    files = found if isinstance(found, list) else [text]
    if not all(isinstance(file, str) for file in files):
        checked(lambda: _refuse(f"{config.full_key('vars-files')} is no list of files"))
    return files


def _map(config: pulumi.Config, key: str) -> dict[str, Any]:
    full = config.full_key(key)
    try:
        given = config.get_object(key) or {}
    except pulumi.ConfigTypeError:
        given = None
    if isinstance(given, dict):
        return given
    return checked(
        lambda: _refuse(f"{full} is no map: set its values with 'pulumi config set --path {full}.NAME VALUE'")
    )


def _refuse(text: str) -> NoReturn:
    raise InvalidInput(text)
