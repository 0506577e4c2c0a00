"""What a Dockerfile says that older builders do not know, and which version of buildah has learnt it.

An old builder says `Unknown flag: link`, or takes the first line of a here-document for an instruction, which tells
nobody that a newer one builds it. The versions are those of https://github.com/containers/buildah/blob/main/CHANGELOG.md;
symbolic modes came with its parser (https://github.com/openshift/imagebuilder/pull/324).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

Version = Tuple[int, int]

_FLAGS = {
    ("COPY", "link"): (1, 41), ("ADD", "link"): (1, 41), ("COPY", "parents"): (1, 40), ("COPY", "exclude"): (1, 38),
    ("ADD", "exclude"): (1, 38), ("ADD", "checksum"): (1, 33), ("RUN", "network"): (1, 30),
}  # fmt: skip
_HERE_DOCUMENTS, _SYMBOLIC = (1, 33), (1, 46)
_RELATIVE, _RELATIVE_TO_ROOT = (1, 29), (1, 38)  # with a WORKDIR, and without one
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE)
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+""")
_HERE = re.compile(r"""\d*<<(-?)(["']?)([A-Za-z_][\w.-]*)\2$""")
_OCTAL = re.compile(r"[0-7]+")
_TARGETS = ("target", "dst", "destination")


@dataclass(frozen=True)
class Need:
    """What stands in a line of a Dockerfile (the first one, from 1), and the version of buildah that knows it."""

    what: str
    line: int
    version: Version

    def __str__(self) -> str:
        return f"{self.what} (line {self.line})"


def needs(text: str) -> List[Need]:
    """What of a Dockerfile only newer builders know: each kind once, the newest first."""
    found: dict[str, Need] = {}
    placed = False
    for line, words, here in _instructions(text):
        name, flags = _parts(words)
        placed = name == "WORKDIR" or (placed and name != "FROM")
        kinds = [("here-documents", _HERE_DOCUMENTS)] if here else []
        for flag in flags:
            key, _, value = flag[2:].partition("=")
            if (name, key) in _FLAGS:
                kinds.append((f"{name} --{key}", _FLAGS[name, key]))
            if key == "chmod" and value and "$" not in value and not _OCTAL.fullmatch(value):
                kinds.append((f"--chmod={value}", _SYMBOLIC))
            if name == "RUN" and key == "mount" and _is_relative(value):
                kinds.append(("mounts with a relative target", _RELATIVE if placed else _RELATIVE_TO_ROOT))
        for what, version in kinds:
            found.setdefault(what, Need(what, line, version))
    return sorted(found.values(), key=lambda need: need.version, reverse=True)


def facts(found: Sequence[Need], builder_image: str) -> Dict[str, Any]:
    """What a preview is to tell of it: `builder`, `needs` (what, line, version such as "1.41"); empty if nothing."""
    told = [{"what": need.what, "line": need.line, "version": shown(need.version)} for need in found]
    return {"builder": builder_image, "needs": told} if told else {}


def notice(facts: Mapping[str, Any]) -> List[str]:
    """These facts as a line; none where there are none."""
    found = [Need(one["what"], int(one["line"]), _version(one["version"]) or (0, 0)) for one in facts.get("needs", ())]
    if not found:
        return []
    image, version = str(facts["builder"]), max(need.version for need in found)
    line = f"its Dockerfile has {listed(found)}: the builder has to be buildah {shown(version)} or newer"
    tagged = _version(image.partition("@")[0].rpartition("/")[2].partition(":")[2].lstrip("v"))
    if tagged and tagged < version:
        return [f"{line}, and by its name {image} is older: give another one with Space(builder_image=…)"]
    return [f"{line}; it is {image}"]


def shown(version: Version) -> str:
    """`1.41`."""
    return ".".join(map(str, version))


def listed(found: Sequence[Need]) -> str:
    """Several of them for people: `COPY --link (line 3) and here-documents (line 7)`."""
    names = [str(need) for need in found]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _instructions(text: str) -> Iterator[Tuple[int, List[str], bool]]:
    """Line number, words, and whether it has here-documents, of each instruction; what these hold is skipped."""
    lines = text.splitlines()
    escape, at = "\\", 0
    for line in lines:
        if not line.startswith("#"):
            break
        told = _ESCAPE.match(line)
        escape = told[1] if told else escape
    last = {form: number for number, line in enumerate(lines) for form in (line, line.lstrip("\t"))}
    while at < len(lines):
        first, parts = at, list[str]()
        while at < len(lines):
            line, at = lines[at].strip(), at + 1
            if line.startswith("#") or (parts and not line):
                continue
            first = first if parts else at
            parts.append(line[: -len(escape)] if line.endswith(escape) else line)
            if not line.endswith(escape):
                break
        words = _WORD.findall(" ".join(parts))
        here = False
        for match in filter(None, map(_HERE.match, words if _parts(words)[0] in ("RUN", "COPY", "ADD") else ())):
            end = at
            while end <= last.get(match[3], -1) and not _closes(lines[end], match[3], bool(match[1])):
                end += 1
            if end <= last.get(match[3], -1):  # else it is none: what is shifted by a variable looks like one
                here, at = True, end + 1
        if words:
            yield first, words, here


def _version(text: str) -> Optional[Version]:
    """Of `1.41.2` the first two numbers; None for a text that has none."""
    numbers = re.match(r"(\d{1,6})\.(\d{1,6})", text, re.ASCII)
    return (int(numbers[1]), int(numbers[2])) if numbers else None


def _closes(line: str, word: str, tabs: bool) -> bool:
    return (line.lstrip("\t") if tabs else line) == word


def _parts(words: Sequence[str]) -> Tuple[str, List[str]]:
    """The instruction, that of an ONBUILD being what it holds, and its flags."""
    upper = [word.upper() for word in words[:2]]
    skipped = 2 if upper[:1] == ["ONBUILD"] and len(upper) > 1 else 1
    flags: List[str] = []
    for word in words[skipped:]:
        if not word.startswith("--"):
            break
        flags.append(word.replace('"', "").replace("'", ""))
    return "".join(upper[skipped - 1 : skipped]), flags


def _is_relative(mount: str) -> bool:
    options = dict(part.partition("=")[::2] for part in mount.split(","))
    target = next((options[name] for name in _TARGETS if name in options), "/")
    return bool(target) and not target.startswith(("/", "$"))
