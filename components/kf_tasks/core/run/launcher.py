"""What a task of an image that buildpacks made executes: everything goes through its launcher.

The launcher sets the environment that the buildpacks prepared. A text it hands to bash, after their profile
scripts; what follows `--` it executes as it is; under the name of a process type it starts that process
(https://github.com/buildpacks/spec/blob/main/platform.md#launcher).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ..errors import InvalidInput
from .command import Command, resolve

LAUNCHER = "/cnb/lifecycle/launcher"
PROCESS = "/cnb/process"
_OWN = "/cnb/"  # the launcher and its process types


@dataclass(frozen=True)
class Processes:
    """What buildpacks left to be started: all process types, and which is the default (empty if none is)."""

    types: Tuple[str, ...]
    default: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Processes:
        """From what a build reports."""
        return cls(tuple(found["types"]), found["default"])


@dataclass(frozen=True)
class Start:
    """How an App starts; `processes` are those of an image that buildpacks made, None for any other."""

    command: Optional[Command] = None
    args: Optional[Sequence[str]] = None
    entrypoint: Optional[Command] = None
    processes: Optional[Processes] = None

    @property
    def is_command(self) -> bool:
        """Whether an App that starts so has a start command of its own."""
        default = self.processes.default if self.processes else self.entrypoint
        return self.command is not None or bool(default)

    def argv(self, owner: str, command: Optional[Command] = None, args: Optional[Sequence[str]] = None) -> List[str]:
        """The argv of a task with its own `command` and `args`, of an App that starts so."""
        if self.processes is None:
            return resolve(owner, self.entrypoint, command, args, self.command, self.args)
        own = command is not None or args is not None
        chosen = command if own else self.command
        return _launched(owner, self.processes, chosen, list((args if own else self.args) or []))


def _launched(owner: str, processes: Processes, command: Optional[Command], args: List[str]) -> List[str]:
    if command is None:
        if processes.default:
            return [f"{PROCESS}/{processes.default}", *args]
        types = ", ".join(processes.types)
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
