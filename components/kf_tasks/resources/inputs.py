"""What every component does with its arguments: bad input is told to people, and what must not be secret is not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, TypeVar, cast

import pulumi

from ..core import naming
from ..core.errors import InvalidInput

T = TypeVar("T")
U = TypeVar("U")

# What arguments are, for type checkers and for `arguments`; what stands in an Annotated is said of a wrong one.
Texts = pulumi.Input[Sequence[pulumi.Input[str]]]
Args = Texts
Command = pulumi.Input[str | Sequence[pulumi.Input[str]]]
Names = pulumi.Input[Mapping[str, pulumi.Input[str]]]
Fields = pulumi.Input[Mapping[str, Any]]
FieldsList = pulumi.Input[Sequence[Fields]]
Path = str | os.PathLike[str]
Size = Annotated[str, "an amount with a unit such as '512M' or '1Gi'"]
Cores = Annotated[str | float, "an amount of cpu such as '100m' or 0.5"]
Span = Annotated[str | Literal[0], "a span of time such as '30m' or '1h30m'"]
Age = Annotated[str, "a span of time such as '30d' or '12h'"]


@contextmanager
def for_people() -> Iterator[None]:
    """Bad input ends the program with its text alone; also a decorator."""
    try:
        yield
    except InvalidInput as error:
        raise pulumi.RunError(str(error)) from None


def computed(output: pulumi.Output[T], work: Callable[[T], U]) -> pulumi.Output[U]:
    """What `work` makes of a value, once that is known; it may find the value to be bad input."""
    return output.apply(for_people()(work))


def plain(value: pulumi.Input[Any], what: str) -> pulumi.Output[Any]:
    """`value` as an Output that is known not to be secret and not to hold an Output's help text.

    `what` names argument and resource in the error: a PipelineRun, its labels and its name are
    readable by everybody who may list pods.
    """
    _refuse_help_text(what, value)
    given = pulumi.Output.from_input(value)

    async def content() -> Any:
        with for_people():
            if await given.is_secret():
                raise InvalidInput(
                    f"{what} is a secret, but it is written into the PipelineRun, where it can be read: pass secrets "
                    "with env=… (they go to a Kubernetes Secret), or take the secret mark off with "
                    "pulumi.Output.unsecret"
                )
            found = await given.future(with_unknowns=True)
            _refuse_help_text(what, found)
            return found

    return pulumi.Output(given.resources(), content(), given.is_known(), no())


def urn_of(resource: pulumi.Resource) -> pulumi.Output[str]:
    """The URN of a component for its own child: as an ordinary Output it would be a dependency cycle."""
    return pulumi.Output(set(), cast(Awaitable[str], resource.urn.future()), resource.urn.is_known())


def depends_on(opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
    """What a component is declared to wait for, for those of its children that must."""
    given = opts.depends_on if opts else None
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]  # type: ignore[list-item]


def afterwards(work: Callable[[], T]) -> pulumi.Output[T]:
    """What `work` finds once what the program is doing now has come to its end, such as a constructor."""
    return pulumi.Output.from_input("").apply(lambda _: work())


def yes() -> asyncio.Future[bool]:
    """For Output's answers, whether it is known and whether it is a secret; nobody has to ask where the value fails."""
    return _answer(True)


def no() -> asyncio.Future[bool]:
    """As `yes`."""
    return _answer(False)


def _answer(answer: bool) -> asyncio.Future[bool]:
    given = asyncio.Future[bool]()
    given.set_result(answer)
    return given


def _refuse_help_text(what: str, value: Any) -> None:
    if isinstance(value, str):
        naming.check_text(what, value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_help_text(what, key)
            _refuse_help_text(f"{what}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_help_text(what, item)
