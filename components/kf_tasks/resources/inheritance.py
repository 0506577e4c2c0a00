"""What a component was called before, for its children, also after an update that was broken off.

The engine hands an alias of a component down to its children only in the update in which it finds the component under
that alias. Where this fails or is killed in between, the state has the component under its new name and the children
under the old one, and no later update finds them: a task would run again, and what Kubernetes has would be deleted
under its old name after it was made under the new. So each child has the aliases itself.
"""

from __future__ import annotations

import pulumi


def inheriting(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options of a component that hands its aliases down."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[_inherit]))


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
