"""What the components are called outside of Python: tokens of types, and arguments as Pulumi's schemas spell them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_args

import pulumi

from ..provider.adapter import token
from ..resources import App, ServiceInstance, Space, Task, TaskSchedule
from ..resources.arguments import hints_of

Component = type[pulumi.ComponentResource]
COMPONENTS: dict[str, Component] = {
    token(of.__name__, plugin=True): of for of in (Space, App, ServiceInstance, Task, TaskSchedule)
}
BY_PULUMI = ("name", "opts")  # what every language gives a resource in a way of its own


def camel(name: str) -> str:
    """`must_succeed` as `mustSucceed`."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def init(of: Component) -> Callable[..., None]:
    """The constructor behind what checks its arguments."""
    found: Callable[..., None] = inspect.unwrap(of.__init__)
    return found


def parameters(of: Component) -> dict[str, inspect.Parameter]:
    """The arguments of a component, by their names in Python."""
    found = inspect.signature(init(of)).parameters
    return {name: it for name, it in found.items() if name not in ("self", *BY_PULUMI)}


def arguments() -> set[str]:
    """The names in Python of all arguments, and of the fields of the records that they take."""

    def within(hint: Any) -> set[str]:
        own = {it.name for it in dataclasses.fields(hint)} if dataclasses.is_dataclass(hint) else set[str]()
        inside = (*get_args(hint), *(hints_of(hint)[name] for name in own))
        return own.union(*map(within, inside))

    given = {of: hints_of(init(of)) for of in COMPONENTS.values()}
    return set[str]().union(*({name} | within(given[of][name]) for of in given for name in parameters(of)))


def outputs(of: Component) -> dict[str, Any]:
    """The outputs of a component and their types, by their names in Python."""
    found = inspect.get_annotations(of, eval_str=True)
    return {name: hint for name, hint in found.items() if getattr(hint, "__origin__", hint) is pulumi.Output}
