"""Kubeconfigs, read and merged as `kubectl` does.

The official client takes ten times as long to import as to ask, of every command, completion and provider; and where
several files choose a context it takes the last one's, which may be another cluster than that of `kubectl`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.api import Object
from .access import unusable

LONGEST_PATH = 255  # what is longer is content that lost its line ends, and not to be shown
VARIABLE, DEFAULT = "KUBECONFIG", "~/.kube/config"


@dataclass(frozen=True)
class Entry:
    """What stands under a name, and the folder from which its relative paths are meant."""

    value: Object = field(repr=False)
    folder: str = ""


@dataclass(frozen=True)
class Kubeconfig:
    """Contexts, clusters and users by their names, and the name of the context that is chosen."""

    contexts: dict[str, Entry]
    clusters: dict[str, Entry]
    users: dict[str, Entry]
    current: str | None

    @classmethod
    def read(cls, given: str | None) -> Kubeconfig | None:
        """What is `given`, content or files with `:` between them; else the files of KUBECONFIG, else the user's own.

        Of several files the first that says something counts, and those that do not exist are left out; None where
        nothing is said. Raises Unreachable where one cannot be read or is no kubeconfig.
        """
        try:
            documents = list(_documents(given or os.environ.get(VARIABLE) or DEFAULT))
            return cls._merged(documents) if documents else None
        except OSError as error:
            raise unusable(str(error)) from None
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise unusable(f"the kubeconfig is not built as one ({type(error).__name__}: {error})") from None

    @classmethod
    def _merged(cls, documents: Iterable[tuple[str, Object]]) -> Kubeconfig:
        found: dict[str, dict[str, Entry]] = {"context": {}, "cluster": {}, "user": {}}
        current = None
        for folder, document in documents:
            current = current or document.get("current-context")
            for kind, entries in found.items():
                for each in document.get(f"{kind}s") or ():
                    entries.setdefault(each["name"], Entry(dict(each.get(kind) or {}), folder))
        return cls(found["context"], found["cluster"], found["user"], current)


def shown(given: str | None) -> str:
    """Which kubeconfig was asked for, without a word of what it holds."""
    wanted = given or os.environ.get(VARIABLE) or DEFAULT
    return repr(wanted) if len(wanted) <= LONGEST_PATH else f"of {len(wanted)} characters in one line"


def _documents(given: str) -> Iterable[tuple[str, Object]]:
    """Each with the folder of its file; content has none."""
    if "\n" in given or given.lstrip().startswith("{"):
        yield "", _mapping(_parsed(given), "the kubeconfig is neither a file's path nor YAML")
        return
    for path in filter(None, given.split(os.pathsep)):
        # Not those of pathlib: a user without a home, and a path that is too long, are no errors, which would show it.
        file = Path(os.path.expanduser(path))  # noqa: PTH111
        if os.path.exists(file):  # noqa: PTH110
            document = _parsed(file.read_text(encoding="utf-8"), f" {file}")
            if document is not None:
                yield str(file.absolute().parent), _mapping(document, f"{file} is no kubeconfig")


def _mapping(document: Any, said: str) -> Object:
    if not isinstance(document, dict):
        raise unusable(said)
    return document


def _parsed(text: str, which: str = "") -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML has braces, too
    import yaml

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:  # its own text quotes the line, which may be the one with the token
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise unusable(f"the kubeconfig{which} is no YAML{where}") from None
