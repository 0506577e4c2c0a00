"""Every argument of a component is what its type says: taken, or one error that names it and says what is meant.

A value of another type often means something too, and something else than its author thinks: `terminated="false"` is
true. Whoever uses a type checker never sees these errors; the types in the signatures are what is checked here.
An Output is checked when its value is known.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pulumi

from ..core import naming
from ..core.errors import InvalidInput
from .inputs import for_people

Init = TypeVar("Init", bound=Callable[..., None])
_SHOWN = 20  # characters of a text that stands where a short word is meant; a longer one may be a secret


class Misfit(Exception):
    """A value, the place where it stands (such as `['a'][0]`), and the type that it should have there."""

    def __init__(self, place: str, hint: object, value: object) -> None:
        super().__init__(place)
        self.place, self.hint, self.value = place, hint, value


def of_component(kind: str) -> Callable[[Init], Init]:
    """For a component's `__init__`: checks its arguments, and bad input ends the program with its text alone."""

    def decorate(init: Init) -> Init:
        signature = inspect.signature(init)

        @functools.wraps(init)
        @for_people()
        def checked(self: Any, *args: Any, **more: Any) -> None:
            bound = signature.bind(self, *args, **more)  # TypeError, as of any other function
            given, hints = bound.arguments, hints_of(init)
            owner = _owner(kind, given)
            for name in given.keys() & hints.keys():
                if name == "name" and isinstance(given[name], str):
                    continue  # the owner is known by it: what is wrong with it is said when it is checked as a name
                given[name] = taken(f"{owner}: {name}", hints[name], given[name])
            init(*bound.args, **bound.kwargs)

        return checked  # type: ignore[return-value]

    return decorate


@for_people()
def of_record(record: object, what: str) -> None:
    """For the `__post_init__` of a dataclass that is an argument of components: checks its fields."""
    for name, value in fields_of(record, f"{what}: ").items():
        object.__setattr__(record, name, value)


def fields_of(record: Any, before: str) -> dict[str, Any]:
    """The checked fields of a dataclass; `before` stands before their names in errors."""
    hints = hints_of(record.__class__)
    names = [field.name for field in dataclasses.fields(record)]
    return {name: taken(f"{before}{name}", hints[name], getattr(record, name)) for name in names}


def taken(what: str, hint: object, value: object) -> Any:
    """`value` if its type is `hint`, an Output in it as one that checks what it holds; else InvalidInput."""
    try:
        return _take("", hint, value, what, lifted=False)
    except Misfit as misfit:
        options, outputs, inner = alternatives(misfit.hint)
        may = "or an Output" if outputs else "(Outputs only in it)" if inner else "(no Output)"
        said = _said(misfit.value, options)
        raise InvalidInput(
            f"{what}{misfit.place} is {said}: give {_meant(misfit.hint)} {may}{_advice(misfit.value, options)}"
        ) from None


def _take(place: str, hint: object, value: object, what: str, lifted: bool) -> Any:
    """Raises Misfit; `lifted` says that Pulumi finds Outputs in it, however deep they are."""
    options, outputs, _ = alternatives(hint)
    if isinstance(value, (pulumi.Output, Awaitable)):
        if outputs or lifted:
            return _later(f"{what}{place}", options, value)
        raise Misfit(place, hint, value)
    deeper = None
    for option in options:
        try:
            return _take_one(place, option, value, what, lifted or outputs)
        except Misfit as misfit:
            deeper = misfit if misfit.place != place else deeper
    raise deeper or Misfit(place, hint, value)


def _take_one(place: str, hint: Any, value: object, what: str, lifted: bool) -> Any:
    origin, inside = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        try:
            return _take(place, inside[0], value, what, lifted)
        except Misfit:
            raise Misfit(place, hint, value) from None
    if origin is Any:
        return _plain(place, value, lifted)
    if origin is Literal:
        fits = any(value == choice and type(value) is type(choice) for choice in inside)
    elif is_a(hint, Mapping):
        fits = isinstance(value, Mapping)
    elif is_a(hint, Sequence):
        fits = isinstance(value, (list, tuple))
    elif origin in (int, float):
        fits = isinstance(value, (int, origin)) and not isinstance(value, bool)
    else:
        fits = isinstance(value, origin)
    if not fits:
        raise Misfit(place, hint, value)
    if isinstance(value, str) and not lifted:
        naming.check_text(f"{what}{place}", value)
    if isinstance(value, Mapping) and inside:
        for key in value:
            naming.check_text(f"{what}{place}: a name in it", key)
        return {key: _take(f"{place}[{key!r}]", inside[1], item, what, lifted) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and inside:
        found = [_take(f"{place}[{nth}]", inside[0], item, what, lifted) for nth, item in enumerate(value)]
        return tuple(found) if isinstance(value, tuple) else found
    return value


def _plain(place: str, value: object, lifted: bool) -> Any:
    """Data as JSON has it. What is written down at once can hold no Output, which has no value yet."""
    if isinstance(value, Mapping):
        return {key: _plain(f"{place}[{key!r}]", item, lifted) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(f"{place}[{nth}]", item, lifted) for nth, item in enumerate(value)]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if lifted and isinstance(value, (pulumi.Output, Awaitable)):
        return value
    raise Misfit(place, Any, value)


def _later(what: str, options: Sequence[Any], value: object) -> pulumi.Output[Any]:
    """An Output that is what it was, and checks its value once that is known."""
    given: pulumi.Output[Any] = pulumi.Output.from_input(value)
    options = [one for one in options if not dataclasses.is_dataclass(one)]  # an Output holds data
    if Any in options:
        return given

    async def content() -> Any:
        found = await given.future(with_unknowns=True)
        if await given.is_known():
            with for_people():
                try:
                    _take("", Union[tuple(options)], _whole(found), what, lifted=True)  # noqa: UP007
                except Misfit as misfit:
                    hint = misfit.hint if misfit.place else Union[tuple(options)]  # noqa: UP007
                    said = _kind(misfit.value) if await given.is_secret() else _said(misfit.value, options)
                    text = f"{what}{misfit.place} is an Output of {said}: give {_meant(hint)}"
                    raise InvalidInput(text) from None
        return found

    return pulumi.Output(given.resources(), content(), given.is_known(), given.is_secret())


def _whole(value: object) -> Any:
    """Every number of a state is a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def alternatives(hint: object) -> tuple[list[Any], bool, bool]:
    """The types that a value may have, whether it may be an Output, and whether something in it may."""
    if get_origin(hint) in (Union, types.UnionType):
        found = [alternatives(option) for option in get_args(hint)]
        options = [option for more, _, _ in found for option in more]
        return options, any(outputs for _, outputs, _ in found), any(inner for _, _, inner in found)
    if get_origin(hint) in (pulumi.Output, Awaitable):
        return [], True, False
    inner = any(any(alternatives(one)[1:]) for one in get_args(hint) if get_origin(hint) is not Literal)
    return [hint], False, inner


def _meant(hint: object, many: bool = False) -> str:
    """What a type means, in words."""
    options = [option for option in alternatives(hint)[0] if option is not type(None)]
    return " or ".join(dict.fromkeys(_word(option, many) for option in options))


def _word(hint: Any, many: bool) -> str:
    origin, inside = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return str(hint.__metadata__[0])
    if origin is Literal:
        return f"one of {', '.join(map(repr, inside))}"
    if is_a(hint, Mapping):
        one = f"from names to {_meant(inside[1], True)}" if inside else "from names to values"
        return f"maps {one}" if many else f"a map {one}"
    if is_a(hint, Sequence):
        return f"{'lists' if many else 'a list'} of {_meant(inside[0], True)}"
    if origin is os.PathLike:
        return "paths" if many else "a path"
    known = {str: ("text", "texts"), bool: ("True or False",) * 2, int: ("a whole number", "whole numbers"),
             float: ("a number", "numbers"), Any: ("plain data", "plain data")}  # fmt: skip
    if origin in known:
        return known[origin][many]
    return f"{origin.__name__}s" if many else f"{'an' if origin.__name__[0] in 'AEIOU' else 'a'} {origin.__name__}"


def _said(value: object, options: Sequence[Any]) -> str:
    """What was given, in words: with its value, where that can be no secret."""
    short = _listed(options) or any(get_origin(one) is Literal or one in (bool, int, float) for one in options)
    if isinstance(value, str):
        return f"the text {value!r}" if short and len(value) <= _SHOWN else "text"
    if isinstance(value, bool):
        return str(value)
    return f"the number {value}" if isinstance(value, (int, float)) else _kind(value)


def _listed(options: Sequence[Any]) -> bool:
    return any(is_a(one, Sequence) for one in options)


def _advice(value: object, options: Sequence[Any]) -> str:
    return f": write [{value!r}]" if isinstance(value, str) and len(value) <= _SHOWN and _listed(options) else ""


def _kind(value: object) -> str:
    """What kind of thing was given, in words."""
    if isinstance(value, (str, bool, int, float)) or value is None:
        return {str: "text", int: "a number", float: "a number", bool: "True or False"}.get(type(value), "None")
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = "Output" if isinstance(value, pulumi.Output) else type(value).__name__
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def is_a(hint: object, kind: type) -> bool:
    """Whether a type is a map, or a list (which a text is not)."""
    origin = get_origin(hint) or hint
    return isinstance(origin, type) and issubclass(origin, kind) and origin is not str


def _owner(kind: str, given: Mapping[str, Any]) -> str:
    """The component as errors name it; what is wrong about its name is said later."""
    name = given.get(f"{kind}_name")
    name = name if isinstance(name, str) else given.get("name")
    app = given.get("app")
    plan = getattr(app, "_plan", None) if isinstance(app, pulumi.Resource) else None
    return f"{kind} {name!r}{f' of {plan.owner}' if plan else ''}" if isinstance(name, str) else kind


@functools.cache
def hints_of(of: Any) -> dict[str, Any]:
    """The types of a function's arguments, or of a dataclass's fields."""
    # Pulumi's Input names Output as a text, whose names no module of ours has.
    found = get_type_hints(of, localns={"Output": pulumi.Output, "T": Any}, include_extras=True)
    return {name: hint for name, hint in found.items() if name != "return"}
