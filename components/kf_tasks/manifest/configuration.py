"""What a stack's configuration gives to a manifest: the values of its `((names))`, secret ones marked as such."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pulumi

from ..core.errors import InvalidInput
from ..core.manifest import document, loading
from ..core.manifest.nodes import Secret, Text, plain, written
from ..resources.inputs import for_people
from ..resources.notify import Heartbeat, Notify, Webhook

LONGEST = 2**53  # the largest whole number of which a float keeps every digit
_TRUTH = {"true": True, "false": False}
SERVICE = ("credentials", "label", "map", "plan", "requires", "secret", "tags", "volume_mounts")
TOLD: Mapping[str, tuple[type[Webhook | Heartbeat], tuple[str, ...]]] = {
    "webhook": (Webhook, ("on", "format", "ca")),
    "heartbeat": (Heartbeat, ("ca",)),
}


@for_people()
def variables(config: pulumi.Config, folder: Path) -> dict[str, Any]:
    """The values of the manifest's `((names))`.

    The later of these wins:

    - `registry`: the configuration's, else the environment's SANDBOX_REGISTRY, because it differs from
      machine to machine, not from stack to stack;
    - the files that `vars-files` names (one, or a list), from `folder`;
    - the map `vars` of the configuration.
    """
    found: dict[str, Any] = {}
    registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
    if registry:
        registry = registry.rpartition("://")[2]
        found["registry"] = Secret(registry) if _is_secret(config, "registry") else registry
    for path in files(config, folder):
        found.update(loading.values(path))
    given, full = _map(config, "vars"), config.full_key("vars")
    _refuse_long(full, given)
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    readable = _readable(folder / file, full, given)
    for name, text in readable.items():
        if written(given[name]) != text:
            said = f"{file}: {full}.{name} is {text}, but Pulumi reads {written(given[name])}: quote it in the file"
            pulumi.log.warn(said)
    if _is_secret(config, "vars"):
        return {**found, **{name: value if name in readable else Secret(value) for name, value in given.items()}}
    return {**found, **given}


def submitter_image(config: pulumi.Config) -> str | None:
    """The image that starts jobs: the configuration's, else the one in the registry of the sandbox."""
    sandbox = os.environ.get("SANDBOX_REGISTRY")
    return config.get("submitter-image") or (f"{sandbox}/python:3" if sandbox else None)


def building(config: pulumi.Config) -> dict[str, Any]:
    """Where images are built to, and with what: arguments of the Space; the sandbox's without a configuration."""
    sandbox = os.environ.get("SANDBOX_REGISTRY")
    registry = config.get("registry") or (f"http://{sandbox}" if sandbox else None)
    builder = config.get("builder-image") or (f"{sandbox}/buildah:1.45" if sandbox else None)
    found = {
        "registry": registry,
        "registry_secret": config.get("registry-secret"),
        "image_name": config.get("image-name"),
        "builder_image": builder,
    }
    return {name: value for name, value in found.items() if value}


@for_people()
def services(config: pulumi.Config) -> dict[str, dict[str, Any]]:
    """The services that the map `services` of the configuration declares, as arguments of ServiceInstance.

    Pulumi calls the whole map secret when one value is; what is secret here are the credentials.
    """
    found = _map(config, "services")
    full = config.full_key("services")
    return {name: _service(f"{full}.{name}", given) for name, given in found.items()}


def _service(where: str, given: Any) -> dict[str, Any]:
    known = ", ".join(SERVICE)
    if not isinstance(given, dict):
        _refuse(f"{where} is no map: give it {known}")
    unknown = next((key for key in given if key not in SERVICE), None)
    if unknown is not None:  # one that resembles none may be part of a secret that is one level too high
        key = f".{unknown}" if difflib.get_close_matches(unknown.lower(), SERVICE, 1) else " holds a key that"
        _refuse(f"{where}{key} is unknown: a service has {known}")
    mounts = given.get("volume_mounts")
    return {**given, **({"volume_mounts": [_mount(mount) for mount in mounts]} if isinstance(mounts, list) else {})}


@for_people()
def notify(config: pulumi.Config) -> Notify | None:
    """Who is told how the tasks of the Space end: the list `notify` of the configuration, None without one.

    Its entries are written as those of `notify` in a manifest; their addresses are secrets, marked as such or not.
    """
    full = config.full_key("notify")
    try:
        given = config.get_object("notify")
    except pulumi.ConfigTypeError:
        given = ""
    if given is None:
        return None
    if not isinstance(given, list):
        _refuse(
            f"{full} is no list: set its entries with 'pulumi config set --secret --path {full}[0].webhook ADDRESS'"
        )
    return [_told(f"{full}[{nth}]", one) for nth, one in enumerate(given)]


def _told(where: str, given: Any) -> Webhook | Heartbeat:
    kinds = [kind for kind in TOLD if isinstance(given, dict) and kind in given]
    if len(kinds) != 1:
        _refuse(f"{where}: write webhook: ADDRESS or heartbeat: ADDRESS, one of them")
    [kind] = kinds
    made, more = TOLD[kind]
    if not {*given} <= {kind, *more}:  # not by its name, which may be part of a secret
        _refuse(f"{where} holds a key that is unknown: a {kind} has {', '.join(more)} beside its address")
    return made(given[kind], **{key: given[key] for key in more if key in given})


def _mount(given: Any) -> Any:
    """A volume mount: in a file, and with `pulumi config set`, a truth value may be a text."""
    if not isinstance(given, dict):
        return given
    read_only = given.get("read_only")
    return {**given, "read_only": _TRUTH[read_only]} if read_only in ("true", "false") else given


def _is_secret(config: pulumi.Config, key: str) -> bool:
    return pulumi.runtime.is_config_secret(config.full_key(key))


def _readable(path: Path, key: str, given: dict[str, Any]) -> dict[str, str | None]:
    """The names whose values stand in the stack's file for everybody to read, with the text there of single values.

    Pulumi calls a whole map secret when one of its values is. What the file shows in clear text, with
    the value that is in force, is none; whatever cannot be told stays secret.
    """
    try:
        shown = document.read(path.read_text(encoding="utf-8"), path.name).data["config"][key]
        same = {name: shown[name] for name in given if name in shown and plain(shown[name], typed=True) == given[name]}
    except (OSError, UnicodeError, InvalidInput, KeyError, TypeError):
        return {}
    return {name: str(item) if isinstance(item, Text) else written(given[name]) for name, item in same.items()}


def _refuse_long(where: str, value: Any) -> None:
    """Pulumi's command keeps numbers as floats: of a long one the last digits are not those that were given."""
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_long(f"{where}.{name}", item)
    elif isinstance(value, list):
        for nth, item in enumerate(value):
            _refuse_long(f"{where}[{nth}]", item)
    elif isinstance(value, (int, float)) and abs(value) > LONGEST:
        _refuse(
            f"{where} is a number with so many digits that Pulumi changes the last ones: quote it in the stack's file"
        )


def files(config: pulumi.Config, folder: Path) -> list[Path]:
    """The files of variables that the configuration names, from `folder`."""
    return [folder / file for file in _files(config)]


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
        _refuse(f"{config.full_key('vars-files')} is no list of files")
    return files


def _map(config: pulumi.Config, key: str) -> dict[str, Any]:
    full = config.full_key(key)
    try:
        given = config.get_object(key) or {}
    except pulumi.ConfigTypeError:
        given = None
    if isinstance(given, dict):
        return given
    raise InvalidInput(f"{full} is no map: set its values with 'pulumi config set --path {full}.NAME VALUE'")


def _refuse(text: str) -> NoReturn:
    raise InvalidInput(text)
