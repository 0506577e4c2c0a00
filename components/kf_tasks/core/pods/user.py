"""The user of a task's container: the one that its image names, where Kubernetes can be told which that is.

A pod that may not run as root needs a number, and an image may have a name. What an image keeps for its own user
(mode 0700, say) nobody else may run.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Sequence

from .security import POD, Context

NOT_EXECUTABLE = 126  # POSIX, "Exit Status for Commands": found, and may not be executed
DENIED = "Permission denied"
_NUMBERS = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")


def kept(user: Optional[str], context: Optional[Context]) -> Optional[Context]:
    """A security context that keeps the USER of an image (`1001`, `1001:0`), unless it names a user itself.

    Root, a name, and a user that is not known (None) change nothing.
    """
    numbers = _NUMBERS.fullmatch(user or "")
    if not numbers or not int(numbers[1]) or _chosen(context):
        return context
    group = {"runAsGroup": int(numbers[2])} if numbers[2] else {}
    return {"runAsUser": int(numbers[1]), **group, **(context or {})}


def about_name(owner: str, user: Optional[str], context: Optional[Context]) -> str:
    """What to say about an image whose USER is a name; empty for every other one."""
    name = (user or "").partition(":")[0]
    if name in ("", "root") or name.isdecimal() or _chosen(context):
        return ""
    return (
        f"{owner}: its image runs as {name!r}, a name that tells Kubernetes no number: its tasks run as user "
        f"{POD['runAsUser']}. Name the number with security_context={{'runAsUser': …}}, or with USER in the Dockerfile"
    )


def advice(exit_code: Optional[int], lines: Sequence[str], of_pod: Context, of_step: Context) -> str:
    """What may have been wrong with the user of a command that has failed; empty if nothing looks like it."""
    if exit_code != NOT_EXECUTABLE and not any(DENIED in line for line in lines):
        return ""
    user = of_step.get("runAsUser", of_pod.get("runAsUser"))  # a float where the engine has handed it on
    if user is None:
        return ""
    named = "security_context={'runAsUser': …}"
    return f"the command ran as user {int(user)}: if another one may do it, name it with {named}"


def recorded(of_step: Mapping[str, Any]) -> Optional[str]:
    """The user that the context of a container keeps, as an image would name it."""
    group = f":{of_step['runAsGroup']}" if "runAsGroup" in of_step else ""
    return f"{of_step['runAsUser']}{group}" if "runAsUser" in of_step else None


def _chosen(context: Optional[Context]) -> bool:
    return "runAsUser" in (context or {}) or (context or {}).get("runAsNonRoot") is False
