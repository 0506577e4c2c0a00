"""What components register of their arguments beside what they need themselves: for policies and for reviews.

None of it is secret, and of variables and credentials there are only names. A component waits for the values that it
registers, but depends on no more resources than it would otherwise: what fails elsewhere does not keep it from being
declared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi

from .environment import Env
from .inputs import no, yes

_UNSAID: tuple[Any, ...] = (None, "", [], {})


def registered(**given: Any) -> dict[str, Any]:
    """Those of the arguments that say something, as Pulumi carries them; what is secret is left out."""
    found = {name: _told(value, _as_data) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def unless(value: Any, default: Any) -> Any:
    """An argument, None where it is its default: what is left out changes nobody's preview."""
    return None if value == default else value


def variables(env: Env | None) -> dict[str, Any]:
    """The names of variables: `env_names` those of plain ones, `secret_env_names` those of secret ones."""
    given = dict(env or {})
    if all(isinstance(value, str) for value in given.values()):
        return {"env_names": sorted(given)} if given else {}
    outputs = {name: pulumi.Output.from_input(value) for name, value in given.items()}

    async def named(secret: bool) -> list[str] | None:
        return sorted([name for name, output in outputs.items() if await output.is_secret() is secret]) or None

    return {
        name: pulumi.Output(set(), named(secret), yes(), no())
        for name, secret in (("env_names", False), ("secret_env_names", True))
    }


def credential_names(credentials: Any) -> Any:
    """The names of credentials; none of a map that is secret as a whole."""
    if isinstance(credentials, Mapping):
        return _names(credentials)
    return _told(credentials, _names)


def _told(value: Any, work: Callable[[Any], Any]) -> Any:
    """What `work` makes of a value, or of what an Output holds, without the resources that it comes from."""
    if not _waits(value):
        return work(value)
    given = pulumi.Output.from_input(value)

    async def content() -> Any:
        found = await given.future(with_unknowns=True)
        shown = not await given.is_secret() and await given.is_known()
        return work(found) if shown else None

    async def known() -> bool:
        # What an update does not get to know, because something else has failed, is left out of the state.
        return not pulumi.runtime.is_dry_run() or await given.is_secret() or await given.is_known()

    return pulumi.Output(set(), content(), known(), no())


def _waits(value: Any) -> bool:
    if isinstance(value, (pulumi.Output, Awaitable)):
        return True
    if isinstance(value, Mapping):
        return any(map(_waits, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_waits, value))


def _as_data(value: Any) -> Any:
    found = _plain(value)
    return None if found in _UNSAID else found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _names(credentials: Any) -> list[str] | None:
    if not isinstance(credentials, Mapping):
        return None
    return sorted(str(name) for name, value in credentials.items() if value is not None) or None
