"""Secrets and ConfigMaps that others keep, as variables: they are named, and no value of them passes through here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
import pulumi_kubernetes as kubernetes

from ..core.run import sources
from ..core.run.sources import CONFIG_MAP, SECRET
from .arguments import of_record
from .inputs import computed, for_people, plain

SecretName = pulumi.Input[str] | kubernetes.core.v1.Secret
ConfigMapName = pulumi.Input[str] | kubernetes.core.v1.ConfigMap


@dataclass(frozen=True)
class SecretKey:
    """The value of a variable: one key of an existing Secret in the Space's namespace, `env={"TOKEN": SecretKey(…)}`.

    - `name`: of the Secret, also as an Output, or the Secret itself. `key`: in it.
    - `optional` (False): where Secret or key are missing the variable is not set; else the task fails.
    """

    kind: ClassVar[str] = SECRET

    name: SecretName
    key: str
    optional: bool = False

    def __post_init__(self) -> None:
        _check(self)
        with for_people():
            sources.check_key("SecretKey", self.kind, self.key)


@dataclass(frozen=True)
class ConfigKey:
    """The value of a variable: one key of an existing ConfigMap; as SecretKey."""

    kind: ClassVar[str] = CONFIG_MAP

    name: ConfigMapName
    key: str
    optional: bool = False

    def __post_init__(self) -> None:
        _check(self)
        with for_people():
            sources.check_key("ConfigKey", self.kind, self.key)


@dataclass(frozen=True)
class SecretRef:
    """Every key of an existing Secret as a variable, `env_from=[SecretRef(…)]`.

    - `name`: of the Secret, also as an Output, or the Secret itself. `prefix` (""): stands before every key.
    - `optional` (False): the Secret may be missing; else the task fails.
    """

    kind: ClassVar[str] = SECRET

    name: SecretName
    prefix: str = ""
    optional: bool = False

    def __post_init__(self) -> None:
        _check(self)
        with for_people():
            sources.check_prefix("SecretRef", self.prefix)


@dataclass(frozen=True)
class ConfigRef:
    """Every key of an existing ConfigMap as a variable; as SecretRef."""

    kind: ClassVar[str] = CONFIG_MAP

    name: ConfigMapName
    prefix: str = ""
    optional: bool = False

    def __post_init__(self) -> None:
        _check(self)
        with for_people():
            sources.check_prefix("ConfigRef", self.prefix)


def name_of(reference: SecretKey | ConfigKey | SecretRef | ConfigRef, owner: str) -> pulumi.Output[str]:
    """The name of the object that is referred to, once it is known; what depends on it waits for that object."""
    given: Any = reference.name
    if isinstance(given, pulumi.CustomResource):
        given = given.metadata["name"]  # type: ignore[attr-defined]
    what = f"the name of a {reference.kind} in {owner}"
    return computed(plain(given, what), lambda name: sources.check_object(owner, reference.kind, name))


def _check(reference: Any) -> None:
    of_record(reference, type(reference).__name__)
    if isinstance(reference.name, str):
        with for_people():
            sources.check_object(type(reference).__name__, reference.kind, reference.name)
