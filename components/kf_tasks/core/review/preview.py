"""What `pulumi preview` tells, whichever of its two forms it was kept in: steps, lines, violations of policies.

`pulumi preview --json` prints one digest at the end; with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true it prints the
engine's events, one a line, which hold the violations too. Nothing of a secret value is in either.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Mapping

from .. import moments
from ..errors import InvalidInput
from ..log.gate import shown

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # how the engine writes a value that only the update knows
SAME, REPLACE = "same", "replace"
_PARTS_OF_A_REPLACEMENT = ("create-replacement", "replace")
_SILENT = ("delete-replaced", "discard-replaced", "remove-pending-replace")
_KINDS = ("resourcePreEvent", "diagnosticEvent", "policyEvent", "summaryEvent", "preludeEvent")
_HEAD = 120  # characters of an event in which its kind stands
_COLOUR = re.compile(r"<\{%.*?%\}>")  # the engine's own marks
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z", re.ASCII)
_OF_PYTHON, _OF_PLUGIN = "pulumi-python:dynamic/kf:", "kf:index:"
_SEVERITIES = ("error", "warning", "info", "info#err")


@dataclass(frozen=True)
class Step:
    """What happens to one resource: its operation, its inputs before and after, the paths of what differs.

    `old` is None for what is new, `new` for what goes. `outputs` are those of before; `paths` say of each path
    whether it is "add", "delete" or "update". `retained`: what goes stays where it is.
    """

    op: str
    urn: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    retained: bool = False

    @property
    def type(self) -> str:
        """The type token, such as `kubernetes:core/v1:ConfigMap`; of ours that of a Python program."""
        return f"{_OF_PYTHON}{self._token.removeprefix(_OF_PLUGIN)}" if self.of_plugin else self._token

    @property
    def of_plugin(self) -> bool:
        """Whether it is one of ours that are behind doors, of a program in another language."""
        return self._token.removeprefix(_OF_PLUGIN) in ("Run", "History", "Calendar")

    @property
    def _token(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2] if self.urn.count("::") >= 3 else ""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[-1]


@dataclass(frozen=True)
class Line:
    """What was said under a resource; `severity` is "error", "warning" or "info"."""

    urn: str
    severity: str
    text: str


@dataclass(frozen=True)
class Violation:
    """A policy that is violated; `level` is "advisory", "mandatory" or "remediate"."""

    urn: str
    pack: str
    policy: str
    level: str
    text: str


@dataclass(frozen=True)
class Preview:
    """One preview of one stack.

    - `at`: when it began (RFC 3339), empty where it is not told. `whole`: it came to its end.
    - `streamed`: it is made from events, which alone tell of policies.
    """

    project: str
    stack: str
    steps: tuple[Step, ...] = ()
    lines: tuple[Line, ...] = ()
    violations: tuple[Violation, ...] = ()
    at: str = ""
    whole: bool = True
    streamed: bool = True


def known(value: Any) -> Any:
    """A value of an input, None where only the update knows it."""
    return None if value == UNKNOWN else value


def text(value: Any) -> str:
    """A text of an input; empty where it is none, or only the update knows it."""
    return value if isinstance(value, str) and value != UNKNOWN else ""


def moment(value: Any) -> str:
    """A moment of an input (RFC 3339 in UTC); empty where it is none."""
    found = text(value)
    try:
        return found if _MOMENT.fullmatch(found) and moments.parse(found) else ""
    except ValueError:  # the 31st of February
        return ""


def number(value: Any) -> int:
    """A whole number of an input; 0 where it is none."""
    return int(value) if isinstance(value, (int, float)) and value == value and abs(value) < 1e15 else 0


def items(value: Any) -> list[Any]:
    """A list of an input; empty where it is none."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping of an input; empty where it is none."""
    return value if isinstance(value, dict) else {}


def read(found: str, source: str) -> Preview:
    """The preview that a digest or events hold; `source` names them in the error. Raises InvalidInput for neither."""
    first = found.lstrip("\ufeff \t\r\n").partition("\n")[0]
    try:
        begin = json.loads(first)
    except ValueError:
        begin = None
    try:
        if isinstance(begin, dict) and "sequence" in begin:
            return _of_events(found)
        whole = json.loads(found)
        if isinstance(whole, dict) and ("steps" in whole or "changeSummary" in whole):
            return _of_digest(whole)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    raise InvalidInput(
        f"{source} holds no preview: write one with `pulumi preview --json > FILE`, "
        "or with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true before it, so that violations of policies are in it"
    )


def _of_events(events: str) -> Preview:
    steps: dict[str, Step] = {}
    lines, violations, at, whole = list[Line](), list[Violation](), "", False
    for line in events.split("\n"):
        if not any(kind in line[:_HEAD] for kind in _KINDS):
            continue  # two thirds of a preview are what it does itself
        try:
            event = json.loads(line)
        except ValueError:
            continue  # what a program prints itself, or the last line of a preview that was killed
        if not isinstance(event, dict):
            continue
        at = at or (moments.of_epoch(int(event["timestamp"])) if event.get("timestamp") else "")
        if "resourcePreEvent" in event:
            metadata = event["resourcePreEvent"]["metadata"]
            _keep(steps, metadata["op"], metadata["urn"], metadata.get("old"), metadata.get("new"), metadata)
        elif "diagnosticEvent" in event and not event["diagnosticEvent"].get("ephemeral"):
            lines += _line(event["diagnosticEvent"])
        elif "policyEvent" in event:
            found = event["policyEvent"]
            names = ("resourceUrn", "policyPackName", "policyName", "enforcementLevel", "message")
            violations.append(Violation(*(shown(str(found.get(name) or "")).strip() for name in names)))
        whole = whole or "summaryEvent" in event
    return _preview(steps, lines, violations, at, whole, True)


def _of_digest(found: Mapping[str, Any]) -> Preview:
    steps: dict[str, Step] = {}
    for step in found.get("steps") or ():
        _keep(steps, step["op"], step["urn"], step.get("oldState"), step.get("newState"), step)
    lines = [line for one in found.get("diagnostics") or () for line in _line(one)]
    return _preview(steps, lines, [], "", True, False)


def _keep(
    steps: dict[str, Step], op: str, urn: str,
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, metadata: Mapping[str, Any],
) -> None:  # fmt: skip
    """Keeps one step for each resource: the parts of a replacement are one."""
    if op in _SILENT:
        return
    op = REPLACE if op in _PARTS_OF_A_REPLACEMENT else op
    before, after = (mapping(state.get("inputs")) if isinstance(state, dict) else None for state in (old, new))
    differs = sorted(mapping(metadata.get("detailedDiff")).items())
    steps[urn] = Step(
        op=op,
        urn=urn,
        old=before if op != "create" else None,
        new=after if op != "delete" else None,
        outputs=mapping(mapping(old).get("outputs")),
        paths={shown(path): _kind(found) for path, found in differs},
        retained=bool(mapping(old).get("retainOnDelete")),
    )


def _kind(found: Any) -> str:
    """How a path differs; the digest and the events write it in two ways."""
    kind = found.get("diffKind") or found.get("kind") if isinstance(found, dict) else found
    return str(kind or "update").partition("-")[0]


def _line(event: Mapping[str, Any]) -> list[Line]:
    severity = str(event.get("severity") or "info")
    text = shown(_COLOUR.sub("", str(event.get("message") or ""))).strip()
    for word in ("warning: ", "error: "):
        text = text.removeprefix(word)
    if severity not in _SEVERITIES or not text:
        return []
    return [Line(str(event.get("urn") or ""), "info" if severity == "info#err" else severity, text)]


def _preview(
    steps: dict[str, Step], lines: list[Line], violations: list[Violation], at: str, whole: bool, streamed: bool
) -> Preview:
    urns = [*steps, *(line.urn for line in lines)]
    parts = next((urn.split("::") for urn in urns if urn.startswith("urn:pulumi:") and urn.count("::") >= 3), None)
    stack, project = (parts[0].removeprefix("urn:pulumi:"), parts[1]) if parts else ("", "")
    ordered = tuple(steps[urn] for urn in sorted(steps))
    unique = tuple(dict.fromkeys(sorted(lines, key=lambda line: (line.urn, line.severity))))
    return Preview(project, stack, ordered, unique, tuple(sorted(set(violations), key=_order)), at, whole, streamed)


def _order(one: Violation) -> tuple[str, ...]:
    return ((one.level != "mandatory" and "1") or "0", one.pack, one.policy, one.urn, one.text)
