"""What a program in another language gives a component, as the arguments that it has in Python.

A wire has no types: a record arrives as a map, a whole number as a float, a component as the URN of one that this
process has made. So the types of the constructors say what is meant. Every secret and every value that is known only
later becomes an Output where it stands, not around all that it stands in: then one secret variable hides no other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pulumi
from pulumi.resource import DependencyResource

from ..core.errors import InvalidInput
from ..resources.arguments import alternatives, hints_of, is_a
from .names import Component, camel, init, parameters
from .wire import UNKNOWN, Reference, Value

KIND = "kind"  # which of several records a map is


@dataclass(frozen=True)
class Reader:
    """Reads arguments; `made` are the components of this process by their URNs."""

    made: Mapping[str, pulumi.Resource]

    def arguments(self, of: Component, name: str, given: Mapping[str, Value]) -> dict[str, Any]:
        """The keyword arguments of a component; raises InvalidInput for what is none of them."""
        return self._fields(f"{of.__name__} {name!r}", {it: hints_of(init(of))[it] for it in parameters(of)}, given)

    def _fields(self, what: str, hints: Mapping[str, Any], given: Mapping[str, Value]) -> dict[str, Any]:
        names = {camel(name): name for name in hints}
        strange = sorted(given.keys() - names.keys())
        if strange:
            raise InvalidInput(f"{what} has no {', '.join(strange)}: it takes {', '.join(sorted(names))}")
        present = {names[name]: it for name, it in given.items() if it.data is not None}
        return {name: self._read(f"{what}: {camel(name)}", hints[name], it) for name, it in present.items()}

    def _read(self, what: str, hint: Any, value: Value, lifted: bool = False) -> Any:
        """`lifted` says that Pulumi finds Outputs in it, however deep they are."""
        options, outputs, _ = alternatives(hint)
        lifted = lifted or outputs
        if isinstance(value.data, Reference):
            return self._resource(what, options, value.data)
        if value.data is UNKNOWN:
            return _output(UNKNOWN, value)
        if value.inside() and not lifted:  # what is said of all of it is said of each thing in it
            value = _shared(value)
        found = self._plain(what, options, value, lifted)
        return _output(found, value) if value.secret or (lifted and value.dependencies) else found

    def _plain(self, what: str, options: Sequence[Any], value: Value, lifted: bool) -> Any:
        raw = value.data
        if isinstance(raw, dict):
            records = [one for one in options if dataclasses.is_dataclass(one)]
            maps = [one for one in options if is_a(one, Mapping)]
            if records and not maps:
                return self._record(what, records, raw)
            hint = get_args(maps[0])[1] if maps and get_args(maps[0]) else Any
            return {key: self._read(f"{what}[{key!r}]", hint, item, lifted) for key, item in raw.items()}
        if isinstance(raw, list):
            lists = [one for one in options if is_a(one, Sequence) and get_args(one)]
            hint = get_args(lists[0])[0] if lists else Any
            return [self._read(f"{what}[{nth}]", hint, item, lifted) for nth, item in enumerate(raw)]
        return int(raw) if isinstance(raw, float) and raw.is_integer() else raw

    def _record(self, what: str, records: Sequence[Any], given: Mapping[str, Value]) -> Any:
        of, given = records[0], dict(given)
        if len(records) > 1:
            said, names = given.pop(KIND, Value(None)).data, {one.__name__: one for one in records}
            if said not in names:
                raise InvalidInput(f"{what}: {KIND} is {said!r}: give one of {', '.join(map(repr, names))}")
            of = names[said]
        fields = dataclasses.fields(of)
        found = self._fields(what, {it.name: hints_of(of)[it.name] for it in fields}, given)
        none = (dataclasses.MISSING, dataclasses.MISSING)
        lacking = [camel(it.name) for it in fields if (it.default, it.default_factory) == none and it.name not in found]
        if lacking:
            raise InvalidInput(f"{what} has no {', '.join(lacking)}, which it needs")
        return of(**found)

    def _resource(self, what: str, options: Sequence[Any], to: Reference) -> Any:
        if to.urn in self.made:
            return self.made[to.urn]
        type_, name = to.urn.split("::")[-2].split("$")[-1], to.urn.split("::")[-1]
        if pulumi.CustomResource in options:
            return pulumi.CustomResource(type_, name, {}, pulumi.ResourceOptions(urn=to.urn))
        raise InvalidInput(
            f"{what} is {type_} {name!r}, which this update has not made, or a provider of kf of another version or "
            "environment has: give one of this program, and both the same `provider` of kf, or none"
        )


def _shared(outer: Value) -> Value:
    """What stands in a value with what is said of that; what says for itself what it depends on has done so."""
    told = outer.dependencies - dataclasses.replace(outer, dependencies=frozenset()).needs()

    def with_all(one: Value) -> Value:
        return dataclasses.replace(one, secret=one.secret or outer.secret, dependencies=one.dependencies | told)

    if isinstance(outer.data, dict):
        return Value({name: with_all(one) for name, one in outer.data.items()})
    return Value([with_all(one) for one in outer.data])


def _output(found: Any, value: Value) -> pulumi.Output[Any]:
    """An Output of what was found, which is known unless it holds something unknown."""
    given: pulumi.Output[Any] = pulumi.Output.from_input(found)

    async def resources() -> set[pulumi.Resource]:
        return {*await given.resources(), *(DependencyResource(urn) for urn in value.dependencies)}

    async def secret() -> bool:
        return value.secret or await given.is_secret()

    return pulumi.Output(resources(), given.future(with_unknowns=True), given.is_known(), secret())
