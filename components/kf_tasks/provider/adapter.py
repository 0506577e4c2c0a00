"""Which adapter carries Run, History and Calendar: Pulumi's dynamic provider, or our own plugin. Decided here alone.

A Python program registers them as dynamic resources: the engine starts the SDK's host, which finds the doors by the
path that is pickled into each. For a program in another language our plugin registers them, and serves them itself.
The doors are the same, and so is what they do; a state moves from one adapter to the other by an alias of the type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

PACKAGE = "kf"


@dataclass
class _Process:
    plugin: bool = False


_process = _Process()


def enter_plugin() -> None:
    """Makes this process the plugin's, for good."""
    _process.plugin = True


def in_plugin() -> bool:
    """Whether this process is the plugin, and not a program's or the dynamic host's."""
    return _process.plugin


def token(kind: str, plugin: bool) -> str:
    """The type of a resource of ours ("Run") in a state, by its adapter."""
    return f"{PACKAGE}:index:{kind}" if plugin else f"pulumi-python:dynamic/{PACKAGE}:{kind}"


def alias_option(name: str) -> str:
    """The option by which a program says what a resource was called before, as it is written there."""
    if in_plugin():
        return f"the option aliases: [{{name: {name!r}}}]"
    return f"opts=ResourceOptions(aliases=[Alias(name={name!r})])"


class Carried(Resource):
    """A resource of ours, behind whose door the provider's process waits."""

    def __init__(
        self, provider: ResourceProvider, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        kind = type(self).__name__
        given = opts.aliases if opts else None
        moved = pulumi.ResourceOptions(aliases=_before(token(kind, not in_plugin()), given))
        both = pulumi.ResourceOptions.merge(opts, moved)
        if in_plugin():
            pulumi.CustomResource.__init__(self, token(kind, plugin=True), name, props, both)
        else:
            super().__init__(provider, name, props, both)


def _before(other: str, given: Any) -> list[pulumi.Alias]:
    """What it was under the other adapter: by its name, and by each that it had before."""
    names = [alias for alias in given or () if isinstance(alias, pulumi.Alias)]
    return [
        pulumi.Alias(type_=other),
        *(
            pulumi.Alias(name=one.name, type_=other, parent=one.parent, stack=one.stack, project=one.project)
            for one in names
        ),
    ]
