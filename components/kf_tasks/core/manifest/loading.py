"""From a file to its applications, or to one error with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Collection, Dict, List, Mapping, Optional

from ..errors import InvalidInput
from .differences import differences
from .document import read
from .findings import Finding, tell
from .model import Application
from .nodes import Entries
from .review import Review
from .substitution import Substitution

LARGEST_FILE = 1024 * 1024
ADVICE = "create it, or name another file with 'pulumi config set kf:manifest FILE'"


@dataclass(frozen=True)
class Manifest:
    """The applications of a file, and what its author should know although it can be used.

    `findings` are the warnings for programs, `differences` tells what Kf and Cloud Foundry do otherwise.
    """

    applications: List[Application]
    warnings: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    findings: List[Finding] = field(default_factory=list)
    differences: List[str] = field(default_factory=list)


class Unusable(InvalidInput):
    """A manifest with `problems`, which the text tells too; a slip that is only warned of is often their cause."""

    def __init__(self, text: str, problems: List[str], warnings: List[str], notes: List[str]) -> None:
        super().__init__(text)
        self.problems = problems
        self.warnings = warnings
        self.notes = notes


def parse(
    text: str,
    file: str = "manifest.yml",
    variables: Optional[Mapping[str, Any]] = None,
    services: Optional[Collection[str]] = None,
) -> Manifest:
    """The manifest in `text`, with `((name))` replaced from `variables`.

    A value in `Secret` may only be used in env. `services` are the declared ones; None leaves them unchecked.
    Raises Unusable with every problem of the file, each with line, application and key, or InvalidInput.
    """
    document = read(text, file, Substitution(variables or {}))
    if document.data is None:
        raise InvalidInput(f"{file} is empty: begin it with 'applications:' and a list of applications")
    review = Review(document, services)

    def told(findings: List[Finding]) -> List[str]:
        return [f"{file}: {line}" for line in tell(findings, review.data)]

    if review.problems:
        said = tell(review.problems, review.data)
        count = f"{len(said)} problems" if len(said) > 1 else "1 problem"
        text = "\n  ".join([f"{file} cannot be used, it has {count}:", *said])
        raise Unusable(text, told(review.problems), told(review.warnings), told(review.notes))
    other = told(differences(review.data, review.warnings))
    return Manifest(review.applications, told(review.warnings), told(review.notes), review.warnings, other)


def load(
    path: Path,
    variables: Optional[Mapping[str, Any]] = None,
    services: Optional[Collection[str]] = None,
) -> Manifest:
    """The manifest in a file; raises InvalidInput, also when there is no such file."""
    return parse(content(path, "manifest", ADVICE), path.name, variables, services)


def values(path: Path) -> Dict[str, Any]:
    """The variables in a file of `name: value`, every value as the file shows it; raises InvalidInput."""
    document = read(content(path, "file of variables", "create it, or name another one"), path.name)
    if document.problems:
        raise InvalidInput("\n  ".join([f"{path.name} cannot be used:", *tell(document.problems, document.data)]))
    if document.data is not None and not isinstance(document.data, Entries):
        raise InvalidInput(f"{path.name} cannot be used: write keys and values into it, such as 'name: value'")
    return dict(document.data or {})


def content(path: Path, what: str, advice: str) -> str:
    """The text of a file; raises InvalidInput."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(f"there is no {what} {path}: {advice}") from None
    except OSError as error:
        raise InvalidInput(f"the {what} {path} cannot be read: {error.strerror}") from None
    if len(found) > LARGEST_FILE:
        raise InvalidInput(f"{path} has {len(found)} bytes, a manifest has at most {LARGEST_FILE}")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}: line {line} is no UTF-8: save the file as UTF-8") from None
