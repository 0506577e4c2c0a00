"""What a component has of its parent, and its children of it: protection, and what it was called before.

The engine hands an alias of a component down to its children only in the update in which it finds the component under
that alias. Where this fails or is killed in between, the state has the component under its new name and the children
under the old one, and no later update finds them: a task would run again, and what Kubernetes has would be deleted
under its old name after it was made under the new. So each child has the aliases itself, also after an
update that was broken off.
"""

from __future__ import annotations

import pulumi

from ..provider.adapter import in_plugin


def inheriting(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options of a component that hands its aliases down."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[_inherit]))


def protects_itself(opts: pulumi.ResourceOptions | None) -> bool:
    """Whether `protect` is an option of a component's own, and not its parent's.

    The engine tells the plugin of both as one, so there it is its own if the parent is known to have none.
    """
    if not (opts and opts.protect):
        return False
    return not in_plugin() or opts.parent is None or opts.parent._protect is False


def _inherit(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    parent = args.opts.parent
    before = parent._aliases if parent is not None else []
    if parent is None or not before:
        return None
    aliases = [_inherited(args.name, args.type_, parent._name, alias) for alias in before]
    more = pulumi.ResourceOptions(aliases=[*aliases])
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, more))


def _inherited(name: str, kind: str, parent: str, alias: pulumi.Input[str]) -> pulumi.Output[str]:
    """The URN of a child under one of its parent: its name follows its parent's, where it begins with that."""

    def renamed(urn: str) -> str:
        return urn.rpartition("::")[2] + name[len(parent) :] if name.startswith(parent) else name

    return pulumi.create_urn(pulumi.Output.from_input(alias).apply(renamed), kind, alias)
