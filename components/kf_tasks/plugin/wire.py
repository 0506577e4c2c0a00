"""Property values as they are on the wire of Pulumi's protocol, with what is said of each: secret, known, needed by it.

The SDK reads them too: `rpc` marks everything around a secret as one and loses a secret that is unknown, and
`provider.experimental` takes no output value that is unknown, or says nothing of secrecy. What the signatures are is
part of the protocol:
https://pulumi-developer-docs.readthedocs.io/latest/docs/references/types-and-values.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from google.protobuf import struct_pb2
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_TEXT

from ..core.errors import InvalidInput

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN = Unknown()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Reference:
    """A resource that another one is given, by its URN."""

    urn: str


@dataclass(frozen=True)
class Value:
    """A value: `data` is None, text, a number, a truth, a list or a map of Values, a Reference, or UNKNOWN.

    `dependencies` are the URNs of the resources that it comes from.
    """

    data: Any
    secret: bool = False
    dependencies: frozenset[str] = frozenset()

    def inside(self) -> list[Value]:
        """The values in it, if it is a list or a map."""
        if isinstance(self.data, dict):
            return list(self.data.values())
        return self.data if isinstance(self.data, list) else []

    def plain(self) -> Any:
        """It without what is said of it; in a map, what is None is not there."""
        if isinstance(self.data, dict):
            return {name: one.plain() for name, one in self.data.items() if one.data is not None}
        return [one.plain() for one in self.data] if isinstance(self.data, list) else self.data

    def holds_secret(self) -> bool:
        """Whether it, or something in it, is secret."""
        return self.secret or any(one.holds_secret() for one in self.inside())

    def needs(self) -> frozenset[str]:
        """Its dependencies, and those of what is in it."""
        return self.dependencies.union(*(one.needs() for one in self.inside()))


def read(given: struct_pb2.Value) -> Value:
    """A value of the protocol; raises InvalidInput for an asset, which no component takes."""
    kind = given.WhichOneof("kind")
    if kind == "list_value":
        return Value([read(one) for one in given.list_value.values])
    if kind != "struct_value":
        found = None if kind in (None, "null_value") else getattr(given, kind)
        return Value(UNKNOWN if found == UNKNOWN_TEXT else found)
    fields = given.struct_value.fields
    signature = fields[SIGNATURE].string_value if SIGNATURE in fields else ""
    if not signature:
        # A wire has no order; one of our own keeps what is written of a map as it is.
        return Value({name: read(fields[name]) for name in sorted(fields)})
    if signature == SECRET:
        return replace(read(fields["value"]), secret=True)
    if signature == RESOURCE:
        return Value(Reference(fields["urn"].string_value))
    if signature == OUTPUT:
        inner = read(fields["value"]) if "value" in fields else Value(UNKNOWN)
        needs = (
            (one.string_value for one in fields["dependencies"].list_value.values) if "dependencies" in fields else ()
        )
        secret = "secret" in fields and fields["secret"].bool_value
        return replace(inner, secret=inner.secret or secret, dependencies=inner.dependencies.union(needs))
    raise InvalidInput("an asset or an archive is given, and no argument of kf takes one: give text, or a path")


def read_all(given: struct_pb2.Struct) -> dict[str, Value]:
    """The values of a resource, by their names."""
    return {name: read(given.fields[name]) for name in sorted(given.fields)}


def hidden(given: struct_pb2.Value) -> struct_pb2.Value:
    """A value of the protocol as a secret."""
    signature = struct_pb2.Value(string_value=SECRET)
    return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={SIGNATURE: signature, "value": given}))
