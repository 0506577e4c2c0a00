"""What a task executes, and how its text reaches the process unchanged.

Tekton replaces `$(params.x)` and its like and has no escape; after it the kubelet replaces
`$(NAME)` and turns `$$` into `$`. Text is carried through both: `$` is doubled, and where `$(`
begins one of Tekton's names the dollar comes from a variable that holds just a dollar.
"""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Sequence, Union

from ..errors import InvalidInput

DOLLAR = "KF_DOLLAR"
Command = Union[str, Sequence[str]]

_TEKTON_NAMES = "params context tasks finally steps step artifacts credentials workspaces results inputs outputs"
_CARRIED = re.compile(r"\$\$|\$\(" + DOLLAR + r"\)")
_DOLLAR_SIGN = re.compile(r"\$(?=(\((?:" + "|".join(_TEKTON_NAMES.split()) + r")\b)?)")


def carry(text: str) -> str:
    """`text` written so that Tekton and the kubelet hand it to the process as it is."""
    return _DOLLAR_SIGN.sub(lambda found: f"$({DOLLAR})" if found[1] else "$$", text)


def carried(text: str) -> str:
    """The text that reaches the process, of one that `carry` has written."""
    return _CARRIED.sub("$", text)


def needs_dollar(texts: Sequence[str]) -> bool:
    """Whether any carried text refers to the variable that holds a dollar."""
    return any(f"$({DOLLAR})" in _CARRIED.findall(text) for text in texts)


def dollar_variable() -> Dict[str, object]:
    """The variable that holds a dollar; it stands before every other one, or it is not expanded in them."""
    return {"name": DOLLAR, "value": "$"}


def resolve(
    owner: str,
    entrypoint: Optional[Command],
    own_command: Optional[Command],
    own_args: Optional[Sequence[str]],
    app_command: Optional[Command],
    app_args: Optional[Sequence[str]],
) -> List[str]:
    """The argv of a task.

    A string command is the argument of `/bin/sh -c` or, where there is an entrypoint, its last
    argument; a list is the whole argv and never given to a shell. A task that brings a command or
    args inherits neither from its App (Kf: Task command > App args). Without any start command:
    InvalidInput `Start command not found on App or Task`, as Kf says it.
    """
    own = own_command is not None or own_args is not None
    command = own_command if own_command is not None else app_command
    args = list((own_args if own else app_args) or [])
    lead = [entrypoint] if isinstance(entrypoint, str) else list(entrypoint or [])
    if own_command is None and own_args is not None and lead:
        command = None
    if command is not None and not command:
        raise InvalidInput(f"{owner}: the command is empty: give it one such as './manage.py migrate'")
    if isinstance(command, str):
        if lead:
            return [*lead, *args, command]
        if args:
            raise InvalidInput(
                f"{owner}: args need an entrypoint or a list command: a string command is given to /bin/sh -c. "
                "Write the command as a list, or put the arguments into the string"
            )
        return ["/bin/sh", "-c", command]
    if command is not None:
        return [*command, *args]
    if not lead:
        raise InvalidInput(
            f"Start command not found on App or Task ({owner}): give command=… to the Task or to its App"
        )
    return [*lead, *args]
