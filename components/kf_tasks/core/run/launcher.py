"""What a task of an image that buildpacks made executes: everything goes through its launcher.

The launcher sets the environment that the buildpacks prepared. A text it hands to bash, after their profile
scripts; what follows `--` it executes as it is; under the name of a process type it starts that process
(https://github.com/buildpacks/spec/blob/main/platform.md#launcher).
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence

from ..errors import InvalidInput
from . import command as commands
from .command import Command

LAUNCHER = "/cnb/lifecycle/launcher"
PROCESS = "/cnb/process"
_OWN = "/cnb/"  # the launcher and its process types


def argv(
    owner: str, start: Mapping[str, Any], command: Optional[Command] = None, args: Optional[Sequence[str]] = None
) -> List[str]:
    """The argv of a task with its own `command` and `args`, of an App that starts with `start`.

    That has `command`, `args` and `entrypoint`, and for an image that buildpacks made its `processes`: the
    names of all `types`, and which one is the `default` (empty if none is).
    """
    if start.get("processes") is None:
        return commands.resolve(owner, start["entrypoint"], command, args, start["command"], start["args"])
    own = command is not None or args is not None
    chosen = command if own else start["command"]
    return _launched(owner, start["processes"], chosen, list((args if own else start["args"]) or []))


def has_command(start: Mapping[str, Any]) -> bool:
    """Whether an App has a start command of its own."""
    given = start["command"] is not None
    return given or bool((start.get("processes") or {"default": start["entrypoint"]})["default"])


def _launched(owner: str, processes: Mapping[str, Any], command: Optional[Command], args: List[str]) -> List[str]:
    if command is None:
        if processes["default"]:
            return [f"{PROCESS}/{processes['default']}", *args]
        types = ", ".join(processes["types"])
        found = f"its process types are {types}: command=['{PROCESS}/…'] names one" if types else "it has no processes"
        raise InvalidInput(
            f"Start command not found on App or Task ({owner}): the buildpacks left no default process; {found}"
        )
    if not command:
        raise InvalidInput(f"{owner}: the command is empty: give it one such as './manage.py migrate'")
    if not isinstance(command, str):
        lead = [] if command[0].startswith(_OWN) else [LAUNCHER, "--"]
        return [*lead, *command, *args]
    if args:
        raise InvalidInput(
            f"{owner}: args need a list command: a string command is given to bash. Write the command as a list, or "
            "put the arguments into the string"
        )
    return [LAUNCHER, command]
