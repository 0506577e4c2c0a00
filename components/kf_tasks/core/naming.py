"""Names in the cluster, derived and never random.

A run's name is the lock that keeps two updates from starting the same work twice, so whoever
computes it from the same definition must get the same name, whatever the lengths involved.
"""

from __future__ import annotations

import hashlib
import json
import re

from .errors import InvalidInput

DNS_LABEL = 63
BUILD = ".build"  # ends the name of what builds an App's image: no App can be called so
RUN = 58  # leaves room for the `-task` that Tekton appends for the TaskRun
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OUTPUT_AS_TEXT = "Calling __str__ on an Output"


def digest(value: object, length: int = 16) -> str:
    """Hexadecimal digest of plain data; equal data gives equal digests, whatever the key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def check_name(kind: str, name: object, limit: int = DNS_LABEL) -> str:
    """Returns `name` if it is a DNS label of at most `limit` characters, else raises InvalidInput."""
    check_text(f"the name of a {kind}", name)
    assert isinstance(name, str)
    if not name:
        raise InvalidInput(f"{kind} has an empty name: give it a name such as 'shop' or 'migrate'")
    if len(name) > limit:
        raise InvalidInput(
            f"{kind} {name!r}: the name has {len(name)} characters, the limit is {limit}: choose a shorter one"
        )
    if not _DNS_LABEL.fullmatch(name):
        raise InvalidInput(
            f"{kind} {name!r}: a name consists of lower-case letters, digits and '-', and begins and ends "
            f"with a letter or digit: rename it, for example to {_suggest(name)!r}"
        )
    return name


def check_env_name(owner: str, name: object) -> str:
    """Returns `name` if it can name an environment variable, else raises InvalidInput."""
    if not isinstance(name, str) or not _ENV_NAME.fullmatch(name):
        raise InvalidInput(
            f"{owner}: {name!r} cannot name an environment variable: use letters, digits and '_', "
            "not beginning with a digit"
        )
    return name


def check_text(what: str, value: object) -> None:
    """Refuses anything but text, and text made by putting an Output into an f-string."""
    if not isinstance(value, str):
        raise InvalidInput(f"{what} must be text, not {type(value).__name__} {value!r}: write it in quotes")
    if _OUTPUT_AS_TEXT in value:
        raise InvalidInput(
            f"{what} holds the help text of an Output instead of its value: an Output was put into an f-string "
            "or str(). Use Output.format('… {0} …', output) or output.apply(...) instead"
        )


def derive(*parts: str, limit: int = DNS_LABEL, ending: str = "") -> str:
    """`parts` joined by '-', cut to `limit`, ending in a digest of the whole (so `a-b`+`c` is not `a`+`b-c`)."""
    tail = f"-{digest(list(parts), 8)}{ending}"
    return "-".join(parts)[: limit - len(tail)].rstrip("-") + tail


def run_name(app: str, task: str, key: str, attempt: int) -> str:
    """The name of one attempt at one definition of a task, at most 58 characters."""
    tail = f"-{digest([app, task, key], 8)}-{attempt}"
    return f"{app}-{task}"[: RUN - len(tail)].rstrip("-") + tail


def build_of(app: str) -> str:
    """The name by which the build of an App goes where its tasks go by the App's name."""
    return app + BUILD


def words(app: str, task: str) -> str:
    """A task as messages name it, or a build."""
    return f"build of app {app[: -len(BUILD)]!r}" if app.endswith(BUILD) else f"task {task!r} of app {app!r}"


def stack_id(project: str, stack: str) -> str:
    """`<project>.<stack>`, the owner of everything that an update makes.

    Where one of them has a dot, it ends in a digest of both, so that `x.eu` and `prod` are not `x` and `eu.prod`.
    """
    ending = f"-{digest([project, stack], 8)}" if "." in project + stack else ""
    return f"{project}.{stack}{ending}"


def label_value(text: str) -> str:
    """`text` as a label value: as it is where Kubernetes allows that, else cut and ending in a digest."""
    clean = re.sub(r"[^A-Za-z0-9._-]", "-", text).strip("._-")
    if clean == text and len(text) <= DNS_LABEL:
        return text
    return f"{clean[:50].rstrip('._-')}-{digest(text, 8)}".lstrip("-")


def _suggest(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "shop"
